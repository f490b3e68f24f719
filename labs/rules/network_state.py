"""The state of nodes and network as faults left it: who runs, who is paused, who can send to whom.

Law of this module: it changes by fault events alone.
"""

from __future__ import annotations

from labs.trace import kinds
from labs.trace.events import Event


class NetworkState:
    """`apply` fault events in order, then ask."""

    def __init__(self, node_ids: tuple[str, ...]) -> None:
        self.nodes = node_ids
        self.up: set[str] = set()
        self.paused: set[str] = set()
        self.cuts: set[tuple[str, str]] = set()
        self.lossy = False

    def apply(self, event: Event) -> None:
        match event.kind:
            case kind if kind in kinds.STARTS:
                self.up.add(event.node)
            case kind if kind in kinds.STOPS:
                self.up.discard(event.node)
                self.paused.discard(event.node)
            case kinds.PAUSE:
                self.paused.add(event.node)
            case kinds.RESUME:
                self.paused.discard(event.node)
            case kinds.PARTITION:
                self._partition(event.details["groups"])
            case kinds.CUT | kinds.DISCONNECT | kinds.HOLD:  # how much of it arrives, or when, is no matter here
                self.cuts.add((event.details["from"], event.details["to"]))
            case kinds.RELEASE:
                self.cuts.discard((event.details["from"], event.details["to"]))
            case kinds.HEAL:
                self.cuts.clear()
            case kinds.SETTINGS | kinds.DELAY | kinds.LOSS:
                self.lossy = bool(event.details["drop"] or event.details["duplicate"])

    def _partition(self, groups: list[list[str]]) -> None:
        side = {name: number for number, group in enumerate(groups) for name in group}
        self.cuts = {(a, b) for a in self.nodes for b in self.nodes if a != b and side.get(a, a) != side.get(b, b)}

    @property
    def running(self) -> set[str]:
        """The nodes that are up and not paused."""
        return self.up - self.paused

    @property
    def faultless(self) -> bool:
        """Every node runs, and every message arrives."""
        return len(self.running) == len(self.nodes) and not (self.cuts or self.lossy)

    def connected_with(self, leader: str) -> frozenset[str]:
        """The leader and the nodes that run and can send to it, receive from it, and so with each other."""
        running = self.running
        if leader not in running or self.lossy:
            return frozenset()
        close = [n for n in running if n == leader or self._both_ways(leader, n)]
        return frozenset(n for n in close if all(n == m or self._both_ways(n, m) for m in close))

    def electing_majority(self) -> frozenset[str]:
        """A majority that runs, in which every node can send to every other, and that no outsider can reach: it has to
        elect a leader. Empty if there is none."""
        running = self.running
        if self.lossy:
            return frozenset()
        for node in running:
            group = frozenset(n for n in running if n == node or self._any_way(node, n))
            if 2 * len(group) > len(self.nodes) and self._closed(group, running):
                return group
        return frozenset()

    def _closed(self, group: frozenset[str], running: set[str]) -> bool:
        inside = all(self._both_ways(a, b) for a in group for b in group if a != b)
        return inside and not any(self._any_way(a, b) for a in group for b in running - group)

    def _both_ways(self, a: str, b: str) -> bool:
        return (a, b) not in self.cuts and (b, a) not in self.cuts

    def _any_way(self, a: str, b: str) -> bool:
        return (a, b) not in self.cuts or (b, a) not in self.cuts
