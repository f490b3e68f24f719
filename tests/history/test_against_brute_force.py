"""The fast checker comes to the same verdict as trying everything, and proves what it says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from labs.history import Model, Operation, check, is_linearizable
from labs.history import windows as windows_module
from labs.history.search import find_order
from labs.history.windows import Timeline
from tests.history.small_histories import OK, by_brute_force, explains, for_all_models, respects_time


@pytest.mark.sample(1)
@for_all_models
@given(data=st.data())
@settings(max_examples=250, deadline=None)
def test_the_fast_checker_agrees_with_trying_everything(
    model: Model, small: st.SearchStrategy[list[Operation]], starts: list[Any], data: st.DataObject
) -> None:
    history = data.draw(small)

    assert is_linearizable(history, model) == by_brute_force(history, starts[0])


@pytest.mark.slow
@for_all_models
@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_from_an_unknown_start_it_agrees_with_trying_every_start(
    model: Model, small: st.SearchStrategy[list[Operation]], starts: list[Any], data: st.DataObject
) -> None:
    history = data.draw(small)

    found = find_order(history, model, model.anything) is not None

    assert found == any(by_brute_force(history, start) for start in starts)


@pytest.mark.sample(1)
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
