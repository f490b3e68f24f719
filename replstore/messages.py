"""Plain data: everything that enters the core, leaves it, or is kept.

Law of this module: values only. Nothing here acts, knows the time or keeps a reference to something that
changes, so a message in flight or a record on disk can never be altered by whoever made it.

Three families:

* *inputs* (`Tick`, `Received`, `Request`, `Flush`) go into `Node.handle`;
* *effects* (`Save`, `Send`, `Reply`, `Note`, `FlushAfter`) come out of it, to be carried out in order;
* *peer messages* (subclasses of `Message`) travel between nodes, *records* go into the journal. `codec` turns
  both into JSON text and back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
    of a cut network can each crown a leader *in the same term*, so the leader's name is part of the identity.
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

    A subclass is a frozen dataclass; deriving is enough to make it fit for the wire, under its
    module-qualified name. A class defined again (a notebook cell that is run twice) takes the old one's place.
    """

    registry: ClassVar[dict[str, type[Message]]] = {}
    wire_name: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.wire_name = f"{cls.__module__}.{cls.__qualname__}"
        Message.registry[cls.wire_name] = cls


@dataclass(frozen=True, slots=True)
class Heartbeat(Message):
    """Leader → follower, once every heartbeat interval: "I lead in this term, and this much is committed".

    `round` numbers the leader's rounds of heartbeats; a linearizable read waits for a later round's answers.
    """

    term: int
    commit: EntryId
    round: int


@dataclass(frozen=True, slots=True)
class HeartbeatReply(Message):
    """Answer to a `Heartbeat`. `follows`: I take you for the leader. `last`: the last entry of my log."""

    term: int
    round: int
    follows: bool
    last: EntryId


@dataclass(frozen=True, slots=True)
class Replicate(Message):
    """Leader → follower: the entries that come after `prev` (Raft's AppendEntries, §5.3)."""

    term: int
    prev: EntryId
    entries: tuple[Entry, ...]
    commit: int


@dataclass(frozen=True, slots=True)
class Replicated(Message):
    """Answer to `Replicate`. If `ok`, our logs agree up to `index`; if not, they may agree up to `index` at best."""

    term: int
    ok: bool
    index: int


@dataclass(frozen=True, slots=True)
class Diverged(Message):
    """Answer to `Replicate`: I have already *applied* entries that you do not have. Send me a snapshot."""

    term: int


@dataclass(frozen=True, slots=True)
class Snapshot(Message):
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
class SnapshotReceived(Message):
    """Answer to `Snapshot`: of the snapshot as of `at` I hold everything before number `offset`."""

    term: int
    at: EntryId
    offset: int


@dataclass(frozen=True, slots=True)
class CatchUp(Message):
    """New leader → the peer whose log is newest: ship me what I lack, as if you led.

    Only strategies that elect without looking at logs need it (`Election.catches_up`).
    """

    term: int


# --------------------------------------------------------------------------------------------------------
# Journal records: what a node must find again after a crash


@dataclass(frozen=True, slots=True)
class State:
    """The election's memory. Term and vote are one record: saved apart, a crash between them allows a second
    vote in one term (hashicorp/raft issue 661)."""

    term: int
    vote: Any
    recovering: bool = False
    """The node lost entries that it had acknowledged, and does not hold all of them again yet (see `recovery`)."""


@dataclass(frozen=True, slots=True)
class Append:
    """`entries` go into the log, the first one's place and what follows it being overwritten; everything up to
    index `commit` is committed."""

    entries: tuple[Entry, ...]
    commit: int


@dataclass(frozen=True, slots=True)
class Install:
    """The whole store is replaced by `items`, the state as of entry `at`; the log starts anew behind it."""

    at: EntryId
    items: tuple[Entry, ...]


Record = State | Append | Install


# --------------------------------------------------------------------------------------------------------
# Inputs


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed. Hand one in every `Node.tick_interval` seconds, sooner does no harm."""


@dataclass(frozen=True, slots=True)
class Flush:
    """All that arrived together has been handed in: store it with one save, ship it with one message a peer.

    A driver that forgets it loses speed, not safety: `Tick` flushes too.
    """


class Received(NamedTuple):
    """A peer's message has arrived. (One is made for each message: a named tuple, because that is made quickest.)"""

    sender: NodeId
    message: Message


@dataclass(frozen=True, slots=True)
class Put:
    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class Delete:
    key: str


@dataclass(frozen=True, slots=True)
class LinearizableGet:
    """A read that must see every write acknowledged before it began. (A plain read is no input: see `Node.read`.)"""

    key: str


Command = Put | Delete | LinearizableGet


@dataclass(frozen=True, slots=True)
class Request:
    """A client asks for `command`, whose value came as `size` bytes; `id` is the driver's and comes back in `Reply`."""

    id: int
    command: Command
    size: int = 0


Input = Tick | Flush | Received | Request


# --------------------------------------------------------------------------------------------------------
# Effects


@dataclass(frozen=True, slots=True)
class Done:
    """The write `entry` took effect. `found` is false for a delete of a key that was not there."""

    entry: Entry
    found: bool


@dataclass(frozen=True, slots=True)
class Value:
    """Answer to a `LinearizableGet`: the `put` that gave the key its value, or None where the key is absent."""

    key: str
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class NotLeader:
    """Certain: the command was not carried out and never will be. Ask `leader`, if it is known."""

    role: str
    leader: NodeId | None


@dataclass(frozen=True, slots=True)
class Overloaded:
    """Certain: refused, because too many writes are still waiting for their copies."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Certain: no message can carry the command, for this `reason`; so it was not carried out and never will be."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Uncertain: the command may have taken effect, or may yet, or never. Never a guess."""


Result = Done | Value | NotLeader | Overloaded | Refused | Unknown


@dataclass(frozen=True, slots=True)
class Save:
    """Make `record` durable before carrying out any effect behind this one.

    An effect *before* it may leave the node earlier: the node may crash between the two and then does not have the
    record. So the core puts there only what promises nothing about it, such as the entries that a leader ships in
    `quorum` and `sync`.
    """

    record: Record


class Send(NamedTuple):
    """Give `message` to the network. It may be lost, delayed, repeated or overtaken. (A named tuple, as `Received`.)"""

    to: NodeId
    message: Message


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer the client whose `Request` had this id."""

    id: int
    result: Result


@dataclass(frozen=True, slots=True)
class Note:
    """For people: a log line, a mark on the timeline. Nothing in the protocol depends on it."""

    kind: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FlushAfter:
    """Hand in a `Flush` so many seconds from now: something waits for company on its way to the followers.

    A driver that forgets it loses speed, not safety, as with `Flush` itself.
    """

    seconds: float


Effect = Save | Send | Reply | Note | FlushAfter
