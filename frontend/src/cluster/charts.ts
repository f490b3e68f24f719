// The timeline's charts: what writes came to, how far followers lagged, when the cluster could be used. Law of this
// file: it draws; it keeps nothing. An outcome is told by its shape, a follower by the dashes of its line.

import type { Lag, Mark, NodeId, Outcome, Probe, Probing } from "../messages/cluster";
import { drawLine, drawX } from "../shared/canvas";
import { clipped, drawLabel, type Sheet } from "./lanes";
import { GUTTER, MARGIN, type Rows, STRIP, writesMiddle, xAt } from "./scale";

const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3], [1, 2], [10, 4]];
const PROBE_EVERY = 0.5; // seconds

export function drawWrites(sheet: Sheet, marks: Mark[], top: number): void {
  const middle = writesMiddle(top);
  drawLabel(sheet, "writes", middle, sheet.colours.faint);
  clipped(sheet, () => {
    for (const mark of marks) {
      if (!mark.level.startsWith("write-")) continue;
      drawOutcome(sheet, xAt(sheet.scale, mark.t), middle, mark.level.slice("write-".length) as Outcome);
    }
  });
}

/** ok: a full dot; failed: a cross; unknown: a ring. */
function drawOutcome({ pen, colours }: Sheet, x: number, y: number, outcome: Outcome): void {
  pen.fillStyle = pen.strokeStyle = { ok: colours.good, failed: colours.bad, unknown: colours.unknown }[outcome];
  pen.lineWidth = 1.8;
  if (outcome === "failed") {
    drawX(pen, x, y, 3);
    return;
  }
  pen.beginPath();
  pen.arc(x, y, 3.4, 0, 7);
  if (outcome === "ok") pen.fill();
  else pen.stroke();
}

/** `parted`: the nodes whose log has parted from the leader's; for them there is no number. */
export function drawLag(
  sheet: Sheet,
  lag: Lag[],
  names: NodeId[],
  { lag: top, lagHeight }: Rows,
  parted: Map<NodeId, number>,
): void {
  const { pen, scale, colours } = sheet;
  let most = 4;
  for (const [, behind] of lag) for (const entries of Object.values(behind)) most = Math.max(most, entries ?? 0);
  const level = (entries: number) => top + lagHeight - 4 - (entries / most) * (lagHeight - 14);
  drawLabel(sheet, "lag", top + 10, colours.faint);
  drawLabel(sheet, "entries", top + 23, colours.faint);
  pen.textAlign = "right";
  for (const entries of [0, most]) pen.fillText(String(entries), GUTTER - 6, level(entries));
  pen.strokeStyle = colours.line;
  pen.lineWidth = 1;
  drawLine(pen, [GUTTER, level(0)], [scale.width - MARGIN, level(0)]);
  const ends: { words: string; y: number; colour: string }[] = [];
  clipped(sheet, () => {
    for (const [index, name] of names.entries()) {
      const colour = [colours.replication, colours.election, colours.heartbeat, colours.good][index % 4] ?? "";
      pen.strokeStyle = colour;
      pen.lineWidth = 1.8;
      pen.setLineDash(DASHES[index % DASHES.length] ?? []);
      const last = drawLagLine(sheet, name, lag, level);
      const since = parted.get(name);
      if (since !== undefined) ends.push({ words: `${name}: parted since entry ${since}`, y: level(0), colour });
      else if (last) ends.push({ words: `${name}: ${last}`, y: level(last), colour });
    }
    pen.setLineDash([]);
  });
  let free = top + lagHeight; // names at the lines' ends, not on each other
  pen.textAlign = "right";
  for (const { words, y, colour } of ends.sort((one, other) => other.y - one.y)) {
    free = Math.min(free - 12, y - 7);
    pen.fillStyle = colour;
    pen.fillText(words, scale.width - MARGIN - 2, free);
  }
}

/** One follower's line, with gaps where nothing was known. Returns where it ends now, if it does. */
function drawLagLine({ pen, scale }: Sheet, name: NodeId, lag: Lag[], level: (entries: number) => number) {
  let last: number | null = null;
  pen.beginPath();
  for (const [time, behind] of lag) {
    const entries = behind[name] ?? null;
    if (entries !== null) {
      const x = xAt(scale, time);
      if (last === null) pen.moveTo(x, level(entries));
      else pen.lineTo(x, level(last)); // it was that until now: a slope would tell what nobody saw
      pen.lineTo(x, level(entries));
    }
    last = entries;
  }
  if (last !== null) pen.lineTo(xAt(scale, scale.now), level(last));
  pen.stroke();
  return last;
}

/** Whether one could read and write. ok: a full bar; failed: a low one; unknown: a hollow one. */
export function drawAvailability(sheet: Sheet, probes: Probe[], does: Probing, top: number): void {
  const { pen, scale, colours } = sheet;
  const width = Math.max(2, xAt(scale, PROBE_EVERY) - xAt(scale, 0) - 1);
  for (const [row, words] of ["can read", "can write"].entries()) {
    const y = top + row * (STRIP + 3);
    drawLabel(sheet, words, y + STRIP / 2, colours.faint);
    const tried = probes.flatMap(([time, read, write]) => {
      const outcome = row ? write : read;
      return outcome === null ? [] : [[time, outcome] as const];
    });
    const tries = row ? does === "writes" : does !== "off";
    if (!tried.length && !tries) {
      pen.fillStyle = colours.faint;
      const why = does === "off" ? "the background client is off" : "the background client only reads";
      pen.fillText(`not tried: ${why}`, GUTTER + 4, y + STRIP / 2);
    }
    clipped(sheet, () => {
      for (const [time, outcome] of tried) drawBar(sheet, xAt(scale, time), y, width, outcome);
    });
  }
}

function drawBar({ pen, colours }: Sheet, left: number, y: number, width: number, outcome: Outcome): void {
  if (outcome === "ok") {
    pen.fillStyle = colours.good;
    pen.fillRect(left, y, width, STRIP);
  } else if (outcome === "failed") {
    pen.fillStyle = colours.bad;
    pen.fillRect(left, y + STRIP - 5, width, 5);
  } else {
    pen.strokeStyle = colours.unknown;
    pen.lineWidth = 1;
    pen.strokeRect(left + 0.5, y + 2.5, Math.max(1, width - 1), STRIP - 5);
  }
}

/** The moment that the user has chosen. */
export function drawCursor({ pen, scale, colours }: Sheet, time: number): void {
  const x = xAt(scale, time);
  pen.strokeStyle = pen.fillStyle = colours.ink;
  pen.lineWidth = 1;
  drawLine(pen, [x, 14], [x, scale.height - 16]);
  pen.beginPath();
  pen.moveTo(x - 5, 12);
  pen.lineTo(x + 5, 12);
  pen.lineTo(x, 18);
  pen.closePath();
  pen.fill();
}
