"""Marks for a grade cell: a line a check, part of the points, and never an exception."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import labs
from labs.grading import marks as module
from labs.grading.errors import GraderError
from labs.grading.marks import marks
from labs.grading.results import Report
from labs.grading.settings import CheckSuite, GradingSettings
from labs.grading.submission.submission import Submission

PROJECT = Path(labs.__path__[0]).parent
EX2 = "ex2_replication_lag.py"
SOLVED = (PROJECT / "solutions" / EX2).read_text(encoding="utf-8")
STARTER = (PROJECT / "exercises" / EX2).read_text(encoding="utf-8")
WRONG_FRACTION = SOLVED.replace("sum(sample[", "1 + sum(sample[")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
def test_the_reference_has_all_points_and_a_line_a_check(capsys: pytest.CaptureFixture[str]) -> None:
    Path(EX2).write_text(SOLVED, encoding="utf-8")

    made = labs.marks("ex2")

    assert (made.earned, made.points, made.graded, repr(made)) == (100, 100, True, "100")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(made.passed) + 1
    assert lines[-1] == "ex2: 100 of 100 points"


@pytest.mark.slow
def test_a_mistake_costs_its_part_of_the_points(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.py").write_text(WRONG_FRACTION, encoding="utf-8")

    earned, points = marks("ex2", "mine.py")

    assert (earned, points) == (90, 100)
    assert "✗   0/10" in capsys.readouterr().out


def test_the_starter_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    Path("exercises").mkdir()
    Path("exercises", EX2).write_text(STARTER, encoding="utf-8")

    made = marks("ex2")

    assert (made.earned, made.points, made.graded) == (0, 100, True)
    assert capsys.readouterr().out.count("not attempted") >= 3


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda: None, f"there is no {EX2} in this folder: run the cell that writes it"),
        (lambda: Path(EX2).write_text("def staleness(", encoding="utf-8"), "SyntaxError"),
        (lambda: Path(EX2).write_bytes(b"\0\xff"), "0 of 100 points"),
        (lambda: Path(EX2).mkdir(), "0 of 100 points"),
        (lambda: Path(EX2).write_text("import os; os._exit(0)", encoding="utf-8"), "0 of 100 points"),
    ],
    ids=["missing", "syntax", "bytes", "folder", "exit"],
)
def test_what_cannot_be_graded_earns_nothing_and_is_said(
    prepare: object, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare()  # type: ignore[operator]

    made = marks("ex2")

    told = capsys.readouterr()
    assert (made.earned, made.points) == (0, 100)
    assert said in told.out
    assert told.err == ""


def test_an_unknown_exercise_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(marks("ex9")) == [0, 0]
    assert "there are ex1, ex2, ex3" in capsys.readouterr().out


def test_a_grader_that_fails_gives_no_mark_and_nothing_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        print("a warning", file=sys.stderr)
        raise GraderError("no sandbox works on this machine")

    Path(EX2).write_text(STARTER + "\n# another one\n", encoding="utf-8")
    monkeypatch.setattr(module, "grade", broken)

    made = marks("ex2")

    told = capsys.readouterr()
    assert (made.earned, made.points, made.graded) == (0, 100, False)
    assert told.out == "NO MARK: GraderError: no sandbox works on this machine\n"
    assert told.err == ""


def test_a_secret_changes_the_dice_of_a_seed_that_everybody_can_read(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(EX2).write_text(SOLVED + "\n# with a secret\n", encoding="utf-8")
    seen: list[str] = []

    def noted(submission: Submission, suite: CheckSuite, settings: GradingSettings) -> Report:
        seen.append(settings.dice_of(submission))
        raise GraderError("not graded here")

    monkeypatch.setattr(module, "grade", noted)
    for secret in ("", "one", "two", "one"):
        monkeypatch.setenv("REPLAB_SECRET", secret)
        marks("ex2", seed=20417, quiet=True)
    marks("ex2", quiet=True)

    none, one, two, again, of_students = seen
    assert none == of_students == ""
    assert len({none, one, two}) == 3
    assert again == one
