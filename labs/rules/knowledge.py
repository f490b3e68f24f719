"""What a node can have learned by messages: the happened-before of L. Lamport ("Time, Clocks, and the Ordering of
Events in a Distributed System", 1978).

Law of this module: a fact travels with delivered messages and in no other way. Nodes of a simulated run may share a
process, and with it memory; what passes through that is not known here.
"""

from __future__ import annotations

from collections.abc import Hashable

from labs.trace import kinds
from labs.trace.events import Event

Fact = Hashable


def is_the_strategys_own(event: Event) -> bool:
    """Whether this message was sent by a strategy and not by the node. (A student's may be carried unopened: then its
    text tells the module of its class.)"""
    text = event.details.get("text")
    if "type_name" in event.details and isinstance(text, str):
        return not text.startswith(('{"type":"alive"', '{"type":"replstore.'))
    return event.kind not in kinds.OF_THE_NODE


class Knowledge:
    """`learn` tells what a node knows of itself; `apply` events in order; then ask `of`. A crash forgets nothing: what
    a node has saved, it may have read again."""

    def __init__(self, only_the_strategys: bool) -> None:
        """`only_the_strategys`: the node's own messages carry nothing, as they carry no votes."""
        self._only_the_strategys = only_the_strategys
        self._known: dict[str, frozenset[Fact]] = {}
        self._under_way: dict[str, frozenset[Fact]] = {}

    def of(self, node: str) -> frozenset[Fact]:
        return self._known.get(node, frozenset())

    def learn(self, node: str, fact: Fact) -> None:
        self._known[node] = self.of(node) | {fact}

    def apply(self, event: Event) -> None:
        if event.event not in ("sent", "received"):
            return
        if self._only_the_strategys and not is_the_strategys_own(event):
            return
        if event.event == "sent":
            self._under_way[event.id] = self.of(event.node)
        elif told := self._under_way.get(event.id):
            self._known[event.node] = self.of(event.node) | told
