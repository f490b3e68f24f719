// A client of the cluster: write, read, delete, and what came back. Law of this file: whatever the key or the value,
// the panel keeps its size; what is too long to show can still be copied.

import type { Answer, Outcome } from "../messages/cluster";
import { button, copyButton } from "../shared/button";
import { h, setAttribute, setText } from "../shared/dom";
import { clip, oneLine, plural } from "../shared/format";
import { oneTabStop } from "../shared/keys";
import type { Context, View } from "./context";
import { REASON } from "./words";

const LONG_KEY = 60; // characters
const LONG_LINE = 400;
const LONG_BODY = 20_000;
const MEANING: Record<Outcome, string> = { ok: "", failed: "certainly not done", unknown: "outcome unknown" };

export function makeClient(panel: Context): View {
  const box = (name: string, value: string, label: string) =>
    h("input", { type: "text", value, "aria-label": label, "data-testid": name, spellcheck: "false" });
  const key = box("key", "x", "Key");
  const value = box("value", "hello", "Value, as JSON or plain text");
  const leader = h("option", { value: "" }, "the leader");
  const via = h("select", { "aria-label": "Node to ask", "data-testid": "via" }, leader);
  const fresh = h("input", { type: "checkbox", "data-testid": "linearizable" });
  const target = () => ({ key: key.value, via: via.value || null });
  const write = button("Write", {
    title: "PUT: store the value",
    testid: "do-put",
    kind: "rl-primary",
    act: () => panel.ask({ do: "put", ...target(), value: value.value }),
  });
  const read = button("Read", {
    title: "GET: what does this node hold?",
    testid: "do-get",
    act: () => panel.ask({ do: "get", ...target(), linearizable: fresh.checked }),
  });
  const remove = button("Delete", {
    title: "DELETE: remove the key",
    testid: "do-delete",
    act: () => panel.ask({ do: "delete", ...target() }),
  });
  const buttons = [write, read, remove];
  for (const [input, one] of [[value, write] as const, [key, read] as const]) {
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") one.el.click();
    });
  }
  key.addEventListener("input", update);
  const verbs = { class: "rl-buttons", role: "toolbar", "aria-label": "Write, read or delete" };
  const toolbar = h(
    "div",
    verbs,
    buttons.map((one) => one.el),
  );
  oneTabStop(toolbar, "button");

  const title = "The leader confirms that it still leads before it answers";
  const check = h("label", { class: "rl-check", title }, fresh, "linearizable");
  const fields = [h("label", {}, "key", key), h("label", {}, "value", value), h("label", {}, "ask", via)];
  const result = makeResult();
  const el = h(
    "section",
    { class: "rl-card rl-client", "aria-label": "Write and read" },
    h("div", { class: "rl-fields" }, fields, toolbar),
    h("div", { class: "rl-result" }, check, result.hint, result.el),
  );

  function update() {
    const known = new Set([...via.options].map((option) => option.value));
    for (const { id } of panel.get("nodes")) if (!known.has(id)) via.append(h("option", { value: id }, id));
    for (const one of buttons) one.allow(key.value ? "" : "A key is needed.");
    result.show(panel.get("answer"));
  }

  return { el, update };
}

function makeResult() {
  const code = h("span", { class: "rl-code" });
  const from = h("span", { class: "rl-dim" });
  const body = h("pre", { class: "rl-body-text", tabindex: 0, role: "region", "aria-label": "The answer's body" });
  const curl = h("code", {});
  let command = "";
  const line = h(
    "div",
    { class: "rl-curl" },
    curl,
    copyButton(() => command),
  );
  const head = h("div", { class: "rl-rowhead" }, code, from);
  const el = h("div", { class: "rl-answer", "aria-live": "polite", "data-testid": "answer" }, head, body, line);
  const words = "The answer, its status code and the same request for a shell appear here.";
  const hint = h("p", { class: "rl-hint" }, words);
  let shown: unknown = null;

  function show(answer: Answer | Record<string, never>) {
    el.hidden = !isAnswer(answer);
    hint.hidden = !el.hidden;
    if (!isAnswer(answer) || shown === answer) return;
    shown = answer;
    setText(code, answer.code === null ? "no answer" : `${answer.code} ${REASON[answer.code] ?? ""}`);
    setAttribute(code, "class", `rl-code is-${answer.outcome}${answer.code === 404 ? " is-missing" : ""}`);
    setText(from, factsOf(answer));
    setText(body, clip(oneLine(answer.body), LONG_BODY));
    command = answer.curl;
    setText(curl, clip(command, LONG_LINE));
    line.hidden = !command;
  }

  return { el, hint, show };
}

const isAnswer = (answer: Answer | Record<string, never>): answer is Answer => answer.id !== undefined;

function factsOf(answer: Answer): string {
  const at = answer.node ? ` at ${answer.node}` : "";
  const tries = answer.attempts > 1 ? `, ${plural(answer.attempts, "attempt")}` : "";
  const meaning = MEANING[answer.outcome] ? ` · ${MEANING[answer.outcome]}` : "";
  return `${answer.verb.toUpperCase()} ${clip(answer.key, LONG_KEY)}${at} · ${answer.ms} ms${tries}${meaning}`;
}
