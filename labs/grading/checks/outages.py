"""What happened in Exercise 1's run, read from the run itself: who led while which nodes were down.

Law of this module: events in, facts out. It does not know what the student's code says about them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from labs.trace import kinds
from labs.trace.events import Event


@dataclass
class Spell:
    """A time in which just the nodes in `down` were down. `leaders`: who led from when on (None: nobody did)."""

    down: tuple[str, ...]
    begin: float
    leaders: list[tuple[float, str | None]] = field(default_factory=list)
    end: float = 0.0

    @property
    def leader(self) -> str | None:
        """In the end."""
        return self.leaders[-1][1]

    @property
    def leaderless(self) -> float | None:
        """Seconds without a leader; None if there was none in the end."""
        if self.leader is None:
            return None
        ends = [time for time, _ in self.leaders[1:]] + [self.end]
        return sum(end - time for (time, leader), end in zip(self.leaders, ends, strict=True) if leader is None)

    def led_after(self, time: float) -> set[str | None]:
        """Who led at any moment from `time` on."""
        ends = [begin for begin, _ in self.leaders[1:]] + [self.end]
        return {leader for (_, leader), end in zip(self.leaders, ends, strict=True) if end >= time}


def spells(events: Iterable[Event], now: float) -> list[Spell]:
    """All of them until `now`, in their order; those without duration, as between two stops at once, left out."""
    reader = _Reader()
    for event in events:
        reader.read(event)
    reader.close(now)
    return [spell for spell in reader.found if spell.end > spell.begin]


class _Reader:
    def __init__(self) -> None:
        self.found: list[Spell] = []
        self._down: set[str] = set()
        self._leading: dict[str, int] = {}
        self._open = Spell((), 0.0, [(0.0, None)])

    def read(self, event: Event) -> None:
        if event.event == "fault" and event.kind in (kinds.STOP, kinds.KILL, kinds.CRASH, kinds.START, kinds.RESTART):
            self._stop_or_start(event)
        elif event.event == "note" and event.kind == kinds.BECAME_LEADER:
            self._leading[event.node] = event.details["term"]
        elif event.event == "note" and event.kind == kinds.STEPPED_DOWN:
            self._leading.pop(event.node, None)
        else:
            return
        self._look(event.time)

    def _stop_or_start(self, event: Event) -> None:
        self.close(event.time)
        if event.kind in (kinds.START, kinds.RESTART):
            self._down.discard(event.node)
        else:
            self._down.add(event.node)
            self._leading.pop(event.node, None)
        self._open = Spell(tuple(sorted(self._down)), event.time, [(event.time, self._leader)])

    def _look(self, time: float) -> None:
        if self._leader != self._open.leader:
            self._open.leaders.append((time, self._leader))

    @property
    def _leader(self) -> str | None:
        """As a client sees it: of several, the one with the highest term."""
        return max(self._leading, key=lambda node: self._leading[node], default=None)

    def close(self, now: float) -> None:
        self._open.end = now
        self.found.append(self._open)
