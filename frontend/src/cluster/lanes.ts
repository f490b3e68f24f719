// The timeline's lanes: who was what when, and what happened to it. Law of this file: it draws; it keeps nothing.

import type { Look, Mark, NodeId } from "../messages/cluster";
import { type Colours, drawLine, type Pen } from "../shared/canvas";
import { clamp } from "../shared/format";
import { ICONS } from "../shared/icons";
import type { Stretch } from "./history";
import { GUTTER, LANE, MARGIN, type Scale, xAt } from "./scale";

const TALL: Record<Look, number> = {
  leader: 16,
  follower: 7,
  candidate: 12,
  paused: 12,
  stopped: 0,
  silent: 0,
  unknown: 0,
};
const OPACITY: Partial<Record<Look, number>> = { leader: 1, follower: 0.55 };

/** What stands in a lane for an event: an icon, or an exclamation mark. */
const GLYPHS: Record<string, Path2D | "!"> = {};
const ICON_OF = {
  kill: "kill",
  crash: "kill",
  stop: "stop",
  start: "start",
  restart: "start",
  pause: "pause",
  resume: "resume",
  became_leader: "crown",
  write_lost: "cut",
} as const;
function glyphOf(kind: string): Path2D | "!" | undefined {
  if (kind === "election_timeout") return "!";
  const name = ICON_OF[kind as keyof typeof ICON_OF];
  if (!name) return undefined;
  GLYPHS[kind] ??= new Path2D(ICONS[name]);
  return GLYPHS[kind];
}
const GOOD = new Set(["start", "restart", "resume", "heal"]);
const NETWORK: Record<string, string> = {
  partition: "cut",
  heal: "healed",
  delay: "delay",
  loss: "loss",
  settings: "change",
};

export interface Sheet {
  pen: Pen;
  scale: Scale;
  colours: Colours;
}

/** Draws within the time that is shown. */
export function clipped({ pen, scale }: Sheet, draw: () => void): void {
  pen.save();
  pen.beginPath();
  pen.rect(GUTTER, 0, scale.width - GUTTER - MARGIN + 8, scale.height);
  pen.clip();
  draw();
  pen.restore();
}

export function drawLabel({ pen }: Sheet, words: string, y: number, colour: string): void {
  pen.fillStyle = colour;
  pen.textAlign = "left";
  pen.fillText(words, 0, y);
}

export function drawGrid({ pen, scale, colours }: Sheet): void {
  pen.textAlign = "center";
  for (let part = 0; part <= 6; part++) {
    const back = (part * scale.span) / 6;
    const x = xAt(scale, scale.now - back);
    pen.strokeStyle = colours.line;
    pen.lineWidth = 1;
    drawLine(pen, [Math.round(x) + 0.5, 18], [Math.round(x) + 0.5, scale.height - 18]);
    pen.fillStyle = colours.faint;
    const words = part ? `−${Number(back.toPrecision(2))} s` : "now";
    pen.fillText(words, clamp(x, GUTTER + 12, scale.width - MARGIN - 6), scale.height - 8);
  }
}

export function drawLane(sheet: Sheet, name: NodeId, stretches: Stretch[], marks: Mark[], top: number): void {
  const { scale, colours } = sheet;
  const middle = top + LANE / 2;
  drawLabel(sheet, name, middle, colours.ink);
  clipped(sheet, () => {
    for (const [index, [from, look, term]] of stretches.entries()) {
      const left = Math.max(xAt(scale, from), GUTTER);
      const right = xAt(scale, stretches[index + 1]?.[0] ?? scale.now);
      if (right > left) drawBand(sheet, left, right, middle, look, term);
    }
    for (const mark of marks) if (mark.node === name) drawGlyph(sheet, mark, middle);
  });
}

function drawBand(
  { pen, colours }: Sheet,
  left: number,
  right: number,
  middle: number,
  look: Look,
  term: number | null,
) {
  const tall = TALL[look];
  if (!tall) {
    pen.strokeStyle = look === "silent" ? colours.bad : colours.stopped;
    pen.lineWidth = 1.5;
    pen.setLineDash(look === "silent" ? [2, 3] : [5, 4]);
    drawLine(pen, [left, middle], [right, middle]);
    pen.setLineDash([]);
  } else {
    const colour = look === "paused" ? colours.stopped : colours[look as "leader" | "follower" | "candidate"];
    pen.globalAlpha = OPACITY[look] ?? 0.4;
    pen.fillStyle = colour;
    pen.beginPath();
    pen.roundRect(left, middle - tall / 2, Math.max(1, right - left), tall, 3);
    pen.fill();
    pen.globalAlpha = 1;
    if (look === "paused" || look === "candidate") drawHatching(pen, left, right, middle, tall, colour);
  }
  const words = look === "leader" ? `leader, term ${term}` : tall && look === "follower" ? "" : look;
  if (!words || right - left <= words.length * 6 + 26) return;
  pen.textAlign = "left";
  if (look !== "leader") {
    pen.fillStyle = colours.card;
    pen.fillRect(left + 11, middle - 7, pen.measureText(words).width + 6, 14);
  }
  pen.fillStyle = look === "leader" ? colours["leader-ink"] : colours.ink;
  pen.fillText(words, left + 14, middle + 0.5);
}

function drawHatching(pen: Pen, left: number, right: number, middle: number, tall: number, colour: string): void {
  pen.save();
  pen.beginPath();
  pen.rect(left, middle - tall / 2, right - left, tall);
  pen.clip();
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (let x = left - tall; x < right; x += 6) {
    pen.moveTo(x, middle + tall / 2);
    pen.lineTo(x + tall, middle - tall / 2);
  }
  pen.stroke();
  pen.restore();
}

function drawGlyph({ pen, scale, colours }: Sheet, mark: Mark, middle: number): void {
  const shape = glyphOf(mark.kind);
  if (!shape) return;
  const x = xAt(scale, mark.t);
  const colour = { election: colours.candidate, crown: colours.crown }[mark.level as string] ?? colours.bad;
  pen.fillStyle = colours.card;
  pen.strokeStyle = GOOD.has(mark.kind) ? colours.good : colour;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.arc(x, middle, 8.5, 0, 7);
  pen.fill();
  pen.stroke();
  pen.save();
  pen.fillStyle = pen.strokeStyle;
  if (shape === "!") {
    pen.textAlign = "center";
    pen.font = `bold 12px ${colours.font}`;
    pen.fillText("!", x, middle + 0.5);
  } else {
    pen.translate(x - 4.8, middle - 4.8);
    pen.scale(0.6, 0.6);
    pen.fill(shape);
  }
  pen.restore();
}

/** What concerns the whole network: a line through all lanes, its name on top. */
export function drawNetworkFaults(sheet: Sheet, marks: Mark[], bottom: number): void {
  const { pen, scale, colours } = sheet;
  let free = -Infinity;
  clipped(sheet, () => {
    for (const mark of marks) {
      const words = NETWORK[mark.kind];
      if (!words || mark.level !== "fault") continue;
      const x = xAt(scale, mark.t);
      pen.strokeStyle = pen.fillStyle = GOOD.has(mark.kind) ? colours.good : colours.bad;
      pen.lineWidth = 1.5;
      pen.setLineDash([4, 3]);
      drawLine(pen, [x, 18], [x, bottom]);
      pen.setLineDash([]);
      pen.textAlign = "left";
      const left = Math.min(Math.max(x - 3, free), scale.width - MARGIN - 36);
      if (left - x >= 30 || left < free) continue;
      pen.fillText(words, left, 9);
      free = left + 44;
    }
  });
}
