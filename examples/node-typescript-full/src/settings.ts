/** What a node is told through its environment. A wrong value is refused with one line that says what it takes. */

import { COPIES } from "./options.js";

export interface Settings {
  nodeId: string;
  host: string;
  port: number;
  /** The base URL of each other node, by its id. */
  peers: Record<string, string>;
  heartbeatMs: number;
  electionTimeoutMs: number;
  mode: string;
  election: string;
  dataDir: string | undefined;
  token: string;
}

export class BadSetting extends Error {}

type Environment = Record<string, string | undefined>;

export function readSettings(env: Environment): Settings {
  const nodeId = env.NODE_ID ?? "";
  if (nodeId === "") {
    throw new BadSetting("NODE_ID is missing: set it to the name of this node, for example node-1");
  }
  const heartbeatMs = wholeNumber(env, "HEARTBEAT_MS", 2000, 1, 3_600_000);
  const settings: Settings = {
    nodeId,
    host: env.HOST || "127.0.0.1",
    port: wholeNumber(env, "PORT", 4000, 1, 65_535),
    peers: readPeers(env.PEERS ?? "", nodeId),
    heartbeatMs,
    electionTimeoutMs: wholeNumber(env, "ELECTION_TIMEOUT_MS", 3 * heartbeatMs, 2, 3_600_000),
    mode: oneOf(env, "REPLICATION_MODE", Object.keys(COPIES)),
    election: electionName(env),
    dataDir: env.DATA_DIR || undefined,
    token: env.CLUSTER_TOKEN ?? "",
  };
  if (settings.electionTimeoutMs <= heartbeatMs) {
    throw new BadSetting("ELECTION_TIMEOUT_MS must be longer than HEARTBEAT_MS");
  }
  return settings;
}

function oneOf(env: Environment, name: string, values: string[]): string {
  const value = env[name] || (values[0] ?? "");
  if (!values.includes(value)) {
    throw new BadSetting(`${name} takes ${values.join(", ")}, not "${value}"`);
  }
  return value;
}

/** The name of a file beside this one, never a path to elsewhere. */
function electionName(env: Environment): string {
  const name = env.ELECTION || "lowest-id";
  if (!/^[a-z][a-z0-9-]*$/.test(name)) {
    throw new BadSetting(`ELECTION takes a name like lowest-id, not "${name}"`);
  }
  return name;
}

function wholeNumber(env: Environment, name: string, usual: number, least: number, most: number): number {
  const text = env[name] || String(usual);
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < least || number > most) {
    throw new BadSetting(`${name} takes a whole number from ${least} to ${most}, not "${text}"`);
  }
  return number;
}

/** `node-2=http://node2:4000,node-3=http://node3:4000`. Without names, ids are counted up from node-1, without ours. */
function readPeers(text: string, me: string): Record<string, string> {
  const entries = text.split(",").flatMap((entry) => entry.trim() || []);
  const unnamed = entries.map((_, place) => `node-${place + 1}`);
  const mine = unnamed.indexOf(me);
  const names =
    mine < 0 ? unnamed : unnamed.map((name, place) => (place < mine ? name : `node-${place + 2}`));
  return Object.fromEntries(
    entries.map((entry, place) => {
      const [, name = names[place] ?? "", url = ""] =
        /^(?:([^=/:]+)=)?(http:\/\/[^/?#]+)\/?$/.exec(entry) ?? [];
      if (url === "" || name === me) {
        throw new BadSetting(
          `PEERS takes the other nodes as node-2=http://node2:4000, separated by commas, not "${entry}"`,
        );
      }
      return [name, url];
    }),
  );
}
