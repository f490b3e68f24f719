"""Which copies are stale, and since when."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.panel.values import ABSENT, REMEMBERED, ROWS, Values, same

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(), parts, max_size=3),
)

NODES = ("node-1", "node-2")
LEADER = "node-1"


@pytest.fixture
def values() -> Values:
    return Values(NODES)


def cell(values: Values, key: str, node: str) -> dict[str, object]:
    rows = {row["key"]: row["cells"] for row in values.table(LEADER, NODES)["rows"]}
    found: dict[str, object] = rows[key][node]
    return found


def test_a_copy_is_stale_from_the_moment_of_the_write_until_it_is_the_leaders(values: Values) -> None:
    for node in NODES:
        values.read(node, "x", 1, at=10.0)
    values.written("x", at=20.0)
    values.read(LEADER, "x", 2, at=20.3)
    assert cell(values, "x", "node-2") == {"v": "1", "since": 20.0}

    values.read("node-2", "x", 2, at=21.0)
    assert cell(values, "x", "node-2") == {"v": "2"}


def test_a_change_that_nobody_announced_counts_from_when_it_was_seen(values: Values) -> None:
    values.read("node-2", "x", 1, at=10.0)
    values.read(LEADER, "x", 2, at=12.0)

    assert cell(values, "x", "node-2")["since"] == 12.0


def test_a_key_deleted_at_the_leader_is_stale_where_it_lives_on(values: Values) -> None:
    values.read(LEADER, "x", ABSENT, at=1.0)
    values.read("node-2", "x", 1, at=1.0)

    assert "since" in cell(values, "x", "node-2")
    assert cell(values, "x", LEADER) == {"v": None}


def test_a_stored_null_is_a_value_and_not_an_absent_key(values: Values) -> None:
    values.read(LEADER, "x", None, at=1.0)

    assert cell(values, "x", LEADER) == {"v": "null"}


def test_true_is_not_one(values: Values) -> None:
    values.read(LEADER, "x", True, at=1.0)
    values.read("node-2", "x", 1, at=1.0)

    assert values.stale("node-2", "x", LEADER)


def test_a_copy_of_a_node_that_does_not_answer_is_only_remembered(values: Values) -> None:
    values.read(LEADER, "x", 2, at=1.0)
    values.read("node-2", "x", 1, at=1.0)

    row = values.table(LEADER, [LEADER])["rows"][0]
    assert row["cells"]["node-2"] == {"v": "1", "old": True}


def test_without_a_leader_nothing_is_called_stale(values: Values) -> None:
    values.read(LEADER, "x", 2, at=1.0)
    values.read("node-2", "x", 1, at=1.0)

    assert not any("since" in c for row in values.table(None, NODES)["rows"] for c in row["cells"].values())


def test_a_written_key_is_read_from_every_answering_node_and_the_others_later(values: Values) -> None:
    values.written("x", at=1.0)

    assert values.wanted(9, LEADER, [LEADER]) == [(LEADER, "x")]
    assert values.wanted(9, LEADER, [LEADER]) == []
    assert values.wanted(9, LEADER, NODES) == [("node-2", "x")]


def test_a_new_key_in_a_status_is_read(values: Values) -> None:
    values.observe({LEADER: ["x"], "node-2": []})

    assert values.wanted(9, LEADER, NODES) == [(LEADER, "x"), ("node-2", "x")]


def test_a_stale_copy_is_read_again_until_it_is_fresh(values: Values) -> None:
    values.read(LEADER, "x", 2, at=1.0)
    values.read("node-2", "x", 1, at=1.0)

    assert values.wanted(9, LEADER, NODES) == values.wanted(9, LEADER, NODES) == [("node-2", "x")]


def test_of_many_keys_the_last_written_are_shown_the_newest_first(values: Values) -> None:
    for number in range(ROWS + 5):
        values.written(f"k{number:02}", at=float(number))
    values.observe({LEADER: [f"k{number:02}" for number in range(ROWS + 5)]})

    table = values.table(LEADER, NODES)
    assert [row["key"] for row in table["rows"]] == [f"k{number:02}" for number in range(ROWS + 4, 4, -1)]
    assert table["hidden"] == 5


def test_all_keys_can_be_shown(values: Values) -> None:
    for number in range(ROWS + 5):
        values.written(f"k{number:02}", at=float(number))
    values.observe({LEADER: [f"k{number:02}" for number in range(ROWS + 5)]})
    values.show_all = True

    table = values.table(LEADER, NODES)
    assert (len(table["rows"]), table["hidden"]) == (ROWS + 5, 0)


def test_a_key_of_which_nodes_hold_different_values_comes_first_however_old(values: Values) -> None:
    values.observe({node: [] for node in NODES})
    for number in range(ROWS + 5):
        values.written(f"k{number:02}", at=float(number))
    for node, value in zip(NODES, (1, 2), strict=True):
        values.read(node, "k00", value, at=100.0)

    assert values.shown()[0] == "k00"


@pytest.mark.parametrize(
    ("one", "other"), [([1], [True]), ({"a": 0}, {"a": False}), ([[1.0]], [[1]]), ({"a": [None]}, {"a": [0]})]
)
def test_values_are_compared_by_type_however_deep(values: Values, one: Any, other: Any) -> None:
    values.read(LEADER, "x", one, at=1.0)
    values.read("node-2", "x", other, at=1.0)

    assert values.stale("node-2", "x", LEADER)


@given(JSON)
def test_a_value_is_the_same_as_its_copy(value: Any) -> None:
    assert same(value, json.loads(json.dumps(value)))


def test_a_big_store_does_not_fill_the_memory(values: Values) -> None:
    for number in range(3 * REMEMBERED):
        values.written(f"k{number}", at=float(number))

    assert len(values._known) == REMEMBERED
    assert len(values._dirty) <= REMEMBERED * len(NODES)


def test_a_lost_key_keeps_its_row(values: Values) -> None:
    values.lose({"key": "x", "value": "6", "story": "gone"})
    for node in NODES:
        values.read(node, "x", ABSENT, at=1.0)

    assert [row["key"] for row in values.table(LEADER, NODES)["rows"]] == ["x"]
