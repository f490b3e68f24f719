"""What the grader's tests share. After each of them nothing that a submission started may be left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from labs.grading.errors import GraderError
from labs.grading.results import CheckResult, Report
from labs.grading.runner import grade
from labs.grading.sandbox.isolation import KINDS, Isolation
from labs.grading.sandbox.processes import MARK, private_uids
from labs.grading.sandbox.sandbox import best_isolation
from labs.grading.settings import GradingSettings
from labs.grading.submission.submission import Submission
from tests.grading.toys import QUICK, SUITE, ToySuite


@pytest.fixture(autouse=True)
def nothing_survives() -> Iterator[None]:
    yield
    uids = private_uids()
    left = [one for one in psutil.process_iter() if _is_ours(one, uids)]
    assert not left, f"processes of a submission survived: {left}"


def _is_ours(process: psutil.Process, uids: tuple[int, ...]) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        if process.uids().real in uids:
            return True
        # Other test workers have sandboxes, too: without uids of our own, only an orphan is surely one left behind.
        return not uids and process.ppid() <= 1 and MARK in process.environ()
    except (psutil.Error, OSError):
        return False


@pytest.fixture(params=KINDS)
def isolation(request: pytest.FixtureRequest) -> Isolation:
    """Every kind of isolation that works on this machine."""
    try:
        return best_isolation(request.param)
    except GraderError as fault:
        pytest.skip(f"{request.param}: {fault}")


def submission(**sources: str) -> Submission:
    return Submission("test", dict(sources), {})


def grade_ex1(source: str, *only: str, suite: ToySuite = SUITE, isolation: Isolation | None = None) -> Report:
    settings = GradingSettings(limits=QUICK, only=only or ("double",), isolation=isolation)
    return grade(submission(ex1=source), suite, settings)


def the_result(report: Report) -> CheckResult:
    (result,) = report.checks
    return result


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
