"""What a rule looks at, and what it says: the words in which all rules are written.

Law of this module: values only. `TraceView` is a run as it can be seen from outside: events, and how the nodes ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from labs.simulation.schedule import Run
from labs.trace.events import Event

RECOVERY = 10
"""Election timeouts that a mended cluster has to find one leader, whom everybody follows."""


@dataclass(frozen=True)
class Claims:
    """What the strategy under test says of itself; a rule that needs a claim is not applied without it.

    `votes`: leaders are elected by majority. `steps_down`: a leader that hears no majority steps down. `pre_vote`:
    a node that cannot win disturbs nobody. `by_messages`: nodes learn of votes and leaders by messages alone, as those
    of a simulated run do not have to, which may share memory or follow a script.
    """

    votes: bool = True
    steps_down: bool = False
    pre_vote: bool = False
    by_messages: bool = False


@dataclass(frozen=True)
class TraceView:
    """Everything a rule may look at. Times in seconds; `events` in the order in which they happened.

    `slowest`: how long a message may be under way (until the run is mended, where there is a `run`).
    """

    events: Sequence[Event]
    node_ids: tuple[str, ...]
    timeout: float
    slowest: float
    claims: Claims
    mode: str = "quorum"
    run: Run | None = None

    @property
    def majority(self) -> int:
        return len(self.node_ids) // 2 + 1

    @property
    def bound(self) -> float:
        """Seconds in which a mended cluster has to find a leader."""
        return RECOVERY * self.timeout

    @cached_property
    def story(self) -> list[Event]:
        """What the nodes say and what is done to them, without the messages."""
        return [event for event in self.events if event.event in ("note", "fault")]

    def noted(self, *kinds: str) -> list[Event]:
        return [event for event in self.story if event.event == "note" and event.kind in kinds]

    @property
    def quick_from(self) -> float:
        """From when on messages travel quickly enough for the election timeout. On a slower network an election that
        nobody needs, or that nobody wins, is no fault."""
        if self.slowest <= self.timeout / 4:
            return 0.0
        return self.run.schedule.length if self.run is not None else float("inf")

    @property
    def settled(self) -> Run | None:
        """The run, if it was mended in the end and then given the time to recover."""
        run = self.run
        long_enough = run is not None and run.failure is None and run.schedule.calm >= self.bound
        return run if long_enough else None


@dataclass(frozen=True)
class Violation:
    """A broken rule. `text` is the evidence in words; `events` are the sequence numbers of what proves it."""

    rule: str
    sentence: str
    text: str
    time: float
    nodes: tuple[str, ...]
    events: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.rule} at {self.time:.3f} s: {self.sentence}. {self.text}"


Finding = tuple[str, float, tuple[str, ...], tuple[int, ...]]
"""A violation's `text`, `time`, `nodes` and `events`."""


@dataclass(frozen=True)
class Rule:
    """`sentence` states what must hold; `find` yields what breaks it; `needs`: the claim without which it does not."""

    name: str
    sentence: str
    find: Callable[[TraceView], Iterable[Finding]]
    needs: Callable[[Claims], bool] = lambda claims: True

    def check(self, evidence: TraceView) -> list[Violation]:
        if not self.needs(evidence.claims):
            return []
        return [Violation(self.name, self.sentence, *finding) for finding in self.find(evidence)]


def proven(text: str, *proof: Event) -> Finding:
    """A finding that these events prove, the last of them being the offence."""
    return text, proof[-1].time, tuple(dict.fromkeys(e.node for e in proof if e.node)), tuple(e.seq for e in proof)


def in_the_end(evidence: TraceView, text: str, *nodes: str) -> Finding:
    """A finding about how the run ended."""
    return text, evidence.events[-1].time if evidence.events else 0.0, nodes, ()
