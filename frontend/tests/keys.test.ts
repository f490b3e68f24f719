// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from "vitest";
import { h } from "../src/shared/dom";
import { keepKeys, oneTabStop } from "../src/shared/keys";

const SUPPRESS = "data-lm-suppress-shortcuts";

function press(target: Element, key: string, more: KeyboardEventInit = {}): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
  target.dispatchEvent(event);
  return event;
}

/** What JupyterLab would find at the focused element when the key press reaches `document`. */
function seenAtDocument(target: Element, key: string, more: KeyboardEventInit = {}): boolean {
  let seen = false;
  const look = () => {
    seen = target.hasAttribute(SUPPRESS);
  };
  document.addEventListener("keydown", look, true);
  press(target, key, more);
  document.removeEventListener("keydown", look, true);
  return seen;
}

beforeEach(() => document.body.replaceChildren());

describe("keys pressed within a panel", () => {
  it("are kept from the notebook, also at an element that is made later", () => {
    const root = h("div");
    document.body.append(root);
    keepKeys(root);
    const late = h("button");
    root.append(h("section", {}, late));
    expect(seenAtDocument(late, "x")).toBe(true);
    expect(seenAtDocument(root, "x")).toBe(true);
  });

  it("save the notebook all the same", () => {
    const button = h("button");
    const root = h("div", {}, button);
    document.body.append(root);
    keepKeys(root);
    expect(seenAtDocument(button, "x")).toBe(true);
    expect(seenAtDocument(button, "s", { ctrlKey: true })).toBe(false);
    expect(seenAtDocument(button, "S", { metaKey: true })).toBe(false);
    expect(seenAtDocument(button, "s")).toBe(true);
  });

  it("elsewhere are none of the panel's business, and neither are any after its end", () => {
    const button = h("button");
    const root = h("div", {}, button);
    const outside = h("button");
    document.body.append(root, outside);
    const end = keepKeys(root);
    expect(seenAtDocument(outside, "x")).toBe(false);
    end();
    expect(seenAtDocument(button, "x")).toBe(false);
  });
});

describe("a group with one tab stop", () => {
  const make = (count: number) => {
    const group = h("div", {}, ...Array.from({ length: count }, (_, index) => h("button", {}, String(index))));
    document.body.append(group);
    const refresh = oneTabStop(group, "button");
    const items = () => [...group.querySelectorAll("button")];
    const stops = () => items().filter((item) => item.tabIndex === 0);
    return { group, refresh, items, stops };
  };
  const focused = () => document.activeElement?.textContent;

  it("has one, the first", () => {
    const { stops } = make(3);
    expect(stops().map((item) => item.textContent)).toEqual(["0"]);
  });

  it("is gone through by arrows, around its ends, and by Home and End", () => {
    const { items } = make(3);
    items()[0]?.focus();
    const visited = ["ArrowRight", "ArrowDown", "ArrowRight", "ArrowLeft", "Home", "End", "ArrowUp"].map((key) => {
      const event = press(document.activeElement as Element, key);
      expect(event.defaultPrevented).toBe(true);
      return focused();
    });
    expect(visited).toEqual(["1", "2", "0", "2", "0", "2", "1"]);
  });

  it("remembers where one was, also by the mouse", () => {
    const { items, stops } = make(3);
    items()[2]?.focus();
    expect(stops().map((item) => item.textContent)).toEqual(["2"]);
  });

  it("takes new items in", () => {
    const { group, refresh, stops, items } = make(1);
    group.append(h("button", {}, "new"));
    refresh();
    expect(stops()).toHaveLength(1);
    items()[0]?.focus();
    press(document.activeElement as Element, "ArrowRight");
    expect(focused()).toBe("new");
  });

  it("leaves other keys and shortcuts alone", () => {
    const { items } = make(2);
    items()[0]?.focus();
    expect(press(document.activeElement as Element, "Enter").defaultPrevented).toBe(false);
    expect(press(document.activeElement as Element, "ArrowRight", { ctrlKey: true }).defaultPrevented).toBe(false);
    expect(focused()).toBe("0");
  });
});
