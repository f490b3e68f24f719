"""Clients' requests as bars in a lane below the nodes' lines, with dotted lines to the node that was asked.

Law of this module: nothing is told by colour alone; an outcome other than `ok` has a sign.
"""

from __future__ import annotations

from labs.pictures.arrows import fields
from labs.pictures.canvas import Canvas
from labs.pictures.frame import Frame
from labs.pictures.svg import line, short, tag, tooltip
from labs.trace.requests import ClientRequest

FEW = 80
"""Up to this many requests also get a line to the node that was asked."""


def request_bars(canvas: Canvas, requests: list[ClientRequest]) -> str:
    """A bar for each request on the clients' lane, from asking to answer, and dotted lines to the node and back."""
    y, frame = canvas.frame.clients, canvas.frame
    if y is None:
        return ""
    seen = [o for o in requests if frame.shows(o.start, o.start if o.end is None else o.end)]
    free = [-1e9, -1e9, -1e9]
    drawn = []
    for request in seen:
        x1 = frame.x(request.start)
        x2 = max(x1 + 4, frame.x(request.end) if request.end is not None else x1 + 26)
        lane = next((number for number in range(3) if free[number] <= x1), free.index(min(free)))
        free[lane] = x2 + 3
        drawn.append(_request_bar(canvas, request, x1, x2, y + 11 * lane - 8, len(seen) <= FEW))
    return "".join(drawn)


def _request_bar(canvas: Canvas, o: ClientRequest, x1: float, x2: float, y: float, lines: bool) -> str:
    canvas.used.add(f"request {o.outcome}")
    hot = " st-hot" if canvas.chosen.request(o.id) else ""
    row = canvas.frame.rows.get(o.node)
    way = ""
    if lines and row is not None:
        d = line(x1, y + 4, x1, row - 4)
        d += line(x2, row - 4, x2, y + 4) if o.end is not None else ""
        way = tag("path", d=d, class_="st-way")
    bar = tag("rect", x=x1, y=y - 4, width=x2 - x1, height=8, rx=2)
    sign = "" if o.outcome == "ok" else tag("path", d=_sign(o.outcome, x2 + 7, y), class_="st-sign")
    text = f"{o.kind} {o.details.get('key', '')}"[:24]
    if "value" in o.details and o.kind == "put":
        text += f" = {str(o.details['value'])[:12]}"
    base = (canvas.frame.clients or 0) - 15
    canvas.label(20, text, [(x1, base, "start"), ((x1 + x2) / 2, base, "middle")], "st-name st-client")
    note = tooltip(_tooltip_of(o, text, canvas.frame))
    return tag("g", note, way, bar, sign, class_=f"st-op st-{o.outcome}{hot}", data_id=o.id)


def _sign(outcome: str, x: float, y: float) -> str:
    if outcome == "failed":
        return line(x - 3, y - 3, x + 3, y + 3) + line(x - 3, y + 3, x + 3, y - 3)
    return f"M{short(x - 3)} {short(y - 2)}q0 -3 3 -3t3 3q0 2 -3 3v1m0 2v1"  # a question mark


def _tooltip_of(o: ClientRequest, text: str, frame: Frame) -> str:
    answer = f"answered {frame.clock(o.end)}: {o.outcome}" if o.end is not None else "no answer"
    return f"client: {text} at {o.node or '?'}\nasked {frame.clock(o.start)}, {answer}{fields(o.answer)}"
