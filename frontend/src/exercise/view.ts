// Which part of a drawing is shown. Law of this file: pure geometry, in the drawing's own units.

import { clamp } from "../shared/format";

const CLOSEST = 60; // times that one can come closer

export interface Size {
  width: number;
  height: number;
}

export interface Box extends Size {
  x: number;
  y: number;
}

/** The part to show: `shape` is the window's height by its width; beyond the drawing's edge there is nothing to see,
 * and a drawing that is lower than the window stands in its middle. */
export function fitView(full: Size, shape: number, wanted: { x: number; y: number; width: number }): Box {
  const width = clamp(wanted.width, full.width / CLOSEST, full.width);
  const height = width * shape;
  const spare = full.height - height;
  const y = spare < 0 ? spare / 2 : clamp(wanted.y, 0, spare);
  return { width, height, x: clamp(wanted.x, 0, full.width - width), y };
}

/** What to show after zooming by `factor` (below 1: closer), with this point staying where it is. */
export function zoomView(full: Size, view: Box, factor: number, x: number, y: number) {
  const real = clamp(view.width * factor, full.width / CLOSEST, full.width) / view.width;
  return { x: x - (x - view.x) * real, y: y - (y - view.y) * real, width: view.width * real };
}

/** What to show so that `x` is in the middle, as close as all lanes can still be seen. */
export function viewAround(full: Size, shape: number, x: number) {
  const width = Math.min(full.width / 2, full.height / shape);
  return { x: x - width / 2, y: (full.height - width * shape) / 2, width };
}

/** Where on a drawing its time is: from `start` at `left` to `end` at `right`. */
export interface Axis {
  start: number;
  end: number;
  left: number;
  right: number;
}

/** What the drawing says of itself; Python writes it (labs/pictures). */
export function axisOf(drawing: { dataset: DOMStringMap }): Axis {
  const { start, end, left, right } = drawing.dataset;
  return { start: Number(start), end: Number(end), left: Number(left), right: Number(right) };
}

export const shareAt = ({ start, end }: Axis, time: number): number => (time - start) / (end - start);
export const xOf = (axis: Axis, time: number): number => axis.left + shareAt(axis, time) * (axis.right - axis.left);
