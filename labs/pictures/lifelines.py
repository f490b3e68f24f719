"""The nodes' lines: a node's role is the width and texture of its line, and its term is written where it changes.

Law of this module: nothing is told by colour alone.
"""

from __future__ import annotations

from labs.pictures.canvas import Canvas
from labs.pictures.frame import Frame, shown
from labs.pictures.svg import line, safe, tag, tooltip, words
from labs.trace.roles import Role, RoleInterval
from labs.trace.timeline import Timeline

WIDTHS: dict[Role, float] = {"leader": 12, "candidate": 8, "follower": 4, "paused": 8, "down": 2}


def lifelines(canvas: Canvas, run: Timeline) -> str:
    """Each node's name and line; the terms are labelled where they change."""
    drawn = []
    for node, y in canvas.frame.rows.items():
        intervals = [s for s in run.roles.get(node, []) if canvas.frame.shows(s.start, s.end)]
        drawn += [_role_interval(canvas, interval, y) for interval in intervals]
        _terms(canvas, intervals, y)
    return "".join(drawn)


def _role_interval(canvas: Canvas, interval: RoleInterval, y: float) -> str:
    x1, x2 = canvas.frame.extent(interval.start, interval.end)
    canvas.used.add(interval.role)
    d = line(x1, y, max(x2, x1 + 0.5), y)
    inside = tag("path", d=d, class_=f"st-line st-{interval.role}", stroke_width=WIDTHS[interval.role])
    if interval.role == "paused":  # two parallel lines: the middle of the line is taken out again
        inside += tag("path", d=d, class_="st-hollow")
    return tag("g", tooltip(_tooltip_of(interval, canvas.frame)), inside)


def _tooltip_of(interval: RoleInterval, frame: Frame) -> str:
    term = "" if interval.term is None else f" in term {interval.term}"
    whom = f" of {interval.leader}" if interval.role == "follower" and interval.leader else ""
    return f"{interval.node}: {interval.role}{whom}{term}\n{frame.clock(interval.start)} – {frame.clock(interval.end)}"


def _terms(canvas: Canvas, intervals: list[RoleInterval], y: float) -> None:
    before = None
    for interval in intervals:
        if interval.term in (None, before) or interval.role == "down":
            continue
        before = interval.term
        elected = next((s.start for s in intervals if s.role == "leader" and s.term == interval.term), None)
        x = max(canvas.frame.x(interval.start), canvas.frame.left + 3)
        if (
            elected is None or canvas.frame.x(elected) - x > 80 or elected < canvas.frame.start
        ):  # else the label of the election says it
            canvas.label(50, f"term {interval.term}", [(x, y - 12, "start"), (x, y + 19, "start")], "st-term")


def names(frame: Frame) -> str:
    """The names at the lines' left ends."""
    drawn = [
        tag("text", tooltip(node), safe(shown(node)), x=frame.left - 10, y=y + 4, class_="st-node", text_anchor="end")
        for node, y in frame.rows.items()
    ]
    if frame.clients is not None:
        drawn.append(words("clients", frame.left - 10, frame.clients + 7, "st-lane", "end"))
    return "".join(drawn)
