"""Exercise 3 with a message type for each question and answer, as in a protocol's description."""

from __future__ import annotations

from dataclasses import dataclass

from replstore import Election, ElectionContext, Heartbeat, HeartbeatReply, Message, NodeId


@dataclass(frozen=True)
class MayI(Message):
    term: int
    log_term: int
    log_index: int


@dataclass(frozen=True)
class YouMay(Message):
    term: int


@dataclass(frozen=True)
class VoteForMe(Message):
    term: int
    log_term: int
    log_index: int


@dataclass(frozen=True)
class YouHaveMyVote(Message):
    term: int


@dataclass(frozen=True)
class NoVote(Message):
    term: int


class MyElection(Election):
    def __init__(self, context: ElectionContext) -> None:
        super().__init__(context)
        self.wake_up_at: float | None = None
        self.last_heartbeat: float | None = None
        self.trial_term = 0
        self.supporters: list[NodeId] = []
        self.voters: list[NodeId] = []
        self.last_answer: dict[NodeId, float] = {}

    # -- time -----------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        if self.wake_up_at is None:
            self.sleep(now)
        if self.leader == self.me:
            answering = [peer for peer in self.peers if now < self.last_answer[peer] + self.timeout]
            if len(answering) + 1 < self.majority:
                self.leader = None
                self.sleep(now)
            return
        assert self.wake_up_at is not None
        if now > self.wake_up_at:
            self.leader = None
            self.sleep(now)
            self.voters = []
            self.supporters = [self.me]
            self.trial_term = self.term + 1
            log_term, log_index = self.log.last
            self.broadcast(MayI(self.trial_term, log_term, log_index))
            self.maybe_stand(now)

    def sleep(self, now: float) -> None:
        self.wake_up_at = now + self.rng.uniform(self.timeout, 2 * self.timeout)

    # -- messages -------------------------------------------------------------------------------------

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        self.last_answer[sender] = now
        if isinstance(message, MayI):
            self.on_may_i(sender, message, now)
            return
        if isinstance(message, YouMay):
            if message.term == self.trial_term and sender not in self.supporters:
                self.supporters.append(sender)
                self.maybe_stand(now)
            return
        term: int = getattr(message, "term", 0)
        if term > self.term:
            self.new_term(term)
        if term < self.term:
            if isinstance(message, VoteForMe):
                self.send(sender, NoVote(self.term))
            return
        if isinstance(message, Heartbeat):
            self.leader = sender
            self.last_heartbeat = now
            self.trial_term = 0
            self.voters = []
            self.sleep(now)
        elif isinstance(message, VoteForMe):
            self.on_vote_for_me(sender, message, now)
        elif isinstance(message, YouHaveMyVote) and self.voters and sender not in self.voters:
            self.voters.append(sender)
            self.maybe_lead(now)
        elif isinstance(message, HeartbeatReply):
            pass  # its time has been noted

    def new_term(self, term: int) -> None:
        self.term = term
        self.vote = None
        self.leader = None
        self.voters = []
        self.trial_term = 0

    def on_may_i(self, sender: NodeId, message: MayI, now: float) -> None:
        content = self.leader == self.me or (
            self.last_heartbeat is not None and now - self.last_heartbeat < self.timeout
        )
        if message.term <= self.term:
            self.send(sender, NoVote(self.term))
        elif not content and (message.log_term, message.log_index) >= self.log.last:
            self.send(sender, YouMay(message.term))

    def on_vote_for_me(self, sender: NodeId, message: VoteForMe, now: float) -> None:
        taken = self.vote is not None and self.vote != sender
        if taken or self.leader is not None or (message.log_term, message.log_index) < self.log.last:
            self.send(sender, NoVote(self.term))
            return
        self.vote = sender
        self.sleep(now)
        self.send(sender, YouHaveMyVote(self.term))

    # -- counting -------------------------------------------------------------------------------------

    def maybe_stand(self, now: float) -> None:
        if len(self.supporters) >= self.majority:
            self.new_term(self.term + 1)
            self.note("election_timeout")
            self.vote = self.me
            self.voters = [self.me]
            self.sleep(now)
            log_term, log_index = self.log.last
            self.broadcast(VoteForMe(self.term, log_term, log_index))
            self.maybe_lead(now)

    def maybe_lead(self, now: float) -> None:
        if len(self.voters) >= self.majority:
            self.voters = []
            self.leader = self.me
            for peer in self.peers:
                self.last_answer[peer] = now
