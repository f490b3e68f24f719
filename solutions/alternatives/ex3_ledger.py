"""Exercise 3 with a ledger: every answer is written down by question, and what follows is read off it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from replstore import Election, ElectionContext, Heartbeat, Message, NodeId

Question = tuple[bool, int]
"""Whether it is meant seriously, and the term it is about."""


@dataclass(frozen=True)
class Request(Message):
    serious: bool
    about: int
    term: int
    log: tuple[int, int]


@dataclass(frozen=True)
class Reply(Message):
    serious: bool
    about: int
    term: int
    yes: bool


class MyElection(Election):
    def __init__(self, context: ElectionContext) -> None:
        super().__init__(context)
        self.ledger: dict[Question, set[NodeId]] = defaultdict(set)
        self.open: Question | None = None
        self.silence_began: float | None = None
        self.patience = 0.0
        self.contact: dict[NodeId, float] = {}

    def tick(self, now: float) -> None:
        if self.silence_began is None:
            self.begin_to_wait(now)
        elif self.leader == self.me:
            if self.lonely(now):
                self.leader = None
                self.begin_to_wait(now)
        elif now - self.silence_began >= self.patience:
            self.leader = None
            self.ask((False, self.term + 1), now)

    def begin_to_wait(self, now: float) -> None:
        self.silence_began = now
        self.patience = self.timeout + self.timeout * self.rng.random()

    def lonely(self, now: float) -> bool:
        recent = {peer for peer, moment in self.contact.items() if moment > now - self.timeout}
        return len(recent | {self.me}) < self.majority

    # -- asking ---------------------------------------------------------------------------------------

    def ask(self, question: Question, now: float) -> None:
        serious, about = question
        self.begin_to_wait(now)
        if serious:
            self.begin_term(about)
            self.vote = self.me
            self.note("election_timeout")
        self.ledger.clear()
        self.open = question
        self.broadcast(Request(serious, about, self.term, self.log.last))
        self.write_down(question, self.me, now)

    def write_down(self, question: Question, voter: NodeId, now: float) -> None:
        if question != self.open:
            return
        self.ledger[question].add(voter)
        if len(self.ledger[question]) >= self.majority:
            self.open = None
            if question[0]:
                self.leader = self.me
                self.contact = dict.fromkeys(self.peers, now)
            else:
                self.ask((True, question[1]), now)

    # -- answering ------------------------------------------------------------------------------------

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        self.contact[sender] = now
        term: int = getattr(message, "term", 0)
        if term > self.term:
            self.begin_term(term)
        match message:
            case Request(serious=True):
                self.send(sender, Reply(True, message.about, self.term, self.gives_vote(sender, message, now)))
            case Request():
                self.send(sender, Reply(False, message.about, self.term, self.would_vote(message, now)))
            case Reply(yes=True):
                self.write_down((message.serious, message.about), sender, now)
            case Heartbeat() if term == self.term:
                self.leader = sender
                self.open = None
                self.begin_to_wait(now)

    def begin_term(self, term: int) -> None:
        self.term, self.vote, self.leader, self.open = term, None, None, None

    def gives_vote(self, sender: NodeId, request: Request, now: float) -> bool:
        if request.about != self.term or self.leader is not None:
            return False
        if self.vote not in (None, sender) or request.log < self.log.last:
            return False
        self.vote = sender
        self.begin_to_wait(now)
        return True

    def would_vote(self, request: Request, now: float) -> bool:
        """Whoever has a leader that was heard within the shortest patience has no need of another."""
        if self.leader == self.me:
            return False
        content = self.leader is not None and self.silence_began is not None and now < self.silence_began + self.timeout
        return not content and request.about > self.term and request.log >= self.log.last
