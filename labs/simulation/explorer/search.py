"""Systematic search of an election: every order of messages and timeouts up to a bound. Can a term get two leaders?

Law of this module: nothing is left to chance. A state of the search is the state of each node's strategy, the messages
under way, and who has led which term; a step delivers one message, lets one node's election timeout expire, or crashes
a node and starts it again. Breadth first, so the first trace that is found is a shortest one.

A message that is never delivered is a lost one, so losses need no steps; equal messages under way count as one. Only
elections are searched: logs do not grow, and of the node there is the part that heartbeats and answers them. Clocks
are not compared between nodes: time passes at each as slowly or quickly as you like.

The idea is that of the search tests of DSLabs (E. Michael et al., "Teaching Rigorous Distributed Systems With
Efficient Model Checking", EuroSys 2019).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from time import perf_counter
from typing import NamedTuple

from labs.simulation.explorer.model import ElectionModel, NodeInput, Receive, Restart, Transition, Wait, step_in_words
from labs.simulation.explorer.snapshot import CannotSnapshot
from labs.trace import kinds
from labs.trace.events import Event
from replstore.core.election import Election, ElectionContext
from replstore.core.messages import NodeId

NODE_BITS = 20
LED_BITS = 12
CRASH_BITS = 4
NODE, LED, CRASH = (1 << NODE_BITS) - 1, (1 << LED_BITS) - 1, (1 << CRASH_BITS) - 1


@dataclass(frozen=True)
class Bound:
    """How far to look. `states`: give up after so many. `terms`: nobody goes beyond this term. `crashes`: in all.
    `waits`: how much time, in election timeouts, may pass at a node at once; a node that waits for longer acts after
    more than one of these steps. `duplicates`: a message may arrive again and again."""

    depth: int = 10
    states: int = 1_000_000
    terms: int = 1
    crashes: int = 0
    waits: tuple[float, ...] = (2.0,)
    duplicates: bool = False


@dataclass(frozen=True)
class Counterexample:
    """A run that breaks the rule: what is wrong, its steps in words, and its events (step 1 at 1 s, and so on)."""

    problem: str
    steps: tuple[str, ...]
    events: tuple[Event, ...] = ()

    def __str__(self) -> str:
        return "\n".join([f"{self.problem}:", *(f"{number:3}. {step}" for number, step in enumerate(self.steps, 1))])


@dataclass(frozen=True)
class SearchReport:
    """`depth`: up to how many steps every order was tried. `states`: different ones. `seconds`: of real time."""

    traces: tuple[Counterexample, ...]
    states: int
    depth: int
    seconds: float

    @property
    def states_per_second(self) -> float:
        return self.states / self.seconds

    def __str__(self) -> str:
        searched = f"{self.states} states, every order of up to {self.depth} steps"
        return "\n\n".join(map(str, self.traces)) or f"Never two leaders in a term: {searched}."


class Move(NamedTuple):
    """What a step does to a state, as numbers (see `Search`). `led`: the node begins to lead in this term."""

    delta: int
    sent: int
    led: int
    problem: str = ""


NOTHING = Move(0, 0, 0)
"""The step changes nothing, or leads beyond the bound."""


class Search:
    """A state is one number, for speed: the numbers of the nodes' states, of who led, of the crashes so far, and above
    them one bit for each message under way. What a step does to one node is worked out once (`ElectionModel`).
    """

    def __init__(
        self, strategy: Callable[[ElectionContext], Election], nodes: int = 3, bound: Bound | None = None
    ) -> None:
        self.bound = bound or Bound()
        self.model = ElectionModel(strategy, nodes)
        self._led: list[frozenset[tuple[int, NodeId]]] = [frozenset()]
        self._shifts = {name: NODE_BITS * number for number, name in enumerate(self.model.nodes)}
        self._led_at = NODE_BITS * nodes
        self._crashes_at = self._led_at + LED_BITS
        self._messages_at = self._crashes_at + CRASH_BITS
        self._mail: list[tuple[int, dict[int, Move], Receive]] = []
        """For each message: where its receiver's state is, what it does there, and what it is."""
        self._own: list[tuple[int, dict[int, Move], Wait | Restart]] = []
        """Likewise for what can happen to a node without a message."""
        for name, shift in self._shifts.items():
            self._own += [(shift, {}, Wait(name, timeouts)) for timeouts in self.bound.waits]
            if self.bound.crashes:
                self._own.append((shift, {}, Restart(name)))
        self._came_from: dict[int, int] = {}

    def run(self, every: bool = False) -> SearchReport:
        """Stop at the first violation; with `every`, find a shortest trace to each (term and pair of leaders). Raises
        `CannotSnapshot`."""
        try:
            return self._run(every)
        except SystemExit as end:  # it would end the search as if all were well
            raise CannotSnapshot("it ends the program in which it runs (sys.exit)") from end

    def _run(self, every: bool) -> SearchReport:
        began = perf_counter()
        start = sum(self.model.start(name) << shift for name, shift in self._shifts.items())
        self._came_from = {start: -1}
        frontier = [start]
        traces: dict[str, Counterexample] = {}
        depth = 0
        while frontier and depth < self.bound.depth and len(self._came_from) < self.bound.states:
            frontier, wrong = self._widen(frontier)
            depth += len(self._came_from) < self.bound.states
            for state, event, problem in wrong:
                if problem not in traces:
                    traces[problem] = self._trace(state, event, problem)
            if traces and not every:
                break
        found = tuple(traces.values()) if every else tuple(traces.values())[:1]
        return SearchReport(found, len(self._came_from), depth, perf_counter() - began)

    # -- the search -----------------------------------------------------------------------------------

    def _widen(self, frontier: list[int]) -> tuple[list[int], list[tuple[int, NodeInput, str]]]:
        """All new states one step away; and the steps that break the rule (they lead nowhere)."""
        came_from, limit = self._came_from, self.bound.states
        new: list[int] = []
        wrong: list[tuple[int, NodeInput, str]] = []
        for state in frontier:
            for successor, move, event in self._moves(state):
                if move.led:
                    successor, problem = self._lead(successor, move, event)
                    if problem:
                        wrong.append((state, event, problem))
                        continue
                if successor not in came_from:
                    came_from[successor] = state
                    new.append(successor)
            if len(came_from) >= limit:
                break
        return new, wrong

    def _moves(self, state: int) -> Iterator[tuple[int, Move, NodeInput]]:
        messages_at = self._messages_at
        for shift, known, event in self._own:
            node = state >> shift & NODE
            move = known.get(node) or self._work_out(node, shift, known, event)
            if move is not NOTHING and (type(event) is Wait or self._may_crash(state)):
                yield (state + move.delta) | move.sent, move, event
        under_way = state >> messages_at
        while under_way:
            bit = under_way & -under_way
            under_way ^= bit
            shift, known, mail = self._mail[bit.bit_length() - 1]
            node = state >> shift & NODE
            move = known.get(node) or self._work_out(node, shift, known, mail)
            if move is not NOTHING:
                rest = state if self.bound.duplicates else state ^ bit << messages_at
                yield (rest + move.delta) | move.sent, move, mail

    def _may_crash(self, state: int) -> bool:
        return (state >> self._crashes_at & CRASH) < self.bound.crashes

    def _work_out(self, node: int, shift: int, known: dict[int, Move], event: NodeInput) -> Move:
        """The first time that this happens to a node in this state: ask the model."""
        outcome = self.model.outcome(event, node)
        move = Move(self._delta(outcome, node, shift, event), self._post(outcome), outcome.led, outcome.problem)
        problem = outcome.problem
        if not problem and type(outcome.term) is not int:
            problem = f"TypeError: its term is {outcome.term!r}, not a whole number"
        if problem:
            move = move._replace(led=-1, problem=problem)
        elif outcome.term > self.bound.terms or (outcome.node == node and not outcome.sent):
            move = NOTHING
        known[node] = move
        return move

    def _delta(self, outcome: Transition, node: int, shift: int, event: NodeInput) -> int:
        crashes = 1 << self._crashes_at if type(event) is Restart else 0
        return ((outcome.node - node) << shift) + crashes

    def _post(self, outcome: Transition) -> int:
        """The bits of the messages; a message not seen before gets the next one."""
        bits = 0
        for number in outcome.sent:
            while number >= len(self._mail):
                mail = self.model.mail[len(self._mail)]
                self._mail.append((self._shifts[mail.node], {}, mail))
            bits |= 1 << (self._messages_at + number)
        return bits

    def _lead(self, state: int, move: Move, event: NodeInput) -> tuple[int, str]:
        """Enter into the state that the node leads; or say what is wrong with that."""
        if move.problem:
            return state, f"{event.node} raises {move.problem}"
        number = state >> self._led_at & LED
        others = {node for term, node in self._led[number] if term == move.led} - {event.node}
        if others:
            return state, f"{' and '.join(sorted({event.node, *others}))} are both leaders of term {move.led}"
        led = self._led[number] | {(move.led, event.node)}
        if led not in self._led:
            self._led.append(led)
        return state + ((self._led.index(led) - number) << self._led_at), ""

    # -- the counterexample ----------------------------------------------------------------------------

    def _trace(self, state: int, last: NodeInput, problem: str) -> Counterexample:
        events = [(state, last)]
        while (before := self._came_from[state]) != -1:
            events.append((before, self._event_between(before, state)))
            state = before
        events.reverse()
        return Counterexample(problem, tuple(self._in_words(*pair) for pair in events), tuple(self._run_of(events)))

    def _run_of(self, steps: list[tuple[int, NodeInput]]) -> Iterator[Event]:
        """The steps as the events of a run, to be drawn: what each node received, sent and noted."""
        numbers = count(1)
        for name in self.model.nodes:
            yield Event(0.0, name, "fault", kinds.START, next(numbers))
        for time, (state, step) in enumerate(steps, 1):
            before = state >> self._shifts[step.node] & NODE
            for event in self.model.events(step, before):
                yield event._replace(time=event.time + time, seq=next(numbers))

    def _event_between(self, before: int, after: int) -> NodeInput:
        for successor, move, event in self._moves(before):
            if (self._lead(successor, move, event)[0] if move.led else successor) == after:
                return event
        raise AssertionError("a state has the step that led to it")

    def _in_words(self, state: int, event: NodeInput) -> str:
        node = state >> self._shifts[event.node] & NODE
        return step_in_words(event, self.model, node)
