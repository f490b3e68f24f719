"""Many submissions, several at a time.

Law of this module: each submission is graded by itself, in a worker process, and its result is on disk before the next
one begins; a batch that was broken off goes on where it stopped. How many workers there are changes nothing but the
time. What goes wrong with one submission, even in the grader, leaves the others their marks.
"""

from __future__ import annotations

import re
import traceback
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from labs.grading import dice, reports
from labs.grading.elsewhere import TravellingJob, grade_elsewhere, this_lab
from labs.grading.errors import GraderError
from labs.grading.reports import table
from labs.grading.results import Report, clean
from labs.grading.runner import grade, ungraded
from labs.grading.settings import GradingSettings, load_suite
from labs.grading.submission.class_folder import ClassFolder, find_submissions
from labs.grading.submission.reading import open_submission
from labs.grading.submission.submission import submission_name
from labs.grading.workers import Stop, WorkerPool


@dataclass(frozen=True)
class BatchJob:
    """One submission and where its results go."""

    path: Path
    name: str
    folder: Path
    suite: str
    settings: GradingSettings
    formats: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """`passed_over`: what is in the given folders, but is no submission, and why."""

    jobs: list[BatchJob] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)


BatchProgress = Callable[[Report, bool], None]
"""Called with each result, and whether it was there already."""


def plan(
    paths: Sequence[Path],
    out: Path,
    suite: str,
    settings: GradingSettings,
    formats: tuple[str, ...] = ("html",),
    *,
    single: bool = False,
) -> Plan:
    """A job for each submission in `paths`, each with a name of its own. Raises `GraderError` for a missing path, and
    for a folder that may be either one submission or a class.

    `single`: each path is one submission, whatever is in it.
    """
    made = Plan()
    taken = set(map(_comparable, _RESERVED))
    for path in paths:
        if not path.exists():
            raise GraderError(f"there is no {path}")
        folder = ClassFolder([path]) if single else find_submissions(path, out)
        made.passed_over.extend(clean(line) for line in folder.passed_over)
        for found in folder.submissions:
            name = _free_name(clean(submission_name(found), _LONGEST_NAME), taken)
            made.jobs.append(BatchJob(found, name, out / _folder_name(name), suite, settings, formats))
    return made


_OVERTIME = 30.0
"""Seconds beyond a submission's own limit: then something is wrong with the grader, and its worker is ended."""
_LONGEST_NAME = 100
"""A file system takes 255 bytes, and a character may have four."""
_PORTS = (f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))
_RESERVED = (table.FILE, dice.FILE, "con", "prn", "aux", "nul", *_PORTS)
"""Names that are taken in the results' folder, or by Windows."""


def _free_name(name: str, taken: set[str]) -> str:
    """`name`, or `name-2` … if a submission of that name (or its folder) is there already."""
    number, free = 1, name
    while _comparable(free) in taken:
        number += 1
        free = f"{name}-{number}"
    taken.add(_comparable(free))
    return free


def _folder_name(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", name).strip(".").lower() or "_"


def _comparable(name: str) -> str:
    """The same for two names that some file system does not tell apart: `Ann` and `ann`, `é` as one character or
    two."""
    return unicodedata.normalize("NFKC", _folder_name(unicodedata.normalize("NFKC", name))).casefold()


def run(
    jobs: Sequence[BatchJob],
    workers: int | Executor,
    progress: BatchProgress,
    *,
    again: bool = False,
    stop: Stop = lambda: False,
) -> list[Report]:
    """Grade what is not graded yet; the reports in the order of `jobs`. When `stop()` is true, those that are there.

    `workers`: how many processes of this machine, or an executor; its workers need the same lab, but no shared folder.
    """
    done: dict[int, Report] = {}
    waiting: list[int] = []
    for number, job in enumerate(jobs):
        known = None if again or stop() else _known(job)
        if known is None:
            waiting.append(number)
        else:
            done[number] = known
            progress(known, True)
    todo = [jobs[number] for number in waiting]
    graded = _grade(todo, workers, stop) if isinstance(workers, int) else _grade_elsewhere(todo, workers, stop)
    for number, report in graded:
        done[waiting[number]] = report
        progress(report, False)
    return [done[number] for number in sorted(done)]


def _known(job: BatchJob) -> Report | None:
    """The result of an earlier run, if it is of this very submission and a mark. The grader's failures are retried."""
    report = reports.read(job.folder)
    if report is None or not report.graded or report.submission != job.name:
        return None
    submission = open_submission(job.path, job.name)
    same = report.fingerprint == job.settings.fingerprint(submission, load_suite(job.suite))
    return report if same else None


def _grade(jobs: Sequence[BatchJob], workers: int, stop: Stop) -> Iterator[tuple[int, Report]]:
    if not jobs:
        return
    most = max(job.settings.limits.submission for job in jobs) + _OVERTIME
    pool = WorkerPool(min(workers, len(jobs)), grade_job, failed_job, seconds=most)
    yield from pool.run(jobs, stop)


def _grade_elsewhere(jobs: Sequence[BatchJob], executor: Executor, stop: Stop) -> Iterator[tuple[int, Report]]:
    """Read here, graded there, written here."""
    travelling = [
        TravellingJob(open_submission(job.path, job.name, stop), job.suite, job.settings, this_lab()) for job in jobs
    ]
    for number, outcome in grade_elsewhere(travelling, executor, stop):
        job = jobs[number]
        if isinstance(outcome, Report):
            try:
                reports.write(outcome, job.folder, job.formats)
                yield number, outcome
                continue
            except (OSError, ValueError) as error:
                outcome = error
        yield number, failed_job(job, f"{type(outcome).__name__}: {outcome}")


def shard(jobs: Sequence[BatchJob], number: int, count: int) -> list[BatchJob]:
    """The part `number` (from 1) of `count`: for machines that share a folder and nothing else."""
    return list(jobs[number - 1 :: count])


def collect(jobs: Sequence[BatchJob]) -> tuple[list[Report], list[BatchJob]]:
    """What is graded already, and the jobs that are not."""
    found = {number: report for number, job in enumerate(jobs) if (report := _known(job)) is not None}
    return list(found.values()), [job for number, job in enumerate(jobs) if number not in found]


def grade_job(job: BatchJob, stop: Stop = lambda: False) -> Report:
    """Grade one submission and write its results. If the grader fails, the report says so and has no mark."""
    try:
        report = grade(open_submission(job.path, job.name, stop), load_suite(job.suite), job.settings, stop=stop)
        reports.write(report, job.folder, job.formats)
    except Exception as error:  # noqa: BLE001  # it concerns this submission alone
        return failed_job(job, f"{type(error).__name__}: {error}", traceback.format_exc())
    return report


def failed_job(job: BatchJob, why: str, details: str = "") -> Report:
    """The report of a job that the grader could not do. It is written if that is possible."""
    report = ungraded(job.name, load_suite(job.suite), job.settings, why, details or why)
    try:
        reports.write(report, job.folder, job.formats)
    except (OSError, ValueError) as error:
        return ungraded(job.name, load_suite(job.suite), job.settings, f"{why}; its report: {error}", details or why)
    return report


def write_table(jobs: Sequence[BatchJob], graded: Sequence[Report], out: Path) -> Path:
    """The marks of all, as CSV."""
    path = out / table.FILE
    reports.write_text(path, table.render(graded, {job.name: _handed_in(job.path) for job in jobs}))
    return path


def _handed_in(path: Path) -> str:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    except (OSError, OverflowError, ValueError):  # taken away meanwhile, or a time that no calendar has
        return ""
