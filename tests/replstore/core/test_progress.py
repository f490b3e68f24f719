"""One follower's state machine: whatever arrives in whatever order, its invariants hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replstore.core.messages import START, EntryId
from replstore.core.progress import MAX_RETRY, TRANSITIONS, Event, Progress, State

RETRY = 0.2

steps = st.one_of(
    st.tuples(st.just("agreed"), st.integers(0, 20)),
    st.tuples(st.just("refused"), st.integers(0, 20)),
    st.tuples(st.just("give_up_waiting")),
    st.tuples(st.just("send_snapshot"), st.integers(0, 20), st.booleans()),
    st.tuples(st.just("installed"), st.integers(0, 20)),
    st.tuples(st.just("is_back")),
    st.tuples(st.just("stream"), st.integers(0, 5)),
)


def take(progress: Progress, step: tuple[object, ...]) -> None:
    match step:
        case ("agreed", int(index)):
            progress.agreed(index)
        case ("refused", int(index)):
            progress.refused(index)
        case ("give_up_waiting",):
            progress.give_up_waiting()
        case ("is_back",):
            progress.is_back()
        case ("send_snapshot", int(index), bool(force)):
            progress.send_snapshot(EntryId(index, 1, "node-1"), [], force)
        case ("installed", int(index)) if progress.state is State.SNAPSHOT:
            progress.installed(index)
        case ("stream", int(count)) if progress.state is State.STREAMING:
            progress.next += count


@given(st.integers(1, 20), st.lists(steps, max_size=40))
def test_match_lies_before_next_and_never_goes_back(first: int, sequence: list[tuple[object, ...]]) -> None:
    progress = Progress(first, RETRY)
    for step in sequence:
        before = progress.match
        take(progress, step)

        assert 0 <= progress.match < progress.next
        assert progress.match >= before


@given(st.lists(steps, max_size=40))
def test_a_snapshot_is_under_way_exactly_in_the_state_snapshot(sequence: list[tuple[object, ...]]) -> None:
    progress = Progress(1, RETRY)
    for step in sequence:
        take(progress, step)

        assert (progress.transfer is not None) == (progress.state is State.SNAPSHOT)


def test_a_follower_that_agrees_is_streamed_to_and_probed_again_when_it_refuses_or_falls_silent() -> None:
    progress = Progress(10, RETRY)
    assert (progress.state, progress.next) == (State.PROBING, 10)

    progress.agreed(9)
    assert (progress.state, progress.match, progress.next) == (State.STREAMING, 9, 10)

    progress.next = 15  # entries 10 to 14 were sent
    progress.refused(9)
    assert (progress.state, progress.next) == (State.PROBING, 10)

    progress.agreed(14)
    progress.next = 20
    progress.give_up_waiting()
    assert (progress.state, progress.match, progress.next) == (State.PROBING, 14, 15)


def test_a_late_refusal_takes_nothing_back() -> None:
    progress = Progress(10, RETRY)
    progress.agreed(9)

    progress.refused(3)

    assert (progress.state, progress.match, progress.next) == (State.STREAMING, 9, 10)


def test_a_snapshot_is_given_up_only_after_a_long_silence() -> None:
    progress = Progress(1, RETRY)
    progress.send_snapshot(START, [], False)
    waits = 0
    while progress.state is State.SNAPSHOT:
        progress.give_up_waiting()
        waits += 1

    assert 2**waits == MAX_RETRY
    assert progress.state is State.PROBING


def test_what_the_table_does_not_have_cannot_happen() -> None:
    with pytest.raises(KeyError):
        Progress(1, RETRY).installed(1)


def test_every_state_and_every_event_is_in_the_table() -> None:
    assert set(TRANSITIONS) == set(State)
    assert {event for row in TRANSITIONS.values() for event in row} == set(Event)
