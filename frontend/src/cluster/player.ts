// The simulator's time: play, halt, step, rewind. Law of this file: what Python says of the speed holds at first; later
// the slider is the user's.

import { type Button, button, copyButton } from "../shared/button";
import { h, setText } from "../shared/dom";
import { clamp, speedAt } from "../shared/format";
import { ICONS } from "../shared/icons";
import type { Context, View } from "./context";

const STEPS = [0.05, 0.5, 5]; // seconds
const CLOCK_EVERY = 100; // ms

export function makePlayer(panel: Context): View & { draw(): number } {
  const time = h("output", { class: "rl-clock", "aria-label": "Time of the simulation" });
  const speed = h("input", { type: "range", min: -1, max: 1, step: 0.05, value: 0, "aria-label": "Speed" });
  const rate = h("output");
  const seed = h("code");
  const chosen = () => speedAt(Number(speed.value));
  const toggle = () => panel.ask(panel.get("player").playing ? { do: "halt" } : { do: "play", speed: chosen() });
  const play = button("Play", { name: "start", testid: "play", act: toggle });
  const steps = STEPS.map((length) =>
    button(`+${length} s`, {
      name: "step",
      title: `Let ${length} s pass`,
      kind: "rl-small",
      act: () => panel.ask({ do: "step", seconds: length }),
    }),
  );
  const scrubber = h("input", {
    type: "range",
    min: 0,
    max: 0,
    step: 0.01,
    value: 0,
    "data-testid": "rewind",
    "aria-label": "Moment of the simulation; drag back to run again from the seed up to there",
    title: "Drag back to rewind: the run begins again from its seed, up to that moment",
  });
  let held = false;
  scrubber.addEventListener("input", () => {
    held = true;
    setText(time, `t = ${Number(scrubber.value).toFixed(2)} s`);
  });
  scrubber.addEventListener("change", () => {
    held = false;
    panel.ask({ do: "rewind", to: clamp(Number(scrubber.value), 0, panel.clock.now()) });
  });
  const moments = h("span", { class: "rl-buttons", role: "group", "aria-label": "Moments to go to" });
  const undo = button("Undo", {
    kind: "rl-small",
    testid: "undo",
    title: "Take back what was done last, and go back to its moment",
    act: () => panel.ask({ do: "undo" }),
  });
  const save = button("Save", {
    kind: "rl-small",
    testid: "save",
    title: "The run as a schedule: replab replay FILE runs it again",
    act: () => panel.ask({ do: "save" }),
  });
  const el = h(
    "section",
    { class: "rl-player", "aria-label": "The simulation's time" },
    play.el,
    steps.map((one) => one.el),
    undo.el,
    save.el,
    h("label", { class: "rl-slider" }, h("span", {}, "speed"), speed, rate),
    moments,
    scrubber,
    time,
    h(
      "span",
      { class: "rl-seed" },
      "seed ",
      seed,
      copyButton(() => seed.textContent ?? ""),
    ),
  );
  let adopted = false;

  const showSpeed = () => setText(rate, `${chosen()}×`);
  speed.addEventListener("input", () => {
    showSpeed();
    if (panel.get("player").playing) panel.ask({ do: "play", speed: chosen() });
  });

  function adopt() {
    const player = panel.get("player");
    if (adopted || player.speed === undefined) return;
    adopted = true;
    speed.value = String(Math.log10(player.speed));
    moments.replaceChildren(...player.moments.map(([name, at]) => momentButton(name, at).el));
    moments.hidden = !player.moments.length;
  }

  function momentButton(name: string, at: number): Button {
    return button(name, {
      kind: "rl-small",
      title: `Run again from the seed, up to t = ${at.toFixed(2)} s`,
      testid: `moment-${name.replaceAll(" ", "-")}`,
      act: () => panel.ask({ do: "rewind", to: at }),
    });
  }

  function update() {
    adopt();
    const player = panel.get("player");
    el.hidden = !panel.simulated();
    play.label(player.playing ? "Halt" : "Play");
    play.el.querySelector("path")?.setAttribute("d", ICONS[player.playing ? "pause" : "start"]);
    scrubber.disabled = !player.rewinds;
    setText(seed, String(panel.get("info").seed));
    showSpeed();
  }

  function draw(): number {
    if (el.hidden) return Infinity;
    const now = panel.clock.now();
    if (!held) {
      setText(time, `t = ${now.toFixed(2)} s`);
      scrubber.max = now.toFixed(2);
      scrubber.value = scrubber.max;
    }
    return panel.clock.moving ? CLOCK_EVERY : Infinity;
  }

  return { el, update, draw };
}
