"""Clusters that are broken on purpose, each in one way: Exercise 1 asks students to tell them from good ones.

Law of this module: a broken cluster looks healthy from afar. It answers, elects and replicates; it breaks one promise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from replstore.core.contract import Append, Delete, Done, Effect, Input, Put, Record, Reply, Request, Tick
from replstore.core.election import Election, ElectionContext
from replstore.core.lowest_id import LowestId
from replstore.core.messages import Entry, NodeId
from replstore.core.node import Node
from replstore.core.store import Store


class _NeverDeletes(Store):
    def apply(self, entry: Entry) -> bool:
        return entry.key in self._live if entry.op == "delete" else super().apply(entry)


class DropsDeletes(Node):
    """Followers do not carry deletes out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stubborn = _NeverDeletes()
        stubborn.replace(self.store.items())
        self._proper, self._stubborn = self.store, stubborn

    def handle(self, event: Input, now: float) -> list[Effect]:
        wanted = self._proper if self.leads else self._stubborn
        if self.store is not wanted:
            wanted.replace(self.store.items())
            self.store = wanted
        return super().handle(event, now)


class ForgetsOnRestart(Node):
    """Nothing of what was saved is read again, except the term."""

    def __init__(self, *args: Any, records: Iterable[Record] = (), **kwargs: Any) -> None:
        kept = [record for record in records if not hasattr(record, "entries") and not hasattr(record, "items")]
        super().__init__(*args, records=kept, **kwargs)


class StaysStale(Node):
    """A node that was away refuses what the leader ships."""

    def __init__(self, *args: Any, records: Iterable[Record] = (), **kwargs: Any) -> None:
        saved = list(records)
        super().__init__(*args, records=saved, **kwargs)
        if any(isinstance(record, Append) for record in saved):
            self._on_message = {
                kind: action
                for kind, action in self._on_message.items()
                if kind.__name__ not in ("Replicate", "Snapshot")
            }


class LeadsOnReturn(LowestId):
    """A node that was away believes that it leads, whoever else does."""

    _was_away: bool | None = None

    def tick(self, now: float) -> None:
        if self._is_stubborn():
            self.leader = self.me
        else:
            super().tick(now)

    def receive(self, sender: NodeId, message: Any, now: float) -> None:
        if not self._is_stubborn():
            super().receive(sender, message, now)

    def _is_stubborn(self) -> bool:
        """A node that begins its life in a term has had another life before."""
        if self._was_away is None:
            self._was_away = self.term > 0
        return self._was_away


class AcknowledgesFirst(Node):
    """The client is answered at once; the write follows when there is time, unless the node is gone by then."""

    LATER = 30
    """Election timeouts until the write is carried out: more than a careful test waits before it looks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._postponed: list[tuple[float, Request]] = []

    def handle(self, event: Input, now: float) -> list[Effect]:
        if isinstance(event, Request) and self.leads and isinstance(event.command, Put | Delete):
            self._postponed.append((now + self.LATER * self.timeout, event))
            value = event.command.value if isinstance(event.command, Put) else None
            op = "put" if isinstance(event.command, Put) else "delete"
            index = self.log.last_index + len(self._postponed)
            entry = Entry(index, self.election.term, self.id, op, event.command.key, value)
            return [Reply(event.id, Done(entry, True))]
        effects = super().handle(event, now)
        if isinstance(event, Tick):
            due = [request for when, request in self._postponed if when <= now]
            self._postponed = [(when, request) for when, request in self._postponed if when > now]
            for request in due:
                effects += [e for e in super().handle(request, now) if not isinstance(e, Reply)]
        return [e for e in effects if not (isinstance(e, Reply) and isinstance(e.result, Done))]


class LosesSome(Node):
    """Every seventh write is acknowledged and thrown away."""

    EVERY = 7

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._count = 0

    def handle(self, event: Input, now: float) -> list[Effect]:
        if isinstance(event, Request) and self.leads and isinstance(event.command, Put):
            self._count += 1
            if self._count % self.EVERY == 0:
                command = event.command
                entry = Entry(self.log.last_index, self.election.term, self.id, "put", command.key, command.value)
                return [Reply(event.id, Done(entry, False))]
        return super().handle(event, now)


@dataclass(frozen=True)
class PlantedFault:
    """`promise` is what a student may be told afterwards."""

    name: str
    promise: str
    node_class: type[Node] = Node
    election: Callable[[ElectionContext], Election] | None = None


FAULTS: tuple[PlantedFault, ...] = (
    PlantedFault("drops deletes", "a deleted key is gone at every node", DropsDeletes),
    PlantedFault("forgets on restart", "what was acknowledged is there after a restart", ForgetsOnRestart),
    PlantedFault("stays stale", "a node that comes back catches up", StaysStale),
    PlantedFault("two leaders", "when a node comes back there is one leader", election=LeadsOnReturn),
    PlantedFault("acknowledges first", "an acknowledged write had been carried out", AcknowledgesFirst),
    PlantedFault("loses some", "every acknowledged write is there", LosesSome),
)
