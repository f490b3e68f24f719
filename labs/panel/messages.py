"""Messages between nodes as the browser knows them, and explanations that name some.

Law of this module: pure, as `model`.
"""

from __future__ import annotations

from typing import Any

from labs.trace import kinds
from labs.trace.events import Event
from labs.trace.messages import Delivery
from labs.trace.why import Explanation, Reason


def message_of(event: Event) -> list[str]:
    """`[family, sender, receiver, kind]`; the family decides the dot's shape and colour."""
    return [family_of(event.kind, event.details), event.node, event.peer, event.kind]


def family_of(kind: str, details: dict[str, Any]) -> str:
    """Of heartbeats, those of nodes that do not lead are drawn as points: there are many, and they say little."""
    family = "alive" if kind == kinds.ALIVE else kinds.family_of(kind)
    return family + ("-reply" if kinds.is_reply(kind, details) else "")


def told(explanations: list[Explanation]) -> list[dict[str, Any]]:
    """Explanations as the browser takes them."""
    return [{"question": one.question, "reasons": [_reason(reason) for reason in one.reasons]} for one in explanations]


def _reason(reason: Reason) -> dict[str, Any]:
    return {"t": reason.time, "text": reason.text, "messages": [_delivery(one) for one in reason.messages]}


def _delivery(one: Delivery) -> list[Any]:
    return [one.id, family_of(one.kind, one.details), one.sender, one.receiver, one.kind, one.sent]
