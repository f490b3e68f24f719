"""Exercise 3: runs of the student's election in a simulated cluster, judged by the rules of `labs.rules`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from labs.grading.check import Check, CheckOutcome, Scene, StudentCode, broken_off, failed, passed
from labs.grading.checks import ex3_runs as runs
from labs.grading.election_gateway import readable
from labs.grading.errors import ErrorKind, GraderError, StudentError
from labs.pictures import page, spacetime_svg
from labs.rules import RULES, Claims, Violation, check_run
from labs.simulation.schedule import Run, Schedule
from labs.trace import kinds
from labs.trace.events import Event

BY_NAME = {rule.name: rule for rule in RULES}
WINDOW = 1.5
"""Seconds before the violation that its picture shows."""

MOST_SEEDS = 4
"""The visible ones and one more. An instructor has others, but each gives several runs, and a grading has to end."""

Witness = Callable[[Run], str | None]
"""What the run was to show and did not, if so: then it proves nothing in favour of the strategy."""


@dataclass(frozen=True)
class SearchResult:
    """How many runs it took, and what was wrong with the last of them, in order of time."""

    count: int
    run: Run | None = None
    violations: tuple[Violation, ...] = ()
    nothing_shown: str | None = None


@dataclass(frozen=True)
class Part:
    """Some rules, and the runs in which to look for what breaks them."""

    id: str
    title: str
    points: float
    rules: tuple[str, ...]
    schedules: Callable[[int], Iterable[Schedule]]
    """The runs for a seed."""
    hint: str
    claims: Claims = field(default_factory=Claims)
    depends_on: tuple[str, ...] = ("ex3.elects",)
    witness: Witness = lambda run: None

    def check(self) -> Check:
        sentences = ". ".join(BY_NAME[name].sentence for name in self.rules)
        return Check(
            f"ex3.{self.id}",
            "ex3",
            self.title,
            self.points,
            self._judge,
            rule=sentences + ".",
            hint=self.hint,
            depends_on=self.depends_on,
            again=1,
        )

    def search(self, simulate: Callable[[Schedule], Run], seeds: Iterable[int]) -> SearchResult:
        """Run until a rule is broken. `simulate` carries one schedule out with the election under test."""
        rules = [BY_NAME[name] for name in self.rules]
        count = 0
        for schedule in self._all(seeds):
            run = simulate(schedule)
            count += 1
            if run.error is not None:
                return SearchResult(count, run)
            violations = sorted(check_run(run, self.claims, rules), key=lambda violation: violation.time)
            if violations:
                return SearchResult(count, run, tuple(violations))
            if (missing := self.witness(run)) is not None:
                return SearchResult(count, run, nothing_shown=missing)
        return SearchResult(count)

    def _all(self, seeds: Iterable[int]) -> Iterator[Schedule]:
        for seed in seeds:
            yield from self.schedules(seed)

    def _judge(self, code: StudentCode) -> CheckOutcome:
        for seed in code.seeds[:MOST_SEEDS]:
            result = self.search(code.simulate, [seed])
            run = result.run
            replay = f"replab check ex3 --only ex3.{self.id} --seed {seed}"
            if run is not None and run.error is not None:
                return _broken_off(run, run.error)
            if run is not None and result.violations:
                return _violated(run, result.violations, replay, several=len(self.rules) > 1)
            if run is not None:
                scene = Scene(run.schedule.length, run)
                return failed(result.nothing_shown or "", evidence=_facts(run.schedule), scene=scene, replay=replay)
            code.settle()
        return passed()


def _broken_off(run: Run, error: Exception) -> CheckOutcome:
    """An exception ended the run. It can be opened, unless the strategy never came back: it would not again."""
    if not isinstance(error, StudentError):
        raise GraderError(f"{type(error).__name__}: {error}") from error  # not the student's: there must be no mark
    opens = error.kind is ErrorKind.RAISED and run.trace
    return broken_off(error, Scene(run.trace[-1].time, run) if opens else None)


def _violated(run: Run, violations: tuple[Violation, ...], replay: str, several: bool) -> CheckOutcome:
    """`several`: the check has more than one rule, so it has to be said which."""
    violation = violations[0]
    others = dict.fromkeys(other.sentence for other in violations if other.rule != violation.rule)
    window = (max(0.0, violation.time - WINDOW), violation.time + 0.2)
    events = _events(run)
    near = [event for event in events if window[0] - 1 <= event.time <= window[1] + 1]
    return failed(
        f"{violation.sentence}: {violation.text}" if several else violation.text,
        evidence=(
            f"seen at {violation.time:.3f} s",
            *_facts(run.schedule, violation.time),
            *(f"nor does this hold in the run: {sentence}" for sentence in others),
        ),
        picture=spacetime_svg(near, node_ids=run.node_ids, window=window, highlight=violation.events, origin=0.0),
        page=lambda: page(
            events, node_ids=run.node_ids, highlight=violation.events, origin=0.0, title=violation.sentence
        ),
        scene=Scene(violation.time, run, violation.events),
        replay=replay,
    )


def _events(run: Run) -> list[Event]:
    return readable(run.trace)


def _facts(schedule: Schedule, until: float = float("inf")) -> tuple[str, ...]:
    """What was done to the cluster."""
    steps = [step for step in schedule.steps if step.time <= until]
    manners = f", messages take {1000 * schedule.fastest:g}…{1000 * schedule.slowest:g} ms"
    return (
        f"{schedule.nodes} nodes, seed {schedule.seed}{manners}, election timeout {1000 * schedule.timeout:g} ms",
        *(f"{step.time:.2f} s: {step.action} {' '.join(map(_words, step.args))}".rstrip() for step in steps[-8:]),
    )


def _words(argument: object) -> str:
    return " + ".join(map(_words, argument)) if isinstance(argument, tuple) else str(argument)


# --------------------------------------------------------------------------------------------------------
# Witnesses


def _somebody_led(begin: float, end: float) -> Witness:
    """The same node, in the same term, from `begin` to `end`."""

    def witness(run: Run) -> str | None:
        changes = [e for e in run.trace if e.event == "note" and e.kind in (kinds.BECAME_LEADER, kinds.STEPPED_DOWN)]
        before = [e for e in changes if e.time <= begin]
        if before and before[-1].kind == kinds.BECAME_LEADER and not any(begin < e.time <= end for e in changes):
            return None
        return f"no leader lasted from {begin:g} s to {end:g} s, so what it would have done afterwards cannot be seen"

    return witness


# --------------------------------------------------------------------------------------------------------

# "One leader a term" is looked after by two parts together: where each has one vote and a majority elects, there can be
# no second leader. A part of its own would take points twice for either mistake.
PARTS = (
    Part(
        "elects",
        "A leader is elected, and another when it crashes",
        10,
        ("a leader is back in time",),
        runs.elections,
        "A candidate that does not win must try again, whoever is dead; a heartbeat of this term or a later one has a"
        " leader behind it.",
        depends_on=(),
    ),
    Part(
        "votes",
        "One vote a term, also across a crash",
        10,
        ("one vote a term",),
        runs.votes,
        "Set self.vote before you answer, to your own id when you ask; forget it only when a later term begins.",
    ),
    Part(
        "terms",
        "A later term ends an earlier leadership",
        10,
        ("terms never go back", "one leader in the end", "everybody follows in the end"),
        runs.terms,
        "Whatever message has a later term, HeartbeatReply included: take that term, with no vote and no leader yet.",
    ),
    Part(
        "majority",
        "A majority of all nodes elects",
        10,
        ("elected by a majority",),
        runs.majorities,
        "Count each voter once, votes of this term only, and compare with self.majority, not with who seems to live.",
    ),
    Part(
        "log",
        "No acknowledged write is lost",
        20,
        ("acknowledged writes stay", "committed entries stay", "commits never go back", "logs match"),
        runs.tails,
        "Grant a vote only if the candidate's (term, index) is not smaller than self.log.last: the term counts first.",
        depends_on=("ex3.elects", "ex3.votes", "ex3.majority"),
    ),
    Part(
        "randomized-timeout",
        "A leader is back in time, and then stays",
        20,
        ("a leader is back in time", "a settled cluster stays settled"),
        runs.randomized_timeouts,
        "Draw a new timeout between one and two times self.timeout whenever you begin to wait: at a heartbeat, when you"
        " grant a vote, when you ask for votes. Not when you refuse one.",
    ),
    Part(
        "quorum",
        "A leader without a majority steps down",
        10,
        ("a leader without a quorum steps down",),
        runs.without_quorum,
        "Note when each follower was heard last (HeartbeatReply); without a majority for self.timeout set self.leader"
        " to None.",
        Claims(votes=True, steps_down=True),
        witness=_somebody_led(1.5, 1.6),
    ),
    Part(
        "pre-vote",
        "A returning node leaves a healthy leader alone",
        10,
        ("a healthy leader is left alone",),
        runs.visitors,
        "Before you begin a new term ask whether you could win it, and do not change term or vote for this question;"
        " a node that hears a leader answers no.",
        Claims(votes=True, pre_vote=True),
        witness=_somebody_led(1.6, 2.5),
    ),
)


def checks(level: str) -> list[Check]:
    return [part.check() for part in PARTS]
