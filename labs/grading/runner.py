"""One submission through all checks.

Law of this module: the verdict is formed here. A check's outcome counts only if the check function returned it; what
student code raises is the student's fault, anything else that is raised is the grader's, and then there is no mark.

Rules that a report follows:

* A check that builds on others is skipped unless all of them passed.
* A check is run twice, the second time with another order of sets, in a new process, and with as many of the seeds as
  it asks for. The worse outcome counts; if the answers differ, the result is marked as not deterministic.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from difflib import get_close_matches

from labs.grading.check import Check, CheckOutcome, broken_off, failed
from labs.grading.errors import ErrorKind, GraderError, StudentError
from labs.grading.forbidden_dice import forbidden_dice
from labs.grading.results import CheckResult, ExerciseSummary, Particulars, Report, Status, clean, clean_all
from labs.grading.sandbox.opening import best_isolation
from labs.grading.session import Budget, Session, SubmissionTime
from labs.grading.settings import CheckSuite, GradingSettings
from labs.grading.submission.submission import Submission
from labs.lesson.exercises import BY_ID, EXERCISES, Exercise
from labs.simulation.schedule import Run, Schedule

Listener = Callable[[CheckResult, CheckOutcome], None]
"""Is told each result as soon as it is there."""


def grade(
    submission: Submission,
    suite: CheckSuite,
    settings: GradingSettings | None = None,
    listener: Listener | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Report:
    """Raises `GraderError` only if nothing can be graded at all, as without a working sandbox. As soon as `stop()` is
    true, it ends what it has started and raises `Stopped`."""
    settings = settings or GradingSettings()
    settings = replace(settings, isolation=settings.isolation or best_isolation())
    return _Grading(submission, suite, settings, listener or _nobody, stop).run()


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


@dataclass(frozen=True)
class _Attempt:
    """One run of one check. `settled`: the digests of the answers after each seed, as far as the check tells."""

    status: Status
    outcome: CheckOutcome
    digest: str
    settled: tuple[str, ...]

    def agrees(self, second: _Attempt) -> bool:
        """Whether the `second` run, of perhaps fewer seeds, gave the same answers as far as it went."""
        if second.settled and second.status is Status.PASSED:
            return self.settled[: len(second.settled)] == second.settled
        return (self.status, self.outcome, self.digest) == (second.status, second.outcome, second.digest)


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
    ) -> None:
        self._stop = stop
        self._submission = submission
        self._listener = listener
        self._suite = suite
        self._settings = settings
        self._written = _Notebook()
        self._results: dict[str, CheckResult] = {}
        self._runs: dict[int, dict[Schedule, Run]] = {}
        """By hash seed: what an election did in the checks of this exercise so far."""
        self._suspects: dict[str, tuple[Schedule, ...]] = {}
        self._time = SubmissionTime(settings.limits)
        self._dice = settings.dice_of(submission)

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
        self._runs = {}
        blocked = self._try_to_load(exercise, budget)
        for check in checks:
            result, outcome = self._blocked(check, blocked) or self._skip(check) or self._judge(check, budget)
            self._results[check.id] = result
            self._listener(result, outcome)

    def _blocked(self, check: Check, why: tuple[Status, CheckOutcome] | None) -> Judged | None:
        return None if why is None else (_from_outcome(check, *why), why[1])

    def _try_to_load(self, exercise: Exercise, budget: Budget) -> tuple[Status, CheckOutcome] | None:
        """Why no check of this exercise can be run; None if they can."""
        if exercise.id in self._submission.problems:
            return Status.FAILED, failed(self._submission.problems[exercise.id])
        if exercise.id not in self._submission.sources:
            return Status.NOT_ATTEMPTED, failed(f"{exercise.file_name} is missing from the submission")
        try:
            with self._session(exercise, self._settings.seeds, 0, budget) as session:
                session.load()
        except StudentError as error:
            outcome = broken_off(error)
            return _status_of(outcome), outcome
        return None

    def _session(self, exercise: Exercise, seeds: tuple[int, ...], hash_seed: int, budget: Budget) -> Session:
        settings = self._settings
        return Session(
            exercise,
            self._submission.files,
            seeds=seeds,
            level=settings.level,
            dice=self._dice,
            limits=settings.limits,
            isolation=settings.isolation,
            hash_seed=hash_seed,
            budget=budget,
            whole=self._time,
            stop=self._stop,
            runs=self._runs.setdefault(hash_seed, {}),
            suspects=self._suspects,
        )

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
        first = self._attempt(check, self._settings.seeds, 0, budget)
        same, counts = None, first
        if check.twice and _worth_repeating(first.status, first.outcome):
            second = self._attempt(check, self._settings.seeds[: check.again], 1, budget)
            same = first.agrees(second)
            if second.status is Status.ERROR or second.outcome.share < first.outcome.share:
                counts = second
        else:
            self._runs.clear()  # both runs of a check find the same runs of earlier ones
        status, outcome = counts.status, counts.outcome
        if check.own_dice and same is False and status is Status.PASSED:
            lines = forbidden_dice(self._submission.sources.get(check.exercise, ""))
            status, outcome = Status.FAILED, failed("all chance must come from self.rng", evidence=lines)
        if outcome.picture is not None:
            self._written.pictures[f"{check.id}.svg"] = outcome.picture
        result = _from_outcome(check, status, outcome, self._dice)
        return replace(result, deterministic=same, message=_with_warning(result.message, same)), outcome

    def _attempt(self, check: Check, seeds: tuple[int, ...], hash_seed: int, budget: Budget) -> _Attempt:
        digest = ""
        with self._session(BY_ID[check.exercise], seeds, hash_seed, budget) as session:
            try:
                outcome = check.run(session)
                if not isinstance(outcome, CheckOutcome):
                    raise GraderError(f"the check {check.id} returned no outcome")
                digest = session.digest if outcome.error is None else ""
                status = _status_of(outcome)
            except StudentError as error:
                outcome = broken_off(error)
                status = _status_of(outcome)
            except Exception as error:  # noqa: BLE001  # ours: it must not become a mark
                self._written.errors[check.id] = traceback.format_exc()
                status, outcome = Status.ERROR, failed(f"the grader failed: {type(error).__name__}: {error}")
            self._write_down(check, session)
        return _Attempt(status, outcome, digest, tuple(session.settled))

    def _write_down(self, check: Check, session: Session) -> None:
        self._written.seconds[check.id] = round(self._written.seconds.get(check.id, 0.0) + session.seconds, 3)
        if session.output and check.id not in self._written.output:
            self._written.output[check.id] = clean(session.output)

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


def _worth_repeating(status: Status, outcome: CheckOutcome) -> bool:
    """Not what ran into a limit: it would only do so again."""
    limits = (ErrorKind.TIME_LIMIT, ErrorKind.RESOURCE_LIMIT)
    return status in (Status.PASSED, Status.FAILED) and outcome.error not in limits


def _status_of(outcome: CheckOutcome) -> Status:
    if outcome.passed:
        return Status.PASSED
    return Status.NOT_ATTEMPTED if outcome.error is ErrorKind.NOT_ATTEMPTED else Status.FAILED


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
