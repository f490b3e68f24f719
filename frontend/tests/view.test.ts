import { describe, expect, it } from "vitest";
import { fitView, viewAround, xOf, zoomView } from "../src/exercise/view";

const full = { width: 1000, height: 300 };

describe("the part of a diagram that is shown", () => {
  it("never leaves the drawing", () => {
    expect(fitView(full, 0.3, { x: -50, y: -50, width: 500 })).toEqual({ x: 0, y: 0, width: 500, height: 150 });
    expect(fitView(full, 0.3, { x: 900, y: 900, width: 500 })).toEqual({ x: 500, y: 150, width: 500, height: 150 });
  });

  it("is never larger than the drawing, and never too close", () => {
    expect(fitView(full, 0.3, { x: 0, y: 0, width: 5000 }).width).toBe(1000);
    expect(fitView(full, 0.3, { x: 0, y: 0, width: 0 }).width).toBeCloseTo(1000 / 60);
  });

  it("of a drawing lower than its window has it in the middle", () => {
    expect(fitView(full, 0.5, { x: 0, y: 0, width: 1000 }).y).toBe(-100);
  });

  it("comes closer around the pointer", () => {
    const view = fitView(full, 0.3, { x: 0, y: 0, width: 1000 });
    const closer = zoomView(full, view, 0.5, 250, 150);
    expect(closer).toEqual({ x: 125, y: 75, width: 500 });
    expect((250 - closer.x) / closer.width).toBeCloseTo(250 / 1000);
  });

  it("goes to a moment with all lanes in sight", () => {
    const at = xOf({ start: 0, end: 10, left: 100, right: 900 }, 5);
    expect(viewAround(full, 0.6, at)).toEqual({ x: 250, y: 0, width: 500 });
  });
});
