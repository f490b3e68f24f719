"""A run as one picture: time goes to the right, each node has its line, each message is an arrow.

After Lamport's space-time diagrams ("Time, Clocks, and the Ordering of Events in a Distributed System", 1978), turned
so that time runs along the page.

Law of this module: it composes. The same events give the same text, byte for byte; it reads no clock and no file.
"""

from __future__ import annotations

from collections.abc import Sequence

from labs.pictures import lifelines as marks
from labs.pictures.arrows import Arrows
from labs.pictures.canvas import Chosen, Highlight, Sheet
from labs.pictures.frame import Frame, build
from labs.pictures.legend import legend
from labs.pictures.style import CSS
from labs.pictures.svg import line, tag, words
from labs.trace.events import Event
from labs.trace.network import Spell
from labs.trace.story import summary
from labs.trace.timeline import Run, origin_of, read

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
    run = read(events, node_ids)
    zero = origin_of(events) if origin is None else origin
    frame = _frame(run, zero, window, max(float(width), NARROWEST), bool(title))
    sheet = Sheet(frame, Chosen(highlight, events))
    plot = _plot(sheet, run)
    foot, height = legend(sheet.used | _answers(sheet), frame.left, frame.right, frame.bottom + 44)
    heading = words(title, 12, 22, "st-title") if title else ""
    ground = tag("rect", x=0, y=0, width=frame.width, height=height, rx=6, class_="st-ground")
    return tag(
        "svg",
        f"<style>{CSS}</style>",
        ground + heading + _axis(frame) + plot + foot,
        xmlns="http://www.w3.org/2000/svg",
        class_="st-diagram st-dim" if sheet.chosen else "st-diagram",
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


def _frame(run: Run, zero: float, window: tuple[float, float] | None, width: float, title: bool) -> Frame:
    if window is not None and not window[0] <= window[1]:
        raise ValueError(f"window {window}: it must be (from, to) in seconds, and not end before it begins")
    span = (run.start, run.end) if window is None else (window[0] + zero, window[1] + zero)
    lanes = max(marks.lanes_of(_seen(run, *span)), default=-1) + 1
    return build(run.node_ids, span, zero, width, title, lanes, bool(run.operations))


def _seen(run: Run, start: float, end: float) -> list[Spell]:
    return [spell for spell in run.spells if spell.start <= end and spell.end >= start]


def _plot(sheet: Sheet, run: Run) -> str:
    """Everything that lies in time. A nested svg cuts off what reaches beyond the window."""
    frame = sheet.frame
    spells = _seen(run, frame.start, frame.end)
    weather = marks.weather(sheet, spells, marks.lanes_of(spells))
    arrows = Arrows(sheet, run)
    clients = marks.clients(sheet, run.operations)
    lines = marks.lifelines(sheet, run)
    layers = weather + clients + arrows.under + lines + arrows.over + marks.marks(sheet, run)
    box = {"x": frame.left, "y": frame.weather - 2, "width": frame.right - frame.left}
    height = frame.bottom - frame.weather + 4
    view = f"{box['x']:g} {box['y']:g} {box['width']:g} {height:g}"
    inner = tag("svg", layers, **box, height=height, viewBox=view, overflow="hidden")
    return inner + marks.names(frame) + tag("g", sheet.labels(), class_="st-labels")


def _answers(sheet: Sheet) -> set[str]:
    return {"answer"} if sheet.used & {"replication", "election"} else set()


def _axis(frame: Frame) -> str:
    """The time axis below, and a faint line up from each of its ticks."""
    ticks = list(frame.ticks())
    grid = "".join(line(x, frame.weather, x, frame.bottom) for x, _ in ticks)
    labels = "".join(words(told, x, frame.bottom + 16, "st-tick", "middle") for x, told in ticks)
    axis = tag("path", d=line(frame.left, frame.bottom, frame.right, frame.bottom), class_="st-axis")
    caption = words("time →", frame.left - 10, frame.bottom + 16, "st-lane", "end")
    return (tag("path", d=grid, class_="st-grid") if grid else "") + axis + labels + caption
