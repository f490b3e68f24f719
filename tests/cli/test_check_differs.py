"""`replab check` names the line that makes two runs of an election differ."""

from __future__ import annotations

from pathlib import Path

from labs.cli.checking import what_differs
from labs.grading.results import CheckResult, Report, Status

DICE = """
import random
from solutions.ex3_election import MyElection as Reference

class MyElection(Reference):
    def tick(self, now):
        if random.random() < 0.5:
            super().tick(now)
"""


def report(deterministic: bool) -> Report:
    result = CheckResult({"id": "ex3.elects", "exercise": "ex3"}, Status.PASSED, 1.0, deterministic=deterministic)
    return Report("me", "student", "suite", (0,), "none", "", (), (result,))


def test_the_line_that_draws_from_the_global_random_is_named(tmp_path: Path) -> None:
    (tmp_path / "ex3_election.py").write_text(DICE)

    text = "\n".join(what_differs(report(deterministic=False), tmp_path))

    assert "ex3_election:MyElection cannot be replayed." in text
    assert "ex3_election.py, line 7" in text
    assert "random.random" in text


def test_nothing_is_run_again_where_the_runs_agreed(tmp_path: Path) -> None:
    assert what_differs(report(deterministic=True), tmp_path) == []


def test_code_that_cannot_be_imported_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "ex3_election.py").write_text("raise ValueError")

    assert "was not found" in "\n".join(what_differs(report(deterministic=False), tmp_path))
