"""Exercise 3: runs of the student's election in a simulated cluster, judged by the rules of `labs.rules`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from labs.grading.check import Check, CheckOutcome, Scene, StudentCode, broken_off, failed, passed
from labs.grading.checks import ex3_runs as runs
from labs.grading.checks.ex3_telling import deeds, what_happened
from labs.grading.checks.ex3_witnesses import (
    Witness,
    leaders_were_told_something,
    nothing_to_show,
    somebody_led,
    somebody_voted_for_another,
)
from labs.grading.election_gateway import readable
from labs.grading.errors import ErrorKind, GraderError, StudentError
from labs.pictures import page, spacetime_svg
from labs.rules import RULES, Claims, Rule, Violation, check_run
from labs.simulation.schedule import Run, Schedule
from labs.trace.events import Event
from labs.trace.timeline import excerpt

BY_NAME = {rule.name: rule for rule in RULES}
IN_BOUNDED_TIME = frozenset(
    {"a leader is back in time", "a settled cluster stays settled", "a leadership lasts with a majority"}
)
"""Rules that dice may break in a right design, if seldom: each of them says that an election is over in time."""
OTHER_DICE = 7919
"""Added to a schedule's seed for the same situation with other dice; far from the seeds that others use."""
MORE_RUNS, TOO_OFTEN = 4, 2
"""Runs with other dice, and in how many of these no right design breaks such a rule again."""
VOTES = Claims(votes=True, by_messages=True)
FOUND_BY_SEARCH = (
    "A search through orders of messages, timeouts and crashes has found this run: each message arrives when a step"
    " of it says so, and a clock moves only when its node's timer is let run out."
)
WINDOW = 1.5
"""Seconds before the violation that its picture shows."""

COMPARED = 2
"""Of a part's runs, those in which the second run makes sure that the answers do not change."""
MOST_SEEDS, FULL_SEEDS = 4, 2
"""What a run shows, it shows with nearly every seed (`python -m tools.finding`): all runs are made with two seeds, and
those that need luck with two more."""


@dataclass(frozen=True)
class SearchResult:
    """How many runs it took, and what was wrong with the last of them, in order of time."""

    count: int
    run: Run | None = None
    violations: tuple[Violation, ...] = ()
    nothing_shown: str | None = None


