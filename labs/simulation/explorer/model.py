"""What a step of the search does to one node: a function of the node's state and the event, worked out once each.

Law of this module: the strategy is run as it is, its messages pass through the real codec, and it gets a random
generator that always returns the middle value: which of two nodes times out first is decided by the search.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

from labs.simulation.explorer.snapshot import EPOCH, CannotSnapshot, StateCodec, StateSnapshot
from labs.trace import kinds
from labs.trace.events import Event
from replstore.core.election import Election, ElectionContext
from replstore.core.messages import START, Heartbeat, HeartbeatReply, Message, NodeId
from replstore.wire.codec import decode_message, encode_message
from replstore.wire.event_ring import summary

TIMEOUT, HEARTBEAT = 0.4, 0.1
HANDED_IN = ("me", "peers", "log", "rng", "timeout", "heartbeat", "send", "note")
"""What the node hands to its strategy: no part of the strategy's own state."""


@dataclass(frozen=True)
class Wait:
    """So many election timeouts pass at the node, and no message arrives."""

    node: NodeId
    timeouts: float


@dataclass(frozen=True)
class Receive:
    """`text`: the message as it travels. Each arrival makes a message of its own of it, which may change."""

    node: NodeId
    sender: NodeId
    text: str

    @property
    def message(self) -> Message:
        return decode_message(self.text)


@dataclass(frozen=True)
class Restart:
    """A crash, and a start with the term and the vote that were saved."""

    node: NodeId


NodeInput = Wait | Receive | Restart


class Transition(NamedTuple):
    """The node's state afterwards and the messages sent, by their numbers; the term in which it now begins to lead, or
    0; its term; and what its strategy raised."""

    node: int
    sent: tuple[int, ...]
    led: int
    term: int
    problem: str = ""


class ConstantRandom(Random):
    """A random generator that always returns the middle value."""

    def random(self) -> float:
        return 0.5

    def getrandbits(self, k: int, /) -> int:
        return (1 << k) >> 1 if k > 1 else 0


@dataclass
class LogEnd:
    last: tuple[int, int] = (0, 0)


class ElectionModel:
    """`nodes` strategies, named as in the lesson. States and messages get numbers, in the order of their coming up.

    `logs`: whoever begins to lead appends the entry that opens its term, as a node does; else logs stay empty. Where a
    log ends is a part of the node's state. `horizon`: election timeouts after which all of the past is alike.
    """

    def __init__(
        self,
        strategy: Callable[[ElectionContext], Election],
        nodes: int,
        logs: bool = False,
        horizon: float = 10.0,
    ) -> None:
        self.nodes = tuple(f"node-{number}" for number in range(1, nodes + 1))
        self.mail: list[Receive] = []
        self._strategy = strategy
        self._codec = StateCodec(horizon * TIMEOUT)
        self._logs = logs
        self._states: list[tuple[StateSnapshot, tuple[int, int]]] = []
        self._numbers: dict[tuple[StateSnapshot, tuple[int, int]], int] = {}
        self._mail_numbers: dict[Receive, int] = {}
        self._sent: list[Receive] = []
        self._sender: NodeId = ""

    # -- what the search asks -------------------------------------------------------------------------

    def start(self, node: NodeId) -> int:
        """The number of the node's first state: started, and once asked for the time."""
        try:
            election = self._seated(node)
            election.tick(EPOCH)
        except Exception as error:
            raise CannotSnapshot(f"its start raises {type(error).__name__}: {error}") from error
        return self._numbered(election, EPOCH)

    def outcome(self, event: NodeInput, number: int) -> Transition:
        """What `event` does to its node in state `number`."""
        election = self.election(event.node, number)
        before = (election.leader, election.term)
        self._sent.clear()
        try:
            now = self._apply(event, election)
        except CannotSnapshot:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a student's strategy raises
            return Transition(number, (), 0, 0, f"{type(error).__name__}: {error}")
        if type(event) is Restart:
            election, before = self._restarted, (None, 0)
        led = election.leader == election.me and (election.leader, election.term) != before
        if led and self._logs:
            _log_of(election).last = (election.term, election.log.last[1] + 1)
        if led or (type(event) is Wait and election.leader == election.me):
            election.broadcast(Heartbeat(election.term, START, 1))
        sent = tuple(sorted({self._mail_number(mail) for mail in self._sent}))
        return Transition(self._numbered(election, now), sent, election.term if led else 0, election.term)

    def election(self, node: NodeId, number: int) -> Election:
        """The strategy in state `number`."""
        snapshot, last = self._states[number]
        election = self._seated(node, last)
        state = self._codec.restore(snapshot, _handed_in(election))
        given = {name: vars(election)[name] for name in HANDED_IN if name in vars(election)}
        vars(election).clear()
        vars(election).update({**given, **state})
        return election

    def with_log(self, node: NodeId, number: int, last: tuple[int, int]) -> int:
        """The number of the state that differs from this one in where the log ends."""
        election = self.election(node, number)
        _log_of(election).last = last
        return self._numbered(election, EPOCH)

    def events(self, step: NodeInput, number: int) -> Iterator[Event]:
        """What `step` does to its node in state `number`, as events of a run that begins at 0 s."""
        node = step.node
        match step:
            case Wait():
                yield Event(0.0, node, "note", kinds.ELECTION_TIMEOUT)
            case Receive(sender=sender):
                message = step.message
                label = f"{sender}:{self._mail_number(step)}"
                yield Event(0.0, node, "received", type(message).__name__, 0, label, sender, summary(message))
            case Restart():
                yield Event(0.0, node, "fault", kinds.CRASH)
                yield Event(0.05, node, "fault", kinds.START)
        before, outcome = self.election(node, number), self.outcome(step, number)
        after = self.election(node, outcome.node)
        if outcome.led:
            yield Event(0.1, node, "note", kinds.BECAME_LEADER, details={"term": outcome.led})
        elif (after.term, after.vote) != (before.term, before.vote):
            yield Event(0.1, node, "note", kinds.STATE, details={"term": after.term, "vote": after.vote})
        for mail in (self.mail[place] for place in outcome.sent):
            details, label = summary(mail.message), f"{node}:{self._mail_number(mail)}"
            yield Event(0.15, node, "sent", type(mail.message).__name__, 0, label, mail.node, details)

    # -- how it is done -------------------------------------------------------------------------------

    def _apply(self, event: NodeInput, election: Election) -> float:
        """Returns what the node's clock shows then."""
        match event:
            case Wait(timeouts=timeouts):
                now = EPOCH + timeouts * TIMEOUT
                election.tick(now)
                return now
            case Receive(sender=sender):
                message = event.message
                election.receive(sender, message, EPOCH)
                if isinstance(message, Heartbeat):
                    follows = (election.leader, election.term) == (sender, message.term)
                    election.send(sender, HeartbeatReply(election.term, message.round, follows, START))
            case Restart():
                self._restarted = self._seated(event.node, election.log.last)
                self._restarted.term, self._restarted.vote = election.term, election.vote
                self._restarted.tick(EPOCH)
        return EPOCH

    def _seated(self, node: NodeId, last: tuple[int, int] = (0, 0)) -> Election:
        peers = tuple(name for name in self.nodes if name != node)

        def send(to: NodeId, message: Message) -> None:
            self._sent.append(Receive(to, node, encode_message(message)))

        rng = ConstantRandom()
        context = ElectionContext(
            node, peers, LogEnd(last), rng, TIMEOUT, HEARTBEAT, send=send, note=lambda *_, **__: None
        )
        return self._strategy(context)

    def _numbered(self, election: Election, now: float) -> int:
        own = {name: value for name, value in vars(election).items() if name not in HANDED_IN}
        frozen = self._codec.snapshot(own, now, type(election).__name__, _handed_in(election))
        state = (frozen, _log_of(election).last)
        number = self._numbers.setdefault(state, len(self._states))
        if number == len(self._states):
            self._states.append(state)
        return number

    def _mail_number(self, mail: Receive) -> int:
        number = self._mail_numbers.setdefault(mail, len(self.mail))
        if number == len(self.mail):
            self.mail.append(mail)
        return number


