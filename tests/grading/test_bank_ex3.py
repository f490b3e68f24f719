"""Exercise 3: elections as students write them lose the check that names their mistake; right ones lose nothing."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from labs.grading.checks import SUITE
from labs.grading.forbidden_dice import forbidden_dice
from labs.grading.results import Status
from labs.grading.runner import grade
from labs.grading.settings import GradingSettings
from labs.grading.submission.submission import Submission
from labs.simulation.loading import election_from_source
from tests.grading.bank_ex3 import PATIENCE, RIGHT, WRONG, Changes
from tools.direct import SOLUTIONS, lost


def source(changes: Changes) -> str:
    text = (SOLUTIONS / "ex3_election.py").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def module(changes: Changes) -> SimpleNamespace:
    return SimpleNamespace(MyElection=election_from_source(source(changes)))


@pytest.mark.slow
@pytest.mark.parametrize("mistake", WRONG)
def test_a_wrong_election_loses_the_check_that_names_its_mistake(mistake: str) -> None:
    check, changes = WRONG[mistake]
    assert f"ex3.{check}" in lost("ex3", module(changes))


@pytest.mark.slow
@pytest.mark.parametrize(("number", "design"), list(enumerate(RIGHT)), ids=list(RIGHT))
def test_a_right_election_loses_nothing(number: int, design: str) -> None:
    """Each with three seeds that no other has; `tools.no_false_failures` takes the solutions through many more."""
    for seed in range(3 * number, 3 * number + 3):
        assert lost("ex3", module(RIGHT[design]), seeds=(seed,)) == {}


@pytest.mark.sample(1)
@pytest.mark.parametrize("seed", [1000, 77, 20417, 4242])
def test_votes_counted_twice_are_found_for_every_seed(seed: int) -> None:
    assert "ex3.majority" in lost("ex3", module(WRONG["votes in a list"][1]), seeds=(seed,))


@pytest.mark.slow
def test_other_dice_cost_points_and_the_line_is_named() -> None:
    own = ("from dataclasses import dataclass", "import random\nfrom dataclasses import dataclass")
    text = source(((PATIENCE, PATIENCE.replace("self.rng", "random")), own))
    handed_in = Submission("test", {"ex3": text}, {})

    [result] = grade(handed_in, SUITE, GradingSettings(only=("ex3.randomized-timeout",))).checks

    assert result.status is Status.FAILED
    assert result.evidence == forbidden_dice(text)
    assert "random.random()" in result.evidence[0]
