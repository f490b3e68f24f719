"""Exercise 3 with one type of message, a poll book for each term, and deadlines instead of states.

There is no state variable: whether a node is a candidate follows from whether it has a poll open. The rules are those
of the reference (Raft 2014, §5.2 and §5.4.1; Ongaro's thesis, 2014, §6.2 and §9.6).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from replstore import Election, ElectionContext, Heartbeat, HeartbeatReply, Message, NodeId

TRIAL, REAL = "trial", "real"


@dataclass(frozen=True)
class Talk(Message):
    """`says`: `ask`, `yes` or `no`. `mine`: the sender's own term; `about`: the one that the poll is for."""

    says: str
    poll: str
    about: int
    mine: int
    log: tuple[int, int]


@dataclass
class Poll:
    kind: str
    term: int
    yes: set[NodeId] = field(default_factory=set)


class MyElection(Election):
    def __init__(self, context: ElectionContext) -> None:
        super().__init__(context)
        self.poll: Poll | None = None
        self.loyal_until = 0.0  # a leader was heard: nobody else gets a trial vote before
        self.patient_until = -1.0
        self.lease: dict[NodeId, float] = {}  # as leader: until when each follower counts as present

    def tick(self, now: float) -> None:
        if self.patient_until < 0:
            self._be_patient(now)
        if self.leader == self.me:
            present = sum(until > now for until in self.lease.values())
            if 1 + present < self.majority:
                self.leader = None
                self._be_patient(now)
        elif now >= self.patient_until:
            self.leader = None
            self._open(Poll(TRIAL, self.term + 1), now)

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        if isinstance(message, Talk):
            self._learn(message.mine)
            if message.says == "ask":
                self._answer(sender, message, now)
            elif message.says == "yes":
                self._tally(sender, message, now)
        elif isinstance(message, Heartbeat | HeartbeatReply):
            self._learn(message.term)
            if isinstance(message, HeartbeatReply):
                self.lease[sender] = now + self.timeout
            elif message.term == self.term:
                self.leader, self.poll = sender, None
                self.loyal_until = now + self.timeout
                self._be_patient(now)

    def _learn(self, term: int) -> None:
        if term > self.term:
            self.term, self.vote, self.leader, self.poll = term, None, None, None

    def _be_patient(self, now: float) -> None:
        self.patient_until = now + self.timeout + self.timeout * self.rng.random()

    # -- asking ---------------------------------------------------------------------------------------

    def _open(self, poll: Poll, now: float) -> None:
        self._be_patient(now)
        self.poll = poll
        if poll.kind == REAL:
            self.term, self.vote = poll.term, self.me
        self.broadcast(Talk("ask", poll.kind, poll.term, self.term, self.log.last))
        self._count(self.me, now)

    def _tally(self, sender: NodeId, message: Talk, now: float) -> None:
        if self.poll is not None and (self.poll.kind, self.poll.term) == (message.poll, message.about):
            self._count(sender, now)

    def _count(self, voter: NodeId, now: float) -> None:
        poll = self.poll
        if poll is None:
            return
        poll.yes.add(voter)
        if len(poll.yes) < self.majority:
            return
        if poll.kind == TRIAL:
            self._open(Poll(REAL, poll.term), now)
        else:
            self.poll = None
            self.leader = self.me
            self.lease = dict.fromkeys(self.peers, now + self.timeout)

    # -- answering ------------------------------------------------------------------------------------

    def _answer(self, sender: NodeId, ask: Talk, now: float) -> None:
        agreed = ask.log >= self.log.last and (self._would(ask, now) if ask.poll == TRIAL else self._will(sender, ask))
        if agreed and ask.poll == REAL:
            self.vote = sender
            self._be_patient(now)
        self.send(sender, Talk("yes" if agreed else "no", ask.poll, ask.about, self.term, self.log.last))

    def _would(self, ask: Talk, now: float) -> bool:
        return ask.about > self.term and self.leader != self.me and now >= self.loyal_until

    def _will(self, sender: NodeId, ask: Talk) -> bool:
        return ask.about == self.term and self.vote in (None, sender)
