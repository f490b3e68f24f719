import { describe, expect, it } from "vitest";
import { clamp, clip, momentText, oneLine, plural, seconds, speedAt } from "../src/shared/format";

describe("numbers", () => {
  it("are kept within their bounds", () => {
    expect([-1, 0.5, 2].map((value) => clamp(value, 0, 1))).toEqual([0, 0.5, 1]);
  });

  it("count one thing in the singular", () => {
    expect([0, 1, 2].map((count) => plural(count, "key"))).toEqual(["0 keys", "1 key", "2 keys"]);
    expect(plural(3, "copy", "copies")).toBe("3 copies");
  });

  it("of seconds have a decimal below ten", () => {
    expect([0, 1.26, 9.94, 10.4, 75].map(seconds)).toEqual(["0.0 s", "1.3 s", "9.9 s", "10 s", "75 s"]);
  });

  it("of the speed go from a tenth to ten times, with 1 in the middle", () => {
    expect([-1, 0, 1].map(speedAt)).toEqual([0.1, 1, 10]);
    expect(speedAt(0.5)).toBe(3.2);
  });
});

describe("a text", () => {
  it("is shown whole where it is short", () => {
    expect(clip("hello", 5)).toBe("hello");
    expect(clip("", 5)).toBe("");
  });

  it("is cut where it is long, and says how long it was", () => {
    expect(clip("hello, world", 5)).toBe("hello… (12 characters)");
    expect(clip("v".repeat(200_000), 10)).toBe("vvvvvvvvvv… (200000 characters)");
  });

  it("is never cut within a character", () => {
    expect(clip("🙂🙂🙂", 2)).toBe("🙂🙂… (6 characters)");
    expect(clip("🙂🙂🙂", 3)).toBe("🙂🙂🙂");
  });

  it("of JSON stands on one line", () => {
    expect(oneLine({ key: "x", value: [1, { a: null }] })).toBe('{ "key": "x", "value": [ 1, { "a": null } ] }');
  });
});

describe("a moment", () => {
  it("of the simulation is told in seconds since its beginning", () => {
    expect(momentText(1.23456, true)).toBe("1.235 s");
  });

  it("of real nodes is told as a clock does, to the millisecond", () => {
    expect(momentText(1_700_000_000.25, false)).toMatch(/^\d\d:\d\d:20\.250$/);
  });
});
