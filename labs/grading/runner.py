"""One submission through all checks.

Law of this module: the verdict is formed here. A check's outcome counts only if the check function returned it; what
student code raises is the student's fault, anything else that is raised is the grader's, and then there is no mark.

Rules that a report follows:

* A check that builds on others is skipped unless all of them passed.
* A check is run twice, the second time with another order of sets, in a new process, and with as many of the seeds or
  cases as it asks for. If the answers differ, the worse outcome counts, and the result is marked as not deterministic.
* Where there is a lane (a second process), it makes some of the attempts. Without one they are divided and charged in
  the same way, so the marks are the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from difflib import get_close_matches

from labs.grading import lane as lanes
from labs.grading.attempt import Attempt, AttemptLane, Attempts, InLane, Job, Portion, status_of
from labs.grading.check import Check, CheckOutcome, broken_off, failed
from labs.grading.errors import ErrorKind, GraderError, StudentError
from labs.grading.forbidden_dice import forbidden_dice
from labs.grading.results import CheckResult, ExerciseSummary, Particulars, Report, Status, clean, clean_all
from labs.grading.sandbox.opening import best_isolation
from labs.grading.session import Budget, SubmissionTime
from labs.grading.settings import CheckSuite, GradingSettings
from labs.grading.submission.submission import Submission
from labs.lesson.exercises import EXERCISES, Exercise

Listener = Callable[[CheckResult, CheckOutcome], None]
"""Is told each result as soon as it is there."""


def grade(
    submission: Submission,
    suite: CheckSuite,
    settings: GradingSettings | None = None,
    listener: Listener | None = None,
    stop: Callable[[], bool] = lambda: False,
    lane: AttemptLane | None = None,
) -> Report:
    """Raises `GraderError` only if nothing can be graded at all, as without a working sandbox. As soon as `stop()` is
    true, it ends what it has started and raises `Stopped`. `lane`: see `open_lane`."""
    settings = settings or GradingSettings()
    settings = replace(settings, isolation=settings.isolation or best_isolation())
    return _Grading(submission, suite, settings, listener or _nobody, stop, lane).run()


@contextmanager
def open_lane(submission: Submission, suite: CheckSuite, settings: GradingSettings) -> Iterator[AttemptLane | None]:
    """A second process for `grade` with the same arguments, to do about half of the work; None where that cannot be. To
    be opened before this process starts any threads."""
    if not lanes.possible():
        yield None
        return
    settings = replace(settings, isolation=settings.isolation or best_isolation())
    checks = {check.id: check for check in asked(suite, settings)}
    with AttemptLane(InLane(submission, settings, checks)) as lane:
        yield lane


def _nobody(result: CheckResult, outcome: CheckOutcome) -> None:
    pass


def asked(suite: CheckSuite, settings: GradingSettings) -> list[Check]:
    """The checks that these settings ask for. Raises `GraderError` for a name in `only` that means none."""
    checks = suite.checks(settings.level, settings.seeds)
    if unknown := unknown_name(settings.only, checks):
        raise GraderError(unknown)
    only = settings.only
    return [check for check in checks if not only or check.exercise in only or check.id in only]


def unknown_name(only: Iterable[str], checks: Sequence[Check]) -> str | None:
    """What to say about the first name in `only` that is neither an exercise nor a check; None if all are known."""
    exercises = [exercise.id for exercise in EXERCISES if any(check.exercise == exercise.id for check in checks)]
    known = [*exercises, *(check.id for check in checks)]
    for name in only:
        if name not in known:
            near = [one for one in known if one.lower() == name.strip().lower()]
            near = near or get_close_matches(name.lower(), known, 1, 0.8)
            hint = f": did you mean {near[0]}?" if near else "."
            return f"there is no check {name[:60]!r}{hint} There are {', '.join(known)}."
    return None


def ungraded(name: str, suite: CheckSuite, settings: GradingSettings, why: str, details: str) -> Report:
    """The report of a submission that the grader failed to grade: no mark. `details`: for the instructor."""
    outcome = failed(f"the grader failed: {why}")
    checks = asked(suite, settings)
    results = tuple(_from_outcome(check, Status.ERROR, outcome) for check in checks)
    return Report(
        submission=name,
        level=settings.level,
        suite=suite.name,
        seeds=settings.seeds,
        isolation=settings.isolation.describe() if settings.isolation is not None else "",
        fingerprint="",
        exercises=tuple(_summary(exercise, results, present=True) for exercise in EXERCISES),
        checks=results,
        run=Particulars(datetime.now(UTC).isoformat(timespec="seconds"), errors={"submission": clean(details)}),
    )


def _summary(exercise: Exercise, results: Iterable[CheckResult], *, present: bool) -> ExerciseSummary:
    mine = [result for result in results if result.check["exercise"] == exercise.id]
    return ExerciseSummary(
        exercise.id,
        exercise.title,
        exercise.file_name,
        present=present,
        earned=round(sum(result.earned for result in mine), 2),
        points=round(sum(result.points for result in mine), 2),
    )


Judged = tuple[CheckResult, CheckOutcome]


@dataclass
class _Notebook:
    """What the grading writes down as it goes."""

    seconds: dict[str, float] = field(default_factory=dict)
    output: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)


class _Grading:
    def __init__(
        self,
        submission: Submission,
        suite: CheckSuite,
        settings: GradingSettings,
        listener: Listener,
        stop: Callable[[], bool],
        lane: AttemptLane | None,
    ) -> None:
        self._stop = stop
        self._submission = submission
        self._listener = listener
        self._suite = suite
        self._settings = settings
        self._lane = lane
        self._lane_forgets = False
        self._written = _Notebook()
        self._results: dict[str, CheckResult] = {}
        self._time = SubmissionTime(settings.limits)
        self._attempts = Attempts(submission, settings, stop, self._time)
        self._dice = self._attempts.dice

    def run(self) -> Report:
        begun = time.monotonic()
        checks = asked(self._suite, self._settings)
        _require_order(checks)
        for exercise in EXERCISES:
            self._grade_exercise(exercise, [check for check in checks if check.exercise == exercise.id])
        self._written.seconds["total"] = round(time.monotonic() - begun, 3)
        return self._report()

    def _grade_exercise(self, exercise: Exercise, checks: list[Check]) -> None:
        if not checks:
            return
        budget = Budget(self._settings.limits.exercise)
        self._forget()
        blocked = self._try_to_load(exercise, budget)
        for check in checks:
            result, outcome = self._blocked(check, blocked) or self._skip(check) or self._judge(check, budget)
            self._results[check.id] = result
            self._listener(result, outcome)

    def _forget(self) -> None:
        self._attempts.forget()
        self._lane_forgets = True

    def _blocked(self, check: Check, why: tuple[Status, CheckOutcome] | None) -> Judged | None:
        return None if why is None else (_from_outcome(check, *why), why[1])

    def _try_to_load(self, exercise: Exercise, budget: Budget) -> tuple[Status, CheckOutcome] | None:
        """Why no check of this exercise can be run; None if they can."""
        if exercise.id in self._submission.problems:
            return Status.FAILED, failed(self._submission.problems[exercise.id])
        if exercise.id not in self._submission.sources:
            return Status.NOT_ATTEMPTED, failed(f"{exercise.file_name} is missing from the submission")
        try:
            with self._attempts.session(exercise, Portion(self._settings.seeds), budget) as session:
                session.load()
        except StudentError as error:
            outcome = broken_off(error)
            return status_of(outcome), outcome
        return None

    def _skip(self, check: Check) -> Judged | None:
        for name in check.depends_on:
            needed = self._results.get(name)
            if needed is None or needed.status is Status.PASSED:
                continue  # not asked for, or fine
            reason = f"builds on “{needed.check['title']}”, which {_did(needed.status)}"
            untouched = needed.status is Status.NOT_ATTEMPTED
            status, outcome = Status.NOT_ATTEMPTED if untouched else Status.SKIPPED, failed(reason)
            return _from_outcome(check, status, outcome), outcome
        return None

    # -- one check ------------------------------------------------------------------------------------

    def _judge(self, check: Check, budget: Budget) -> Judged:
        here, there, again = _portions(check, self._settings.seeds)
        lane = self._begin_in_lane(check, [one for one in (again, there) if one is not None], budget)
        first = self._noted(check, self._attempts.make(check, here, budget))
        second = None
        if again is not None and first.worth_repeating:
            second = self._attempt(check, again, budget, lane)
        if there is not None and first.status is Status.PASSED:
            first = first.then(self._attempt(check, there, budget, lane, first.seconds))
            second = second if first.worth_repeating else None
        if lane is not None:
            lane.give_up()
        if second is None:
            self._forget()  # both runs of a check find the same runs of earlier ones
        return self._result(check, first, second)

    def _begin_in_lane(self, check: Check, portions: list[Portion], budget: Budget) -> AttemptLane | None:
        """The lane, if it makes these attempts."""
        if self._lane is None or not portions:
            return None
        job = Job(check.id, tuple(portions), self._lane_forgets, budget.left, self._time.spent)
        if not self._lane.begin(job):
            self._lane = None
        self._lane_forgets = False
        return self._lane

    def _attempt(
        self, check: Check, portion: Portion, budget: Budget, lane: AttemptLane | None, before: float = 0.0
    ) -> Attempt:
        """Made here, or in the `lane`. `before`: what the same run of the check was charged for other seeds."""
        done = lane.result(self._stop) if lane is not None else None
        if done is None:
            attempt = self._attempts.make(check, portion, budget)
        else:
            attempt = done.unpacked()
            self._time.add(done.spent)
            budget.left -= attempt.seconds
        limits = self._settings.limits
        too_long = (
            (before + attempt.seconds > limits.check, f"the {limits.check:g} s for one check are used up"),
            (done and budget.left < 0, f"the {limits.exercise:g} s for this exercise are used up"),
        )
        return self._noted(check, self._within_limits(attempt, [text for over, text in too_long if over]))

    def _within_limits(self, attempt: Attempt, over: list[str]) -> Attempt:
        """The attempt, or what comes of it where everything together took too long: made one after the other, it would
        have been broken off."""
        try:
            self._time.look()
            if over and attempt.worth_repeating:
                raise StudentError(ErrorKind.TIME_LIMIT, over[0])
        except StudentError as error:
            outcome = broken_off(error)
            return replace(attempt, status=status_of(outcome), outcome=outcome, digest="")
        except GraderError as error:
            outcome = failed(f"the grader failed: {type(error).__name__}: {error}")
            return replace(attempt, status=Status.ERROR, outcome=outcome, digest="", error=str(error))
        return attempt

    def _result(self, check: Check, first: Attempt, second: Attempt | None) -> Judged:
        same, counts = None, first
        if second is not None:
            same = first.agrees(second)
            # Of fewer cases the same answers may make another share: they were judged in the first run.
            if second.status is Status.ERROR or (not same and second.outcome.share < first.outcome.share):
                counts = second
        status, outcome = counts.status, counts.outcome
        if check.own_dice and same is False and status is Status.PASSED:
            lines = forbidden_dice(self._submission.sources.get(check.exercise, ""))
            status, outcome = Status.FAILED, failed("all chance must come from self.rng", evidence=lines)
        if outcome.picture is not None:
            self._written.pictures[f"{check.id}.svg"] = outcome.picture
        result = _from_outcome(check, status, outcome, self._dice)
        return replace(result, deterministic=same, message=_with_warning(result.message, same)), outcome

    def _noted(self, check: Check, attempt: Attempt) -> Attempt:
        written = self._written
        written.seconds[check.id] = round(written.seconds.get(check.id, 0.0) + attempt.seconds, 3)
        if attempt.output:
            written.output.setdefault(check.id, attempt.output)
        if attempt.error:
            written.errors[check.id] = attempt.error
        return attempt

    # -- the report -----------------------------------------------------------------------------------

    def _report(self) -> Report:
        settings, written = self._settings, self._written
        assert settings.isolation is not None
        finished_at = datetime.now(UTC).isoformat(timespec="seconds")
        particulars = Particulars(finished_at, written.seconds, written.output, written.errors)
        return Report(
            submission=clean(self._submission.name, 200),
            level=settings.level,
            suite=self._suite.name,
            seeds=settings.seeds,
            dice=self._dice,
            isolation=settings.isolation.describe(),
            fingerprint=settings.fingerprint(self._submission, self._suite),
            exercises=tuple(self._summary(exercise) for exercise in EXERCISES),
            checks=tuple(self._results.values()),
            notes=clean_all(self._submission.notes),
            run=particulars,
            pictures=written.pictures,
        )

    def _summary(self, exercise: Exercise) -> ExerciseSummary:
        present = exercise.id in self._submission.sources or exercise.id in self._submission.problems
        return _summary(exercise, self._results.values(), present=present)


def _require_order(checks: Sequence[Check]) -> None:
    seen: set[str] = set()
    names = {check.id for check in checks}
    for check in checks:
        if check.id in seen:
            raise GraderError(f"two checks are called {check.id}")
        if late := [name for name in check.depends_on if name in names and name not in seen]:
            raise GraderError(f"the check {check.id} stands before {late[0]}, which it depends on")
        seen.add(check.id)


def _portions(check: Check, seeds: tuple[int, ...]) -> tuple[Portion, Portion | None, Portion | None]:
    """The check's seeds, divided: those that are tried here, those that are left for a lane if there is one, and those
    of the second run. Each half is about the same work."""
    seeds = seeds[: check.most]
    again = Portion(seeds[: check.again], hash_seed=1) if check.twice else None
    cut = (len(seeds) + 2) // 2 if check.again is not None and check.twice else len(seeds)
    if cut >= len(seeds):
        return Portion(seeds), None, again
    return Portion(seeds[:cut], searches=False), Portion(seeds[cut:], cut), again


def _from_outcome(check: Check, status: Status, outcome: CheckOutcome, dice: str = "") -> CheckResult:
    share = 1.0 if status is Status.PASSED else outcome.share if status is Status.FAILED else 0.0
    again = outcome.replay or ("" if check.hidden else f"replab check {check.exercise} --only {check.id}")
    return CheckResult(
        check=check.to_json(),
        status=status,
        earned=round(check.points * share, 2),
        message=clean(outcome.message),
        evidence=clean_all(outcome.evidence),
        replay_command=f"{again} --dice {dice}" if again and dice else again,
        picture=f"{check.id}.svg" if outcome.picture is not None else None,
    )


def _with_warning(message: str, same: bool | None) -> str:
    if same is not False:
        return message
    warning = "Not deterministic: two runs with the same seed differed. Does it read the clock, or depend on set order?"
    return f"{message}\n{warning}" if message else warning


def _did(status: Status) -> str:
    return {
        Status.FAILED: "did not pass",
        Status.SKIPPED: "was skipped",
        Status.NOT_ATTEMPTED: "was not attempted",
        Status.ERROR: "could not be graded",
    }[status]
