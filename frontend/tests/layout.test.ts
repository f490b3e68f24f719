import { describe, expect, it } from "vitest";
import { along, areaOf, placesOf, RADIUS } from "../src/cluster/layout";

const distance = (one: { x: number; y: number }, other: { x: number; y: number }) =>
  Math.hypot(one.x - other.x, one.y - other.y);

describe("the ring", () => {
  for (const [width, height] of [
    [560, 330],
    [800, 400],
    [1200, 400],
  ] as const) {
    for (const count of [1, 2, 3, 4, 5, 7]) {
      it(`of ${count} in ${width} × ${height} stays inside, and no two nodes touch`, () => {
        const places = placesOf(count, width, height);
        expect(places).toHaveLength(count);
        for (const [index, place] of places.entries()) {
          expect(place.x).toBeGreaterThanOrEqual(RADIUS);
          expect(place.x).toBeLessThanOrEqual(width - RADIUS);
          expect(place.y).toBeGreaterThanOrEqual(RADIUS);
          expect(place.y).toBeLessThanOrEqual(height - RADIUS);
          if (count <= 5)
            for (const other of places.slice(index + 1)) expect(distance(place, other)).toBeGreaterThan(2 * RADIUS);
        }
      });
    }
  }

  it("begins on top and goes clockwise", () => {
    const [first, second, third] = placesOf(3, 800, 400);
    expect(first?.x).toBeCloseTo(400);
    expect(first?.y).toBeLessThan(second?.y ?? 0);
    expect(second?.x).toBeGreaterThan(third?.x ?? 0);
  });
});

describe("the area that is drawn anew", () => {
  it("holds each place and what is around it, and no more", () => {
    const area = areaOf(
      [
        { x: 100, y: 50 },
        { x: 300, y: 90 },
      ],
      20,
    );
    expect(area).toEqual({ x: 80, y: 30, width: 240, height: 80 });
  });
});

describe("the way of a message", () => {
  const from = { x: 100, y: 100 };
  const to = { x: 400, y: 100 };

  it("goes from rim to rim", () => {
    expect(along(from, to, 0).x).toBeCloseTo(100 + RADIUS);
    expect(along(from, to, 1).x).toBeCloseTo(400 - RADIUS);
  });

  it("leaves room for the answer", () => {
    expect(along(from, to, 0.5).y).toBeCloseTo(106);
    expect(along(to, from, 0.5).y).toBeCloseTo(94);
  });
});
