"""Exercise 3, reference solution: leader election by majority vote, after Raft.

D. Ongaro, J. Ousterhout, "In Search of an Understandable Consensus Algorithm", 2014, §5.2 (elections) and §5.4.1 (whose
log is new enough); D. Ongaro's thesis, 2014, §6.2 (a leader without a majority steps down) and §9.6 (pre-vote).
"""

from __future__ import annotations

from dataclasses import dataclass

from replstore import Election, ElectionContext, Heartbeat, HeartbeatReply, Message, NodeId


@dataclass(frozen=True)
class RequestVote(Message):
    """ "Will you vote for me in `term`? My log ends in `last`." With `pre`: "Would you, if I asked?" """

    term: int
    last: tuple[int, int]
    pre: bool


@dataclass(frozen=True)
class Vote(Message):
    """The answer. `term` is the request's where it is a yes, else the voter's own."""

    term: int
    granted: bool
    pre: bool


class MyElection(Election):
    def __init__(self, context: ElectionContext) -> None:
        super().__init__(context)
        self.deadline = 0.0  # when to call an election, unless a leader is heard before
        self.leader_heard = -self.timeout  # when one was heard last
        self.votes: set[NodeId] = set()
        self.asked: RequestVote | None = None  # what the votes are for; None: not a candidate
        self.heard: dict[NodeId, float] = {}  # as leader: when each follower was heard last

    def tick(self, now: float) -> None:
        if not self.deadline:
            self.wait(now)
        elif self.leader == self.me:
            self.step_down_without_quorum(now)
        elif now >= self.deadline:
            self.campaign(now, pre=True)

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        self.heard[sender] = now
        match message:
            case RequestVote(pre=True):
                self.answer_pre_vote(sender, message, now)
            case RequestVote():
                self.adopt(message.term)
                self.answer_vote(sender, message, now)
            case Vote(granted=True):
                self.count(sender, message, now)
            case Heartbeat() if message.term >= self.term:
                self.adopt(message.term)
                self.leader, self.leader_heard = sender, now
                self.asked = None
                self.wait(now)
            case Vote() | HeartbeatReply():
                self.adopt(message.term)

    # -- terms ----------------------------------------------------------------------------------------

    def adopt(self, term: int) -> None:
        """A later term than ours has begun, so whoever led before leads no more (§5.1)."""
        if term > self.term:
            self.term, self.vote, self.leader = term, None, None
            self.asked = None

    def wait(self, now: float) -> None:
        """Everybody waits for a different time, so that candidates seldom meet (§5.2)."""
        self.deadline = now + self.timeout * (1 + self.rng.random())

    # -- as a candidate -------------------------------------------------------------------------------

    def campaign(self, now: float, pre: bool) -> None:
        """A pre-vote changes neither term nor vote: a node that cannot win disturbs nobody (thesis §9.6)."""
        self.leader = None
        self.votes = set()
        self.wait(now)
        if not pre:
            self.note("election_timeout")
            self.term += 1
            self.vote = self.me
        term = self.term + 1 if pre else self.term
        self.asked = RequestVote(term, self.log.last, pre)
        self.broadcast(self.asked)
        self.count(self.me, Vote(term, True, pre), now)

    def count(self, voter: NodeId, vote: Vote, now: float) -> None:
        """A vote that comes late, for what is not asked any more, counts for nothing: a leader that has stepped down
        must not lead again in the same term, since another may lead by now."""
        asked = self.asked
        if asked is None or (vote.term, vote.pre) != (asked.term, asked.pre):
            return
        self.votes.add(voter)
        if len(self.votes) < self.majority:
            return
        if vote.pre:
            self.campaign(now, pre=False)
        elif self.vote == self.me:
            self.leader, self.asked = self.me, None
            self.heard = dict.fromkeys(self.peers, now)

    # -- as a voter -----------------------------------------------------------------------------------

    def answer_pre_vote(self, sender: NodeId, request: RequestVote, now: float) -> None:
        """Yes, unless a leader is alive: then there is nothing to elect (thesis §6.4.1)."""
        leader_alive = self.leader == self.me or now < self.leader_heard + self.timeout
        granted = request.term > self.term and request.last >= self.log.last and not leader_alive
        self.send(sender, Vote(request.term if granted else self.term, granted, pre=True))

    def answer_vote(self, sender: NodeId, request: RequestVote, now: float) -> None:
        """One vote a term (§5.2), and only for a log as new as ours (§5.4.1)."""
        free = self.vote in (None, sender) and self.leader is None
        granted = request.term == self.term and free and request.last >= self.log.last
        if granted:
            self.vote = sender
            self.wait(now)
        self.send(sender, Vote(self.term, granted, pre=False))

    # -- as the leader --------------------------------------------------------------------------------

    def step_down_without_quorum(self, now: float) -> None:
        """Without a majority in reach nothing can be committed, and somebody else may lead by now (thesis §6.2)."""
        in_reach = 1 + sum(now - self.heard[peer] < self.timeout for peer in self.peers)
        if in_reach < self.majority:
            self.leader = None
            self.wait(now)
