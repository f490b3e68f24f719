"""Session guarantees, staleness, lost writes and divergence: what is reported, and what is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.cluster.base import Outcome
from labs.history import (
    REGISTER,
    Operation,
    SessionViolation,
    check_sessions,
    divergence,
    linearizable_history,
    lost_writes,
    staleness,
)
from labs.history.operations import by_key
from labs.history.search import find_order
from labs.history.sessions import MONOTONIC_READS, MONOTONIC_WRITES, READ_YOUR_WRITES, WRITES_FOLLOW_READS


class Script:
    """Writes a history down: each line is one operation, a second after the one before it."""

    def __init__(self) -> None:
        self.history: list[Operation] = []

    def put(self, client: str, value: Any, place: tuple[int, int] | None = None, **more: Any) -> Operation:
        term, index = place or (None, None)
        return self._add(client, "put", value=value, term=term, index=index, **more)

    def get(self, client: str, result: Any, node: str | None = None, **more: Any) -> Operation:
        return self._add(client, "get", result=result, found=result is not None, node=node, **more)

    def delete(self, client: str, **more: Any) -> Operation:
        return self._add(client, "delete", found=True, **more)

    def _add(self, client: str, kind: str, key: str = "x", outcome: Outcome = Outcome.OK, **more: Any) -> Operation:
        now = 2.0 * len(self.history)
        more = {"invoked": now, "completed": now + 1} | more
        self.history.append(Operation(client, kind, key, outcome=outcome, **more))
        return self.history[-1]

    def only_violation(self) -> SessionViolation:
        (violation,) = check_sessions(self.history)
        return violation


def found(violation: SessionViolation) -> tuple[str, Operation, Operation]:
    return violation.guarantee, violation.earlier, violation.later


# --------------------------------------------------------------------------------------------------------
# The four guarantees


def test_a_client_that_does_not_see_its_own_write_is_told_so() -> None:
    script = Script()
    script.put("anna", 1)
    write = script.put("anna", 2)
    read = script.get("anna", 1, node="node-2")

    violation = script.only_violation()

    assert found(violation) == (READ_YOUR_WRITES, write, read)
    assert violation.client == "anna"
    assert violation.sentence == (
        "read your writes: client anna's `get → 1` of 'x' at node-2"
        " did not see its own `put 2` of 'x' or anything newer."
    )


def test_a_key_that_is_missing_after_ones_own_write_violates_read_your_writes() -> None:
    script = Script()
    write, read = script.put("anna", 1), script.get("anna", None)

    assert found(script.only_violation()) == (READ_YOUR_WRITES, write, read)


def test_a_value_that_reappears_after_ones_own_delete_violates_read_your_writes() -> None:
    script = Script()
    script.put("bert", 1)
    deletion, read = script.delete("anna"), script.get("anna", 1)

    assert found(script.only_violation()) == (READ_YOUR_WRITES, deletion, read)


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.FAILED])
def test_a_write_that_was_not_acknowledged_need_not_be_seen(outcome: Outcome) -> None:
    script = Script()
    script.put("anna", 1)
    script.put("anna", 2, outcome=outcome, completed=None)
    script.get("anna", 1)

    assert check_sessions(script.history) == []


def test_reading_somebody_elses_newer_write_is_reading_ones_own() -> None:
    script = Script()
    script.put("anna", 1)
    script.put("bert", 2)
    script.get("anna", 2)

    assert check_sessions(script.history) == []


def test_a_client_that_reads_something_older_than_before_is_told_so() -> None:
    script = Script()
    script.put("anna", 1)
    script.put("anna", 2)
    newer, older = script.get("bert", 2, node="node-1"), script.get("bert", 1, node="node-3")

    assert found(script.only_violation()) == (MONOTONIC_READS, newer, older)


def test_two_clients_may_see_different_ages() -> None:
    script = Script()
    script.put("anna", 1)
    script.put("anna", 2)
    script.get("bert", 2)
    script.get("carl", 1)

    assert check_sessions(script.history) == []


def test_a_value_that_was_written_twice_accuses_nobody() -> None:
    script = Script()
    for value in (1, 2, 1):
        script.put("anna", value)
    script.get("bert", 2)
    script.get("bert", 1)

    assert check_sessions(script.history) == []


def test_concurrent_writes_without_places_accuse_nobody_and_with_places_they_do() -> None:
    def read_back(first: tuple[int, int] | None, second: tuple[int, int] | None) -> list[SessionViolation]:
        script = Script()
        script.put("anna", 1, first, invoked=0.0, completed=1.0)
        script.put("bert", 2, second, invoked=0.5, completed=1.5)
        script.get("carl", 2)
        script.get("carl", 1)
        return check_sessions(script.history)

    assert read_back(None, None) == []
    assert read_back((1, 6), (1, 5)) == []
    assert [violation.guarantee for violation in read_back((1, 5), (1, 6))] == [MONOTONIC_READS]


def test_a_write_that_takes_its_place_before_the_clients_last_one_is_reported() -> None:
    script = Script()
    first = script.put("anna", 1, (2, 6))
    second = script.put("anna", 2, (1, 9), key="y")  # an old leader, cut off, still takes writes

    violation = script.only_violation()

    assert found(violation) == (MONOTONIC_WRITES, first, second)
    assert "(1, 9) against (2, 6)" in violation.sentence


def test_a_write_that_takes_its_place_before_what_the_client_had_read_is_reported() -> None:
    script = Script()
    script.put("bert", 1, (2, 6))
    read = script.get("anna", 1)
    write = script.put("anna", 2, (1, 9), key="y")

    assert found(script.only_violation()) == (WRITES_FOLLOW_READS, read, write)


def test_what_nobody_wrote_accuses_no_session() -> None:
    script = Script()
    script.put("anna", 1)
    script.get("anna", 77)
    script.get("anna", None, outcome=Outcome.UNKNOWN, completed=None)

    assert check_sessions(script.history) == []
    assert staleness(script.history) == []


@given(st.integers(0, 10_000), st.sampled_from([None, 3]))
@settings(max_examples=30, deadline=None)
def test_a_linearizable_history_keeps_every_promise(seed: int, values: int | None) -> None:
    history = linearizable_history(80, keys=2, clients=4, seed=seed, unknown=0.2, values=values)

    assert check_sessions(history) == []
    assert all(measured.fresh for measured in staleness(history))
    assert lost_writes(history, {"node-1": outcome_of(history)}) == []


def outcome_of(history: list[Operation]) -> dict[str, Any]:
    """What a store may hold after such a history."""
    contents = {}
    for key, operations in by_key(history).items():
        order = find_order(operations, REGISTER, REGISTER.initial)
        assert order is not None
        writes = [op for op in order if not op.is_read]
        if writes and writes[-1].kind == "put":
            contents[key] = writes[-1].value
    return contents


# --------------------------------------------------------------------------------------------------------
# Staleness


def test_staleness_counts_the_acknowledged_writes_that_a_read_missed_and_their_age() -> None:
    script = Script()
    for value in (1, 2, 3):
        script.put("anna", value)
    stale, fresh = script.get("bert", 1), script.get("bert", 3)

    first, second = staleness(script.history)

    assert (first.read, first.versions, first.seconds) == (stale, 2, 6.0 - 3.0)
    assert (second.read, second.versions, second.seconds, second.fresh) == (fresh, 0, 0.0, True)


def test_a_missing_key_is_as_stale_as_the_first_write() -> None:
    script = Script()
    script.put("anna", 1)
    script.get("bert", None)

    (measured,) = staleness(script.history)

    assert (measured.versions, measured.seconds) == (1, 1.0)


def test_a_write_that_was_still_under_way_makes_no_read_stale() -> None:
    script = Script()
    script.put("anna", 1)
    script.put("anna", 2, completed=9.0)
    script.get("bert", 1)

    assert [measured.versions for measured in staleness(script.history)] == [0]


def test_of_two_possible_sources_the_newer_counts() -> None:
    script = Script()
    for value in (1, 2, 1, 3):
        script.put("anna", value)
    script.get("bert", 1)

    assert [measured.versions for measured in staleness(script.history)] == [1]


# --------------------------------------------------------------------------------------------------------
# Lost writes and divergence


def test_an_acknowledged_write_of_which_only_something_older_is_left_is_lost() -> None:
    script = Script()
    script.put("anna", 1)
    second, third = script.put("anna", 2), script.put("bert", 3)

    lost = lost_writes(script.history, {"node-1": {"x": 1}, "node-2": {"x": 1}})

    assert [loss.write for loss in lost] == [second, third]
    assert lost[0].sentence == "`put 2` of 'x' was acknowledged to client anna, but node-1 has 1, node-2 has 1."


def test_a_write_that_one_node_still_has_is_not_lost() -> None:
    script = Script()
    script.put("anna", 1)
    script.put("anna", 2)

    assert lost_writes(script.history, {"node-1": {"x": 1}, "node-2": {"x": 2}}) == []


def test_a_key_that_is_gone_is_lost_unless_somebody_may_have_deleted_it() -> None:
    script = Script()
    write = script.put("anna", 1)
    assert [loss.write for loss in lost_writes(script.history, {"node-1": {}})] == [write]

    script._add("bert", "delete", outcome=Outcome.UNKNOWN, completed=None)
    assert lost_writes(script.history, {"node-1": {}}) == []


def test_a_write_that_a_later_or_concurrent_one_may_have_replaced_is_not_lost() -> None:
    script = Script()
    script.put("anna", 1, invoked=0.0, completed=5.0)
    script.put("bert", 2, invoked=1.0, completed=4.0)
    assert lost_writes(script.history, {"node-1": {"x": 1}}) == []
    assert lost_writes(script.history, {"node-1": {"x": 2}}) == []

    script.put("carl", 3, outcome=Outcome.UNKNOWN, invoked=2.0, completed=None)
    assert lost_writes(script.history, {"node-1": {"x": 3}}) == []


def test_places_tell_which_of_two_concurrent_writes_is_lost() -> None:
    script = Script()
    script.put("anna", 1, (1, 4), invoked=0.0, completed=5.0)
    write = script.put("bert", 2, (1, 5), invoked=1.0, completed=4.0)

    assert [loss.write for loss in lost_writes(script.history, {"node-1": {"x": 1}})] == [write]


@pytest.mark.parametrize("contents", [{}, {"node-1": {"x": "nobody wrote this"}}])
def test_without_knowing_what_is_there_nothing_is_called_lost(contents: dict[str, dict[str, Any]]) -> None:
    script = Script()
    script.put("anna", 1)

    assert lost_writes(script.history, contents) == []


def test_an_unacknowledged_write_cannot_be_lost() -> None:
    script = Script()
    script.put("anna", 1, outcome=Outcome.UNKNOWN, completed=None)
    script.put("anna", 2, outcome=Outcome.FAILED)

    assert lost_writes(script.history, {"node-1": {}}) == []


def test_nodes_that_hold_the_same_do_not_diverge_and_others_are_named() -> None:
    same = {"x": 1, "y": None}

    assert divergence({"node-1": same, "node-2": dict(same)}) == []
    (differs,) = divergence({"node-1": same, "node-2": {"x": 1}})
    assert differs.sentence == "the nodes disagree about 'y': node-1 has null, node-2 has nothing."


def test_equal_in_python_is_not_equal_on_two_nodes() -> None:
    assert [d.key for d in divergence({"node-1": {"x": 1}, "node-2": {"x": True}})] == ["x"]