def _log_of(election: Election) -> LogEnd:
    """As it was handed in; a strategy only looks at it."""
    log = election.log
    if not isinstance(log, LogEnd):
        raise CannotSnapshot(f"{type(election).__name__} has replaced self.log")
    return log


def _handed_in(election: Election) -> dict[str, Any]:
    """What a strategy's own objects may refer to, and what is not theirs: itself, and what its node gave it."""
    return {"": election, **{name: vars(election).get(name) for name in ("log", "rng", "send", "note")}}


# --------------------------------------------------------------------------------------------------------
# In words


def step_in_words(event: NodeInput, model: ElectionModel, number: int) -> str:
    """What happens to the node in state `number`, and what it does then: a sentence."""
    before = model.election(event.node, number)
    outcome = model.outcome(event, number)
    match event:
        case Wait(node, timeouts):
            what = f"{node} hears nothing for {timeouts * TIMEOUT:g} s"
        case Receive(node, sender):
            what = f"{node} receives {written(event.message)} from {sender}"
        case Restart(node):
            what = f"{node} crashes and starts again, in term {before.term} with its vote for {before.vote or 'nobody'}"
    if outcome.problem:
        return f"{what} and raises {outcome.problem}"
    after = model.election(event.node, outcome.node)
    done = [*_changes(before, after, outcome), *_messages([model.mail[number] for number in outcome.sent])]
    return f"{what}; it {', '.join(done)}" if done else what


def _changes(before: Election, after: Election, outcome: Transition) -> list[str]:
    changes = []
    if after.term != before.term:
        changes.append(f"enters term {after.term}")
    if after.vote != before.vote:
        changes.append(f"votes for {_name(after.vote, after.me)}" if after.vote is not None else "forgets its vote")
    if outcome.led:
        changes.append(f"BECOMES LEADER OF TERM {outcome.led}")
    elif after.leader != before.leader:
        changes.append(f"follows {after.leader}" if after.leader else "follows nobody any more")
    return changes


def _messages(mails: list[Receive]) -> list[str]:
    receivers: dict[str, list[NodeId]] = {}
    for mail in mails:
        receivers.setdefault(written(mail.message), []).append(mail.node)
    return [f"sends {message} to {' and '.join(names)}" for message, names in receivers.items()]


def _name(vote: Any, me: NodeId) -> str:
    return "itself" if vote == me else str(vote)


def written(message: Message) -> str:
    return f"{type(message).__name__}({', '.join(f'{name}={value}' for name, value in summary(message).items())})"
