"""Exercises 1 and 2 as students write them: mistakes lose the checks that name them, right designs lose nothing."""

from __future__ import annotations

import pytest

from tests.grading.banks import bank
from tools.direct import lost

BANKS = {exercise: bank(exercise) for exercise in ("ex1", "ex2")}
WRONG = [(exercise, name) for exercise, (wrong, _) in BANKS.items() for name in wrong]
RIGHT = [(exercise, name) for exercise, (_, right) in BANKS.items() for name in right]


@pytest.mark.slow
@pytest.mark.parametrize(("exercise", "mistake"), WRONG)
def test_a_mistake_loses_the_checks_that_name_it(exercise: str, mistake: str) -> None:
    entry = BANKS[exercise][0][mistake]
    assert entry.is_caught(found := lost(exercise, entry.module(), "instructor", seeds=(20417,))), found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "exercise", "design"),
    [(number, *one) for number, one in enumerate(RIGHT)],
    ids=["-".join(one) for one in RIGHT],
)
def test_a_right_design_loses_nothing(number: int, exercise: str, design: str) -> None:
    """Each with a seed that no other has; `tools.no_false_failures` takes the solutions through many more."""
    assert lost(exercise, BANKS[exercise][1][design].module(), "instructor", seeds=(number,)) == {}


@pytest.mark.parametrize("seed", [1000, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (77, 20417, 4242))])
def test_a_session_that_forgets_what_it_read_is_found_for_every_seed(seed: int) -> None:
    entry = BANKS["ex2"][0]["no record of followers' answers"]
    assert entry.is_caught(lost("ex2", entry.module(), seeds=(seed,)))
