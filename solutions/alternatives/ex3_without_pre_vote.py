"""Exercise 3 as in the Raft paper alone (Ongaro and Ousterhout 2014, Figure 2), with a leader that steps down.

Right, but without pre-vote: a returning node unseats a healthy leader, and those 10 points are lost, no others.
"""

from __future__ import annotations

from dataclasses import dataclass

from replstore import Election, ElectionContext, Heartbeat, Message, NodeId


@dataclass(frozen=True)
class RequestVote(Message):
    term: int
    last_log_term: int
    last_log_index: int


@dataclass(frozen=True)
class RequestVoteReply(Message):
    term: int
    vote_granted: bool


class MyElection(Election):
    def __init__(self, context: ElectionContext) -> None:
        super().__init__(context)
        self.role = "follower"
        self.remaining: float | None = None  # seconds until this node calls an election
        self.clock = 0.0
        self.votes: list[NodeId] = []
        self.silent_for: dict[NodeId, float] = {}

    def tick(self, now: float) -> None:
        passed, self.clock = now - self.clock if self.clock else 0.0, now
        if self.remaining is None:
            self.reset_timer()
        if self.role == "leader":
            for peer in self.silent_for:
                self.silent_for[peer] += passed
            if sum(silence < self.timeout for silence in self.silent_for.values()) + 1 < self.majority:
                self.convert_to_follower()
            return
        assert self.remaining is not None
        self.remaining -= passed
        if self.remaining <= 0:
            self.convert_to_candidate()

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        self.silent_for[sender] = 0.0
        term: int = getattr(message, "term", 0)
        if term > self.term:
            self.term = term
            self.vote = None
            self.convert_to_follower()
        if isinstance(message, RequestVote):
            self.on_request_vote(sender, message)
        elif isinstance(message, RequestVoteReply):
            self.on_reply(sender, message)
        elif isinstance(message, Heartbeat) and term == self.term:
            self.role, self.leader = "follower", sender
            self.reset_timer()

    def reset_timer(self) -> None:
        self.remaining = self.timeout * (1.0 + self.rng.random())

    def convert_to_follower(self) -> None:
        if self.role == "leader":
            self.reset_timer()
        self.role = "follower"
        self.leader = None

    def convert_to_candidate(self) -> None:
        self.role = "candidate"
        self.leader = None
        self.term += 1
        self.vote = self.me
        self.votes = [self.me]
        self.reset_timer()
        self.broadcast(RequestVote(self.term, *self.log.last))
        self.check_victory()

    def check_victory(self) -> None:
        if len(self.votes) >= self.majority:
            self.role = "leader"
            self.leader = self.me
            self.silent_for = dict.fromkeys(self.peers, 0.0)

    def on_request_vote(self, sender: NodeId, request: RequestVote) -> None:
        up_to_date = (request.last_log_term, request.last_log_index) >= self.log.last
        granted = request.term >= self.term and self.vote in (None, sender) and up_to_date
        if granted:
            self.vote = sender
            self.reset_timer()
        self.send(sender, RequestVoteReply(self.term, granted))

    def on_reply(self, sender: NodeId, reply: RequestVoteReply) -> None:
        if self.role == "candidate" and reply.term == self.term and reply.vote_granted and sender not in self.votes:
            self.votes.append(sender)
            self.check_victory()
