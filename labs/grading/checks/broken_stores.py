"""Clusters that are broken on purpose, each in one way: Exercise 1 asks students to tell them from good ones.

Law of this module: a broken cluster looks healthy from afar. It answers, elects and replicates; it breaks one promise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from labs.grading.checks.two_leaders import LeadsOnReturn, SecondLeader
from replstore.core.contract import (
    Append,
    Delete,
    Done,
    Effect,
    Input,
    Put,
    Received,
    Record,
    Reply,
    Request,
    State,
    Tick,
    Unknown,
)
from replstore.core.election import Election, ElectionContext
from replstore.core.lowest_id import LowestId
from replstore.core.messages import (
    Entry,
    NodeId,
    Replicate,
    Snapshot,
    natural_order,
)
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
        self._proper: Store = self.store
        self._stubborn: Store = stubborn

    def handle(self, event: Input, now: float) -> list[Effect]:
        wanted = self._proper if self.leads else self._stubborn
        if self.store is not wanted:
            wanted.replace(self.store.items())
            self.store = wanted
        return super().handle(event, now)


class LastDropsDeletes(DropsDeletes):
    """Likewise, but only the last of all nodes, which leads seldom: a read at the leader does not show it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.id != _in_order(self)[-1]:
            self._stubborn = self._proper


class BringsDeletesBack(Node):
    """Deletes are carried out, and are not saved: a node that was down has the deleted keys again."""

    def __init__(self, *args: Any, records: Iterable[Record] = (), **kwargs: Any) -> None:
        last: dict[str, Any] = {}
        super().__init__(*args, records=[_without_deletes(record, last) for record in records], **kwargs)


def _without_deletes(record: Record, last: dict[str, Any]) -> Record:
    """With a put of the key's `last` value in place of each delete; so the log keeps its length."""
    if isinstance(record, State):
        return record
    kept = []
    for entry in record.entries if isinstance(record, Append) else record.items:
        if entry.op == "put":
            last[entry.key] = entry.value
        again = entry.op == "delete" and entry.key in last
        kept.append(entry._replace(op="put", value=last[entry.key]) if again else entry)
    return replace(record, entries=tuple(kept)) if isinstance(record, Append) else replace(record, items=tuple(kept))


class ForgetsOnRestart(Node):
    """Nothing of what was saved is read again, except the term."""

    def __init__(self, *args: Any, records: Iterable[Record] = (), **kwargs: Any) -> None:
        kept = [record for record in records if not hasattr(record, "entries") and not hasattr(record, "items")]
        super().__init__(*args, records=kept, **kwargs)


