"""A program for `test_lane.py`: it is forked from, which a test's own process with its threads must not be.

`grade FILE…`: each as an Exercise 1 of the toy suite, in turn with a lane and without; prints two reports each. `jobs`:
what a lane gives back for some jobs.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from labs.grading.attempt import AttemptLane, InLane
from labs.grading.check import Check, CheckOutcome, StudentCode, failed, passed
from labs.grading.errors import GraderError, Stopped
from labs.grading.lane import Lane
from labs.grading.results import CheckResult
from labs.grading.runner import asked, grade
from labs.grading.sandbox.opening import best_isolation
from labs.grading.settings import GradingSettings
from labs.grading.submission.submission import Submission
from tests.grading.toys import QUICK, ToySuite


def seed_by_seed(code: StudentCode) -> CheckOutcome:
    for seed in code.seeds:
        if code.call("double", seed) != 2 * seed:
            return failed(f"wrong for {seed}", page=lambda: "a page")
        code.settle()
    return passed()


SUITE = ToySuite(Check("seeds", "ex1", "Seed by seed", 1, seed_by_seed, again=1))
SETTINGS = GradingSettings(limits=replace(QUICK, call=2.0, check=2.1, exercise=3.4), seeds=(0, 1, 2), only=("seeds",))


def reports(file: Path) -> Iterator[dict[str, Any]]:
    submission = Submission("test", {"ex1": file.read_text(encoding="utf-8")}, {})
    settings = replace(SETTINGS, isolation=best_isolation())
    for with_lane in (True, False):
        pages: list[str | None] = []

        def listen(result: CheckResult, outcome: CheckOutcome, pages: list[str | None] = pages) -> None:
            pages.append(outcome.page() if outcome.page is not None else None)

        lane = None
        if with_lane:
            lane = AttemptLane(InLane(submission, settings, {one.id: one for one in asked(SUITE, settings)}))
        try:
            report = grade(submission, SUITE, settings, listen, lane=lane)
        finally:
            if lane is not None:
                lane.close()
        yield {
            "pages": pages,
            "results": [result.to_json() for result in report.checks],
            "earned": report.earned,
            "errors": dict(report.run.errors),
            "output": dict(report.run.output),
        }


def numbers(job: int, stop: Callable[[], bool]) -> Iterator[tuple[int, int]]:
    """For 7: for ever, until nobody wants it any more. For 8: it fails. For 9: the process ends."""
    for number in range(2):
        yield job, number
    while job == 7:
        if stop():
            raise Stopped
    if job == 8:
        raise ValueError("eight")
    if job == 9:
        os.kill(os.getpid(), signal.SIGKILL)


def jobs() -> dict[str, Any]:
    never = lambda: False  # noqa: E731
    with Lane(numbers) as lane:
        told: dict[str, Any] = {"pid": lane.pid, "begun": lane.begin(1), "one": [lane.result(never) for _ in range(3)]}
        lane.begin(7)
        told["seven"] = lane.result(never)
        lane.begin(2)  # and with that seven is not wanted
        told["two"] = [lane.result(never) for _ in range(2)]
        lane.begin(7)
        try:
            [lane.result(lambda: True) for _ in range(3)]
        except Stopped:
            told["stopped"] = True
        lane.begin(8)
        try:
            told["eight"] = [lane.result(never) for _ in range(3)]
        except GraderError as error:
            told["failed"] = str(error)
        lane.begin(9)
        told["nine"] = [lane.result(never) for _ in range(3)]
        told["begun after its end"] = lane.begin(1)
    return told


if __name__ == "__main__":
    word, *files = sys.argv[1:]
    print(json.dumps(jobs() if word == "jobs" else [list(reports(Path(file))) for file in files]))
