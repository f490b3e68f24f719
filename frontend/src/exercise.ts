// The exercise panel. Law of this file: it joins the parts and decides nothing. The parts draw what Python says and
// report what the user wants; none of them decides anything about marks.

import type { Render } from "@anywidget/types";
import type { Context, View } from "./exercise/context";
import { makeControls } from "./exercise/controls";
import { makeRows } from "./exercise/rows";
import { makeScore } from "./exercise/score";
import { makeStage } from "./exercise/stage";
import { makeStrip } from "./exercise/strip";
import type { BoardCommand, BoardMessage, BoardTraits } from "./messages/exercise";
import { WHY } from "./shared/button";
import { makeCommands } from "./shared/commands";
import { h } from "./shared/dom";
import { keepKeys } from "./shared/keys";
import { makeNotices } from "./shared/notices";
import { skipLinks } from "./shared/skip";

const NO_REFERENCE = "The reference solution is not in this copy of the lab.";
let boards = 0;

const render: Render<BoardTraits> = ({ model, el }) => {
  const root = h("div", { class: "rl-panel rl-exercise", role: "region", "aria-label": "Exercise panel" });
  const motion = window.matchMedia("(prefers-reduced-motion: reduce)");
  const notices = makeNotices(
    () => model.get("problems"),
    () => model.get("total").notes,
  );
  const commands = makeCommands<BoardCommand>((message) => model.send(message), notices.queue);

  boards += 1;
  const panel: Context = {
    id: `rl-exercise-${boards}`,
    calm: () => motion.matches,
    get: (trait) => model.get(trait),
    ask: commands.ask,
    whyNoReference: () => (model.get("about").reference ? "" : NO_REFERENCE),
  };

  const score = makeScore(panel);
  const controls = makeControls(panel);
  const strip = makeStrip(panel);
  const rows = makeRows(panel);
  const stage = makeStage(panel);
  const skip = skipLinks([{ label: "the checks", el: rows.el }]);
  const head = h("div", { class: "rl-exercisehead" }, score.el, controls.el);
  root.append(skip.el, head, notices.el, strip.el, rows.el, stage.el, skip.end);
  el.append(root);
  root.addEventListener(WHY, (event) => notices.explain((event as CustomEvent<string>).detail));
  const endKeys = keepKeys(root);

  const parts: Record<keyof BoardTraits, Pick<View, "update">[]> = {
    about: [score, controls],
    rows: [rows, strip],
    total: [score, controls, notices],
    source: [controls],
    activity: [controls, rows, stage],
    stage: [stage],
    problems: [notices],
  };
  const listeners = Object.entries(parts).map(([trait, views]) => {
    const listener = () => {
      for (const view of views) view.update();
    };
    model.on(`change:${trait}`, listener);
    return [`change:${trait}`, listener] as const;
  });

  function hear(message: BoardMessage) {
    if (message.type === "heard") commands.acknowledge(message.id);
    else rows.take(message);
  }
  model.on("msg:custom", hear);

  for (const part of [score, controls, notices, strip, rows, stage]) part.update();

  return () => {
    endKeys();
    commands.end();
    for (const [event, listener] of listeners) model.off(event, listener);
    model.off("msg:custom", hear);
  };
};

export default { render };
