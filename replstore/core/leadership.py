"""Everything that exists only while a node leads: heartbeats, waiting clients, catching up.

Law of this module: book-keeping that dies with the office. When the node ceases to lead, it answers the clients in
`waiting` and `reads` and forgets the rest.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from replstore.core.messages import EntryId, HeartbeatReply, NodeId
from replstore.core.replication import Replication


class WaitingWrite(NamedTuple):
    index: int  # type: ignore[assignment]
    request: int
    deadline: float


class WaitingRead(NamedTuple):
    request: int
    key: str
    round: int
    deadline: float


COMPANY_TIME = 0.001
"""Seconds that a shipment waits, at most, for the clients that were just answered."""

FULL = 16
"""So many together share a message's cost well enough: they wait for nobody."""

MAX_PAUSE = 64


class Company:
    """Whether what has come in should wait for more to travel with.

    Clients that were just answered often ask again at once. If some of them write while others' writes are under way,
    two groups take turns, and every message carries half. So what waits when clients are answered waits for as many
    more, for `COMPANY_TIME` at most. Where they do not come back the wait was in vain, and the next 1, 2, 4, … times
    there is none. A client that is alone never waits: nothing is there when it is answered.
    """

    def __init__(self) -> None:
        self._expected = 0
        self._until = 0.0
        self._pause = 0
        self._in_vain = 0

    def answered(self, clients: int, waiting: int, now: float) -> None:
        """So many clients are being answered now, while `waiting` others' requests are here."""
        if not clients:
            return
        if self._pause:
            self._pause -= 1
        else:
            self._expected, self._until = min(clients + waiting, FULL), now + COMPANY_TIME

    def wait_until(self, here: int, now: float) -> float | None:
        """How long the `here` requests should wait for more; None: they wait no longer."""
        if not self._expected:
            return None
        if here < self._expected and now < self._until - 1e-6:  # (drivers' clocks round)
            return self._until
        self._in_vain = 0 if here >= self._expected else min(2 * self._in_vain + 1, MAX_PAUSE)
        self._pause = self._in_vain
        self._expected = 0
        return None


class Leadership:
    """One term of office. `rounds`: the number of the last round of heartbeats that this node sent before it.

    `open` is false while the node, elected without regard to its log, is still fetching what it lacks; it then holds
    its followers with heartbeats but takes no writes.
    """

    def __init__(self, term: int, replication: Replication, majority: int, now: float, rounds: int) -> None:
        self.term = term
        self.replication = replication
        self.majority = majority
        self.since = now
        self.open = False
        self.round = rounds
        self._rounds_before = rounds
        self.round_sent = now
        self.next_heartbeat = now
        self.waiting: deque[WaitingWrite] = deque()
        self._sizes: deque[tuple[int, int]] = deque()
        self._bytes = 0
        self.reads: deque[WaitingRead] = deque()
        self.writers = Company()
        self.readers = Company()
        self.source: NodeId | None = None
        self.source_last: tuple[int, int] = (0, 0)
        self.source_deadline = 0.0
        self._lasts: dict[NodeId, EntryId] = {}
        self._rounds: dict[NodeId, int] = {}
        self._told: dict[NodeId, int] = {}

    # -- writes ---------------------------------------------------------------------------------------

    def appended(self, index: int, size: int) -> None:
        """A client's write of `size` bytes is entry `index` now."""
        self._sizes.append((index, size))
        self._bytes += size

    def uncommitted_bytes(self, commit: int) -> int:
        """How many bytes of clients' writes lie behind entry `commit`: their clients may have given up long ago."""
        while self._sizes and self._sizes[0][0] <= commit:
            self._bytes -= self._sizes.popleft()[1]
        return self._bytes

    # -- heartbeats -----------------------------------------------------------------------------------

    def is_ours(self, reply: HeartbeatReply) -> bool:
        """Whether it answers a heartbeat of this very leadership. An answer to an earlier one of the same term, late as
        it is, says nothing about now."""
        return reply.term == self.term and self._rounds_before < reply.round <= self.round

    def heard(self, peer: NodeId, reply: HeartbeatReply) -> bool:
        """Take note of a follower's answer; returns whether it had missed the round before."""
        answered = self._answered(peer)
        self._lasts[peer] = reply.last
        self._rounds[peer] = max(reply.round, answered)
        return reply.round > answered + 1

    def must_be_told(self, peer: NodeId) -> bool:
        """Whether it has answered neither the last round of heartbeats nor the one before. True once a round: two
        leaders who do not believe each other must not answer each other without end."""
        must = self.round > max(self._answered(peer) + 1, self._told.get(peer, 0))
        if must:
            self._told[peer] = self.round
        return must

    def _answered(self, peer: NodeId) -> int:
        return self._rounds.get(peer, self._rounds_before)

    def confirmed_round(self) -> int:
        """The latest round of heartbeats that a majority (this node included) has answered."""
        rounds = sorted([self.round, *self._rounds.values()], reverse=True)
        return rounds[self.majority - 1] if len(rounds) >= self.majority else 0

    # -- catching up ----------------------------------------------------------------------------------

    @property
    def heard_majority(self) -> bool:
        return len(self._lasts) + 1 >= self.majority

    def newest_peer(self) -> tuple[NodeId | None, tuple[int, int]]:
        """Of the peers that answered, the one with the newest log, and that log's `(term, index)`."""
        lasts = {peer: (last.term, last.index) for peer, last in self._lasts.items()}
        newest = max(lasts, key=lambda peer: lasts[peer], default=None)
        return newest, lasts[newest] if newest else (0, 0)

    def fetch_from(self, peer: NodeId, last: tuple[int, int], deadline: float) -> None:
        self.source, self.source_last, self.source_deadline = peer, last, deadline

    def source_failed(self) -> None:
        """The peer we fetched from went silent: its word no longer counts."""
        if self.source is not None:
            self._lasts.pop(self.source, None)
            self.source = None