class ForgetsTheNewest(Node):
    """The newest third of what was saved is not read again: the first keys that were written are all there."""

    def __init__(self, *args: Any, records: Iterable[Record] = (), **kwargs: Any) -> None:
        saved = list(records)
        last = max((entry.index for r in saved if isinstance(r, Append) for entry in r.entries), default=0)
        super().__init__(*args, records=[_until(record, 2 * last // 3) for record in saved], **kwargs)


def _until(record: Record, last: int) -> Record:
    if not isinstance(record, Append):
        return record
    return Append(tuple(entry for entry in record.entries if entry.index <= last), min(record.commit, last))


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


class LastStaysStale(StaysStale):
    """Likewise, but only the last of all nodes: it is behind, and with votes it never leads."""

    def __init__(self, node_id: NodeId, peers: Iterable[NodeId], *args: Any, **kwargs: Any) -> None:
        super().__init__(node_id, peers, *args, **kwargs)
        if node_id != _in_order(self)[-1]:
            self._on_message |= {Replicate: self._on_replicate, Snapshot: self._on_snapshot}


class _Skipping(Store):
    """Leaves out what it is told, as long as it is `away`."""

    away = False

    def apply(self, entry: Entry) -> bool:
        return entry.key in self._live if self.away else super().apply(entry)

    def apply_all(self, entries: Iterable[Entry]) -> None:
        if not self.away:
            super().apply_all(entries)

    def replace(self, items: Iterable[Entry]) -> None:
        if not self.away:
            super().replace(items)


class NeverFetches(Node):
    """A node that comes back follows what is written from then on; what it has missed it never gets."""

    def __init__(self, *args: Any, records: Iterable[Record] = (), **kwargs: Any) -> None:
        saved = list(records)
        super().__init__(*args, records=saved, **kwargs)
        skipping = _Skipping()
        skipping.replace(self.store.items())
        self.store = self._skipping = skipping
        self._was_away = any(isinstance(record, Append) for record in saved)
        self._came_back: float | None = None

    def handle(self, event: Input, now: float) -> list[Effect]:
        if self._came_back is None:
            self._came_back = now
        soon = now - self._came_back < 2 * self.timeout
        self._skipping.away = self._was_away and soon and isinstance(event, Received) and not self.leads
        return super().handle(event, now)


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


class OnlyTheFirst(LowestId):
    """Nobody but the first of all nodes ever leads."""

    def _lead(self) -> None:
        # The others wait and look on as in a good store, so that nothing shows before the first one stops.
        if self.me == min([self.me, *self.peers], key=natural_order):
            super()._lead()


class NeverSure(Node):
    """Carries every write out, but does not say so before one of the nodes, the last, has answered once more."""

    NEEDED = -1
    """Which node, in the order of the ids."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._needed = _in_order(self)[self.NEEDED]
        self._held: list[tuple[float, Reply]] = []

    def handle(self, event: Input, now: float) -> list[Effect]:
        told: list[Effect] = []
        for effect in super().handle(event, now):
            if self.id != self._needed and isinstance(effect, Reply) and isinstance(effect.result, Done):
                self._held.append((now, effect))
            else:
                told.append(effect)
        if isinstance(event, Received) and event.sender == self._needed:
            # What was on its way already when the write was carried out says nothing of what the sender is now.
            told += [reply for since, reply in self._held if now - since > self.heartbeat / 3]
            self._held = [(since, reply) for since, reply in self._held if now - since <= self.heartbeat / 3]
        told += [Reply(reply.id, Unknown()) for since, reply in self._held if now - since > 3 * self.heartbeat]
        self._held = [(since, reply) for since, reply in self._held if now - since <= 3 * self.heartbeat]
        return told


class NeverSureWithoutTheSecond(NeverSure):
    """Likewise, for the second node: who stops only the first and the last does not meet it."""

    NEEDED = 1


def _in_order(node: Node) -> list[NodeId]:
    return sorted([node.id, *node.peers], key=natural_order)


@dataclass(frozen=True)
class BrokenStore:
    node_class: type[Node] = Node
    election: Callable[[ElectionContext], Election] | None = None


@dataclass(frozen=True)
class PlantedFault:
    """`promise` is what a student may be told afterwards. Each of the `stores` breaks it in its own way."""

    name: str
    promise: str
    stores: tuple[BrokenStore, ...]
    stands_still: bool = False
    """Whether a test may wait in it for what never comes."""


FAULTS: tuple[PlantedFault, ...] = (
    PlantedFault(
        "drops deletes",
        "a deleted key is gone at every node",
        (BrokenStore(DropsDeletes), BrokenStore(BringsDeletesBack), BrokenStore(LastDropsDeletes)),
    ),
    PlantedFault(
        "forgets on restart",
        "what was acknowledged is there after a restart",
        (BrokenStore(ForgetsOnRestart), BrokenStore(ForgetsTheNewest)),
    ),
    PlantedFault(
        "stays stale",
        "a node that comes back catches up",
        (BrokenStore(StaysStale), BrokenStore(NeverFetches), BrokenStore(LastStaysStale)),
    ),
    PlantedFault(
        "two leaders",
        "when a node comes back there is one leader",
        (BrokenStore(election=LeadsOnReturn), BrokenStore(SecondLeader)),
    ),
    PlantedFault("acknowledges first", "an acknowledged write had been carried out", (BrokenStore(AcknowledgesFirst),)),
    PlantedFault("loses some", "every acknowledged write is there", (BrokenStore(LosesSome),)),
    PlantedFault(
        "stands still",
        "it goes on when any one node stops",
        (BrokenStore(election=OnlyTheFirst), BrokenStore(NeverSureWithoutTheSecond), BrokenStore(NeverSure)),
        stands_still=True,
    ),
)
