"""What a leader keeps account of: the clients that wait, and what its followers answered to its heartbeats.

Law of this module: book-keeping only, and all of it exists only while one node leads in one term. It is made new for
each leadership, so no figure of an earlier one can be taken for one of now.

Why heartbeats have numbers. A leader may have been replaced without knowing it: it was cut off, or it slept. If it
answered a read from its own store then, the answer could be older than a write that the new leader has acknowledged. So
a linearizable read waits until a majority has answered a heartbeat that was sent *after* the read arrived (Raft §8): a
majority that still follows this leader has elected no other one before. Answers are matched by number and not by time,
because messages are late. A number never comes twice in a term, also if a node leads twice in it, since a late answer
to the first leadership would confirm the second.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from replstore.core.messages import EntryId, HeartbeatReply, NodeId


class WaitingWrite(NamedTuple):
    """A client's write: entry `index`. If it is not committed by `deadline`, its outcome is unknown."""

    index: int  # type: ignore[assignment]
    request: int
    deadline: float


class WaitingRead(NamedTuple):
    """A linearizable read, to be answered once a majority has answered round `round` of heartbeats or a later one."""

    request: int
    key: str
    round: int
    deadline: float


class LeaderState:
    """`majority`: how many nodes are one, this one included. `round`: the number of the last round of heartbeats that
    this node sent in earlier leaderships."""

    def __init__(self, term: int, majority: int, now: float, round: int) -> None:
        self.term = term
        self.majority = majority
        self.since = now
        self.round = round
        self._rounds_before = round
        self.round_sent = now
        self.next_heartbeat = now
        self.writes: deque[WaitingWrite] = deque()
        self.reads: deque[WaitingRead] = deque()
        self._sizes: deque[tuple[int, int]] = deque()
        self._bytes = 0
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

    def begin_round(self, now: float, interval: float) -> None:
        """A heartbeat goes out to everybody now, and the next one after `interval` seconds."""
        self.round += 1
        self.round_sent = now
        self.next_heartbeat = now + interval

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

    # -- the followers' logs --------------------------------------------------------------------------

    @property
    def heard_majority(self) -> bool:
        return len(self._lasts) + 1 >= self.majority

    def newest_peer(self) -> tuple[NodeId | None, tuple[int, int]]:
        """Of the peers that answered, the one with the newest log, and that log's `(term, index)`."""
        lasts = {peer: (last.term, last.index) for peer, last in self._lasts.items()}
        newest = max(lasts, key=lambda peer: lasts[peer], default=None)
        return newest, lasts[newest] if newest else (0, 0)

    def forget_log_of(self, peer: NodeId) -> None:
        """It went silent: what it said about its log no longer counts."""
        self._lasts.pop(peer, None)
