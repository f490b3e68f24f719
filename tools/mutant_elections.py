"""Elections with one mistake each, planted in the reference solution of Exercise 3."""

from __future__ import annotations

from dataclasses import replace

from replstore.core.election import ElectionContext
from replstore.core.messages import Heartbeat, HeartbeatReply, Message, NodeId
from solutions.ex3_election import MyElection, RequestVote, Vote


class Plain(MyElection):
    """The reference without pre-vote and without stepping down: correct, only less polite."""

    def campaign(self, now: float, pre: bool) -> None:
        super().campaign(now, pre=False)

    def step_down_without_quorum(self, now: float) -> None:
        return


class TwoVotesInOneTerm(MyElection):
    def answer_vote(self, sender: NodeId, request: RequestVote, now: float) -> None:
        self.vote = None
        super().answer_vote(sender, request, now)


class OwnVoteNotRecorded(Plain):
    def campaign(self, now: float, pre: bool) -> None:
        super().campaign(now, pre)
        self.vote = None

    def count(self, voter: NodeId, vote: Vote, now: float) -> None:
        self.votes.add(voter)
        if self.leader is None and vote.term == self.term and len(self.votes) >= self.majority:
            self.leader = self.me
            self.heard = dict.fromkeys(self.peers, now)


class OnceALeaderAlwaysALeader(Plain):
    """Steps down for no term and for no other leader."""

    def adopt(self, term: int) -> None:
        if self.leader != self.me:
            super().adopt(term)

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        if not (isinstance(message, Heartbeat) and self.leader == self.me):
            super().receive(sender, message, now)


class RefusesWithoutAdopting(Plain):
    """A later term counts only where it comes with a newer log, or with a leader."""

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        stale = isinstance(message, RequestVote) and message.last < self.log.last
        if stale:
            self.send(sender, Vote(self.term, False, pre=False))
        elif not isinstance(message, HeartbeatReply):
            super().receive(sender, message, now)


class DeafToAnswers(MyElection):
    """Takes a heartbeat's answer for a sign of life and does not read its term."""

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        if isinstance(message, HeartbeatReply):
            self.heard[sender] = now
        else:
            super().receive(sender, message, now)


class TimerResetOnAnyRequest(Plain):
    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        super().receive(sender, message, now)
        if isinstance(message, RequestVote):
            self.wait(now)

    def wait(self, now: float) -> None:
        # (Nearly the same patience everywhere, as where this mistake was seen: the one that asks first asks always.)
        self.deadline = now + self.timeout * (1 + self.rng.random() / 10)


class TimerNeverReset(Plain):
    def wait(self, now: float) -> None:
        if self.deadline <= now:
            super().wait(now)


class TimerNotResetOnAVote(Plain):
    def answer_vote(self, sender: NodeId, request: RequestVote, now: float) -> None:
        deadline = self.deadline
        super().answer_vote(sender, request, now)
        self.deadline = deadline


class NoRandomization(Plain):
    def wait(self, now: float) -> None:
        self.deadline = now + self.timeout


class TimeoutShorterThanTheHeartbeat(Plain):
    def wait(self, now: float) -> None:
        self.deadline = now + self.heartbeat * self.rng.random()


class NeverAsksAgain(Plain):
    def campaign(self, now: float, pre: bool) -> None:
        super().campaign(now, pre)
        self.deadline = float("inf")


class CountsVotesOfAnOldTerm(Plain):
    def campaign(self, now: float, pre: bool) -> None:
        kept = set(self.votes)
        super().campaign(now, pre)
        self.votes |= kept

    def adopt(self, term: int) -> None:
        kept = set(self.votes)
        super().adopt(term)
        self.votes |= kept

    def count(self, voter: NodeId, vote: Vote, now: float) -> None:
        super().count(voter, replace(vote, term=self.term, pre=False), now)


class HalfIsEnough(MyElection):
    def __init__(self, seat: ElectionContext) -> None:
        super().__init__(seat)
        self.majority = (len(self.peers) + 1) // 2


