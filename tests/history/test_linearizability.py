"""Linearizability: the fast checker against a slow one, known verdicts, and what is promised of a violation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, combinations, permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from labs.cluster.base import Outcome
from labs.history import (
    CAS_REGISTER,
    REGISTER,
    TEXT,
    HistoryError,
    LinearizabilityViolation,
    Model,
    Operation,
    check,
    is_linearizable,
    linearizable_history,
    load,
)
from labs.history import windows as windows_module
from labs.history.generate import CAS_MIX, TEXT_MIX
from labs.history.search import find_order
from labs.history.windows import Timeline

DATA = Path(__file__).parent / "data"
VERDICTS = [line.split() for line in (DATA / "VERDICTS.txt").read_text().splitlines()]

OK, FAILED, UNKNOWN = Outcome.OK, Outcome.FAILED, Outcome.UNKNOWN


# --------------------------------------------------------------------------------------------------------
# The slow checker: every choice of uncertain writes, every order

NOTHING = "<nothing>"


def by_brute_force(history: list[Operation], start: Any) -> bool:
    """Try everything. Written without a look at the fast one: plain values, plain loops."""
    certain = [op for op in history if op.outcome is OK]
    uncertain = [op for op in history if op.outcome is UNKNOWN and op.kind != "get"]
    choices = chain.from_iterable(combinations(uncertain, n) for n in range(len(uncertain) + 1))
    return any(
        respects_time(order) and explains(order, start)
        for chosen in choices
        for order in permutations([*certain, *chosen])
    )


def respects_time(order: tuple[Operation, ...]) -> bool:
    return not any(
        later.outcome is OK and later.completed is not None and later.completed < earlier.invoked
        for earlier, later in combinations(order, 2)
    )


def explains(order: tuple[Operation, ...], value: Any) -> bool:
    for op in order:
        possible, value = carry_out(op, value)
        if not possible:
            return False
    return True


def carry_out(op: Operation, value: Any) -> tuple[bool, Any]:
    if op.kind == "get":
        return value == (NOTHING if op.found is False else op.result), value
    if op.kind == "put":
        return True, op.value
    if op.kind == "append":
        return True, value + op.value
    if op.kind == "delete":
        told = op.outcome is OK and op.found is not None
        return not told or op.found == (value != NOTHING), NOTHING
    expected, new = op.value
    matched = value == expected
    return op.outcome is UNKNOWN or op.result == matched, new if matched else value


# --------------------------------------------------------------------------------------------------------
# Small histories, of which about as many are linearizable as not


def one_of_two(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


OUTCOMES = one_of_two(OK, OK, OK, UNKNOWN, FAILED)
REQUESTS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    kind: st.fixed_dictionaries({"kind": st.just(kind.split()[0]), "outcome": OUTCOMES} | shape)
    for kind, shape in {
        "put": {"value": one_of_two(1, 2)},
        "get": {"result": one_of_two(1, 2), "found": one_of_two(True, True, False)},
        "delete": {"found": one_of_two(True, False, None)},
        "cas": {"value": one_of_two([1, 1], [1, 2], [2, 1]), "result": st.booleans()},
        "append": {"value": one_of_two("a", "b")},
        "put text": {"value": one_of_two("", "a")},
        "get text": {"result": one_of_two("", "a", "b", "ab", "aa", "ba")},
    }.items()
}


def histories(*kinds: str) -> st.SearchStrategy[list[Operation]]:
    """Up to six operations, each by a client of its own."""
    times = st.tuples(st.integers(0, 12), st.integers(0, 5))
    asked = st.lists(st.tuples(times, st.one_of([REQUESTS[kind] for kind in kinds])), min_size=1, max_size=6)
    return asked.map(build)


def build(asked: list[tuple[tuple[int, int], dict[str, Any]]]) -> list[Operation]:
    return [
        Operation(str(number), key="x", invoked=float(start), completed=float(start + length), **request)
        for number, ((start, length), request) in enumerate(asked)
    ]


MODELS: dict[str, tuple[Model, st.SearchStrategy[list[Operation]], list[Any]]] = {
    "register": (REGISTER, histories("put", "get", "delete"), [NOTHING, 1, 2, 3]),
    "compare-and-set": (CAS_REGISTER, histories("put", "get", "cas"), [NOTHING, 1, 2, 3]),
    "text": (TEXT, histories("put text", "get text", "append"), ["", "a", "b", "ab", "aa", "ba", "z"]),
}
for_all_models = pytest.mark.parametrize(("model", "small", "starts"), MODELS.values(), ids=MODELS)


@for_all_models
@given(data=st.data())
@settings(max_examples=250, deadline=None)
def test_the_fast_checker_agrees_with_trying_everything(
    model: Model, small: st.SearchStrategy[list[Operation]], starts: list[Any], data: st.DataObject
) -> None:
    history = data.draw(small)

    assert is_linearizable(history, model) == by_brute_force(history, starts[0])


@for_all_models
@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_from_an_unknown_start_it_agrees_with_trying_every_start(
    model: Model, small: st.SearchStrategy[list[Operation]], starts: list[Any], data: st.DataObject
) -> None:
    history = data.draw(small)

    found = find_order(history, model, model.anything) is not None

    assert found == any(by_brute_force(history, start) for start in starts)


@for_all_models
@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_an_order_that_is_found_explains_the_history(
    model: Model, small: st.SearchStrategy[list[Operation]], starts: list[Any], data: st.DataObject
) -> None:
    history = data.draw(small)

    order = find_order(history, model, model.initial)
    assume(order is not None)

    assert order is not None
    assert respects_time(tuple(order))
    assert explains(tuple(order), starts[0])
    assert {op.client for op in history if op.outcome is OK} <= {op.client for op in order}


@for_all_models
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_a_window_without_an_order_proves_that_the_history_has_none(
    model: Model, small: st.SearchStrategy[list[Operation]], starts: list[Any], data: st.DataObject
) -> None:
    history = data.draw(small)
    timeline = Timeline(history, model)
    places = range(len(timeline.events))

    impossible = any(timeline.contradicts(a, b) for a in places for b in places if a <= b)

    assert impossible == (not by_brute_force(history, starts[0]))


@for_all_models
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_a_search_that_gives_up_early_and_looks_at_windows_comes_to_the_same_verdict(
    model: Model, small: st.SearchStrategy[list[Operation]], starts: list[Any], data: st.DataObject
) -> None:
    history = data.draw(small)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(windows_module, "_search_limit", lambda events: 2)
        patched.setattr(windows_module, "_WIDTH", 4)
        verdict = is_linearizable(history, model)

    assert verdict == by_brute_force(history, starts[0])


# --------------------------------------------------------------------------------------------------------
# Known verdicts


@pytest.mark.parametrize(("name", "verdict"), VERDICTS)
def test_a_recorded_history_gets_its_known_verdict(name: str, verdict: str) -> None:
    assert check(load(DATA / name)).word == verdict


def test_all_recorded_histories_are_judged_within_half_a_minute() -> None:
    assert len(VERDICTS) == 39
    started = time.process_time()

    judged = [(name, "linearizable" if is_linearizable(load(DATA / name)) else "violation") for name, _ in VERDICTS]

    assert judged == [(name, verdict) for name, verdict in VERDICTS]
    assert time.process_time() - started < 30


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


@for_all_models
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_a_violation_keeps_its_promises(
    model: Model, small: st.SearchStrategy[list[Operation]], starts: list[Any], data: st.DataObject
) -> None:
    history = data.draw(small)
    verdict = check(history, model)
    assume(not verdict.ok)
    (violation,) = verdict.violations
    timeline = Timeline(history, model)
    calls = [n for n, (number, is_return) in enumerate(timeline.events) if not is_return]
    numbers = {timeline.operations[timeline.events[n][0]].client: n for n in calls}
    last = next(
        n for n, (number, back) in enumerate(timeline.events) if back and timeline.operations[number] == violation.stuck
    )
    first = numbers[violation.window[0].client] if violation.window and not violation.from_start else 0

    assert violation.stuck in violation.window
    assert timeline.contradicts(first, last)
    assert not timeline.contradicts(first + 1, last)
    assert not timeline.contradicts(0, last - 1)
    assert {o.client for o in violation.order}.isdisjoint(o.client for o in violation.waiting)
    done = {
        o.client
        for o in history
        if o.outcome is OK and o.completed is not None and o.completed < violation.stuck.invoked
    }
    assert done <= {o.client for o in violation.order}


@example(seed=0)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_generated_histories_are_linearizable_and_the_same_for_the_same_seed(seed: int) -> None:
    history = linearizable_history(60, keys=2, clients=4, seed=seed, unknown=0.3, values=3)

    assert is_linearizable(history)
    assert history == linearizable_history(60, keys=2, clients=4, seed=seed, unknown=0.3, values=3)
    assert len(history) == 60
