"""Steps 1–8 of the lesson, as data and from the command line."""

from __future__ import annotations

import subprocess
import sys

import pytest

from labs.cluster import Cluster
from labs.lesson.steps import STEPS, run_step, walk

from .conftest import QUICK, opened


def test_every_step_is_as_the_lesson_says(backend: str) -> None:
    with opened(backend, QUICK) as cluster:
        reports = list(walk(cluster))

    assert [report.number for report in reports] == list(range(1, 9))
    wrong = [(report.number, check) for report in reports for check in report.checks if not check.holds]
    assert wrong == []
    assert all(report.ok for report in reports)


def test_the_nodes_log_what_the_lesson_shows(backend: str) -> None:
    with opened(backend, QUICK) as cluster:
        reports = list(walk(cluster))

    assert any("[node-1] Store Node listening on port" in line for line in reports[0].log)
    assert any("[node-1] 👑 Became LEADER for term 1" in line for line in reports[0].log)
    assert any("[node-2] Election timeout! Starting election..." in line for line in reports[5].log)
    assert any("[node-2] 👑 Became LEADER for term 2" in line for line in reports[5].log)


def test_a_step_that_is_not_as_the_lesson_says_is_marked_and_shows_what_was_there(cluster: Cluster) -> None:
    cluster.put("spoiler", 1)

    report = run_step(cluster, STEPS[1])

    assert not report.ok
    assert not report.checks[0].holds
    assert "spoiler" in report.checks[0].seen


@pytest.mark.processes
def test_the_command_line_walks_the_steps_and_marks_each() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "labs", "steps", "--backend", "process"], capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stdout + done.stderr
    for number in range(1, 9):
        assert f"Step {number}  " in done.stdout
    assert "✗" not in done.stdout
    assert """-X PUT http://127.0.0.1:""" in done.stdout
    assert """/key/name -H "Content-Type: application/json" -d '"Alice"'""" in done.stdout
    assert '503 {"error": "Not the leader", "current_role": "follower", "leader_id": "node-1"}' in done.stdout
    assert "8 of 8 steps as the lesson says" in done.stdout


@pytest.mark.processes
@pytest.mark.slow
@pytest.mark.parametrize("mode", ["quorum", "sync"])
def test_the_steps_also_hold_in_the_other_modes(mode: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "labs", "steps", "--mode", mode], capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stdout + done.stderr