@dataclass(frozen=True)
class Part:
    """Some rules, and the runs in which to look for what breaks them.

    Rules in `always` are looked after in the other parts' runs, too: what must never happen must not happen there.
    """

    id: str
    title: str
    points: float
    rules: tuple[str, ...]
    schedules: Callable[[int], Iterable[Schedule]]
    """The runs for a seed."""
    hint: str
    lucky: int = 0
    """The last so many of the runs show some mistakes with some dice only."""
    claims: Claims = VOTES
    depends_on: tuple[str, ...] = ("ex3.elects",)
    witness: Witness = nothing_to_show
    always: tuple[str, ...] = ()
    own_dice: bool = False

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
            most=MOST_SEEDS,
            again=1,
            own_dice=self.own_dice,
        )

    def runs(self, seed: int, full: bool = True) -> list[Schedule]:
        """For a seed; those alone that need luck, if it is not to be all of them."""
        own = list(self.schedules(seed))
        return own if full else own[len(own) - self.lucky :]

    def search(self, code: StudentCode, seeds: Iterable[int], full: bool = True) -> SearchResult:
        """Run until a rule is broken."""
        simulate = code.simulate
        rules = [BY_NAME[name] for name in self.rules]
        always = [BY_NAME[name] for name in self.always]
        count = 0
        for seed in seeds:
            own = self.runs(seed, full)
            runs = []
            for schedule in code.cases(own, COMPARED):
                run = simulate(schedule)
                count += 1
                if run.error is not None:
                    return SearchResult(count, run)
                violations = _violations(run, self.claims, rules)
                if violations and not self._was_bad_luck(violations, rules, schedule, simulate):
                    return SearchResult(count, run, violations)
                runs.append(run)
            if len(runs) < len(own):
                continue  # the second run: these answers were compared, and all are judged in the first
            if full and (missing := self.witness(runs)) is not None:
                return SearchResult(count, missing[0], nothing_shown=missing[1])
            for schedule in self._others(seed, own, full):
                run = simulate(schedule)
                count += 1
                if violations := _violations(run, VOTES, always):
                    return SearchResult(count, run, violations)
                if run.error is not None:
                    break  # that part tells of it
        return SearchResult(count)

    def _was_bad_luck(
        self,
        violations: tuple[Violation, ...],
        rules: list[Rule],
        schedule: Schedule,
        simulate: Callable[[Schedule], Run],
    ) -> bool:
        """Candidates with random timeouts may meet again and again, seldom, until it is too late: a run in which only
        a bound on time is broken counts if that happens with other dice as well, twice in four runs."""
        if any(violation.rule not in IN_BOUNDED_TIME for violation in violations):
            return False
        broken = 0
        for number in range(1, MORE_RUNS + 1):
            run = simulate(replace(schedule, seed=schedule.seed + number * OTHER_DICE))
            broken += run.error is not None or bool(_violations(run, self.claims, rules))
            if broken == TOO_OFTEN or number - broken > MORE_RUNS - TOO_OFTEN:
                break
        return broken < TOO_OFTEN

    def _others(self, seed: int, own: list[Schedule], full: bool) -> Iterator[Schedule]:
        if self.always:
            others = [schedule for part in PARTS if part is not self for schedule in part.runs(seed, full)]
            yield from (schedule for schedule in dict.fromkeys(others) if schedule not in own)

    def _judge(self, code: StudentCode) -> CheckOutcome:
        for number, seed in enumerate(code.seeds[:MOST_SEEDS], code.seeds_before):
            result = self.search(code, [seed], number < FULL_SEEDS)
            run = result.run
            replay = f"replab check ex3 --only ex3.{self.id} --seed {seed}"
            if run is not None and run.error is not None and not result.violations:
                return _broken_off(run, run.error)
            if run is not None and result.violations:
                return _violated(run, result.violations, replay, self._how_often(code, seed, run))
            if run is not None:
                scene = Scene(run.schedule.length, run)
                return failed(
                    result.nothing_shown or "",
                    evidence=(f"The run: {_manners(run.schedule)}.", *deeds(run, run.schedule.length)),
                    scene=scene,
                    replay=replay,
                )
        return self._searched(code) or passed()

    def _searched(self, code: StudentCode) -> CheckOutcome | None:
        """What a search has found, if a run of real nodes shows it, too: further evidence for what must never
        happen."""
        always = [BY_NAME[name] for name in self.always]
        for schedule in code.suspects() if always else ():
            run = code.simulate(schedule)
            if run.error is None and (violations := _violations(run, VOTES, always)):
                return _violated(run, violations, f"replab check ex3 --only ex3.{self.id}", FOUND_BY_SEARCH)
        return None

    def _how_often(self, code: StudentCode, seed: int, failed_run: Run) -> str:
        """In how many of the part's runs of this seed its rules are broken; where it was one of another part, only
        that."""
        own = [replace(schedule, dice=failed_run.schedule.dice) for schedule in self.schedules(seed)]
        if failed_run.schedule not in own:
            return "It happened in a run of another check."
        rules, broken, ended = [BY_NAME[name] for name in self.rules], 0, 0
        for schedule in own:
            run = failed_run if schedule == failed_run.schedule else code.simulate(schedule)
            ended += run.error is not None
            broken += run.error is None and bool(_violations(run, self.claims, rules))
        errors = f", and an error ended {ended}" if ended else ""
        return f"It fails in {broken} of {len(own)} runs with this seed{errors}."


def _violations(run: Run, claims: Claims, rules: list[Rule]) -> tuple[Violation, ...]:
    return tuple(sorted(check_run(run, claims, rules), key=lambda violation: violation.time))


def _broken_off(run: Run, error: Exception) -> CheckOutcome:
    """An exception ended the run. It can be opened, unless the strategy never came back: it would not again."""
    if not isinstance(error, StudentError):
        raise GraderError(f"{type(error).__name__}: {error}") from error  # not the student's: there must be no mark
    opens = error.kind is ErrorKind.RAISED and run.trace
    return broken_off(error, Scene(run.trace[-1].time, run) if opens else None)


def _violated(run: Run, violations: tuple[Violation, ...], replay: str, often: str) -> CheckOutcome:
    """`often`: in how many runs, in a sentence."""
    violation = violations[0]
    broken = list(dict.fromkeys(other.sentence for other in violations))
    happened, moment = what_happened(run, violations)
    moment = max(moment, violation.time)
    same = happened.casefold().startswith(violation.text.casefold())
    window = (max(0.0, violation.time - WINDOW, moment - 2 * WINDOW), moment + 0.2)
    events = _events(run)
    near = excerpt(events, window[0] - 1, window[1] + 1)
    title = f"✗ Broken: {violation.sentence}"
    return failed(
        f"{happened} {often}",
        evidence=(
            *(f"Broken: {sentence}." for sentence in broken),
            *([] if same else [f"First seen at {violation.time:.3f} s: {violation.text}."]),
            f"The run: {_manners(run.schedule)}.",
            *deeds(run, moment),
        ),
        picture=spacetime_svg(
            near, node_ids=run.node_ids, window=window, highlight=violation.events, origin=0.0, title=title
        ),
        page=lambda: page(events, node_ids=run.node_ids, highlight=violation.events, origin=0.0, title=title),
        scene=Scene(violation.time, run, violation.events),
        replay=replay,
    )


