"""Histories whose verdict is known: recorded ones, and long ones that are right or wrong by construction."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labs.history import Operation, check, is_linearizable, linearizable_history, load
from labs.history.generate import CAS_MIX, TEXT_MIX

DATA = Path(__file__).parent / "data"
VERDICTS = [line.split() for line in (DATA / "VERDICTS.txt").read_text().splitlines()]


@pytest.mark.parametrize(("name", "verdict"), VERDICTS)
def test_a_recorded_history_gets_its_known_verdict(name: str, verdict: str) -> None:
    assert check(load(DATA / name)).word == verdict


def test_all_recorded_histories_are_judged_within_half_a_minute() -> None:
    assert len(VERDICTS) == 39
    started = time.process_time()

    judged = [(name, "linearizable" if is_linearizable(load(DATA / name)) else "violation") for name, _ in VERDICTS]

    assert judged == [(name, verdict) for name, verdict in VERDICTS]
    assert time.process_time() - started < 30


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "make",
    [
        lambda: linearizable_history(10_000, keys=50, clients=10, seed=1),
        lambda: linearizable_history(10_000, keys=50, clients=10, seed=2, unknown=0.1, values=5),
        lambda: linearizable_history(3_000, keys=1, clients=10, seed=3, unknown=0.05),
        lambda: linearizable_history(2_000, keys=1, clients=5, seed=4, mix=CAS_MIX, unknown=0.2, values=5),
        lambda: linearizable_history(4_000, keys=10, clients=50, seed=5, mix=TEXT_MIX),
    ],
    ids=["50 keys", "50 keys, unknown outcomes", "one key", "compare-and-set", "append"],
)
def test_a_long_history_that_is_linearizable_by_construction_is_found_so_in_five_seconds(
    make: Callable[[], list[Operation]],
) -> None:
    history = make()
    started = time.process_time()

    assert is_linearizable(history)
    assert time.process_time() - started < 5


@pytest.mark.sample(2)
@pytest.mark.parametrize("unknown", [0.0, 0.05])
@pytest.mark.parametrize("seed", range(3))
def test_one_stale_read_in_ten_thousand_operations_is_found(seed: int, unknown: float) -> None:
    history = linearizable_history(10_000, keys=50, clients=10, seed=seed, unknown=unknown)
    place, stale = next(stale_reads(history))
    history[place] = stale

    verdict = check(history)

    (violation,) = verdict.violations
    assert violation.key == stale.key
    assert violation.stuck == stale
    assert len(violation.window) <= 20


def stale_reads(history: list[Operation]) -> Iterator[tuple[int, Operation]]:
    """Reads from the second half on, turned back to what had been read before three later writes."""
    for place, op in enumerate(history[len(history) // 2 :], len(history) // 2):
        if op.kind != "get":
            continue
        earlier = [other for other in history[:place] if other.key == op.key]
        done = [o for o in earlier if o.kind == "put" and o.ok and o.completed is not None and o.completed < op.invoked]
        seen = [o for o in earlier if o.kind == "get" and o.found and len(done) > 3 and o.invoked < done[-3].invoked]
        if seen and seen[-1].result not in [write.value for write in done[-4:]]:
            yield place, replace(op, result=seen[-1].result, found=True)


@example(seed=0)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_generated_histories_are_linearizable_and_the_same_for_the_same_seed(seed: int) -> None:
    history = linearizable_history(60, keys=2, clients=4, seed=seed, unknown=0.3, values=3)

    assert is_linearizable(history)
    assert history == linearizable_history(60, keys=2, clients=4, seed=seed, unknown=0.3, values=3)
    assert len(history) == 60