class MajorityOfTheLiving(Plain):
    def count(self, voter: NodeId, vote: Vote, now: float) -> None:
        alive = 1 + sum(now - heard < self.timeout for heard in self.heard.values())
        self.majority = alive // 2 + 1
        super().count(voter, vote, now)


class VoteForgottenInACrash(MyElection):
    def tick(self, now: float) -> None:
        if not self.deadline:
            self.vote = None
        super().tick(now)


class TermForgottenInACrash(Plain):
    def tick(self, now: float) -> None:
        if not self.deadline:
            self.term = 0
        super().tick(now)


class PreVoteBumpsTheTerm(MyElection):
    def campaign(self, now: float, pre: bool) -> None:
        if pre:
            self.term += 1
            self.vote = None
        super().campaign(now, pre)


class PreVoteRecordsTheVote(MyElection):
    def answer_pre_vote(self, sender: NodeId, request: RequestVote, now: float) -> None:
        super().answer_pre_vote(sender, request, now)
        if request.term > self.term and request.last >= self.log.last:
            self.term, self.vote = request.term, sender


class PreVoteThoughTheLeaderLives(MyElection):
    def answer_pre_vote(self, sender: NodeId, request: RequestVote, now: float) -> None:
        granted = request.term > self.term and request.last >= self.log.last
        self.send(sender, Vote(request.term if granted else self.term, granted, pre=True))


class LongerLogWins(Plain):
    """Compares the logs' lengths and not their last terms."""

    def answer_vote(self, sender: NodeId, request: RequestVote, now: float) -> None:
        newer = (self.log.last[0], request.last[1])
        super().answer_vote(sender, replace(request, last=newer), now)


class AnyLogWins(Plain):
    def answer_vote(self, sender: NodeId, request: RequestVote, now: float) -> None:
        super().answer_vote(sender, replace(request, last=self.log.last), now)


class NeverStepsDown(MyElection):
    def step_down_without_quorum(self, now: float) -> None:
        return


class LeadsAgainByALateVote(MyElection):
    """Goes on counting votes for its term when it has led and stepped down. (No rule about elections is broken: it has
    the votes. What it reads must not be stale all the same, and that is the node's business.)"""

    def count(self, voter: NodeId, vote: Vote, now: float) -> None:
        super().count(voter, vote, now)
        own = self.term == vote.term and self.vote == self.me
        if own and self.leader is None and not vote.pre and voter != self.me and self.majority == 2:
            self.leader = self.me
            self.heard = dict.fromkeys(self.peers, now)


class CountsItselfTwice(MyElection):
    def count(self, voter: NodeId, vote: Vote, now: float) -> None:
        super().count(voter, vote, now)
        if voter == self.me and self.leader is None:
            super().count("myself", vote, now)


class AsksOneAfterTheOther(Plain):
    """Waits for each answer before it asks the next, as a call that blocks does: who is dead never answers."""

    def broadcast(self, message: Message) -> None:
        self.request, self.still_to_ask = message, list(self.peers)
        self.ask_next()

    def ask_next(self) -> None:
        if self.still_to_ask:
            self.send(self.still_to_ask.pop(0), self.request)

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        super().receive(sender, message, now)
        if isinstance(message, Vote) and self.leader is None and self.vote == self.me:
            self.ask_next()


class NeedsEverybody(Plain):
    """A leader that misses one follower gives up, whoever else it has."""

    def step_down_without_quorum(self, now: float) -> None:
        if any(now - self.heard[peer] >= self.timeout for peer in self.peers):
            self.leader = None
            self.wait(now)


class FollowsBeforeItHears(MyElection):
    """Takes a peer for the leader before it has heard of it."""

    def __init__(self, context: ElectionContext) -> None:
        super().__init__(context)
        self.leader = self.peers[0] if self.term == 0 else None

    def tick(self, now: float) -> None:
        if not self.deadline and self.term == 0:
            self.leader = self.peers[-1]
        super().tick(now)
