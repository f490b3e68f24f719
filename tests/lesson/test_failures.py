"""The failures that Exercise 3's notebook shows have happened, and would not have happened to the reference."""

from __future__ import annotations

import pytest

from labs.grading.checks.ex3 import PARTS
from labs.lesson.failures import GOOD, NAMES, file_of, load
from labs.rules import check_run
from labs.simulation.schedule import carry_out
from solutions.ex3_election import MyElection
from tools.record_failures import RECIPES, SEED, good, record, written


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_brings_the_same_run_back(name: str) -> None:
    recorded = file_of(name).read_text(encoding="utf-8")

    assert recorded == written(record(name)), "run `python -m tools.record_failures` again"


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_does_better_in_the_same_situation(name: str) -> None:
    part = next(part for part in PARTS if part.id == RECIPES[name].part)
    run = carry_out(next(iter(part.schedules(SEED))), MyElection)
    assert not [v for v in check_run(run, part.claims) if v.rule == RECIPES[name].rule]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_shown_as_picture_and_as_story(name: str) -> None:
    failure = load(name)
    assert f"✗ Broken: {failure.rule}" in failure.picture()
    assert all(sentence.startswith("at ") for sentence in failure.story())
    assert failure.command == f"replab check ex3 --only {failure.check} --seed {SEED}"


def test_there_is_no_other_failure() -> None:
    with pytest.raises(ValueError, match=r"no failure 'x'; there are old-log, same-timeout"):
        load("x")


def test_the_good_election_is_one_of_the_reference_and_breaks_nothing() -> None:
    recorded = file_of(GOOD).read_text(encoding="utf-8")

    assert recorded == written(good()), "run `python -m tools.record_failures` again"
    assert "✗" not in load(GOOD).picture()
    assert any("became leader" in sentence and "the vote of" in sentence for sentence in load(GOOD).story())


def test_what_was_cut_before_the_picture_begins_is_drawn() -> None:
    assert "partition" in load("old-log").picture()
