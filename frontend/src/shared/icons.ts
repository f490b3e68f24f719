// The panels' pictograms, each a path of 16 by 16. Law of this file: it knows no cluster and no exercise.

import { s } from "./dom";

export const ICONS = {
  start: "M5 3 13 8 5 13Z",
  resume: "M3 3h2.6v10H3ZM7.5 3 14 8 7.5 13Z",
  pause: "M4 3h3v10H4ZM9 3h3v10H9Z",
  stop: "M3.5 3.5h9v9h-9Z",
  kill: "M9 1 3 9h4l-1 6 7-9H9Z",
  crown: "M1.5 12.5 0 4l4.5 3.4L8 1.5l3.5 5.9L16 4l-1.5 8.5Z",
  cut: "M3.4 2 8 6.6 12.6 2 14 3.4 9.4 8 14 12.6 12.6 14 8 9.4 3.4 14 2 12.6 6.6 8 2 3.4Z",
  step: "M3 3 10 8 3 13ZM11 3h2.5v10H11Z",
  rewind: "M13 3 6 8l7 5ZM2.5 3H5v10H2.5Z",
} as const;

export type IconName = keyof typeof ICONS;

export const icon = (name: IconName): SVGSVGElement =>
  s("svg", { viewBox: "0 0 16 16", class: "rl-icon", "aria-hidden": "true" }, s("path", { d: ICONS[name] }));
