"""The world as the faults left it: who runs, who sleeps, who can talk to whom. Kept up to date by fault events."""

from __future__ import annotations

from labs.trace import kinds
from labs.trace.events import Event

DEATHS = (kinds.CRASH, kinds.STOP, kinds.KILL)


class World:
    def __init__(self, node_ids: tuple[str, ...]) -> None:
        self.nodes = node_ids
        self.up: set[str] = set()
        self.asleep: set[str] = set()
        self.cuts: set[tuple[str, str]] = set()
        self.lossy = False

    def apply(self, event: Event) -> None:
        match event.kind:
            case kinds.START | kinds.RESTART:
                self.up.add(event.node)
            case kinds.CRASH | kinds.STOP | kinds.KILL:
                self.up.discard(event.node)
                self.asleep.discard(event.node)
            case kinds.PAUSE:
                self.asleep.add(event.node)
            case kinds.RESUME:
                self.asleep.discard(event.node)
            case kinds.PARTITION:
                self._partition(event.details["groups"])
            case kinds.CUT:
                self.cuts.add((event.details["from"], event.details["to"]))
            case kinds.HEAL:
                self.cuts.clear()
            case kinds.SETTINGS | kinds.DELAY | kinds.LOSS:
                self.lossy = bool(event.details["drop"] or event.details["duplicate"])

    def _partition(self, groups: list[list[str]]) -> None:
        side = {name: number for number, group in enumerate(groups) for name in group}
        self.cuts = {(a, b) for a in self.nodes for b in self.nodes if a != b and side.get(a, a) != side.get(b, b)}

    @property
    def awake(self) -> set[str]:
        return self.up - self.asleep

    @property
    def whole(self) -> bool:
        return len(self.awake) == len(self.nodes) and not (self.cuts or self.lossy)

    def core(self, leader: str) -> frozenset[str]:
        """The nodes that are awake and can talk to the leader, and it to them, and they to each other."""
        awake = self.awake
        if leader not in awake or self.lossy:
            return frozenset()
        near = [n for n in awake if n == leader or self._joined(leader, n)]
        return frozenset(n for n in near if all(n == m or self._joined(n, m) for m in near))

    def able(self) -> frozenset[str]:
        """A majority that is awake, in which everybody can talk to everybody, and that no outsider can reach: it has
        to find a leader. Empty where there is none."""
        awake = self.awake
        if self.lossy:
            return frozenset()
        for node in awake:
            group = frozenset(n for n in awake if n == node or self._touch(node, n))
            if 2 * len(group) > len(self.nodes) and self._closed(group, awake):
                return group
        return frozenset()

    def _closed(self, group: frozenset[str], awake: set[str]) -> bool:
        inside = all(self._joined(a, b) for a in group for b in group if a != b)
        return inside and not any(self._touch(a, b) for a in group for b in awake - group)

    def _joined(self, a: str, b: str) -> bool:
        return (a, b) not in self.cuts and (b, a) not in self.cuts

    def _touch(self, a: str, b: str) -> bool:
        return (a, b) not in self.cuts or (b, a) not in self.cuts
