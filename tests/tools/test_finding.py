"""The tool that tells which graded run finds which mistake."""

from __future__ import annotations

from labs.grading.checks.ex3 import PARTS
from tools.banks import bank
from tools.finding import ENDLESS, look, tell

SEEDS = range(1000, 1001)


def test_a_mistake_is_shown_by_the_runs_that_are_made_for_it_and_a_right_design_by_none() -> None:
    wrong, right = bank("ex3")

    assert {"majority 2", "majority 3"} <= look(wrong["half of the nodes"].source, SEEDS).keys()
    assert look(next(iter(right.values())).source, SEEDS) == {}


def test_what_cannot_be_imported_and_what_never_ends_is_found_by_everything() -> None:
    endless = (
        "from replstore import Election\n"
        "class MyElection(Election):\n"
        "    def tick(self, now):\n        while True: pass\n"
        "    def receive(self, sender, message, now):\n        pass\n"
    )

    assert look("1 / 0", SEEDS) == {"import": [1000]}
    assert look(endless, SEEDS) == {ENDLESS: [1000]}


def test_it_tells_which_run_is_the_only_one_and_which_mistake_needs_luck() -> None:
    shown = {"one": {"terms 0": [1, 2]}, "two": {"terms 0": [1, 2], "log 1": [1, 2]}, "luck": {"log 1": [2]}}

    told = tell(shown, range(1, 3))

    assert "3 mistakes: 2 shown with each of 2 seeds, 0 with none" in told
    assert "with 1 of 2 seeds: luck: log 1 ×1" in told
    assert "| terms 0 | 2 | 2 | 1 |" in told
    assert "| log 1 | 2 | 1 | 0 |" in told


def test_only_runs_at_the_end_of_a_part_are_made_with_more_seeds() -> None:
    for part in PARTS:
        assert part.runs(7, full=False) == part.runs(7)[len(part.runs(7)) - part.lucky :]
    assert sum(part.lucky for part in PARTS) == 5
