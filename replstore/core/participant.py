"""A replica that takes part in elections: it asks its strategy, keeps term and vote, and sends what the strategy says.

Law of this module: a strategy's words leave the node only *after* its term and vote are saved. A vote that was sent and
then forgotten in a crash could be given a second time in the same term, and two nodes would win one election (Raft
§5.2). So what a strategy sends waits in an outbox until its call has returned, and goes out behind the `Save`.

This holds for every strategy, also for one that raises an exception half-way: what it did until then counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from replstore.core.awake import AwakeTime
from replstore.core.contract import Record, Save, Send, State
from replstore.core.election import Election, ElectionContext
from replstore.core.messages import Heartbeat, HeartbeatReply, Message, NodeId
from replstore.core.recovery import Recovering
from replstore.core.replica import Replica
from replstore.core.restore import restore


class Participant(Replica):
    """`make_election` makes the strategy; `records` is what an earlier life of this node saved."""

    def __init__(
        self,
        node_id: NodeId,
        peers: Iterable[NodeId],
        make_election: Callable[[ElectionContext], Election],
        heartbeat: float,
        timeout: float,
        mode: str,
        rng: Random,
        records: Iterable[Record],
    ) -> None:
        super().__init__(node_id, peers, heartbeat, timeout, mode)
        self._awake = AwakeTime(heartbeat)
        self._outbox: list[Send] = []
        self._earlier_term = -1
        """The term in which an earlier life of this node ended."""
        context = ElectionContext(node_id, self.peers, self.log, rng, timeout, heartbeat, self._send_later, self.note)
        self._strategy = make_election(context)
        self.election = self._strategy
        self.recovering = False
        self._restore(records)
        if self.recovering:
            self._begin_recovery(context)
        self._before = (self.election.leader, self.election.term, self.election.vote)
        """What the strategy said last."""

    def leader_changed(self) -> None:
        """The strategy takes another node for the leader, or counts another term. (For subclasses.)"""

    # -- asking the strategy --------------------------------------------------------------------------

    def _tick_election(self) -> None:
        election, now = self.election, self._awake.at(self.now)  # as `_strategy_time`, without the call
        try:
            election.tick(now if election.catches_up else self.now)
        finally:
            self._after_election()

    def _tell_election(self, sender: NodeId, message: Message) -> None:
        try:
            self.election.receive(sender, message, self._strategy_time())
        finally:
            self._after_election()

    def _strategy_time(self) -> float:
        """A strategy without votes acts on silence alone, so time in which this node slept is kept from it. (One with
        votes asks the others first, and gets the time as it is.)"""
        awake = self._awake.at(self.now)
        return awake if self.election.catches_up else self.now

    def gives_up_in(self) -> float | None:
        """Seconds until the strategy acts for want of a leader; None while it leads, or where it does not tell."""
        deadline = getattr(self.election, "deadline", None)
        # It is a student's value: infinite, not a number, or absent, it says nothing that could be shown.
        if self.election.leader == self.id or not isinstance(deadline, int | float) or not 0 < deadline < 1e12:
            return None
        return max(0.0, deadline - self._strategy_time())

    def _after_election(self) -> None:
        """Save, send and draw the consequences of what the strategy did, in this order."""
        election = self.election
        said = (election.leader, election.term, election.vote)
        if said == self._before:
            if self._outbox:
                self._post()
            return
        before, self._before = self._before, said
        leader, term, vote = said
        if before[1:] != (term, vote):
            self.effects.append(Save(State(term, vote, self.recovering)))
            self.note("state", term=term, vote=vote)
        self._post()
        if before[:2] != (leader, term):
            self.leader_changed()

    def _send_later(self, to: NodeId, message: Message) -> None:
        self._outbox.append(Send(to, message))

    def _post(self) -> None:
        self.effects += self._outbox
        self._outbox.clear()

    # -- a leader's heartbeat -------------------------------------------------------------------------

    def _on_heartbeat(self, sender: NodeId, message: Heartbeat) -> None:
        """Every heartbeat is answered, also one of a node that is not followed: the answer tells it the present term.

        `commit` is taken over only where this log holds that very entry: a follower whose log has parted from the
        leader's must not apply its own entry in that place.
        """
        self._tell_election(sender, message)
        election = self.election
        follows = election.leader == sender and election.term == message.term
        if follows and message.commit != self.commit and self.log.id_at(message.commit.index) == message.commit:
            self.advance_commit(message.commit.index)
        # While recovering it is no follower that counts; its log's end tells the leader what to ship.
        counts = follows and not self.recovering
        self.send(sender, HeartbeatReply(election.term, message.round, counts, self.log.last_id))
        if follows and isinstance(election, Recovering) and election.holds_all(message.commit, self.log, self.now):
            self._end_recovery()

    # -- after a crash --------------------------------------------------------------------------------

    def _restore(self, records: Iterable[Record]) -> None:
        state = restore(self, records)
        election = self.election
        if state is not None:
            self._earlier_term = state.term
            election.term, election.vote, self.recovering = state.term, state.vote, state.recovering
        if self.log.last_index or election.term:
            details: dict[str, Any] = {"entries": len(self.log), "keys": len(self.store)}
            self.note("recovered", **details, term=election.term, vote=election.vote)

    def _begin_recovery(self, context: ElectionContext) -> None:
        """Entries that this node acknowledged are gone. Alone it has nobody to fetch them from: it can only say so."""
        self.note("data_lost", term=self.election.term)
        term, vote = self.election.term, self.election.vote
        if self.peers:
            self.note("recovering")
            self.election = Recovering(context)
            self.election.term, self.election.vote = term, vote
        else:
            self.recovering = False
            self.effects.append(Save(State(term, vote)))

    def _end_recovery(self) -> None:
        """From here on the strategy decides again, with the term and vote that were kept for it."""
        term, vote = self.election.term, self.election.vote
        self.election = self._strategy
        self.election.term, self.election.vote = term, vote
        self.recovering = False
        self.effects.append(Save(State(term, vote)))
        self.note("caught_up", entries=self.log.last_index, keys=len(self.store))
        self._after_election()
