"""Writes that clients were told are stored, and the story of one that is lost all the same.

Law of this module: pure, as `model`.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from labs.trace import sentences
from labs.trace.events import Event


class Losses:
    """`acknowledged`: the reply to each write, by its key and its value as text."""

    def __init__(self) -> None:
        self.acknowledged: dict[tuple[str, str], Event] = {}
        self._elected: deque[Event] = deque(maxlen=20)

    def elected(self, event: Event) -> None:
        """A node became leader."""
        self._elected.append(event)

    def forget(self, before: float) -> None:
        """Replies from before this time are no longer of interest."""
        for write in [write for write, reply in self.acknowledged.items() if reply.time < before]:
            del self.acknowledged[write]

    def told(self, event: Event) -> dict[str, Any]:
        """A lost write, as the panel shows it; `event` is the note of the node that dropped it."""
        lost = event.details
        key = str(lost.get("key", ""))
        reply = self.acknowledged.get((key, value_of(event)))
        return {
            "id": f"{event.node}:{event.seq}", "key": key, "value": sentences.value_text(lost.get("value")),
            "op": str(lost.get("op", "put")), "node": event.node, "at": event.time,
            "story": self._story(event, reply),
        }  # fmt: skip

    def _story(self, event: Event, reply: Event | None) -> str:
        lost = event.details
        what = f"{lost.get('op', 'put')} {sentences.key_text(lost.get('key'))}"
        if lost.get("op", "put") == "put":
            what += f" = {sentences.value_text(lost.get('value'))}"
        parts = [f"{reply.node} told its client “stored”" if reply else f"{event.node} had applied it"]
        crowned = [c for c in self._elected if c.node != event.node and c.time <= event.time]
        if crowned:
            parts.append(f"{crowned[-1].node} became leader of term {crowned[-1].details.get('term')} without it")
        return f"{what} (entry {lost.get('index')}): {', '.join(parts)}, and {event.node} dropped it."


def value_of(event: Event) -> str:
    return sentences.value_text(event.details["value"]) if "value" in event.details else ""
