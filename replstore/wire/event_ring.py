"""What happened here lately: a bounded ring of events, for the panel, the timeline and the space-time diagram.

Law of this module: it remembers and forgets; nothing depends on it. Message ids are unique in the cluster, so one
node's `sent` can be joined with another's `received`. Values are not kept, only counts: a ring must not hold data.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import Any

from replstore.core.messages import (
    EntryId,
    FetchLog,
    Heartbeat,
    LogConflict,
    Message,
    Replicate,
    Replicated,
    Snapshot,
    SnapshotReceived,
)

CAPACITY = 8192
PAGE = 2000


class EventRing:
    """Events numbered from 1; the oldest are forgotten."""

    def __init__(self) -> None:
        self._events: deque[dict[str, Any]] = deque(maxlen=CAPACITY)
        self.next = 1

    def add(self, time: float, event: str, kind: str, details: dict[str, Any], id: str = "", peer: str = "") -> None:
        entry = {"seq": self.next, "time": time, "event": event, "kind": kind, "details": details}
        if id:
            entry["id"], entry["peer"] = id, peer
        self._events.append(entry)
        self.next += 1

    @property
    def first(self) -> int:
        """The oldest number still kept."""
        return self.next - len(self._events)

    def since(self, number: int) -> list[dict[str, Any]]:
        """Events from `number` on, as many as one answer takes."""
        start = max(0, number - self.first)
        return list(islice(self._events, start, start + PAGE))


def summary(message: Message) -> dict[str, Any]:
    """The small fields of a message: numbers and names as they are, entries as their count."""
    details: dict[str, Any] = {}
    for name in _names(type(message)):
        value = getattr(message, name)
        if type(value) in _SMALL:
            details[name] = value
        elif isinstance(value, EntryId):
            details[name] = value.index
        elif isinstance(value, tuple) and name in ("entries", "items"):
            details["count"] = len(value)
        elif isinstance(value, (int, str)):  # a subclass, in a student's message
            details[name] = value
        else:
            details[name] = repr(value)[:80]
    return details


def sent_details(message: Message, details: dict[str, Any], gives_up_in: Callable[[], float | None]) -> dict[str, Any]:
    """What is told of a message that a node sends. An answer to a heartbeat, and what a strategy sends, also tell how
    long the node now waits before it acts for want of a leader, so that one can watch that time run out."""
    if type(message) in _SAY_NOTHING_OF_TIMERS or (left := gives_up_in()) is None:
        return details
    return {**details, "gives_up_in_ms": round(1000 * left)}


_SAY_NOTHING_OF_TIMERS = frozenset(
    (Heartbeat, Replicate, Replicated, LogConflict, Snapshot, SnapshotReceived, FetchLog)
)

_SMALL = frozenset((bool, int, str, type(None)))

_known: dict[type, tuple[str, ...]] = {}


def _names(cls: type) -> tuple[str, ...]:
    names = _known.get(cls)
    if names is None:
        names = _known[cls] = tuple(f.name for f in fields(cls)) if is_dataclass(cls) else ()
    return names
