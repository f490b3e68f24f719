"""The exercise panel without a browser: the marks are the grader's, a failure can be opened, and nothing is left."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import exercises
import solutions
from labs.grading.checks import SUITE, ex3
from labs.grading.errors import GraderError
from labs.grading.results import CheckResult, Status
from labs.grading.runner import GradingSettings, grade
from labs.grading.submission.submission import Submission
from labs.panel import ExercisePanel, cells, checking, exercise
from labs.panel.replays import ReplayedCluster, differs, strategy_of
from labs.panel.sources import this_notebook
from labs.simulation.schedule import carry_out
from tests.panel.described import hold, hold_traits

EX3 = "ex3_election.py"
STARTER = (Path(exercises.__file__).parent / EX3).read_text(encoding="utf-8")
REFERENCE = (Path(solutions.__path__[0]) / EX3).read_text(encoding="utf-8")
FREE = "free = self.vote in (None, sender) and self.leader is None"
WRONG = REFERENCE.replace(FREE, "free = True")
assert WRONG != REFERENCE
ENDLESS = REFERENCE.replace("if not self.deadline:", "while True: pass\n        if not self.deadline:")
assert ENDLESS != REFERENCE
NAIVE = """\
def availability(cluster):
    raise NotImplementedError

def survives(cluster):
    cluster.put("k", 1)
    cluster.kill("node-1")
    cluster.sleep(2)
    return {"survives": True, "reason": "it seems fine"}
