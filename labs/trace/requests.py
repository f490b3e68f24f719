"""Clients' requests over time: what was asked, what was answered, joined by the requests' ids.

Law of this module: pure data in, pure data out; an outcome that nobody stated is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from labs.trace.events import Event


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """A client's request at `node`. `end` is None if no answer came; `outcome`: `ok`, `failed` or `unknown`."""

    id: str
    kind: str
    node: str
    start: float
    end: float | None
    outcome: str
    details: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)
    seqs: tuple[int, ...] = ()


def client_requests(events: list[Event]) -> list[ClientRequest]:
    """All requests, by the time at which they were sent. A reply without its request counts as one."""
    waiting: dict[str, Event] = {}
    found: list[ClientRequest] = []
    for event in events:
        if event.event == "request":
            if event.id in waiting:
                found.append(_joined(waiting.pop(event.id), None))
            waiting[event.id] = event
        elif event.event == "reply":
            found.append(_joined(waiting.pop(event.id, event), event))
    found += [_joined(request, None) for request in waiting.values()]
    return sorted(found, key=lambda request: request.start)


def _joined(request: Event, reply: Event | None) -> ClientRequest:
    return ClientRequest(
        request.id,
        request.kind,
        request.node or (reply.node if reply else ""),
        request.time,
        reply.time if reply else None,
        outcome_of(reply) if reply else "unknown",
        request.details,
        reply.details if reply else {},
        (request.seq, reply.seq) if reply else (request.seq,),
    )


def outcome_of(reply: Event) -> str:
    """`ok`, `failed` or `unknown`; a reply that does not state its outcome is unknown."""
    outcome = reply.details.get("outcome")
    return str(outcome) if outcome in ("ok", "failed") else "unknown"
