"""What nodes say to each other, and what a log holds.

Law of this module: values only. Nothing here acts, knows the time or keeps a reference to something that changes, so a
message on its way can never be altered by the node that made it. `wire.codec` turns messages into JSON text and back.

What every receiver has to reckon with: a message may be lost, may come late, twice, or after one that was sent later.
So each message says to which term it belongs, and no message changes the meaning of another. A receiver that is asked
twice answers twice; an answer that is too old is recognised by its term, its round or its index, and ignored.

Who talks about what:

* heartbeats (`Heartbeat`, `HeartbeatReply`): "I lead", "I follow you", and how far everything is;
* replication (`Replicate`, `Replicated`, `LogConflict`, `Snapshot`, `SnapshotReceived`, `FetchLog`): the log itself;
* elections: a strategy's own messages, defined beside the strategy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

NodeId = str


def natural_order(node_id: NodeId) -> tuple[tuple[int, int | str], ...]:
    """The sort key for node ids: digits count as numbers, so `node-2` comes before `node-10`."""
    parts: list[tuple[int, int | str]] = []
    word = ""
    for character in node_id:
        if word and word[-1].isdecimal() != character.isdecimal():
            parts.append(_part(word))
            word = ""
        word += character
    if word:
        parts.append(_part(word))
    # "node-02" and "node-2" are two ids; the text itself breaks that tie.
    return (*parts, (2, node_id))


def _part(word: str) -> tuple[int, int | str]:
    return (0, int(word)) if word[-1].isdecimal() else (1, word)


# --------------------------------------------------------------------------------------------------------
# The log's content


class EntryId(NamedTuple):
    """What identifies an entry: no two different entries anywhere share all three.

    Raft needs only `(index, term)`, because there a term has at most one leader. Under `LowestId` two sides
    of a cut network can each get a leader *in the same term*, so the leader's name is part of the identity.
    """

    index: int  # type: ignore[assignment]  # the field hides tuple.index, which nobody needs here
    term: int
    leader: NodeId


class Entry(NamedTuple):
    """One command in the log: `put` or `delete` of a key, or the `noop` with which a leader opens its term."""

    index: int  # type: ignore[assignment]
    term: int
    leader: NodeId
    op: str
    key: str = ""
    value: Any = None

    @property
    def id(self) -> EntryId:
        return EntryId(self.index, self.term, self.leader)


START = EntryId(0, 0, "")
"""The place before the first entry: every log agrees on it."""


# --------------------------------------------------------------------------------------------------------
# Peer messages

MAX_MESSAGE = 16 * 2**20
"""Bytes of a peer message with its envelope: what a node sends at the most, and what it takes."""


class Message:
    """Base of everything that one node says to another.

    A subclass is a frozen dataclass; deriving is enough to make it fit for the wire. There its type has a `wire_name`.
    For the node's own messages that is a short fixed name (`class Heartbeat(Message, name="heartbeat")`), so that a
    class may move to another module without changing the protocol. For a strategy's own messages it is the name of
    module and class. A class defined again (a notebook cell that is run twice) takes the old one's place.
    """

    registry: ClassVar[dict[str, type[Message]]] = {}
    wire_name: ClassVar[str]

    def __init_subclass__(cls, name: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if name is not None:
            cls.wire_name = name
        elif "wire_name" not in vars(cls):  # (`slots=True` makes a class a second time, with the first one's members)
            cls.wire_name = _place(cls)
        known = Message.registry.get(cls.wire_name, cls)
        if _place(known) != _place(cls):
            raise TypeError(f"{_place(cls)}: the wire name {cls.wire_name!r} belongs to {_place(known)} already")
        Message.registry[cls.wire_name] = cls


def _place(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


@dataclass(frozen=True, slots=True)
class Heartbeat(Message, name="heartbeat"):
    """Leader → follower, once every heartbeat interval: "I lead in this term, and this much is committed".

    `round` numbers the leader's rounds of heartbeats; a linearizable read waits for a later round's answers.
    """

    term: int
    commit: EntryId
    round: int


@dataclass(frozen=True, slots=True)
class HeartbeatReply(Message, name="heartbeat_reply"):
    """Answer to a `Heartbeat`. `follows`: I take you for the leader. `last`: the last entry of my log."""

    term: int
    round: int
    follows: bool
    last: EntryId


@dataclass(frozen=True, slots=True)
class Replicate(Message, name="replicate"):
    """Leader → follower: the entries that come after `prev` (Raft's AppendEntries, §5.3)."""

    term: int
    prev: EntryId
    entries: tuple[Entry, ...]
    commit: int


@dataclass(frozen=True, slots=True)
class Replicated(Message, name="replicated"):
    """Answer to `Replicate`. If `ok`, our logs agree up to `index`; if not, they may agree up to `index` at best."""

    term: int
    ok: bool
    index: int


@dataclass(frozen=True, slots=True)
class LogConflict(Message, name="log_conflict"):
    """Answer to `Replicate`: I have already *applied* entries that you do not have. Send me a snapshot."""

    term: int


@dataclass(frozen=True, slots=True)
class Snapshot(Message, name="snapshot"):
    """Leader → follower: live keys from number `offset` on, as of entry `at` (Raft §7, in chunks).

    `items` are the `put` entries that gave the keys their values. `total` is how many there are in all. `force`: the
    follower's history parted from ours, so it must take this even though it has applied more entries than `at`.
    """

    term: int
    at: EntryId
    offset: int
    total: int
    items: tuple[Entry, ...]
    force: bool


@dataclass(frozen=True, slots=True)
class SnapshotReceived(Message, name="snapshot_received"):
    """Answer to `Snapshot`: of the snapshot as of `at` I hold everything before number `offset`."""

    term: int
    at: EntryId
    offset: int


@dataclass(frozen=True, slots=True)
class FetchLog(Message, name="fetch_log"):
    """New leader → the peer whose log is newest: ship me what I lack, as if you led.

    Only strategies that elect without looking at logs need it (`Election.catches_up`).
    """

    term: int


NODE_MESSAGES: frozenset[type[Message]] = frozenset(
    (Heartbeat, HeartbeatReply, Replicate, Replicated, LogConflict, Snapshot, SnapshotReceived, FetchLog)
)
"""The messages that nodes exchange whatever their strategy is."""
