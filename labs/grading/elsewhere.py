"""Grading in workers of any `concurrent.futures.Executor`: other processes, or other machines.

Law of this module: a submission travels by its content and a report by value, so that no folder has to be shared; and a
worker that would grade otherwise than the one that asks (other code, another Python, another isolation) gives no mark.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import labs
import replstore
from labs.grading.errors import GraderError
from labs.grading.results import Report
from labs.grading.runner import grade
from labs.grading.sandbox.opening import best_isolation
from labs.grading.settings import GradingSettings, load_suite
from labs.grading.submission.submission import Submission
from labs.lesson.tree import SOLUTIONS

_LOOK = 0.25
_TRIES = 3
"""A worker may be killed for another one's appetite; the job of one that was is done again."""


@dataclass(frozen=True)
class TravellingJob:
    """`lab`: what `this_lab()` says where the job comes from."""

    submission: Submission
    suite: str
    settings: GradingSettings
    lab: str


Outcome = Report | Exception


@cache
def this_lab() -> str:
    """What a mark depends on besides the submission and the settings: the lab's own code, and Python."""
    root = Path(labs.__path__[0]).parent
    folders = [Path(replstore.__path__[0]), root / "labs", root / SOLUTIONS]
    digest = sha256()
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    python = f"{sys.implementation.name} {sys.version_info.major}.{sys.version_info.minor}"
    return f"version {replstore.__version__} ({digest.hexdigest()[:12]}), {python}"


def grade_here(job: TravellingJob) -> Report:
    """In the worker. Raises `GraderError` where it would not grade as the one that asks."""
    if job.lab != this_lab():
        raise GraderError(f"the worker has another lab: {this_lab()}; asked for was {job.lab}")
    asked = job.settings.isolation
    found = best_isolation(asked.kind if asked is not None else None)
    if asked is not None and found.describe() != asked.describe():
        raise GraderError(f"the worker has another isolation: {found.describe()}; asked for was {asked.describe()}")
    return grade(job.submission, load_suite(job.suite), replace(job.settings, isolation=found))


def grade_elsewhere(
    jobs: Sequence[TravellingJob], executor: Executor, stop: Callable[[], bool]
) -> Iterator[tuple[int, Outcome]]:
    """The reports as they come, each with its job's number; an exception where there is none. When `stop()` is true,
    what has not begun is taken back."""
    waiting: dict[Future[Report], tuple[int, int]] = {}
    lost: list[tuple[int, Exception]] = []

    def submit(number: int, attempt: int) -> None:
        try:
            waiting[executor.submit(grade_here, jobs[number])] = number, attempt
        except Exception as error:  # noqa: BLE001  # the executor's: broken, or closed
            lost.append((number, error))

    for number in range(len(jobs)):
        submit(number, 1)
    try:
        while waiting and not stop():
            done, _ = wait(waiting, _LOOK, FIRST_COMPLETED)
            for future in done:
                number, attempt = waiting.pop(future)
                error = future.exception()
                if error is None:
                    yield number, future.result()
                elif isinstance(error, GraderError) or attempt == _TRIES:
                    yield number, error if isinstance(error, Exception) else RuntimeError(repr(error))
                else:
                    submit(number, attempt + 1)
        if not stop():
            yield from lost
    finally:
        for future in waiting:
            future.cancel()


@contextmanager
def dask_workers(address: str) -> Iterator[Executor]:
    """The workers of a Dask scheduler. Raises `GraderError` where there is none, or where its workers will not do."""
    try:
        import distributed
    except ImportError:
        raise GraderError("--dask needs Dask: pip install 'replication-lab[dask]'") from None
    made: Any = distributed  # it has no types
    try:
        client = made.Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise GraderError(f"no Dask scheduler answers at {address}: {error}") from None
    try:
        workers = client.scheduler_info(n_workers=-1)["workers"]
        if not workers:
            raise GraderError(f"the Dask scheduler at {address} has no workers yet")
        if wide := [one["name"] for one in workers.values() if one["nthreads"] != 1]:
            raise GraderError(f"start Dask's workers with one thread each (--nthreads 1); this one has more: {wide[0]}")
        yield client.get_executor(retries=2, pure=False)
    finally:
        client.close()
