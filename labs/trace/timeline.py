"""A run as a timeline: from a list of events to roles, messages, requests and network faults over time.

Law of this module: pure data in, pure data out. It never draws, writes no sentence, and never fails on an event that it
does not know: the list may come from a simulated trace or from real nodes, whole or cut off at either end.

Times are the events' own (`Event.time`, seconds). Events without a usable time are left out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labs.trace.events import Event
from labs.trace.messages import Delivery, deliveries
from labs.trace.network import FaultInterval, fault_intervals
from labs.trace.requests import ClientRequest, client_requests
from labs.trace.roles import RoleInterval, RoleTracker, role_intervals
from replstore.core.messages import natural_order

SANE = 1e12
"""No clock of ours shows a later second; beyond it a float no longer tells milliseconds apart."""

WALL_CLOCK = 1e8
"""A time above this is a date, not seconds since a run's beginning."""


@dataclass(frozen=True)
class Timeline:
    """Everything that a picture or a story needs, each list in order of time."""

    node_ids: tuple[str, ...]
    start: float
    end: float
    roles: dict[str, list[RoleInterval]]
    """By node."""
    deliveries: list[Delivery]
    network_faults: list[FaultInterval]
    requests: list[ClientRequest]
    notes: list[Event]
    faults: list[Event]
    """What was done to nodes and network, event by event."""

    @property
    def lost(self) -> list[Delivery]:
        return [delivery for delivery in self.deliveries if delivery.outcome == "lost"]

    def role_at(self, node: str, time: float) -> RoleInterval | None:
        """What `node` was at `time` (at a moment of change: what it became)."""
        intervals = self.roles.get(node, [])
        place = bisect_right(intervals, time, key=lambda interval: interval.start)
        return intervals[place - 1] if place else None

    def leaderships(self) -> list[RoleInterval]:
        """When a node led, by time. A paused leader's interval ends, and a new one begins when it is resumed."""
        found = [interval for intervals in self.roles.values() for interval in intervals if interval.role == "leader"]
        return sorted(found, key=lambda interval: (interval.start, natural_order(interval.node)))


def in_order(events: Iterable[Event]) -> list[Event]:
    """Events with a usable time, by time; one node's events of the same moment in their own order."""
    usable = [e for e in events if isinstance(e.time, int | float) and -SANE < e.time < SANE]  # false for NaN, too
    return sorted(usable, key=lambda event: (event.time, event.node, event.seq))


def origin_of(events: Iterable[Event]) -> float:
    """The moment that pictures and stories call 0 s: the first event of a run by the wall clock; 0 of a virtual one."""
    first = min((e.time for e in in_order(events)), default=0.0)
    return first if first > WALL_CLOCK else min(first, 0.0)


def excerpt(events: Iterable[Event], start: float, end: float) -> list[Event]:
    """The events from `start` to `end`, and of those before whatever may still hold: what was done to nodes and
    network, and how the nodes told their roles. Without these a leader may be taken for a follower."""
    return [e for e in events if e.time <= end and (e.time >= start or e.event == "fault" or RoleTracker.depends_on(e))]


def read_timeline(events: Iterable[Event], node_ids: Sequence[str] | None = None) -> Timeline:
    """The timeline of `events`. `node_ids=None`: every node that they mention, in natural order."""
    ordered = in_order(events)
    start, end = (ordered[0].time, ordered[-1].time) if ordered else (0.0, 0.0)
    nodes = tuple(node_ids) if node_ids is not None else _nodes(ordered)
    by_node: dict[str, list[Event]] = defaultdict(list)
    for event in ordered:
        by_node[event.node].append(event)
    return Timeline(
        nodes,
        start,
        end,
        {node: role_intervals(node, by_node[node], start, end) for node in nodes},
        deliveries(ordered, end),
        fault_intervals(ordered, end),
        client_requests(ordered),
        [e for e in ordered if e.event == "note"],
        [e for e in ordered if e.event == "fault"],
    )


def _nodes(events: list[Event]) -> tuple[str, ...]:
    clients = {e.node for e in events if e.event in ("request", "reply")}
    named = {e.node for e in events if e.event not in ("request", "reply")} | {e.peer for e in events}
    return tuple(sorted((named or clients) - {""}, key=natural_order))
