// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from "vitest";
import { type Attention, makeAttention } from "../src/cluster/attention";
import { h } from "../src/shared/dom";

let wall = 0;
let roused = 0;
let root: HTMLElement;
let attention: Attention;

beforeEach(() => {
  wall = 1000;
  roused = 0;
  root = h("div", {}, h("button"));
  attention = makeAttention(
    root,
    () => {
      roused += 1;
    },
    () => wall,
  );
});

describe("attention", () => {
  it("is paid to nothing at first", () => {
    expect(attention.lively).toBe(false);
    expect(roused).toBe(0);
  });

  it("is paid at once when something happens, and for a while", () => {
    attention.stir();
    expect(attention.lively).toBe(true);
    expect(roused).toBe(1);
    wall += 2000;
    attention.stir();
    wall += 2000;
    expect(attention.lively).toBe(true);
    expect(roused).toBe(1);
    wall += 2000;
    expect(attention.lively).toBe(false);
  });

  for (const sign of ["pointermove", "pointerdown", "keydown"]) {
    it(`is paid when there is a ${sign} in the panel, until its end`, () => {
      root.querySelector("button")?.dispatchEvent(new Event(sign, { bubbles: true }));
      expect(attention.lively).toBe(true);
      expect(roused).toBe(1);

      wall += 60_000;
      attention.end();
      root.dispatchEvent(new Event(sign));
      expect(attention.lively).toBe(false);
    });
  }
});
