"""What goes into a node, what comes out, and what it must find again after a crash.

Law of this module: values only, as in `messages`.

* *inputs* (`Tick`, `Received`, `Request`, `Flush`) go into `Node.handle`;
* *effects* (`Save`, `Send`, `Reply`, `Note`, `FlushAfter`) come out of it, to be carried out in order;
* *records* (`State`, `Append`, `Install`) are what the journal keeps.

**The order of effects is a promise to the driver, and one of the driver.** A node may crash between any two effects. So
the core puts them in an order in which that does no harm:

* Whatever promises that something is kept stands *behind* the `Save` of it: a vote behind the term and vote, a
  follower's "I have these entries" behind the entries, a client's "done" in `async` behind the write.
* What promises nothing may stand before. In `quorum` and `sync` a leader ships new entries first and saves them then.
  If it crashes in between, followers have entries that it does not remember. That is harmless, because it has not
  counted its own copy yet, nobody has been told "done", and it never leads in that term again.
* A `Reply` never stands before the `Save` that makes it true, in this list or in an earlier one. In `quorum` and `sync`
  the leader's own save was asked for by an earlier input; the reply comes when copies are counted, at a later one.

The driver's part: carry the effects out in this order, those of an earlier input before those of a later one, and let
a crash lose everything behind the last save that was done. It may do several saves together (one `fsync`), as long as
what stands behind them waits. `Send` may be lost, late, twice or overtaken: the core never relies on a message. `Note`
may be ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from replstore.core.messages import Entry, EntryId, Message, NodeId

# --------------------------------------------------------------------------------------------------------
# Journal records: what a node must find again after a crash


@dataclass(frozen=True, slots=True)
class State:
    """The election's memory (Raft figure 2, "persistent state"). Term and vote are one record: saved apart, a crash
    between them allows a second vote in one term (hashicorp/raft issue 661)."""

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
    """A peer's message has arrived. (What is made for each message or write is a named tuple, because that is made
    quickest.)"""

    sender: NodeId
    message: Message


class Put(NamedTuple):
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


class Request(NamedTuple):
    """A client asks for `command`, whose value came as `size` bytes; `id` is the driver's and comes back in `Reply`."""

    id: int
    command: Command
    size: int = 0


Input = Tick | Flush | Received | Request


# --------------------------------------------------------------------------------------------------------
# Effects


class Done(NamedTuple):
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
    """Make `record` durable before carrying out any effect behind this one (see the head of this module).

    An effect *before* it may leave the node earlier: the node may crash between the two and then does not have the
    record. So the core puts there only what promises nothing about it, such as the entries that a leader ships in
    `quorum` and `sync`.
    """

    record: Record


class Send(NamedTuple):
    """Give `message` to the network, once everything before it in the list is durable.

    It may be lost, delayed, repeated or overtaken: whoever needs an answer asks again.
    """

    to: NodeId
    message: Message


class Reply(NamedTuple):
    """Answer the client whose `Request` had this id. There is one for every request, sooner or later, unless the node
    crashes: the client then does not know the outcome, and `Unknown` would have said no more."""

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
