"""The search for a seed with which a check fails a right solution: it must be able to find one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools.direct import SOLUTIONS, planted
from tools.no_false_failures import ALTERNATIVES, REFERENCES, Subject, describe, run, try_seeds

WRONG = Subject("ex2", "wrong_ex2")


@pytest.fixture(autouse=True)
def wrong_solution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, WRONG.module, planted("ex2", (" if samples else 0.0", "")))


@pytest.mark.slow
def test_a_wrong_solution_is_found_with_every_seed_and_the_first_is_named() -> None:
    tally = run(WRONG, range(5, 7), jobs=1)

    assert tally.seeds == 2
    assert {seed: set(found) for seed, found in tally.failures.items()} == {5: {"ex2.fraction"}, 6: {"ex2.fraction"}}
    assert "\n    seed 5: ex2.fraction: raised: ZeroDivisionError" in describe(WRONG, tally)


@pytest.mark.slow
def test_what_a_solution_leaves_out_on_purpose_is_no_failure() -> None:
    modest = Subject("ex2", WRONG.module, frozenset({"ex2.fraction"}))

    assert try_seeds(modest, [5]).failures == {}


def test_all_solutions_are_tried() -> None:
    files: list[Path] = [*SOLUTIONS.glob("ex*.py"), *SOLUTIONS.glob("alternatives/ex*.py")]

    assert {subject.module.rpartition(".")[2] for subject in (*REFERENCES, *ALTERNATIVES)} == {f.stem for f in files}
