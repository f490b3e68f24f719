"""Nodes with one mistake each in how they replicate: what the rules about data have to find."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from replstore.core.contract import Done, Put, Reply, Request, Value
from replstore.core.leadership import Leadership
from replstore.core.messages import Entry, EntryId, Heartbeat, LogConflict, NodeId, Replicate, Replicated
from replstore.core.node import Node
from replstore.core.replication import Replication
from replstore.core.store import Store


class CountsCopiesOfOldTerms(Node):
    """Commits whatever a majority holds, also entries of an earlier leadership (Raft §5.4.2)."""

    def _committable(self, office: Leadership) -> int:
        return office.replication.held_by(self.copies, saved=self.log.last_index)


class _MatchGoesBack(Replication):
    def replicated(self, peer: NodeId, answer: Replicated, commit: EntryId, now: float) -> None:
        super().replicated(peer, answer, commit, now)
        if answer.ok:
            self.progress[peer].match = answer.index


class MatchGoesBack(Node):
    """Believes a late answer, and its commit index follows what it believes."""

    def _replication_to(self, peers: Iterable[NodeId]) -> Replication:
        return _MatchGoesBack(self.election.term, self.log, self.store, peers, retry=2 * self.heartbeat)

    def _advance_commit(self, index: int) -> None:
        if self.leads and index < self.commit.index:
            entry = self.log.get(index)
            self.commit = entry.id
            self._note("committed", index=index, term=entry.term, leader=entry.leader)
        super()._advance_commit(index)


class _TakesAnyAnswerForAll(Replication):
    def replicated(self, peer: NodeId, answer: Replicated, commit: EntryId, now: float) -> None:
        super().replicated(peer, answer, commit, now)
        if answer.ok:
            self.progress[peer].match = self._log.last_index


class TakesAnyAnswerForAll(Node):
    """Counts a follower's "yes" to one message as one to all that is in the log by then."""

    def _replication_to(self, peers: Iterable[NodeId]) -> Replication:
        return _TakesAnyAnswerForAll(self.election.term, self.log, self.store, peers, retry=2 * self.heartbeat)


class AnswersTooEarly(Node):
    """Says yes to a client before the entry has its copies."""

    def _on_request(self, request: Request) -> None:
        super()._on_request(request)
        if self.leads and self.office is not None and isinstance(request.command, Put):
            waiting = self.office.waiting.pop()
            self._effects.append(Reply(waiting.request, Done(self.log.get(waiting.index), True)))


class RoundsBeginAgain(Node):
    """Numbers the rounds of heartbeats from 1 in each leadership, also in a second one of the same term, and takes
    every answer of that term for its own."""

    def _take_office(self) -> None:
        self._rounds = 0
        super()._take_office()
        assert self.office is not None
        term = self.office.term
        self.office.is_ours = lambda reply: reply.term == term  # type: ignore[method-assign]


class ReadsUnconfirmed(Node):
    """Answers a linearizable read at once, as long as it takes itself for the leader."""

    def _answer_reads(self, office: Leadership) -> None:
        while office.reads:
            read = office.reads.popleft()
            self._effects.append(Reply(read.request, Value(read.key, self.store.get(read.key))))


class TakesEntriesUnchecked(Node):
    """Does not compare the entry before the new ones with its own (Raft §5.3)."""

    def _refusal(self, message: Replicate) -> Replicated | LogConflict | None:
        if message.prev.index <= self.log.last_index:
            return None
        return super()._refusal(message)


class _KeepsEverything(Store):
    def apply(self, entry: Entry) -> bool:
        return super().apply(entry) if entry.op != "delete" else False


class DropsDeletes(Node):
    """node-3 does not carry out deletes."""

    def __init__(self, node_id: NodeId, *args: Any, **options: Any) -> None:
        super().__init__(node_id, *args, **options)
        if node_id == "node-3":
            self.store = _KeepsEverything()


class BelievesHeartbeats(Node):
    """Commits up to the leader's commit index, whatever its own log holds there."""

    def _answer_heartbeat(self, sender: NodeId, message: Heartbeat) -> None:
        self._advance_commit(min(message.commit.index, self.log.last_index))
        super()._answer_heartbeat(sender, message)