def _events(run: Run) -> list[Event]:
    return readable(run.trace)


def _manners(schedule: Schedule) -> str:
    """How many nodes, and how quick things are."""
    return (
        f"{schedule.nodes} nodes, seed {schedule.seed}, messages take {1000 * schedule.fastest:g}…"
        f"{1000 * schedule.slowest:g} ms, election timeout {1000 * schedule.timeout:g} ms"
    )


# --------------------------------------------------------------------------------------------------------

# "One leader a term" is looked after by two parts together: where each has one vote and a majority elects, there can be
# no second leader. A part of its own would take points twice for either mistake.
NEED_A_MAJORITY = ("ex3.elects", "ex3.majority")
"""What a leader does who was not elected shows nothing."""

PARTS: tuple[Part, ...] = (
    Part(
        "elects",
        "A leader is elected, and another when it crashes",
        10,
        ("a leader is back in time",),
        runs.elections,
        "A candidate that does not win must try again, whoever is dead; a heartbeat of this term or a later one has a"
        " leader behind it.",
        lucky=1,
        depends_on=(),
        witness=leaders_were_told_something,
    ),
    Part(
        "votes",
        "One vote a term, also across a crash",
        10,
        ("one vote a term",),
        runs.votes,
        "Set self.vote before you answer, to your own id when you ask; forget it only when a later term begins.",
        witness=somebody_voted_for_another,
        always=("one vote a term",),
    ),
    Part(
        "terms",
        "A later term ends an earlier leadership",
        10,
        (
            "terms never go back",
            "a leader is followed in its own term",
            "one leader in the end",
            "everybody follows in the end",
        ),
        runs.terms,
        "Whatever message has a later term, HeartbeatReply included: take that term, with no vote and no leader yet."
        " A heartbeat of an earlier term comes from a leader of the past: do not follow it.",
        always=("terms never go back", "a leader is followed in its own term"),
    ),
    Part(
        "majority",
        "A majority of all nodes elects",
        10,
        ("elected by a majority", "followers were told"),
        runs.majorities,
        "Count each voter once, votes of this term only, and compare with self.majority, not with who seems to live."
        " Nodes learn of each other by messages alone: what a class or module holds is not shared by real nodes.",
        always=("elected by a majority", "followers were told"),
    ),
    Part(
        "log",
        "No acknowledged write is lost",
        20,
        ("acknowledged writes stay", "committed entries stay", "commits never go back", "logs match"),
        runs.tails,
        "Grant a vote only if the candidate's (term, index) is not smaller than self.log.last: the term counts first.",
        depends_on=("ex3.elects", "ex3.votes", "ex3.majority"),
        always=("acknowledged writes stay", "committed entries stay", "commits never go back", "logs match"),
    ),
    Part(
        "randomized-timeout",
        "A leader is back in time, and then stays",
        20,
        ("a leader is back in time", "a settled cluster stays settled", "a leadership lasts with a majority"),
        runs.randomized_timeouts,
        "Draw a new timeout between one and two times self.timeout whenever you begin to wait: at a heartbeat, when you"
        " grant a vote, when you ask for votes. Not when you refuse one.",
        lucky=1,
        own_dice=True,
        depends_on=NEED_A_MAJORITY,
    ),
    Part(
        "quorum",
        "A leader without a majority steps down",
        10,
        ("a leader without a quorum steps down",),
        runs.without_quorum,
        "Note when each follower was heard last (HeartbeatReply); without a majority for self.timeout set self.leader"
        " to None.",
        claims=Claims(votes=True, steps_down=True),
        depends_on=NEED_A_MAJORITY,
        witness=somebody_led(runs.DUE),
    ),
    Part(
        "pre-vote",
        "A returning node leaves a healthy leader alone",
        10,
        ("a healthy leader is left alone",),
        runs.visitors,
        "Before you begin a new term ask whether you could win it, and do not change term or vote for this question;"
        " a node that hears a leader answers no.",
        lucky=3,
        claims=Claims(votes=True, pre_vote=True),
        depends_on=NEED_A_MAJORITY,
        witness=somebody_led(runs.DUE),
    ),
)


def checks(level: str) -> list[Check]:
    return [part.check() for part in PARTS]
