"""A run as one picture: time goes to the right, each node has its line, each message is an arrow.

After Lamport's space-time diagrams ("Time, Clocks, and the Ordering of Events in a Distributed System", 1978), turned
so that time runs along the page.

Law of this module: it composes. The same events give the same text, byte for byte; it reads no clock and no file.
"""

from __future__ import annotations

from collections.abc import Sequence

from labs.pictures.arrows import Arrows
from labs.pictures.canvas import Canvas, Chosen, Highlight
from labs.pictures.client_lane import request_bars
from labs.pictures.fault_lanes import fault_bars, lanes_of
from labs.pictures.frame import Frame, build
from labs.pictures.legend import legend
from labs.pictures.lifelines import lifelines, names
from labs.pictures.style import CSS
from labs.pictures.svg import line, tag, words
from labs.pictures.symbols import symbols
from labs.trace.events import Event
from labs.trace.network import FaultInterval
from labs.trace.story import summary
from labs.trace.timeline import Timeline, origin_of, read_timeline

NARROWEST = 360


def spacetime_svg(
    events: Sequence[Event],
    *,
    node_ids: Sequence[str] | None = None,
    window: tuple[float, float] | None = None,
    width: float = 960,
    highlight: Highlight = (),
    title: str = "",
    origin: float | None = None,
) -> str:
    """An SVG element: fit for a file, for `IPython.display.SVG`, or inside a page.

    `window` is `(from, to)` in seconds of the time axis, so that one can read it off a first picture; None is the
    whole run. `origin` is the event time that the axis calls 0 (None: `origin_of(events)`, that is the first event of
    real nodes, 0 of a simulated run); give it where `events` are only a part of the run. `highlight` makes things
    stand out and the other messages pale: message ids, event numbers (`seq`), or pairs `(node, seq)`. `node_ids`:
    which nodes in which order (None: all that the events name). Raises `ValueError` for a window that ends before
    it begins.
    """
    run = read_timeline(events, node_ids)
    zero = origin_of(events) if origin is None else origin
    frame = _frame(run, zero, window, max(float(width), NARROWEST), bool(title))
    canvas = Canvas(frame, Chosen(highlight, events))
    plot = _plot(canvas, run)
    foot, height = legend(canvas.used | _answers(canvas), frame.left, frame.right, frame.bottom + 44)
    heading = words(title, 12, 22, "st-title") if title else ""
    ground = tag("rect", x=0, y=0, width=frame.width, height=height, rx=6, class_="st-ground")
    return tag(
        "svg",
        f"<style>{CSS}</style>",
        ground + heading + _axis(frame) + plot + foot,
        xmlns="http://www.w3.org/2000/svg",
        class_="st-diagram st-dim" if canvas.chosen else "st-diagram",
        viewBox=f"0 0 {frame.width:g} {height:g}",
        width=frame.width,
        height=height,
        style="max-width:100%;height:auto",
        role="img",
        aria_label=f"{title + '. ' if title else ''}{summary(run, zero)}",
        data_start=f"{frame.start - zero:.6f}",
        data_end=f"{frame.end - zero:.6f}",
        data_left=frame.x(frame.start),
        data_right=frame.x(frame.end),
    )


def _frame(run: Timeline, zero: float, window: tuple[float, float] | None, width: float, title: bool) -> Frame:
    if window is not None and not window[0] <= window[1]:
        raise ValueError(f"window {window}: it must be (from, to) in seconds, and not end before it begins")
    span = (run.start, run.end) if window is None else (window[0] + zero, window[1] + zero)
    lanes = max(lanes_of(_seen(run, *span)), default=-1) + 1
    return build(run.node_ids, span, zero, width, title, lanes, bool(run.requests))


def _seen(run: Timeline, start: float, end: float) -> list[FaultInterval]:
    return [fault for fault in run.network_faults if fault.start <= end and fault.end >= start]


def _plot(canvas: Canvas, run: Timeline) -> str:
    """Everything that lies in time. A nested svg cuts off what reaches beyond the window."""
    frame = canvas.frame
    faults = _seen(run, frame.start, frame.end)
    bars = fault_bars(canvas, faults, lanes_of(faults))
    arrows = Arrows(canvas, run)
    clients = request_bars(canvas, run.requests)
    lines = lifelines(canvas, run)
    layers = bars + clients + arrows.under + lines + arrows.over + symbols(canvas, run)
    box = {"x": frame.left, "y": frame.faults_top - 2, "width": frame.right - frame.left}
    height = frame.bottom - frame.faults_top + 4
    view = f"{box['x']:g} {box['y']:g} {box['width']:g} {height:g}"
    inner = tag("svg", layers, **box, height=height, viewBox=view, overflow="hidden")
    return inner + names(frame) + tag("g", canvas.labels(), class_="st-labels")


def _answers(canvas: Canvas) -> set[str]:
    return {"answer"} if canvas.used & {"replication", "election"} else set()


def _axis(frame: Frame) -> str:
    """The time axis below, and a faint line up from each of its ticks."""
    ticks = list(frame.ticks())
    grid = "".join(line(x, frame.faults_top, x, frame.bottom) for x, _ in ticks)
    labels = "".join(words(label, x, frame.bottom + 16, "st-tick", "middle") for x, label in ticks)
    axis = tag("path", d=line(frame.left, frame.bottom, frame.right, frame.bottom), class_="st-axis")
    caption = words("time →", frame.left - 10, frame.bottom + 16, "st-lane", "end")
    return (tag("path", d=grid, class_="st-grid") if grid else "") + axis + labels + caption
