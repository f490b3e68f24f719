"""Exercise 3 as an explicit state machine: a table says what each state does about each kind of message.

The rules are those of the reference (Raft 2014, §5.2 and §5.4.1; Ongaro's thesis, 2014, §6.2 and §9.6).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from replstore import Election, ElectionContext, Heartbeat, HeartbeatReply, Message, NodeId


class State(Enum):
    FOLLOWER = auto()
    PROBING = auto()
    """Asks whether it could win, in the term that it would begin."""
    CANDIDATE = auto()
    LEADER = auto()


@dataclass(frozen=True)
class Probe(Message):
    term: int
    log_term: int
    log_index: int


@dataclass(frozen=True)
class ProbeAnswer(Message):
    term: int
    probed: int
    yes: bool


@dataclass(frozen=True)
class Ballot(Message):
    term: int
    log_term: int
    log_index: int


@dataclass(frozen=True)
class BallotAnswer(Message):
    term: int
    yes: bool


Handler = Callable[["MyElection", NodeId, Message, float], None]


class MyElection(Election):
    def __init__(self, context: ElectionContext) -> None:
        super().__init__(context)
        self.state = State.FOLLOWER
        self.supporters: set[NodeId] = set()
        self.last_contact: dict[NodeId, float] = {}
        self.leader_contact: float | None = None
        self.alarm: float | None = None

    # -- the way in -----------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        if self.alarm is None:
            self._set_alarm(now)
        if self.state is State.LEADER:
            self._check_quorum(now)
        elif now >= (self.alarm or 0.0):
            self._enter(State.PROBING, now)

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        self.last_contact[sender] = now
        term: int = getattr(message, "term", 0)
        # A probe's term is one that has not begun: it changes nobody's.
        if term > self.term and not isinstance(message, Probe):
            self.term, self.vote = term, None
            self._enter(State.FOLLOWER, now)
        handler = TABLE.get((self.state, type(message))) or EVERYWHERE.get(type(message))
        if handler is not None:
            handler(self, sender, message, now)

    # -- changes of state -----------------------------------------------------------------------------

    def _enter(self, state: State, now: float) -> None:
        self.state = state
        self.leader = None
        self.supporters = {self.me}
        if state is State.PROBING:
            self._set_alarm(now)
            self.broadcast(Probe(self.term + 1, *self.log.last))
        elif state is State.CANDIDATE:
            self._set_alarm(now)
            self.term, self.vote = self.term + 1, self.me
            self.note("election_timeout")
            self.broadcast(Ballot(self.term, *self.log.last))
        elif state is State.LEADER:
            self.leader = self.me
            self.last_contact = dict.fromkeys(self.peers, now)
        self._advance(now)

    def _advance(self, now: float) -> None:
        """Enough support: from probing to candidacy, from candidacy to office."""
        following = {State.PROBING: State.CANDIDATE, State.CANDIDATE: State.LEADER}
        if self.state in following and len(self.supporters) >= self.majority:
            self._enter(following[self.state], now)

    def _set_alarm(self, now: float) -> None:
        self.alarm = now + self.rng.uniform(self.timeout, 2 * self.timeout)

    def _check_quorum(self, now: float) -> None:
        present = [peer for peer in self.peers if self.last_contact[peer] > now - self.timeout]
        if len(present) + 1 < self.majority:
            self._enter(State.FOLLOWER, now)
            self._set_alarm(now)

    # -- handlers -------------------------------------------------------------------------------------

    def on_probe(self, sender: NodeId, message: Probe, now: float) -> None:
        quiet = self.leader_contact is None or now - self.leader_contact >= self.timeout
        free = quiet and self.state is not State.LEADER
        yes = free and message.term > self.term and (message.log_term, message.log_index) >= self.log.last
        self.send(sender, ProbeAnswer(self.term, message.term, yes))

    def on_probe_answer(self, sender: NodeId, message: ProbeAnswer, now: float) -> None:
        if message.yes and message.probed == self.term + 1:
            self.supporters.add(sender)
            self._advance(now)

    def on_ballot(self, sender: NodeId, message: Ballot, now: float) -> None:
        yes = (
            message.term == self.term
            and self.vote in (None, sender)
            and (message.log_term, message.log_index) >= self.log.last
        )
        if yes:
            self.vote = sender
            self._set_alarm(now)
        self.send(sender, BallotAnswer(self.term, yes))

    def on_ballot_answer(self, sender: NodeId, message: BallotAnswer, now: float) -> None:
        if message.yes and message.term == self.term:
            self.supporters.add(sender)
            self._advance(now)

    def on_heartbeat(self, sender: NodeId, message: Heartbeat, now: float) -> None:
        if message.term == self.term:
            if self.state is not State.FOLLOWER:
                self._enter(State.FOLLOWER, now)
            self.leader, self.leader_contact = sender, now
            self._set_alarm(now)


TABLE: dict[tuple[State, type[Message]], Handler] = {
    (State.PROBING, ProbeAnswer): MyElection.on_probe_answer,  # type: ignore[dict-item]
    (State.CANDIDATE, BallotAnswer): MyElection.on_ballot_answer,  # type: ignore[dict-item]
    (State.LEADER, HeartbeatReply): lambda election, sender, message, now: None,
}
EVERYWHERE: dict[type[Message], Handler] = {
    Probe: MyElection.on_probe,  # type: ignore[dict-item]
    Ballot: MyElection.on_ballot,  # type: ignore[dict-item]
    Heartbeat: MyElection.on_heartbeat,  # type: ignore[dict-item]
}
