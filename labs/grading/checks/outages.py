"""Outages of Exercise 1's run, read from the run itself: who led while which nodes were down.

Law of this module: events in, facts out. It does not know what the student's code says about them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from labs.trace import kinds
from labs.trace.events import Event
from labs.trace.roles import Leaders


@dataclass
class Outage:
    """A time in which exactly the nodes in `down` were down. `leaders`: who led, and from when (None: nobody did)."""

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


def outages(events: Iterable[Event], now: float) -> list[Outage]:
    """All of them until `now`, in their order; those without duration, as between two stops at once, left out."""
    reader = _Reader()
    for event in events:
        reader.read(event)
    reader.close(now)
    return [outage for outage in reader.found if outage.end > outage.begin]


class _Reader:
    def __init__(self) -> None:
        self.found: list[Outage] = []
        self._down: set[str] = set()
        self._leaders = Leaders()
        self._open = Outage((), 0.0, [(0.0, None)])

    def read(self, event: Event) -> None:
        self._leaders.apply(event)
        if event.event == "fault" and event.kind in kinds.STOPS | kinds.STARTS:
            self._stop_or_start(event)
        self._note_leader(event.time)

    def _stop_or_start(self, event: Event) -> None:
        self.close(event.time)
        if event.kind in kinds.STARTS:
            self._down.discard(event.node)
        else:
            self._down.add(event.node)
        self._open = Outage(tuple(sorted(self._down)), event.time, [(event.time, self._leaders.highest)])

    def _note_leader(self, time: float) -> None:
        if self._leaders.highest != self._open.leader:
            self._open.leaders.append((time, self._leaders.highest))

    def close(self, now: float) -> None:
        self._open.end = now
        self.found.append(self._open)
