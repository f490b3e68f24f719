import { describe, expect, it } from "vitest";
import { drawRing, isEnding, REACH, RING } from "../src/cluster/rings";
import type { Colours, Pen } from "../src/shared/canvas";

type Stroke = { share: number; radius: number; colour: string };

/** Draws a ring with so much left, and returns its strokes and how often something was taken away before it. */
function ring(left: number, full: number): { strokes: Stroke[]; covered: number } {
  const strokes: Stroke[] = [];
  let arc = { radius: 0, share: 0 };
  let covered = 0;
  const pen = {
    strokeStyle: "",
    globalCompositeOperation: "source-over",
    beginPath() {},
    arc(_x: number, _y: number, radius: number, from: number, to: number) {
      arc = { radius, share: (to - from) / (2 * Math.PI) };
    },
    stroke() {
      strokes.push({ ...arc, colour: this.strokeStyle });
    },
    fill() {
      expect(this.globalCompositeOperation).toBe("destination-out");
    },
  };
  const colours = { follower: "blue", "warn-ink": "amber" } as Colours;
  drawRing(pen as unknown as Pen, { x: 100, y: 100 }, { left, full }, colours, () => {
    covered += 1;
  });
  expect(pen.globalCompositeOperation).toBe("source-over"); // what is drawn next is drawn
  return { strokes, covered };
}

describe("a ring of patience", () => {
  it("is as long as what is left of it, and nothing of it stands before the words", () => {
    const { strokes, covered } = ring(4.5, 6);
    expect(strokes).toHaveLength(1);
    expect(strokes[0]?.share).toBeCloseTo(0.75);
    expect(strokes[0]?.colour).toBe("blue");
    expect(covered).toBe(1);
    expect(REACH).toBeGreaterThan(RING);
  });

  it("has another colour from the moment on at which the node says how long it still waits", () => {
    expect(isEnding({ left: 2.9, full: 6 })).toBe(true);
    expect(isEnding({ left: 3.1, full: 6 })).toBe(false);
    expect(ring(2.9, 6).strokes[0]?.colour).toBe("amber");
  });

  it("is none when nothing is left", () => {
    expect(ring(0, 6)).toEqual({ strokes: [], covered: 0 });
  });
});
