"""Nodes with one mistake each in how they replicate: what the rules about data have to find."""

from __future__ import annotations

from typing import Any

from replstore.core.contract import Done, Put, Request, Value
from replstore.core.follower import Follower
from replstore.core.leader import Leader
from replstore.core.messages import Entry, EntryId, Heartbeat, LogConflict, NodeId, Replicate, Replicated
from replstore.core.node import Node
from replstore.core.replication import Replication
from replstore.core.store import Store


class _CommitsWhateverIsHeld(Leader):
    def _committable(self) -> int:
        return self.replication.held_by(self._node.copies, saved=self._node.log.last_index)


class CountsCopiesOfOldTerms(Node):
    """Commits whatever a majority holds, also entries of an earlier leadership (Raft §5.4.2)."""

    leader_class = _CommitsWhateverIsHeld


class _MatchGoesBack(Replication):
    def replicated(self, peer: NodeId, answer: Replicated, commit: EntryId, now: float) -> None:
        super().replicated(peer, answer, commit, now)
        if answer.ok:
            self.progress[peer].match = answer.index


class MatchGoesBack(Node):
    """Believes a late answer, and its commit index follows what it believes."""

    replication_class = _MatchGoesBack

    def advance_commit(self, index: int) -> None:
        if self.leads and index < self.commit.index:
            entry = self.log.get(index)
            self.commit = entry.id
            self.note("committed", index=index, term=entry.term, leader=entry.leader)
        super().advance_commit(index)


class _TakesAnyAnswerForAll(Replication):
    def replicated(self, peer: NodeId, answer: Replicated, commit: EntryId, now: float) -> None:
        super().replicated(peer, answer, commit, now)
        if answer.ok:
            self.progress[peer].match = self._log.last_index


class TakesAnyAnswerForAll(Node):
    """Counts a follower's "yes" to one message as one to all that is in the log by then."""

    replication_class = _TakesAnyAnswerForAll


class AnswersTooEarly(Node):
    """Says yes to a client before the entry has its copies."""

    def _on_request(self, request: Request) -> None:
        super()._on_request(request)
        if self.leads and self.leading is not None and isinstance(request.command, Put):
            waiting = self.leading.state.writes.pop()
            self.reply(waiting.request, Done(self.log.get(waiting.index), True))


class RoundsBeginAgain(Node):
    """Numbers the rounds of heartbeats from 1 in each leadership, also in a second one of the same term, and takes
    every answer of that term for its own."""

    def _lead(self) -> None:
        self._rounds = 0
        super()._lead()
        assert self.leading is not None
        term = self.leading.term
        self.leading.state.is_ours = lambda reply: reply.term == term  # type: ignore[method-assign]


class _AnswersReadsAtOnce(Leader):
    def _answer_reads(self) -> None:
        while self.state.reads:
            read = self.state.reads.popleft()
            self._node.reply(read.request, Value(read.key, self._node.store.get(read.key)))


class ReadsUnconfirmed(Node):
    """Answers a linearizable read at once, as long as it takes itself for the leader."""

    leader_class = _AnswersReadsAtOnce


class _TakesEverything(Follower):
    def _refusal(self, message: Replicate) -> Replicated | LogConflict | None:
        if message.prev.index <= self._node.log.last_index:
            return None
        return super()._refusal(message)


class TakesEntriesUnchecked(Node):
    """Does not compare the entry before the new ones with its own (Raft §5.3)."""

    follower_class = _TakesEverything


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

    def _on_heartbeat(self, sender: NodeId, message: Heartbeat) -> None:
        self._tell_election(sender, message)
        self.advance_commit(min(message.commit.index, self.log.last_index))
        super()._on_heartbeat(sender, message)
