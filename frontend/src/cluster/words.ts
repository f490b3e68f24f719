// What things are called in the cluster panel. Law of this file: words only.

import type { Look, Verb } from "../messages/cluster";

export const BACKEND: Record<string, string> = {
  process: "local processes",
  docker: "Docker containers",
  simulated: "simulation",
};

export const LOOKS: Record<Look, string> = {
  leader: "leader",
  follower: "follower",
  candidate: "candidate",
  paused: "paused",
  stopped: "stopped",
  silent: "no answer",
  unknown: "…",
};

export const VERBS: { verb: Verb; label: string; title: string; doing: string }[] = [
  { verb: "start", label: "Start", title: "Start this node", doing: "starting" },
  { verb: "stop", label: "Stop", title: "Ask the node to leave (SIGTERM)", doing: "stopping" },
  { verb: "kill", label: "Kill", title: "Crash it (SIGKILL)", doing: "being killed" },
  { verb: "pause", label: "Pause", title: "Freeze it: it notices nothing", doing: "being paused" },
  { verb: "resume", label: "Resume", title: "Let it go on", doing: "resuming" },
];

export const REASON: Record<number, string> = {
  200: "OK",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  503: "Service Unavailable",
  504: "Outcome unknown",
};

export const SIDES = ["A", "B", "C"] as const;
export const SIDE_NAMES = "ABCDEFGH";