"""


class Watched:
    """A panel, and what its board sent to the browser."""

    def __init__(self, panel: ExercisePanel) -> None:
        self.panel = panel
        self.sent: list[dict[str, Any]] = []
        panel.board.send = self._send

    def _send(self, content: dict[str, Any], buffers: Any = None) -> None:
        hold("BoardMessage", content)
        self.sent.append(content)

    def ask(self, verb: str, **message: Any) -> None:
        self.panel._heard(None, {"do": verb, "id": 1, **message}, [])

    def until(self, condition: Callable[[], Any], timeout: float = 60.0) -> Any:
        deadline = time.monotonic() + timeout
        while not (found := condition()):
            assert time.monotonic() < deadline, f"never came true; problems: {self.panel.board.problems}"
            time.sleep(0.01)
        return found

    def message(self, kind: str) -> dict[str, Any]:
        return self.until(lambda: next((one for one in self.sent if one["type"] == kind), None))  # type: ignore[no-any-return]

    def row(self, check: str) -> dict[str, Any]:
        return next(dict(row) for row in self.panel.board.rows if row["id"] == check)

    @property
    def why(self) -> dict[str, str]:
        return dict(self.panel.board.activity["why"])

    def problem(self) -> str:
        return str(self.until(lambda: self.panel.board.problems)[-1]["text"])


Make = Callable[..., Watched]


def panel_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith(("exercise-", "panel-"))]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes panels. After the test they are closed, and no thread and no process of theirs is left."""
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    made: list[Watched] = []

    def make_one(name: str = "ex3", **where: Any) -> Watched:
        made.append(Watched(ExercisePanel(name, **where)))
        return made[-1]

    yield make_one
    for one in made:
        hold_traits("BoardTraits", one.panel.board)
        one.panel.close()
    deadline = time.monotonic() + 5  # a cluster panel's threads end within one turn of their loops
    while (left := panel_threads()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert left == []
    assert {process.pid for process in psutil.Process().children(recursive=True)} <= before


def graded(text: str, *only: str) -> tuple[CheckResult, ...]:
    exercise_id = only[0].partition(".")[0]
    return grade(Submission("x", {exercise_id: text}, {}), SUITE, GradingSettings(only=only)).checks


# -- marks ---------------------------------------------------------------------------------------------------


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


def test_the_reference_solution_earns_all_points_and_stands_beside(make: Make) -> None:
    watched = make(code=REFERENCE)

    report = watched.panel.run("ex3.elects", "ex3.pre-vote").wait()

    assert report is not None
    assert report.earned == report.points == 20
    watched.until(lambda: watched.row("ex3.pre-vote")["reference"] == "passed")
    assert watched.row("ex3.elects")["reference_earned"] == "10"
    assert watched.panel.board.total["reference"] == "20"


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


# -- a failure, looked at --------------------------------------------------------------------------------------


@pytest.fixture
def failed(make: Make) -> Watched:
    watched = make(code=WRONG)
    watched.panel.run("ex3.votes").wait()
    return watched


def test_the_failed_run_is_drawn_with_its_story(failed: Watched) -> None:
    failed.ask("diagram", check="ex3.votes", width=900)

    drawn = failed.message("diagram")
    assert drawn["svg"].startswith("<svg")
    assert 'width="900"' in drawn["svg"]
    assert any("crashed while it led term 1" in sentence for _, sentence in drawn["story"])
    assert drawn["moment"] == pytest.approx(2.149, abs=0.001)


def test_the_same_situation_is_drawn_with_the_reference(failed: Watched) -> None:
    failed.ask("diagram", check="ex3.votes", whose="reference", whole=True)

    drawn = failed.message("diagram")
    assert (drawn["whose"], drawn["whole"]) == ("reference", True)
    assert drawn["svg"].startswith("<svg")


def test_a_drawing_does_not_mind_that_the_checks_begin_anew_meanwhile(
    failed: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin_anew(*arguments: Any) -> Any:
        with failed.panel._lock:
            failed.panel.marks.begin(("ex3.votes",), "another text")
        return carry_out(*arguments)

    monkeypatch.setattr(exercise, "carry_out", begin_anew)
    failed.ask("diagram", check="ex3.votes", whose="reference")

    assert failed.message("diagram")["moment"] == pytest.approx(2.149, abs=0.001)
    assert list(failed.panel.errors) == []


def test_the_failed_run_is_opened_as_a_cluster_that_lives_through_it_again(failed: Watched) -> None:
    scene = failed.panel.marks.rows["ex3.votes"].scene
    assert scene is not None
    assert scene.run is not None
    failed.ask("open", check="ex3.votes")

    opened = failed.until(lambda: failed.panel.opened)
    cluster = opened.cluster
    assert isinstance(cluster, ReplayedCluster)
    assert opened.warning == ""
    assert cluster.now() == pytest.approx(scene.moment - 1.5, abs=0.001)
    cluster.sleep(cluster.end - cluster.now())

    told = [(e.time, e.node, e.event, e.peer) for e in cluster.events()]
    assert told == [(e.time, e.node, e.event, e.peer) for e in scene.run.trace]
    failed.until(lambda: failed.panel.children[1:] == (opened.panel,))


def test_an_opened_run_is_rewound_after_its_course_was_changed(failed: Watched) -> None:
    failed.ask("open", check="ex3.votes")
    cluster = failed.until(lambda: failed.panel.opened).cluster
    before = [(e.time, e.node, e.event, e.peer) for e in cluster.events()]
    moment = cluster.now()

    cluster.kill("node-2")
    cluster.sleep(1)
    cluster.rewind(moment - 0.001)
    cluster.sleep(0.001)

    assert [(e.time, e.node, e.event, e.peer) for e in cluster.events()] == before
    assert cluster.status()["node-2"].state == "running"


def test_a_run_that_goes_another_way_is_not_passed_off_as_the_one_that_was_judged(failed: Watched) -> None:
    scene = failed.panel.marks.rows["ex3.votes"].scene
    assert scene is not None
    assert scene.run is not None

    assert differs(scene.run, strategy_of(WRONG)) == ""
    dice = WRONG.replace("self.rng.random()", "(id(self) % 1009) / 1009")
    assert "another way" in differs(scene.run, strategy_of(dice))


def test_a_run_that_an_exception_ended_is_opened_just_before_it(make: Make) -> None:
    raising = REFERENCE.replace("self.votes.add(voter)", "self.votes.add(voter)\n        assert len(self.votes) < 2")
    watched = make(code=raising)
    watched.panel.run("ex3.elects").wait()
    assert "AssertionError" in watched.row("ex3.elects")["message"]

    watched.ask("diagram", check="ex3.elects")
    assert watched.message("diagram")["svg"].startswith("<svg")
    watched.ask("open", check="ex3.elects")

    opened = watched.until(lambda: watched.panel.opened)
    assert opened.warning == ""
    with pytest.raises(AssertionError):
        opened.cluster.sleep(2)


def test_a_store_that_was_misjudged_is_opened_with_what_the_function_did_to_it(make: Make) -> None:
    watched = make("ex1", code=NAIVE)
    watched.panel.run("ex1.broken.loses-some").wait()
    assert watched.row("ex1.broken.loses-some")["state"] == "failed"

    watched.ask("open", check="ex1.broken.loses-some")

    opened = watched.until(lambda: watched.panel.opened)
    kinds = [event.kind for event in opened.cluster.events() if event.event in ("fault", "request")]
    assert opened.kind == "left"
    assert kinds[-2:] == ["put", "kill"]
    end = opened.cluster.now()
    opened.cluster.start("node-1")
    watched.ask("open", check="ex1.broken.loses-some")
    again = watched.until(lambda: watched.panel.opened if watched.panel.opened is not opened else None)
    assert again.cluster.now() == end
    assert again.cluster.status()["node-1"].state == "stopped"


def test_a_check_that_did_not_fail_has_nothing_to_open(make: Make) -> None:
    watched = make(code=WRONG)

    watched.ask("open", check="ex3.votes")

    assert "did not fail in the simulator" in watched.problem()
    assert list(watched.panel.errors) == []

    watched.panel.run("ex3.votes").wait()

    assert list(watched.panel.board.problems) == []  # what was said then is no longer so


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
    return [one for one in psutil.Process().children(recursive=True) if "labs.grading.child" in " ".join(one.cmdline())]


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
