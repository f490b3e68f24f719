"""The exercises as students write them: mistakes lose the checks that name them, right designs lose nothing.

Here a mistake is judged by its own checks alone, with one seed, and at the student's level if it shows there: that is
the least that proves the check. `python -m tools.banks` judges every entry by all checks, as a grading would.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from labs.grading.checks import SUITE
from labs.grading.forbidden_dice import forbidden_dice
from labs.grading.results import Status
from labs.grading.runner import grade
from labs.grading.settings import GradingSettings
from labs.grading.submission.submission import Submission
from tools.banks import EXERCISES, Entry, bank
from tools.banks.ex3 import PATIENCE
from tools.banks.judging import judge, tasks
from tools.direct import lost

BANKS = {exercise: bank(exercise) for exercise in EXERCISES}
WRONG = [(exercise, name) for exercise, (wrong, _) in BANKS.items() for name in wrong]
RIGHT = [(exercise, name) for exercise, (_, right) in BANKS.items() for name in right]


SEEDS = {"ex1": 20417, "ex2": 20417, "ex3": 0}


@pytest.mark.slow
@pytest.mark.parametrize(("exercise", "mistake"), WRONG)
def test_a_mistake_loses_the_checks_that_name_it(exercise: str, mistake: str) -> None:
    entry = BANKS[exercise][0][mistake]
    assert entry.is_caught(found := entry.loses(SEEDS[exercise])), found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "exercise", "design"),
    [(number, *one) for number, one in enumerate(RIGHT)],
    ids=["-".join(one) for one in RIGHT],
)
def test_a_right_design_loses_nothing(number: int, exercise: str, design: str) -> None:
    """Each with a seed that no other has. A variation is judged at the student's level, as an instructor's differs
    little and takes three times as long; what it varies is judged at the instructor's. `tools.banks` judges all of them
    so, and `tools.no_false_failures` takes the solutions through many more seeds."""
    entry = BANKS[exercise][1][design]
    level = "student" if entry.changes or exercise == "ex3" else "instructor"
    assert lost(exercise, entry.module(), level, seeds=(number,)) == {}


@pytest.mark.parametrize("seed", [1000, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (77, 20417, 4242))])
@pytest.mark.parametrize(
    ("exercise", "mistake"), [("ex2", "no record of followers' answers"), ("ex3", "votes in a list")]
)
def test_a_common_mistake_is_found_for_every_seed(exercise: str, mistake: str, seed: int) -> None:
    entry = BANKS[exercise][0][mistake]
    assert entry.is_caught(found := entry.loses(seed)), found


def test_a_mistake_counts_as_caught_only_by_the_checks_that_name_it() -> None:
    entry = Entry("ex1", "ex1_fault_tolerance", checks=("a", "b"), one_of=("c", "d"))

    assert entry.is_caught({"a": "", "b": "", "d": ""})
    assert not entry.is_caught({"a": "", "b": ""})
    assert not entry.is_caught({"a": "", "c": "", "d": ""})


@pytest.mark.slow
def test_the_tool_judges_as_a_grading_does() -> None:
    [wrong] = [judge(*task) for task in tasks(["ex2"], [20417], "no record of followers' answers")]
    [right] = [judge(*task) for task in tasks(["ex2"], [20417], "one token")]

    assert (wrong.fine, right.fine, right.lost) == (True, True, {})
    assert str(right) == "ok    ex2 right seed 20417: one token: nothing"


@pytest.mark.slow
def test_the_command_judges_with_several_processes() -> None:
    words = [sys.executable, "-m", "tools.banks", "--exercise", "ex2", "--only", "one token", "--jobs", "2"]

    done = subprocess.run(words, capture_output=True, text=True, timeout=120)

    assert (done.returncode, done.stdout) == (0, "ok    ex2 right seed 20417: one token: nothing\n"), done.stderr


@pytest.mark.slow
def test_other_dice_cost_points_and_the_line_is_named() -> None:
    own = ("from dataclasses import dataclass", "import random\nfrom dataclasses import dataclass")
    text = Entry("ex3", "ex3_election", ((PATIENCE, PATIENCE.replace("self.rng", "random")), own)).source
    handed_in = Submission("test", {"ex3": text}, {})

    [result] = grade(handed_in, SUITE, GradingSettings(only=("ex3.randomized-timeout",))).checks

    assert result.status is Status.FAILED
    assert result.evidence == forbidden_dice(text)
    assert "random.random()" in result.evidence[0]
