// Which moment stands where on the timeline. Law of this file: pure.

import { clamp } from "../shared/format";

export const LANE = 21; // height of a node's lane
export const GUTTER = 78; // room for names on the left
export const MARGIN = 12; // and on the right
const TOP = 15;
const WRITES = 16;
const LAG = 32;
export const STRIP = 10;
const STEP = 15; // pixels that the picture moves between two drawings, where nothing happens
const QUICKEST = 100; // ms
const SLOWEST = 1000; // ms

/** The timeline's window: it is `now`, and `span` seconds are shown in `width` pixels. */
export interface Scale {
  now: number;
  span: number;
  width: number;
  height: number;
}

export interface Rows {
  lanes: number;
  writes: number;
  lag: number;
  lagHeight: number;
  strip: number;
  height: number;
}

/** Where the parts begin, from the top, for so many nodes. */
export function rowsOf(nodes: number): Rows {
  const writes = TOP + nodes * LANE;
  const lag = writes + WRITES + 4;
  const strip = lag + LAG + 5;
  return { lanes: TOP, writes, lag, lagHeight: LAG, strip, height: strip + 2 * (STRIP + 3) + 15 };
}

export const writesMiddle = (top: number): number => top + WRITES / 2 + 1;

const plotWidth = ({ width }: Scale): number => width - MARGIN - GUTTER;

export const xAt = (scale: Scale, time: number): number =>
  scale.width - MARGIN - ((scale.now - time) / scale.span) * plotWidth(scale);

export const timeAt = (scale: Scale, x: number): number =>
  scale.now - ((scale.width - MARGIN - x) / plotWidth(scale)) * scale.span;

/** So many pixels as seconds. */
export const secondsIn = (scale: Scale, pixels: number): number => (pixels / plotWidth(scale)) * scale.span;

/** How long a drawing stands while time passes at this rate, in ms. */
export const standsFor = (scale: Scale, rate: number): number =>
  clamp((1000 * secondsIn(scale, STEP)) / rate, QUICKEST, SLOWEST);
