"""The exercise panel without a browser: the marks are the grader's, real nodes run the code, and nothing is left."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from labs.grading.checks import ex3
from labs.grading.errors import GraderError
from labs.grading.results import Status
from labs.panel import ExercisePanel, cells, checking, exercise
from labs.panel.sources import this_notebook
from tests.panel.exercise_panels import (
    ENDLESS,
    EX3,
    REFERENCE,
    STARTER,
    WRONG,
    Make,
    children_with,
    graded,
)

# -- marks ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_marks_are_those_of_the_grader(make: Make) -> None:
    watched = make(code=WRONG)

    report = watched.panel.run("ex3.elects", "ex3.votes").wait()

    assert report is not None
    assert report.checks == graded(WRONG, "ex3.elects", "ex3.votes")
    assert [result.status for result in report.checks] == [Status.PASSED, Status.FAILED]
    assert (watched.row("ex3.elects")["state"], watched.row("ex3.votes")["state"]) == ("passed", "failed")
    assert watched.row("ex3.votes")["message"] == report.checks[1].message
    assert watched.panel.board.total["earned"] == "10"


def test_the_starter_is_not_attempted_and_the_reference_is_not_run_for_it(make: Make) -> None:
    watched = make(code=STARTER)

    report = watched.panel.wait()

    assert report is not None
    assert {result.status for result in report.checks} == {Status.NOT_ATTEMPTED}
    watched.until(lambda: watched.panel._ticket.compared.is_set())  # type: ignore[union-attr]
    assert {row["reference"] for row in watched.panel.board.rows} == {"idle"}
    assert "not attempted" in watched.why["real"]


@pytest.mark.slow
def test_the_reference_solution_earns_all_points_and_stands_beside(make: Make) -> None:
    watched = make(code=REFERENCE)

    report = watched.panel.run("ex3.elects", "ex3.pre-vote").wait()

    assert report is not None
    assert report.earned == report.points == 20
    watched.until(lambda: watched.row("ex3.pre-vote")["reference"] == "passed")
    assert watched.row("ex3.elects")["reference_earned"] == "10"
    assert watched.panel.board.total["reference"] == "20"


@pytest.mark.slow
def test_without_solutions_the_panel_says_so(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exercise, "reference", lambda _: None)
    watched = make(code=WRONG)

    watched.panel.run("ex3.votes").wait()

    assert watched.panel.board.total["reference_why"] == checking.NO_SOLUTIONS
    assert watched.panel.board.about["reference"] is False
    watched.ask("diagram", check="ex3.votes", whose="reference")
    assert checking.NO_SOLUTIONS in watched.problem()


def test_a_grader_that_fails_is_told_in_a_sentence_and_kept_as_an_error(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise GraderError("no sandbox works on this machine")

    monkeypatch.setattr(checking, "grade", broken)
    watched = make(code=WRONG)

    assert watched.panel.wait() is None
    assert "no sandbox works on this machine" in watched.panel.board.total["headline"]
    watched.until(lambda: [type(error) for error in watched.panel.errors] == [GraderError])
    assert {row["state"] for row in watched.panel.board.rows} == {"idle"}


def test_a_check_that_fails_itself_gives_no_mark(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("the rules cannot be read")

    monkeypatch.setattr(ex3, "check_run", broken)
    watched = make(code=REFERENCE)

    watched.panel.run("ex3.elects").wait()

    assert watched.row("ex3.elects")["state"] == "error"
    assert watched.panel.board.total["earned"] == "?"
    assert watched.panel.board.total["headline"].startswith("No mark")
    assert "the rules cannot be read" in str(watched.panel.errors[0])


# -- where the code comes from ---------------------------------------------------------------------------------


def test_the_working_copy_is_found_from_its_notebooks(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "exercises").mkdir()
    (tmp_path / "labs" / "notebooks").mkdir(parents=True)
    (tmp_path / "exercises" / EX3).write_text(STARTER, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "labs" / "notebooks")

    watched = make()

    assert watched.panel.board.source["label"] == "exercises/ex3_election.py"
    assert watched.panel.wait() is not None


@pytest.mark.slow
def test_a_file_that_is_saved_again_makes_results_old_until_they_are_run_again(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(WRONG, encoding="utf-8")
    watched = make(file=path)
    watched.panel.run("ex3.votes").wait()
    assert not watched.panel.board.source["changed"]

    path.write_text(REFERENCE, encoding="utf-8")
    watched.until(lambda: watched.panel.board.source["changed"])
    assert watched.row("ex3.votes")["old"]
    watched.panel.run("ex3.votes").wait()

    assert watched.row("ex3.votes")["state"] == "passed"
    assert not watched.panel.board.source["changed"]


def test_where_there_is_no_file_the_panel_says_how_to_name_one(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    watched = make()

    assert watched.panel.wait() is None
    assert 'ExercisePanel("ex3", file="…")' in watched.why["run"]
    assert watched.panel.board.total["headline"] == watched.why["run"]


def notebook(path: Path, source: str, *tags: str) -> None:
    cell = {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source, "outputs": []}
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")


@pytest.mark.slow
def test_the_notebooks_own_cells_can_be_chosen_as_soon_as_one_is_tagged(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.ipynb"
    notebook(path, WRONG)
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    assert this_notebook() == path
    watched = make()
    assert "with the tag “exercise” defines MyElection" in watched.panel.board.source["choices"][1]["why"]

    notebook(path, WRONG, "exercise")
    watched.until(lambda: watched.panel.board.source["choices"][1]["why"] == "")
    watched.ask("source", kind="cells")
    report = watched.panel.run("ex3.votes").wait()

    assert watched.panel.board.source["kind"] == "cells"
    assert "save the notebook" in watched.panel.board.source["detail"]
    assert report is not None
    assert report.checks[0].message == graded(WRONG, "ex3.votes")[0].message


@pytest.mark.processes
def test_real_nodes_elect_their_leader_with_the_code_and_end_with_the_panel(make: Make) -> None:
    watched = make(code=REFERENCE)
    watched.ask("real")

    opened = watched.until(lambda: watched.panel.opened)
    watched.until(lambda: opened.panel.info["leader"])
    pids = [opened.cluster.pid(node) for node in opened.cluster.node_ids]
    watched.panel.close()

    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert not opened.panel.alive or watched.until(lambda: not opened.panel.alive)


@pytest.mark.processes
def test_code_that_cannot_be_imported_starts_no_real_nodes_and_is_told(make: Make) -> None:
    watched = make(code="import nowhere_to_be_found\n")

    watched.ask("real")

    assert "nowhere_to_be_found" in watched.problem()
    assert watched.panel.opened is None


# -- ending ----------------------------------------------------------------------------------------------------


def busy_sandboxes() -> list[psutil.Process]:
    return children_with("labs.grading.child")


def test_stopping_ends_the_sandbox_in_the_middle_of_an_endless_loop(make: Make) -> None:
    watched = make(code=ENDLESS)
    watched.panel.run("ex3.elects")
    watched.until(busy_sandboxes)
    time.sleep(0.5)  # into the loop; its limit is ten times that

    began = time.monotonic()
    watched.ask("stop")
    report = watched.panel.wait(5)

    assert report is None
    assert time.monotonic() - began < 4
    assert busy_sandboxes() == []
    assert watched.panel.board.total["headline"].startswith("Stopped.")
    assert watched.why["run"] == ""


@pytest.mark.slow
def test_after_a_stop_the_checks_can_be_run_again(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(ENDLESS, encoding="utf-8")
    watched = make(file=path)
    watched.panel.run("ex3.elects")
    watched.until(lambda: watched.row("ex3.elects")["state"] == "running")
    watched.panel.stop()
    watched.panel.wait()

    path.write_text(REFERENCE, encoding="utf-8")
    report = watched.panel.run("ex3.elects").wait()

    assert report is not None
    assert report.earned == 10


def test_a_second_run_is_refused_while_the_first_goes_on(make: Make) -> None:
    watched = make(code=ENDLESS)
    watched.panel.run("ex3.elects")

    watched.ask("run", only=["ex3.votes"])

    assert watched.problem() == exercise.CHECKING
    assert watched.why["run"] == exercise.CHECKING
    assert watched.row("ex3.votes")["state"] == "idle"


def test_running_a_cell_again_closes_the_panel_of_its_last_run(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = itertools.count()
    monkeypatch.setattr(cells, "current_cell", lambda: ("cell", str(next(runs))))
    first = make(code=ENDLESS)
    first.panel.run("ex3.elects")
    first.until(busy_sandboxes)

    make(code=STARTER)

    assert not first.panel.alive
    assert busy_sandboxes() == []


def test_a_closed_panel_is_at_rest_already(make: Make) -> None:
    watched = make(code=STARTER)
    watched.panel.close()
    begun = time.monotonic()

    watched.panel.rest(timeout=30)

    assert time.monotonic() - begun < 15


def test_waiting_has_an_end(make: Make) -> None:
    watched = make(code=ENDLESS)

    with pytest.raises(TimeoutError, match="not over after"):
        watched.panel.run("ex3.elects").wait(0.2)


def test_messages_that_make_no_sense_are_told(make: Make) -> None:
    watched = make(code=STARTER)
    for verb, message, words in (
        ("dance", {}, "Unknown command 'dance'"),
        ("run", {"only": ["ex9"]}, "the checks are ex3.elects"),
        ("run", {"only": [[]]}, "the checks are ex3.elects"),
        ("open", {"check": []}, "no check []"),
        ("diagram", {"check": "ex3.votes", "width": 1e9}, "360 to 4000 wide"),
        ("open", {"check": "ex3.votes", "whose": "nobody"}, "yours or the reference's"),
        ("source", {"kind": "moon"}, "no code of the kind 'moon'"),
    ):
        watched.ask(verb, **message)
        assert words in watched.problem()
    with pytest.raises(ValueError, match="there is no exercise 'ex9'"):
        ExercisePanel("ex9")
    with pytest.raises(ValueError, match="there is no check 'votes'"):
        watched.panel.run("votes")
