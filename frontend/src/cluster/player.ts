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
  const label = "Moment to go back to, in seconds";
  const target = h("input", { type: "number", min: 0, step: 0.1, value: 0, "aria-label": label });
  const goal = () => clamp(Number(target.value) || 0, 0, panel.clock.now());
  const rewind = () => panel.ask({ do: "rewind", to: goal() });
  const back = button("Rewind to", { name: "rewind", testid: "rewind", kind: "rl-small", act: rewind });
  const moments = h("span", { class: "rl-buttons", role: "group", "aria-label": "Moments to go to" });
  const el = h(
    "section",
    { class: "rl-card rl-player", "aria-label": "The simulation's time" },
    play.el,
    steps.map((one) => one.el),
    h("label", { class: "rl-slider" }, h("span", {}, "speed"), speed, rate),
    [moments, back.el, target, h("span", { class: "rl-dim" }, "s"), time],
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
    back.allow(player.rewinds ? "" : "This cluster cannot be rewound.");
    setText(seed, String(panel.get("info").seed));
    showSpeed();
  }

  function draw(): number {
    if (el.hidden) return Infinity;
    setText(time, `t = ${panel.clock.now().toFixed(2)} s`);
    return panel.clock.moving ? CLOCK_EVERY : Infinity;
  }

  return { el, update, draw };
}
