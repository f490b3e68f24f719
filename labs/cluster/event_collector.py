"""Merges the event logs of all nodes, and what was done to them, into one list ordered by time.

Law of this module: events that were collected are kept, also after their node was killed. Nothing runs in the
background: the events of a node must be collected before the node is gone.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

from labs.trace.events import Event
from replstore.wire.event_ring import PAGE

KEPT = 200_000
"""Events kept at most; the oldest go first, so that a cluster that runs for days does not fill the memory."""


class Happenings:
    """Collects events. `fetch(node, since)` gives a node's answer to `GET /events`, or None without one."""

    def __init__(self, fetch: Callable[[str, int], dict[str, Any] | None]) -> None:
        self._fetch = fetch
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._count = 0
        self._next: dict[str, int] = {}
        self._offset: dict[str, int] = defaultdict(int)
        self._last: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()
        # Held while a node is asked, which takes time; noting a client's request must not wait for that.
        self._collecting = threading.Lock()

    def record(
        self,
        time: float,
        node: str,
        event: str,
        kind: str,
        details: dict[str, Any] | None = None,
        message_id: str = "",
        peer: str = "",
        seq: int = 0,
    ) -> None:
        """Something that this side knows of its own: a fault, a client's request, what a link carried."""
        with self._lock:
            self._keep(Event(time, node, event, kind, seq, message_id, peer, details or {}))

    def collect(self, node: str) -> None:
        """Take over what the node has to tell since last time."""
        with self._collecting:
            full_page = True
            while full_page:
                answer = self._fetch(node, self._next.get(node, 0))
                if answer is None:
                    return
                with self._lock:
                    for data in answer["events"]:
                        self._keep(self._understood(node, data))
                self._next[node] = answer["next"]
                full_page = len(answer["events"]) >= PAGE

    def _understood(self, node: str, data: dict[str, Any]) -> Event:
        """A restarted node counts from the beginning again; here its numbers go on and order its whole life."""
        number = int(data.get("seq", 0)) + self._offset[node]
        self._last[node] = max(self._last[node], number)
        return Event.from_json({**data, "node": node, "seq": number})

    def begins_anew(self, node: str) -> None:
        """The node is about to start: its numbering begins again."""
        with self._collecting:
            self._next.pop(node, None)
            self._offset[node] = self._last[node] + 1 if node in self._last else 0

    def _keep(self, event: Event) -> None:
        self._kept.append(event)
        self._count += 1

    def since(self, position: int) -> tuple[list[Event], int]:
        """What was taken in after the first `position` events, in the order of its coming, and the next position."""
        with self._lock:
            new = min(max(0, self._count - position), len(self._kept))
            return [self._kept[-place] for place in range(new, 0, -1)], self._count

    def all(self) -> list[Event]:
        """Everything, by time; one node's events in their own order where times are equal."""
        with self._lock:
            return sorted(self._kept, key=lambda event: (event.time, event.node, event.seq))
