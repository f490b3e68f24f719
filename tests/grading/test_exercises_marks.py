"""Whole submissions through the real checks, in the real sandbox: what the marks are, and that they do not change."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import exercises
from labs.grading import batch
from labs.grading.check import Check, passed
from labs.grading.checks import OWN, SUITE
from labs.grading.reports import REPORT
from labs.grading.results import Report, Status
from labs.grading.runner import grade
from labs.grading.settings import GradingSettings, seeds_for
from labs.grading.submission.reading import open_submission
from labs.grading.submission.submission import Submission
from tools.direct import SOLUTIONS, from_source, outcome, planted, planted_source, the_checks

STARTER = Path(exercises.__path__[0])
ALTERNATIVES = {
    "ex1_diary.py": "ex1",
    "ex2_token.py": "ex2",
    "ex3_states.py": "ex3",
}


def unpassed(report: Report) -> dict[str, str]:
    return {result.id: result.message for result in report.checks if result.status is not Status.PASSED}


@pytest.mark.slow
def test_the_reference_gets_everything() -> None:
    """At the instructor's level. At the student's, other right designs do (below), and without a sandbox all of them:
    `test_banks`, `test_exercises_ex3`."""
    level = "instructor"
    report = grade(open_submission(SOLUTIONS), SUITE, GradingSettings(level=level, seeds=seeds_for(level, 4711)))

    assert unpassed(report) == {}
    assert (report.earned, report.points) == (300, 300)
    assert all(result.deterministic for result in report.checks)


@pytest.mark.slow
@pytest.mark.parametrize("file_name", ALTERNATIVES)
def test_another_right_design_gets_everything(file_name: str) -> None:
    exercise = ALTERNATIVES[file_name]
    source = (SOLUTIONS / "alternatives" / file_name).read_text(encoding="utf-8")

    report = grade(Submission(file_name, {exercise: source}, {}), SUITE, GradingSettings(only=(exercise,)))

    assert unpassed(report) == {}
    assert report.earned == 100


@pytest.mark.slow
@pytest.mark.parametrize("level", ["student", "instructor"])
def test_the_starter_gets_nothing_and_is_told_that_nothing_was_attempted(level: str) -> None:
    report = grade(open_submission(STARTER), SUITE, GradingSettings(level=level, seeds=seeds_for(level, 4711)))

    assert report.earned == 0
    assert {result.status for result in report.checks} == {Status.NOT_ATTEMPTED}


def test_each_exercise_is_worth_a_hundred_points() -> None:
    for level in ("student", "instructor"):
        for exercise in ("ex1", "ex2", "ex3"):
            assert sum(check.points for check in the_checks(exercise, level).values()) == 100


@pytest.mark.parametrize("path", sorted(STARTER.glob("ex*.py")), ids=lambda path: path.stem)
def test_the_starter_tells_where_all_hundred_points_are(path: Path) -> None:
    told = re.findall(r"\[(\d+) points\]", path.read_text(encoding="utf-8"))

    assert sum(map(int, told)) == 100


@pytest.mark.slow
def test_results_are_the_same_byte_for_byte_at_any_number_of_workers(tmp_path: Path) -> None:
    for name in ("ann", "bob"):
        folder = tmp_path / "class" / name
        folder.mkdir(parents=True)
        for source in (SOLUTIONS / "ex2_replication_lag.py", STARTER / "ex1_fault_tolerance.py"):
            (folder / source.name).write_bytes(source.read_bytes())
    without_term = (
        (SOLUTIONS / "ex3_election.py").read_text(encoding="utf-8").replace("self.term += 1", "self.term += 2")
    )
    (tmp_path / "class" / "bob" / "ex3_election.py").write_text(without_term, encoding="utf-8")
    settings = GradingSettings(only=("ex1.availability", "ex2.fraction", "ex2.fail-over", "ex3.elects"))

    written = []
    for workers in (1, 2):
        out = tmp_path / f"out-{workers}"
        jobs = batch.plan([tmp_path / "class"], out, "labs.grading.checks:SUITE", settings).jobs
        batch.run(jobs, workers, lambda report, known: None)
        written.append({job.name: _without_times(job.folder / REPORT) for job in jobs})

    assert written[0] == written[1]
    assert written[0].keys() == {"ann", "bob"}


def _without_times(path: Path) -> str:
    return json.dumps({**json.loads(path.read_text(encoding="utf-8")), "run": None})


def test_an_instructors_own_checks_are_asked_at_the_instructors_level_only(monkeypatch: pytest.MonkeyPatch) -> None:
    own = ModuleType(OWN)
    extra = Check("own", "ex2", "Answers", 5, lambda session: passed(), hidden=True)
    vars(own).update(VERSION=7, checks=lambda: [extra])
    before = SUITE.name
    monkeypatch.setitem(sys.modules, OWN, own)

    assert SUITE.checks("instructor", ())[-1] is extra
    assert extra not in SUITE.checks("student", ())
    assert SUITE.name != before, "older results are not taken for new ones"


def test_the_check_that_the_guide_shows_works() -> None:
    guide = (SOLUTIONS.parent / "docs" / "grading.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    [check] = from_source("guide", example).checks()

    assert outcome(check, planted("ex1")).passed
    one_row = ("    return [_row(cluster, stopped) for stopped in sets]", "    return [_row(cluster, sets[1])]")
    never_started = ("        cluster.start(node)\n    wait_for_leader", "        pass\n    wait_for_leader")
    assert outcome(check, planted("ex1", one_row, never_started)).message == "node-1 left stopped"


@pytest.mark.slow
def test_what_an_instructor_sees_can_be_seen_again_with_the_command_in_the_report() -> None:
    remembers = "            self._seen[key] = _version(answer)\n        return answer.ok"
    forgetful = planted_source("ex2", (remembers, "            pass\n        return answer.ok"))
    handed_in = Submission("test", {"ex2": forgetful}, {})
    name = "ex2.read-your-writes"

    as_graded = GradingSettings("instructor", seeds_for("instructor", 4711), secret="nobody's business", only=(name,))
    report = grade(handed_in, SUITE, as_graded)
    [seen] = report.checks
    assert seen.replay_command == f"replab check ex2 --only {name} --seed 4715 --dice {report.dice}"
    [again] = grade(handed_in, SUITE, GradingSettings(seeds=(4715,), dice=report.dice, only=(name,))).checks

    assert again.evidence[0] == seen.evidence[0]
