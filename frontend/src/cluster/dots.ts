// How a message looks. Law of this file: what it is about is told by shape as well as by colour: a heartbeat is round,
// replication square, an election a triangle, and who only says that it is alive a small point. Answers are hollow.

import type { Family, NodeId, Sent, Topic } from "../messages/cluster";
import { type Colours, drawX, type Pen } from "../shared/canvas";
import type { Sight } from "./flights";
import { along, angleOf, type Point } from "./layout";

export function drawDot(pen: Pen, family: Family, x: number, y: number, colours: Colours, turn: number): void {
  const [topic, reply] = family.split("-") as [Topic, string | undefined];
  pen.fillStyle = pen.strokeStyle = colours[topic];
  pen.lineWidth = 1.7;
  pen.beginPath();
  if (topic === "heartbeat") pen.arc(x, y, reply ? 3.2 : 4, 0, 7);
  else if (topic === "alive") pen.arc(x, y, 2, 0, 7);
  else if (topic === "replication") pen.rect(x - 4, y - 4, 8, 8);
  else triangle(pen, x, y, turn);
  pen.closePath();
  if (reply) pen.stroke();
  else pen.fill();
}

function triangle(pen: Pen, x: number, y: number, turn: number): void {
  for (let corner = 0; corner < 3; corner++) {
    const direction = turn + (corner * 2 * Math.PI) / 3;
    const [cornerX, cornerY] = [x + 6 * Math.cos(direction), y + 6 * Math.sin(direction)];
    if (corner) pen.lineTo(cornerX, cornerY);
    else pen.moveTo(cornerX, cornerY);
  }
}

/** All that is in the air. */
export function drawSights(pen: Pen, sights: Sight[], places: Map<NodeId, Point>, colours: Colours): void {
  for (const { flight, progress, fading, opacity } of sights) {
    const from = places.get(flight.from);
    const to = places.get(flight.to);
    if (!from || !to) continue;
    const { x, y } = along(from, to, progress);
    pen.globalAlpha = opacity;
    if (fading === undefined) {
      drawDot(pen, flight.family, x, y, colours, angleOf(from, to));
    } else {
      pen.strokeStyle = colours.bad;
      pen.lineWidth = 2;
      drawX(pen, x, y, 4 + fading * 3);
    }
  }
  pen.globalAlpha = 1;
}

/** Messages that explain something: each stands on its way, with a ring around it. */
export function drawLit(pen: Pen, messages: Sent[], places: Map<NodeId, Point>, colours: Colours): void {
  const count = new Map<string, number>();
  for (const [, family, sender, receiver] of messages) {
    const from = places.get(sender);
    const to = places.get(receiver);
    if (!from || !to) continue;
    const link = `${sender}|${receiver}`;
    const before = count.get(link) ?? 0;
    count.set(link, before + 1);
    const { x, y } = along(from, to, 0.4 + 0.14 * (before % 4));
    drawDot(pen, family, x, y, colours, angleOf(from, to));
    pen.strokeStyle = colours.ink;
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.arc(x, y, 9, 0, 7);
    pen.stroke();
  }
}
