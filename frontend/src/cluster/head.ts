// The headline: who leads, where the nodes run, and what there is to say. Law of this file: what matters is told to a
// screen reader as well.

import type { Mark } from "../messages/cluster";
import { button } from "../shared/button";
import { h, setText } from "../shared/dom";
import { clip, plural } from "../shared/format";
import { icon } from "../shared/icons";
import type { Context, View } from "./context";
import { BACKEND } from "./words";

const LONG_MARK = 300; // characters

export interface Head extends View {
  announce(mark: Mark): void;
}

export function makeHead(panel: Context): Head {
  const crown = h("span", { class: "rl-headcrown" }, icon("crown"));
  const sentence = h("strong", { "data-testid": "sentence" });
  const chips = h("div", { class: "rl-chips" });
  const live = h("div", { class: "rl-sr", role: "status", "aria-live": "polite" });
  const again = button("Start a new one", {
    name: "start",
    kind: "rl-primary rl-small",
    testid: "again",
    act: () => panel.ask({ do: "again" }),
  });
  const why = button("Why?", {
    kind: "rl-small",
    testid: "why-now",
    title: "What led to this?",
    act: () => panel.ask({ do: "why", at: panel.clock.now() }),
  });
  const facts = h("span", { class: "rl-dim" });
  const headline = h("div", { class: "rl-headline" }, crown, sentence, facts, why.el, again.el);
  const el = h("div", { class: "rl-head" }, headline, chips, live);
  let drawn = "";

  function chipsOf(): [words: string, title: string][] {
    const info = panel.get("info");
    return [
      [BACKEND[info.backend] ?? info.backend, "where the nodes run"],
      ...told(info.mode, info.mode, info.copies ? `a write waits for ${plural(info.copies, "copy", "copies")}` : ""),
      ...told(info.election, `election ${info.election}`, "how the leader is chosen"),
      [
        `${info.heartbeat_ms} / ${info.timeout_ms} ms`,
        "the leader's heartbeats, and the silence after which it is taken for dead",
      ],
    ];
  }

  function update() {
    const info = panel.get("info");
    setText(sentence, info.sentence || "Looking at the cluster…");
    setText(facts, votesOf(panel));
    sentence.classList.toggle("is-bad", info.split);
    crown.hidden = !info.leader;
    again.el.hidden = !info.again;
    again.allow(panel.get("doing").some((one) => one.verb === "again") ? "A new cluster is being started." : "");
    const words = JSON.stringify(chipsOf());
    if (words !== drawn) {
      drawn = words;
      chips.replaceChildren(...chipsOf().map(([label, title]) => h("span", { class: "rl-chip", title }, label)));
    }
  }

  function announce(mark: Mark) {
    const quiet = mark.level === "info" || mark.level.startsWith("write");
    if (!quiet) setText(live, clip(mark.text, LONG_MARK));
  }

  return { el, update, announce };
}

/** With how many votes the leader was elected, as far as is known. */
function votesOf(panel: Context): string {
  const { leader, split } = panel.get("info");
  const votes = panel.get("nodes").find((node) => node.id === leader)?.votes;
  return votes && !split ? `${votes.got} of ${votes.of} voted for it` : "";
}

/** A chip, where there is something to tell: nodes of another program need not say how they elect and replicate. */
const told = (what: string, words: string, title: string): [string, string][] => (what ? [[words, title]] : []);
