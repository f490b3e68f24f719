"""Walks through an election's states that go deep where `search` goes wide: what may break a promise about safety?

Law of this module: a walk is a suspicion, no proof. It is found with a model of the node that knows elections and where
logs end; a simulated cluster of real nodes says whether it is true (`labs.simulation.stepwise`).

A step costs a look into a table once it is known what it does (`ElectionModel`), so thousands of walks take less than a
second. They are drawn from dice of their own: the same strategy gives the same walks. Of the steps, those that break
elections are likely: a message that comes late or again, a timeout in the midst of an election, a crash, and a write
that is stored while a candidate asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from labs.simulation.explorer.model import ElectionModel, Receive, Restart, Transition, Wait
from replstore.core.election import Election, ElectionContext
from replstore.core.messages import START, Heartbeat, NodeId
from replstore.wire.codec import encode_message

PATIENCE = 2.0
"""Election timeouts after which every node that hears nothing acts."""


@dataclass(frozen=True)
class Extent:
    """How much to look at. `steps`: in all walks together. `outcomes`: what is asked of the strategy. `found`: this is
    enough."""

    steps: int = 40_000
    outcomes: int = 2600
    length: int = 16
    terms: int = 2
    crashes: int = 2
    found: int = 3
    seed: int = 0


class Commit(NamedTuple):
    """`leader` gets a write, and `follower` stores it: with three nodes that is a majority."""

    leader: NodeId
    follower: NodeId


class Take(NamedTuple):
    """The message of this number (`ElectionModel.mail`) arrives; it may have arrived before."""

    mail: int


WalkStep = Wait | Restart | Take | Commit


@dataclass(frozen=True)
class Suspicion:
    """`promise`: which one seems to be broken after these steps."""

    promise: str
    steps: tuple[WalkStep, ...]


class _NoWay(Exception):
    """This step leads nowhere: the strategy raises something, or may not be asked any more."""


@dataclass
class _Place:
    """Where a walk has got to."""

    states: dict[NodeId, int]
    under_way: list[int] = field(default_factory=list)
    old: list[int] = field(default_factory=list)
    """Messages that have arrived already."""
    crashes: int = 0
    committed: tuple[int, int] = (0, 0)
    leaders: dict[int, NodeId] = field(default_factory=dict)
    votes: dict[tuple[int, str], set[NodeId]] = field(default_factory=dict)
    saved: dict[NodeId, tuple[int, Any]] = field(default_factory=dict)
    earlier: dict[NodeId, int] = field(default_factory=dict)
    """The term in which an earlier life of the node ended: it does not lead in that one again."""


class _Facts(NamedTuple):
    term: int
    vote: Any
    leader: NodeId | None
    last: tuple[int, int]


class Walks:
    """Of three nodes; `run` looks for suspicions, the shortest walk that it finds for each broken promise."""

    def __init__(self, strategy: Callable[[ElectionContext], Election], extent: Extent | None = None) -> None:
        self.extent = extent or Extent()
        self.model = ElectionModel(strategy, 3, logs=True, horizon=PATIENCE)
        self._nodes = self.model.nodes
        self._known: dict[tuple[NodeId, int, Any], Transition] = {}
        self._facts: dict[tuple[NodeId, int], _Facts] = {}
        self._grown: dict[tuple[NodeId, int, tuple[int, int]], int] = {}
        self.steps = 0
        """Gone so far, in all walks."""

    @property
    def asked(self) -> int:
        """How often the strategy was asked what a step does to it."""
        return len(self._known)

    def run(self) -> list[Suspicion]:
        """What seems to break a promise. Raises `CannotSnapshot`."""
        dice = Random(f"walks/{self.extent.seed}")
        found: dict[str, Suspicion] = {}
        first = {name: self.model.start(name) for name in self._nodes}
        starts = [(), self._crowned(first), self._candidate_under_a_leader(first), self._candidates_of_two_terms(first)]
        begun = 0
        while self.steps < self.extent.steps and len(found) < self.extent.found:
            begun += 1
            before = self.steps
            walk = list(starts[begun % len(starts)])
            promise = self._walk(first, walk, dice)
            if promise and promise not in found and self._breaks(first, walk, promise):
                found[promise] = Suspicion(promise, self._shortened(first, walk, promise))
            if self.steps == before:
                break  # nothing can happen in this election
        return list(found.values())

    # -- one walk -------------------------------------------------------------------------------------

    def _begin(self, first: dict[NodeId, int]) -> _Place:
        place = _Place(dict(first))
        for name, number in first.items():
            facts = self._of(name, number)
            place.saved[name] = (facts.term, facts.vote)
        return place

    def _walk(self, first: dict[NodeId, int], steps: list[WalkStep], dice: Random) -> str:
        """Go the steps, and on from there, adding to them; returns the promise that was broken, or nothing."""
        place = self._begin(first)
        for step in steps:
            if promise := self._go(place, step):
                return promise
        for step in self._drawn(place, dice):
            try:
                promise = self._go(place, step)
            except _NoWay:
                continue
            steps.append(step)
            if promise:
                return promise
            if place.saved[self._node_of(step)][0] > self.extent.terms:
                break
        return ""

    def _drawn(self, place: _Place, dice: Random) -> Iterator[WalkStep]:
        """Bursts: a timeout, and some of what follows from it; or something late, a write, a crash."""
        length = self.extent.length
        while length > 0:
            kind = dice.random()
            if kind < 0.3:
                length -= 1
                yield Wait(dice.choice(self._nodes), PATIENCE)
            elif kind < 0.65:
                for _ in range(dice.choice((1, 1, 2, 2, 3, 5))):
                    if not place.under_way:
                        break
                    length -= 1
                    # Mostly what was sent last: an election runs its course, and the rest gets old.
                    newest = len(place.under_way) - 1
                    yield Take(place.under_way[newest - int(dice.random() ** 2 * (newest + 1))])
            elif kind < 0.8:
                if everything := place.under_way + place.old:
                    length -= 1
                    yield Take(dice.choice(everything))
            elif kind < 0.93:
                leaders = [n for n in self._nodes if self._of(n, place.states[n]).leader == n]
                if leaders:
                    leader = dice.choice(leaders)
                    length -= 1
                    yield Commit(leader, dice.choice([n for n in self._nodes if n != leader]))
            elif place.crashes < self.extent.crashes:
                length -= 1
                yield Restart(dice.choice(self._nodes))
            length -= 0.1  # type: ignore[assignment]  # where nothing can be done the walk ends, too

    # -- where walks begin ----------------------------------------------------------------------------

    def _crowned(self, first: dict[NodeId, int]) -> tuple[WalkStep, ...]:
        """node-1 is elected, and the others have its first entry."""
        place, steps = self._begin(first), list[WalkStep]()
        self._crown(place, steps)
        return tuple(steps)

    def _candidate_under_a_leader(self, first: dict[NodeId, int]) -> tuple[WalkStep, ...]:
        """Then the others hear nothing for a while, and node-3 begins a new term; its request is under way."""
        place, steps = self._begin(first), list[WalkStep]()
        _, second, third = self._nodes
        self._crown(place, steps)
        self._try(place, steps, Wait(second, PATIENCE))
        self._raise(place, steps, third, second)
        return tuple(steps)

    def _candidates_of_two_terms(self, first: dict[NodeId, int]) -> tuple[WalkStep, ...]:
        """node-1 has begun a term and node-3 two, and nobody has heard of their requests."""
        place, steps = self._begin(first), list[WalkStep]()
        one, second, third = self._nodes
        for node in (one, third, third):
            self._raise(place, steps, node, second)
        return tuple(steps)

    def _try(self, place: _Place, steps: list[WalkStep], step: WalkStep) -> None:
        try:
            self._go(place, step)
            steps.append(step)
        except _NoWay:
            return

    def _crown(self, place: _Place, steps: list[WalkStep]) -> None:
        leader, *followers = self._nodes
        self._try(place, steps, Wait(leader, PATIENCE))
        for _ in range(20):
            mail = next((number for number in place.under_way if not self._is_heartbeat(number)), None)
            if mail is None or leader in place.leaders.values():
                break
            self._try(place, steps, Take(mail))
        for follower in followers:
            self._try(place, steps, Commit(leader, follower))

    def _raise(self, place: _Place, steps: list[WalkStep], node: NodeId, helper: NodeId) -> None:
        """Let the node hear nothing, and talk with the other one until it begins a new term."""
        term = place.saved[node][0]
        sent = len(place.under_way)
        self._try(place, steps, Wait(node, PATIENCE))
        for _ in range(6):
            between = [
                number
                for number in place.under_way[sent:]
                if {self.model.mail[number].node, self.model.mail[number].sender} == {node, helper}
            ]
            if place.saved[node][0] > term or not between:
                return
            sent = min(sent, len(place.under_way) - 1)
            self._try(place, steps, Take(between[0]))

    def _is_heartbeat(self, number: int) -> bool:
        return isinstance(self.model.mail[number].message, Heartbeat)

    def _shortened(self, first: dict[NodeId, int], steps: list[WalkStep], promise: str) -> tuple[WalkStep, ...]:
        """Leave out what is not needed for it."""
        done = False
        while not done:
            done = True
            for number in reversed(range(len(steps))):
                fewer = steps[:number] + steps[number + 1 :]
                if self._breaks(first, fewer, promise):
                    steps, done = fewer, False
        return tuple(steps)

    def _breaks(self, first: dict[NodeId, int], steps: Iterable[WalkStep], promise: str) -> bool:
        place = self._begin(first)
        for step in steps:
            if isinstance(step, Take) and step.mail not in place.under_way and step.mail not in place.old:
                return False
            try:
                if found := self._go(place, step):
                    return found == promise
            except _NoWay:
                return False
        return False

    # -- one step -------------------------------------------------------------------------------------

    def _node_of(self, step: WalkStep) -> NodeId:
        if isinstance(step, Take):
            return self.model.mail[step.mail].node
        return step.leader if isinstance(step, Commit) else step.node

    def _go(self, place: _Place, step: WalkStep) -> str:
        """The promise that this step breaks, if any."""
        self.steps += 1
        if isinstance(step, Commit):
            return self._commit(place, *step)
        if isinstance(step, Take):
            if step.mail in place.under_way:
                place.under_way.remove(step.mail)
                place.old.append(step.mail)
            return self._happens(place, self.model.mail[step.mail])
        if isinstance(step, Restart):
            place.crashes += 1
            place.earlier[step.node] = place.saved[step.node][0]
        return self._happens(place, step)

    def _commit(self, place: _Place, leader: NodeId, follower: NodeId) -> str:
        """The leader's heartbeat, its answer, the entry, and its answer, at once."""
        facts = self._of(leader, place.states[leader])
        if facts.leader != leader or place.leaders.get(facts.term) != leader:
            return ""
        heartbeat = Receive(follower, leader, encode_message(Heartbeat(facts.term, START, 1)))
        sent = len(place.under_way)
        if promise := self._happens(place, heartbeat):
            return promise
        answers = [number for number in place.under_way[sent:] if self.model.mail[number].node == leader]
        for number in answers:
            place.under_way.remove(number)
            if promise := self._happens(place, self.model.mail[number]):
                return promise
        there = self._of(follower, place.states[follower])
        still_leads = self._of(leader, place.states[leader])[:3] == facts[:3]
        if still_leads and (there.leader, there.term) == (leader, facts.term):
            last = (facts.term, facts.last[1] + 1)
            for name in (leader, follower):
                place.states[name] = self._with_log(name, place.states[name], last)
            place.committed = max(place.committed, last)
        return ""

    def _happens(self, place: _Place, event: Wait | Receive | Restart) -> str:
        node = event.node
        outcome = self._outcome(event, place.states[node])
        place.states[node] = outcome.node
        place.under_way += [number for number in outcome.sent if number not in place.under_way]
        term, vote, _, last = self._of(node, outcome.node)
        before = place.saved[node]
        place.saved[node] = (term, vote)
        if term < before[0]:
            return "terms never go back"
        if term == before[0] and before[1] is not None and vote != before[1]:
            return "one vote a term"
        if vote is not None:
            place.votes.setdefault((term, repr(vote)), set()).add(node)
        if outcome.led and outcome.led > place.earlier.get(node, -1):
            return self._leads(place, node, outcome.led, last)
        return ""

    def _leads(self, place: _Place, node: NodeId, term: int, last: tuple[int, int]) -> str:
        if place.leaders.setdefault(term, node) != node:
            return "one leader a term"
        if len(place.votes.get((term, repr(node)), ())) < 2:
            return "elected by a majority"
        # (Its own first entry is the last of its log now, so the one before must be compared.)
        if place.committed > (0, 0) and last[1] - 1 < place.committed[1] and term > place.committed[0]:
            return "acknowledged writes stay"
        return ""

    # -- what is known --------------------------------------------------------------------------------

    def _outcome(self, event: Wait | Receive | Restart, number: int) -> Transition:
        node = event.node
        key = (node, number, event)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= self.extent.outcomes:
                raise _NoWay
            known = self._known[key] = self.model.outcome(event, number)
        if known.problem:
            raise _NoWay
        return known

    def _of(self, node: NodeId, number: int) -> _Facts:
        facts = self._facts.get((node, number))
        if facts is None:
            election = self.model.election(node, number)
            facts = self._facts[node, number] = _Facts(election.term, election.vote, election.leader, election.log.last)
        return facts

    def _with_log(self, node: NodeId, number: int, last: tuple[int, int]) -> int:
        key = (node, number, last)
        if key not in self._grown:
            self._grown[key] = self.model.with_log(node, number, last)
        return self._grown[key]
