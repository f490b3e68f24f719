// Where the nodes stand, and the way of a message between them. Law of this file: pure geometry, in CSS pixels.

export interface Point {
  x: number;
  y: number;
}

export const RADIUS = 42;
const ABOVE = 36; // room for a crown and a speech bubble
const BELOW = 28; // room for the lag
const ASIDE = 6; // each direction keeps to its right, so that question and answer can pass

/** `count` places on a ring within these measures, the first on top, then clockwise. */
export function placesOf(count: number, width: number, height: number): Point[] {
  const turns = Array.from({ length: count }, (_, index) => (2 * Math.PI * index) / count - Math.PI / 2);
  const lowest = Math.max(0, ...turns.map(Math.sin));
  const top = RADIUS + ABOVE;
  const bottom = height - RADIUS - BELOW;
  const across = Math.min(width / 2 - RADIUS - 14, height * 0.85);
  return turns.map((turn) => ({
    x: width / 2 + across * Math.cos(turn),
    y: top + ((Math.sin(turn) + 1) / (lowest + 1)) * (bottom - top),
  }));
}

export interface Area extends Point {
  width: number;
  height: number;
}

/** The smallest area around these places that reaches so far beyond each. */
export function areaOf(places: Point[], reach: number): Area {
  const xs = places.map(({ x }) => x);
  const ys = places.map(({ y }) => y);
  const x = Math.floor(Math.min(...xs) - reach);
  const y = Math.floor(Math.min(...ys) - reach);
  return {
    x,
    y,
    width: Math.ceil(Math.max(...xs) + reach) - x,
    height: Math.ceil(Math.max(...ys) + reach) - y,
  };
}

export const angleOf = (from: Point, to: Point): number => Math.atan2(to.y - from.y, to.x - from.x);

/** The place of a message that has gone this share (0 to 1) of its way, from rim to rim. */
export function along(from: Point, to: Point, progress: number): Point {
  const turn = angleOf(from, to);
  const way = RADIUS + (Math.hypot(to.x - from.x, to.y - from.y) - 2 * RADIUS) * progress;
  return {
    x: from.x + Math.cos(turn) * way - Math.sin(turn) * ASIDE,
    y: from.y + Math.sin(turn) * way + Math.cos(turn) * ASIDE,
  };
}
