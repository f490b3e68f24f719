"""Symbols on the nodes' lines: what nodes noted, and what was done to them.

Law of this module: nothing is told by colour alone. Each kind has a symbol of its own shape, and words.
"""

from __future__ import annotations

from dataclasses import dataclass

from labs.pictures.arrows import fields
from labs.pictures.canvas import Canvas
from labs.pictures.svg import symbol, tag, tooltip
from labs.trace import kinds
from labs.trace.events import Event
from labs.trace.timeline import Timeline


@dataclass(frozen=True)
class Symbol:
    """How a note or fault is drawn: `legend` names it there, `label` (if any) stands beside it, as important as
    `importance` says."""

    shape: str
    style: str
    legend: str
    label: str = ""
    importance: int = 0
    above: bool = True


NOTE_SYMBOLS = {
    kinds.BECAME_LEADER: Symbol("crown", "lead", "elected", "leads term {term}", 90),
    kinds.ELECTION_TIMEOUT: Symbol("diamond", "elect", "election timeout", "timeout", 60),
    kinds.STEPPED_DOWN: Symbol("fall", "elect", "steps down", "steps down", 65),
    kinds.WRITE_LOST: Symbol("lost", "bad", "write lost", "lost {key} = {value}", 100, above=False),
    kinds.ELECTION_FAILED: Symbol("cross", "bad", "error", "error in the strategy", 95, above=False),
    kinds.TRUNCATED: Symbol("square", "other", "other note", "log cut after {after}", 35, above=False),
    kinds.INSTALLED_SNAPSHOT: Symbol("square", "other", "other note", "snapshot", 35, above=False),
    kinds.COMMITTED: Symbol("dot", "commit", "commit"),
    kinds.STATE: Symbol("square", "other", "term and vote saved", "saves term {term}", 40, above=False),
}

FAULT_SYMBOLS = {
    kinds.KILL: Symbol("cross", "bad", "crash or stop", "killed", 85, above=False),
    kinds.CRASH: Symbol("cross", "bad", "crash or stop", "crash", 85, above=False),
    kinds.STOP: Symbol("cross", "bad", "crash or stop", "stopped", 85, above=False),
    kinds.START: Symbol("play", "good", "start, resume", "start", 45, above=False),
    kinds.RESTART: Symbol("play", "good", "start, resume", "restart", 84, above=False),
    kinds.PAUSE: Symbol("bars", "pause", "pause", "paused", 84, above=False),
    kinds.RESUME: Symbol("play", "good", "start, resume", "resume", 84, above=False),
}

OTHER = Symbol("square", "other", "other note")
UNKNOWN_FAULT = Symbol("flag", "bad", "other fault", "{kind}", 75, above=False)

QUIET = frozenset(
    (
        *(kinds.STATE, kinds.FOLLOWING, kinds.APPENDED, kinds.WAITING_FOR, kinds.RECOVERED, kinds.STOPPING),
        *(kinds.CATCHING_UP, kinds.CONNECTED, kinds.DISCONNECTED),
    )
)
"""Notes that the lifelines and terms show already."""


def symbols(canvas: Canvas, run: Timeline) -> str:
    """The symbols of notes and faults, and their labels."""
    started = {event.node for event in run.faults if event.kind in kinds.STARTS}
    drawn = [_fault(canvas, event) for event in run.faults if _wanted_fault(canvas, event)]
    last_commit: dict[str, float] = {}
    for event in run.notes:
        if not _wanted_note(canvas, event, started):
            continue
        if event.kind == kinds.COMMITTED and not canvas.chosen.event(event.node, event.seq):
            x = canvas.frame.x(event.time)
            if x - last_commit.get(event.node, -1e9) < 5:
                continue
            last_commit[event.node] = x
        one = FAULT_SYMBOLS[kinds.START] if event.kind == kinds.STARTED else NOTE_SYMBOLS.get(event.kind, OTHER)
        drawn.append(_symbol(canvas, event, one, canvas.frame.rows[event.node]))
    return "".join(drawn)


def _wanted_note(canvas: Canvas, event: Event, started: set[str]) -> bool:
    if event.node not in canvas.frame.rows or not canvas.frame.shows(event.time, event.time):
        return False
    if canvas.chosen.event(event.node, event.seq):
        return True
    return event.kind not in QUIET and not (event.kind == kinds.STARTED and event.node in started)


def _wanted_fault(canvas: Canvas, event: Event) -> bool:
    """Network faults have lanes of their own."""
    return canvas.frame.shows(event.time, event.time) and event.kind not in kinds.NETWORK


def _fault(canvas: Canvas, event: Event) -> str:
    y = canvas.frame.rows.get(event.node, canvas.frame.top + 6)
    return _symbol(canvas, event, FAULT_SYMBOLS.get(event.kind, UNKNOWN_FAULT), y)


def _symbol(canvas: Canvas, event: Event, one: Symbol, y: float) -> str:
    x = canvas.frame.x(event.time)
    canvas.used.add(one.legend)
    hot = canvas.chosen.event(event.node, event.seq)
    if one.label or hot:
        label = filled(one.label, event) if one.label else event.kind.replace("_", " ")[:40]
        canvas.label(98 if hot else one.importance, label, canvas.beside_row(x, y, one.above), f"st-say st-{one.style}")
    text = f"{event.node or 'network'}: {event.kind.replace('_', ' ')}\n{canvas.frame.clock(event.time)}"
    hot_class = " st-hot" if hot else ""
    return tag(
        "g",
        tooltip(text + fields(event.details)),
        tag("path", d=symbol(one.shape, x, y)),
        class_=f"st-mark st-{one.style} st-is-{one.shape}{hot_class}",
        data_kind=event.kind,
    )


class _Details(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "?"


def filled(template: str, event: Event) -> str:
    """`template` with the event's details in their places, each cut to a label's length."""
    details = {name: str(value)[:18] for name, value in event.details.items()}
    return template.format_map(_Details(details | {"kind": event.kind[:24]})) if "{" in template else template
