"""From a list of events to what was going on: who was what for how long, which message arrived, what was lost.

Law of this module: pure data in, pure data out. It never draws, never words anything, and never fails on an event that
it does not know: the list may come from a simulated trace or from real nodes, whole or cut off at either end.

Times are the events' own (`Event.time`, seconds). Events without a usable time are left out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labs.trace.events import Event
from labs.trace.messages import Passage, passages
from labs.trace.network import Spell, spells
from labs.trace.requests import Operation, operations
from labs.trace.roles import Stretch, stretches
from replstore.messages import natural_order

SANE = 1e12
"""No clock of ours shows a later second; beyond it a float no longer tells milliseconds apart."""

WALL_CLOCK = 1e8
"""A time above this is a date, not seconds since a run's beginning."""


@dataclass(frozen=True)
class Run:
    """Everything that a picture or a story needs, each list in order of time."""

    node_ids: tuple[str, ...]
    start: float
    end: float
    stretches: dict[str, list[Stretch]]
    passages: list[Passage]
    spells: list[Spell]
    operations: list[Operation]
    notes: list[Event]
    faults: list[Event]

    @property
    def lost(self) -> list[Passage]:
        return [passage for passage in self.passages if passage.fate == "lost"]

    def stretch_at(self, node: str, time: float) -> Stretch | None:
        """What `node` was at `time` (at a moment of change: what it became)."""
        stretches = self.stretches.get(node, [])
        place = bisect_right(stretches, time, key=lambda stretch: stretch.start)
        return stretches[place - 1] if place else None

    def leaderships(self) -> list[Stretch]:
        """When somebody led, by time; a leader frozen by a pause goes on leading, in its own belief."""
        found = [s for stretches in self.stretches.values() for s in stretches if s.role == "leader"]
        return sorted(found, key=lambda stretch: (stretch.start, natural_order(stretch.node)))


def in_order(events: Iterable[Event]) -> list[Event]:
    """Events with a usable time, by time; one node's events of the same moment in their own order."""
    usable = [e for e in events if isinstance(e.time, int | float) and -SANE < e.time < SANE]  # false for NaN, too
    return sorted(usable, key=lambda event: (event.time, event.node, event.seq))


def origin_of(events: Iterable[Event]) -> float:
    """The moment that pictures and stories call 0 s: the first event of a run by the wall clock; 0 of a virtual one."""
    first = min((e.time for e in in_order(events)), default=0.0)
    return first if first > WALL_CLOCK else min(first, 0.0)


def read(events: Iterable[Event], node_ids: Sequence[str] | None = None) -> Run:
    """The run that `events` tell of. `node_ids=None`: every node that they mention, in natural order."""
    ordered = in_order(events)
    start, end = (ordered[0].time, ordered[-1].time) if ordered else (0.0, 0.0)
    nodes = tuple(node_ids) if node_ids is not None else _nodes(ordered)
    by_node: dict[str, list[Event]] = defaultdict(list)
    for event in ordered:
        by_node[event.node].append(event)
    return Run(
        nodes,
        start,
        end,
        {node: stretches(node, by_node[node], start, end) for node in nodes},
        passages(ordered, end),
        spells(ordered, end),
        operations(ordered),
        [e for e in ordered if e.event == "note"],
        [e for e in ordered if e.event == "fault"],
    )


def _nodes(events: list[Event]) -> tuple[str, ...]:
    clients = {e.node for e in events if e.event in ("request", "reply")}
    named = {e.node for e in events if e.event not in ("request", "reply")} | {e.peer for e in events}
    return tuple(sorted((named or clients) - {""}, key=natural_order))
