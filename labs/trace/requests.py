"""What clients asked for and what they were told, joined by the requests' ids.

Law of this module: pure data in, pure data out; an outcome that nobody stated is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from labs.trace.events import Event

ANSWERED: dict[str, str] = {
    "done": "ok", "value": "ok", "notleader": "failed", "overloaded": "failed", "unknown": "unknown",
}  # fmt: skip
"""A client's outcome, where the reply names only the node's result."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A client's request at `node`. `end` is None where no answer came; `outcome`: `ok`, `failed` or `unknown`."""

    id: str
    kind: str
    node: str
    start: float
    end: float | None
    outcome: str
    details: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)
    seqs: tuple[int, ...] = ()


def operations(events: list[Event]) -> list[Operation]:
    waiting: dict[str, Event] = {}
    found: list[Operation] = []
    for event in events:
        if event.event == "request":
            if event.id in waiting:
                found.append(_operation(waiting.pop(event.id), None))
            waiting[event.id] = event
        elif event.event == "reply":
            found.append(_operation(waiting.pop(event.id, event), event))
    found += [_operation(request, None) for request in waiting.values()]
    return sorted(found, key=lambda operation: operation.start)


def _operation(request: Event, reply: Event | None) -> Operation:
    said = reply.details.get("outcome", ANSWERED.get(reply.kind)) if reply else None
    return Operation(
        request.id,
        request.kind,
        request.node or (reply.node if reply else ""),
        request.time,
        reply.time if reply else None,
        said if said in ("ok", "failed") else "unknown",
        request.details,
        reply.details if reply else {},
        (request.seq, reply.seq) if reply else (request.seq,),
    )
