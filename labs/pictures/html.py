"""One HTML file with a run's picture, to pan and to zoom, and its story. Nothing in it is loaded from anywhere.

Law of this module: text in, text out. Whatever a node wrote into its events is escaped before it enters a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from labs.pictures.canvas import Highlight
from labs.pictures.spacetime import spacetime_svg
from labs.pictures.svg import safe, tag
from labs.trace.events import Event
from labs.trace.prose import Sentence
from labs.trace.story import shortened, story
from labs.trace.timeline import origin_of, read_timeline

SENTENCES = 200
"""A page tells at most so many."""


def page(
    events: Sequence[Event],
    *,
    node_ids: Sequence[str] | None = None,
    window: tuple[float, float] | None = None,
    width: float = 1600,
    highlight: Highlight = (),
    title: str = "A run",
    origin: float | None = None,
) -> str:
    """A complete HTML document; the arguments are `spacetime_svg`'s. Drag or use the arrow keys to move, the wheel,
    `+` and `-` to zoom, `0` to see everything; a click on a sentence shows its moment."""
    zero = origin_of(events) if origin is None else origin
    svg = spacetime_svg(
        events, node_ids=node_ids, window=window, width=width, highlight=highlight, origin=zero, title=title
    )
    lines = [line for line in story(read_timeline(events, node_ids)) if _inside(line, window, zero)]
    text = "".join(_item(line, zero) for line in shortened(lines, SENTENCES))
    return _template("page.html").format(
        title=safe(title), style=_template("page.css"), script=_template("page.js"), svg=svg, story=text
    )


def _inside(line: Sentence, window: tuple[float, float] | None, zero: float) -> bool:
    return window is None or window[0] <= line.time - zero <= window[1]


def _item(line: Sentence, zero: float) -> str:
    moment = tag("time", f"{line.time - zero:.2f} s")
    return tag("li", tag("button", moment, f" {safe(line.text)}", type="button", data_time=f"{line.time - zero:.6f}"))


def _template(name: str) -> str:
    return (files("labs.pictures") / "static" / name).read_text(encoding="utf-8")
