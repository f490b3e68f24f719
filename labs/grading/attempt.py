"""One run of one check with some of its seeds, wherever that is done: in the grader's process, or in a lane beside it.

Law of this module: what an attempt finds depends on the check, the seeds and the order of sets alone, not on the
process that made it. What it took is told with it, and is charged by whoever asked for it.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from labs.grading.check import Check, CheckOutcome, broken_off, failed
from labs.grading.errors import ErrorKind, GraderError, StudentError
from labs.grading.lane import Lane
from labs.grading.results import Status, clean
from labs.grading.session import Budget, Session, Spent, SubmissionTime
from labs.grading.settings import GradingSettings
from labs.grading.submission.submission import Submission
from labs.lesson.exercises import BY_ID, Exercise
from labs.simulation.schedule import Run, Schedule


@dataclass(frozen=True)
class Portion:
    """Some seeds of a check, `before` of which others come. `hash_seed`: the order of sets; `searches`: whether it ends
    with the search for more runs (`Session.suspects`)."""

    seeds: tuple[int, ...]
    before: int = 0
    hash_seed: int = 0
    searches: bool = True


@dataclass(frozen=True)
class Attempt:
    """What came of it. `settled`: the digests of the answers after each seed or case, as far as the check tells.
    `through`: it has gone through all of its cases, whatever it found. `seconds` were charged for it. `error`: for the
    instructor, where the grader failed."""

    status: Status
    outcome: CheckOutcome
    digest: str
    settled: tuple[str, ...]
    seconds: float = 0.0
    output: str = ""
    error: str = ""
    through: bool = False

    def agrees(self, second: Attempt) -> bool:
        """Whether the `second` run, of perhaps fewer seeds or cases, gave the same answers as far as it went."""
        if second.settled and (second.status is Status.PASSED or second.through):
            return self.settled[: len(second.settled)] == second.settled
        return (self.status, self.outcome, self.digest) == (second.status, second.outcome, second.digest)

    def then(self, more: Attempt) -> Attempt:
        """Of all seeds, where `more` is of those behind this one's."""
        return replace(
            more,
            digest=self.digest + more.digest,
            settled=self.settled + more.settled,
            seconds=self.seconds + more.seconds,
            output=self.output or more.output,
        )

    @property
    def worth_repeating(self) -> bool:
        """Not what ran into a limit: it would only do so again."""
        limits = (ErrorKind.TIME_LIMIT, ErrorKind.RESOURCE_LIMIT)
        return self.status in (Status.PASSED, Status.FAILED) and self.outcome.error not in limits


class Attempts:
    """Makes attempts at the checks of one submission. `whole`: what it may take altogether."""

    def __init__(
        self,
        submission: Submission,
        settings: GradingSettings,
        stop: Callable[[], bool],
        whole: SubmissionTime,
    ) -> None:
        self._submission = submission
        self._settings = settings
        self.stop = stop
        self.whole = whole
        self.dice = settings.dice_of(submission)
        self._runs: dict[int, dict[Schedule, Run]] = {}
        """By hash seed: what an election did in the checks of this exercise so far."""
        self._suspects: dict[str, tuple[Schedule, ...]] = {}

    def forget(self) -> None:
        """The runs of earlier checks."""
        self._runs.clear()

    def session(self, exercise: Exercise, portion: Portion, budget: Budget) -> Session:
        settings = self._settings
        return Session(
            exercise,
            self._submission.files,
            seeds=portion.seeds,
            seeds_before=portion.before,
            level=settings.level,
            dice=self.dice,
            limits=settings.limits,
            isolation=settings.isolation,
            hash_seed=portion.hash_seed,
            budget=budget,
            whole=self.whole,
            stop=self.stop,
            runs=self._runs.setdefault(portion.hash_seed, {}),
            suspects=self._suspects,
            searches=portion.searches,
        )

    def make(self, check: Check, portion: Portion, budget: Budget) -> Attempt:
        digest = problem = ""
        with self.session(BY_ID[check.exercise], portion, budget) as session:
            try:
                outcome = check.run(session)
                if not isinstance(outcome, CheckOutcome):
                    raise GraderError(f"the check {check.id} returned no outcome")
                digest = session.digest if outcome.error is None else ""
                status = status_of(outcome)
            except StudentError as error:
                outcome = broken_off(error)
                status = status_of(outcome)
            except Exception as error:  # noqa: BLE001  # ours: it must not become a mark
                problem = traceback.format_exc()
                status, outcome = Status.ERROR, failed(f"the grader failed: {type(error).__name__}: {error}")
            output = clean(session.output) if session.output else ""
        settled, seconds = tuple(session.settled), session.seconds
        return Attempt(status, outcome, digest, settled, seconds, output, problem, session.through)


def status_of(outcome: CheckOutcome) -> Status:
    if outcome.passed:
        return Status.PASSED
    return Status.NOT_ATTEMPTED if outcome.error is ErrorKind.NOT_ATTEMPTED else Status.FAILED


# --------------------------------------------------------------------------------------------------------
# In a lane


@dataclass(frozen=True)
class Job:
    """Parts of a check, to be tried in this order. `forget`: the runs of earlier checks. `left` and `spent`: what the
    exercise may still take, and what the submission has taken when the job is begun."""

    check: str
    portions: tuple[Portion, ...]
    forget: bool
    left: float
    spent: Spent


@dataclass(frozen=True)
class Done:
    """An attempt, the `page` of its outcome, which travels as text, and what the submission has taken for it."""

    attempt: Attempt
    page: str | None
    spent: Spent

    def unpacked(self) -> Attempt:
        text = self.page
        if text is None:
            return self.attempt
        return replace(self.attempt, outcome=replace(self.attempt.outcome, page=lambda: text))


AttemptLane = Lane[Job, Done]


class InLane:
    """What a lane does: a function of a job, as `Lane` wants it. Checks are known by name."""

    def __init__(self, submission: Submission, settings: GradingSettings, checks: dict[str, Check]) -> None:
        self._submission = submission
        self._settings = settings
        self._checks = checks
        self._attempts: Attempts | None = None

    def __call__(self, job: Job, stop: Callable[[], bool]) -> Iterator[Done]:
        if self._attempts is None:
            whole = SubmissionTime(self._settings.limits)
            self._attempts = Attempts(self._submission, self._settings, stop, whole)
        attempts, check = self._attempts, self._checks[job.check]
        if job.forget:
            attempts.forget()
        attempts.stop = stop
        for portion in job.portions:
            attempts.whole.go_on_from(job.spent)
            attempt = attempts.make(check, portion, Budget(job.left))
            page = attempt.outcome.page
            bare = replace(attempt.outcome, page=None, scene=None)
            spent = attempts.whole.spent.since(job.spent)
            yield Done(replace(attempt, outcome=bare), page() if page is not None else None, spent)
