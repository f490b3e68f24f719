"""Who leads. A strategy watches the clock and the messages, and says who it takes for the leader.

Law of this module: a strategy owns three attributes (`leader`, `term`, `vote`) and nothing of the node. It never reads
a clock or draws a number of its own: `now` is an argument and `rng` is handed in, so a run can be repeated.

What the node does with a strategy: it calls `tick` every few milliseconds and `receive` for each message that concerns
elections, and reads the three attributes after every call. If term or vote changed, they are saved *before* anything
the strategy sent leaves the node, and they are there again after a crash. Whether the node leads is derived: it does
while `leader == me`. The node sends the leader's heartbeats and the answers to them by itself.

What makes an election *right* (Raft figure 3 calls the first Election Safety):

* in each term at most one node leads. `LowestId` and `Bully` do not promise this; a majority of votes does, since two
  majorities have a node in common, and that node votes once in a term;
* terms never go back, also not over a crash: hence the node saves them;
* whoever leads has every committed entry, or fetches what it lacks first (`catches_up`);
* after a fault there is a leader again, in time. No election can promise that always (Fischer, Lynch, Paterson, 1985),
  so it is a matter of timeouts: they must be long against the network's delays, and differ from node to node.

The store stays honest under an election that breaks these rules: see `EntryId`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar, Protocol

from replstore.core.messages import Message, NodeId


class LogView(Protocol):
    """All that a strategy sees of the log."""

    @property
    def last(self) -> tuple[int, int]:
        """`(term, index)` of the last entry, `(0, 0)` for an empty log. Newer logs compare greater (Raft §5.4.1)."""
        ...


@dataclass(frozen=True)
class ElectionContext:
    """What a node hands to its strategy. Times are in seconds."""

    me: NodeId
    peers: tuple[NodeId, ...]
    log: LogView
    rng: Random
    timeout: float
    heartbeat: float
    send: Callable[[NodeId, Message], None]
    note: Callable[..., None]


Seat = ElectionContext
"""The former name, which hand-ins may still use."""


class Election:
    """Base of all strategies: fill in `tick` and `receive`, and set `leader`, `term` and `vote`.

    * `me`, `peers`: this node's id and the others', in natural order; `majority`: more than half of *all* nodes
    * `log.last`: `(term, index)` of this node's last entry, to be compared with another's
    * `rng`: the only permitted source of randomness, a `random.Random`
    * `timeout`: the election timeout; `heartbeat`: the interval of the leader's heartbeats (seconds)
    * `send(peer, message)`, `broadcast(message)`: one's own messages, small frozen dataclasses derived from `Message`
    * `note(kind, **details)`: tell people what is going on; it changes nothing
    """

    leader: NodeId | None = None
    """Whom this node takes for the leader; None: nobody (an election is on, or nothing was heard yet)."""
    term: int = 0
    """Numbers the leaderships; it never goes back. Saved, and restored after a crash before the first `tick`."""
    vote: Any = None
    """Whom this node voted for in `term`, for strategies that vote. Saved together with `term`."""

    deadline: Any = None
    """Until when (seconds, in the time of `tick`) this node waits before it acts for want of a leader. Only people look
    at it: panels show it as a ring that closes. A strategy need not tell it."""

    catches_up: ClassVar[bool] = False
    """True for a strategy that may choose a node whose log is behind: the node then fetches what it lacks from the
    others before it opens for writes. A strategy that votes only for logs as new as the voter's needs no such step."""

    def __init__(self, seat: ElectionContext) -> None:
        self.me = seat.me
        self.peers = seat.peers
        self.majority = (len(seat.peers) + 1) // 2 + 1
        self.log = seat.log
        self.rng = seat.rng
        self.timeout = seat.timeout
        self.heartbeat = seat.heartbeat
        self.send = seat.send
        self.note = seat.note

    def broadcast(self, message: Message) -> None:
        for peer in self.peers:
            self.send(peer, message)

    def tick(self, now: float) -> None:
        """Time has passed; `now` is in seconds from an arbitrary start. Called several times a heartbeat interval."""
        raise NotImplementedError

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        """A message arrived: one of the strategy's own, a leader's `Heartbeat`, or a follower's `HeartbeatReply`."""
        raise NotImplementedError
