"""Single cases of linearizability, one for each rule, and what a violation tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labs.history import REGISTER, HistoryError, LinearizabilityViolation, Operation, check, is_linearizable
from tests.history.small_histories import FAILED, OK, UNKNOWN

# --------------------------------------------------------------------------------------------------------
# Single cases, one for each rule


def op(client: str, kind: str, invoked: float, completed: float | None, **more: Any) -> Operation:
    outcome = more.pop("outcome", UNKNOWN if completed is None else OK)
    return Operation(client, kind, "x", invoked=invoked, completed=completed, outcome=outcome, **more)


def put(client: str, value: Any, invoked: float, completed: float | None, **more: Any) -> Operation:
    return op(client, "put", invoked, completed, value=value, **more)


def get(client: str, result: Any, invoked: float, completed: float, **more: Any) -> Operation:
    return op(client, "get", invoked, completed, result=result, **({"found": True} | more))


def test_a_read_of_a_missing_key_is_right_before_the_first_write_only() -> None:
    missing = get("b", None, 5, 6, found=False)

    assert is_linearizable([missing, put("a", 1, 7, 8)])
    assert not is_linearizable([missing, put("a", 1, 1, 2)])


def test_a_stored_null_is_a_value_and_not_a_missing_key() -> None:
    assert is_linearizable([put("a", None, 1, 2), get("b", None, 3, 4, found=True)])
    assert not is_linearizable([put("a", None, 1, 2), get("b", None, 3, 4, found=False)])


def test_a_null_that_may_be_a_value_or_a_missing_key_says_nothing() -> None:
    unknown = get("b", None, 3, 4, found=None)
    for written in (None, 7):
        assert is_linearizable([put("a", written, 1, 2), unknown, get("b", written, 5, 6)])
    assert not is_linearizable([put("a", 7, 1, 2), unknown, get("b", 8, 5, 6)])


@pytest.mark.parametrize("twin", [True, 1.0, "1"])
def test_values_that_python_or_a_careless_eye_takes_for_equal_are_different(twin: Any) -> None:
    assert not is_linearizable([put("a", 1, 1, 2), get("b", twin, 3, 4)])


def test_a_write_of_unknown_outcome_may_take_effect_much_later_or_never() -> None:
    lost = put("a", 1, 1, None)
    between = [put("b", 2, 2, 3), get("c", 2, 4, 5)]

    assert is_linearizable([lost, *between, get("c", 1, 6, 7)])
    assert is_linearizable([lost, *between, get("c", 2, 6, 7)])


def test_a_write_of_unknown_outcome_does_not_take_effect_before_it_is_asked_for_or_twice() -> None:
    assert not is_linearizable([get("c", 1, 1, 2), put("a", 1, 3, None)])
    assert not is_linearizable(
        [put("a", 1, 1, None), get("c", 1, 2, 3), put("b", 2, 4, 5), get("c", 2, 6, 7), get("c", 1, 8, 9)]
    )


def test_a_failed_write_has_no_effect() -> None:
    assert not is_linearizable([put("a", 1, 1, 2, outcome=FAILED), get("b", 1, 3, 4)])


def test_a_delete_that_found_nothing_needs_a_key_that_is_not_there() -> None:
    assert not is_linearizable([put("a", 1, 1, 2), op("b", "delete", 3, 4, found=False)])
    assert is_linearizable(
        [put("a", 1, 1, 2), op("b", "delete", 3, 4, found=True), op("b", "delete", 5, 6, found=False)]
    )


def test_operations_that_touch_at_one_moment_count_as_overlapping() -> None:
    assert is_linearizable([put("a", 1, 1, 2), get("b", None, 2, 3, found=False)])


def test_each_key_is_judged_by_itself() -> None:
    good = put("a", 1, 1, 2)
    bad = replace(get("b", 9, 3, 4), key="y")

    verdict = check([good, bad])

    assert [violation.key for violation in verdict.violations] == ["y"]
    assert (verdict.keys, verdict.operations) == (2, 2)


def test_an_operation_that_the_model_does_not_have_is_refused() -> None:
    with pytest.raises(HistoryError, match="a register has no 'cas'"):
        check([op("a", "cas", 1, 2, value=[1, 2], result=True)], REGISTER)


def test_an_append_to_what_is_no_text_is_refused() -> None:
    with pytest.raises(HistoryError, match="holds a text, not 7"):
        check([put("a", 7, 1, 2), op("a", "append", 3, 4, value="x")])


# --------------------------------------------------------------------------------------------------------
# The culprit


def violation_of(history: list[Operation]) -> LinearizabilityViolation:
    (violation,) = check(history).violations
    return violation


def test_the_window_is_as_short_as_it_can_be() -> None:
    busy = [get("a", None, n, n + 0.5, found=False) for n in range(5)]
    puts = [put("a", 1, 10, 11), put("a", 2, 12, 13), put("a", 3, 14, 15)]
    stale = get("b", 2, 16, 17)

    violation = violation_of([*busy, *puts, stale, get("b", 3, 18, 19)])

    assert violation.window == (puts[2], stale)
    assert violation.stuck == stale
    assert violation.possible == ("get → 3",)
    assert violation.order == (*busy, *puts)
    assert "`get → 2` by client b fits nowhere" in violation.sentence


def test_the_beginning_belongs_to_the_window_where_only_the_initial_state_is_contradicted() -> None:
    violation = violation_of([get("a", 7, 1, 2)])

    assert violation.from_start
    assert violation.possible == ("get → none",)
    assert "from the beginning" in violation.sentence


def test_writes_that_reach_into_the_window_are_named() -> None:
    running = put("c", 5, 1, 30)
    lost = put("d", 6, 2, None)

    violation = violation_of([running, lost, put("a", 1, 10, 11), put("a", 2, 12, 13), get("b", 1, 14, 15)])

    assert set(violation.across) == {running, lost}
    assert set(violation.waiting) == {running, lost}
    assert violation.possible == ("get → 2", "get → 5", "get → 6")
