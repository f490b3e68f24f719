"""Answers in camelCase and in snake_case are read alike."""

from __future__ import annotations

import pytest

from labs.cluster.spelling import snake_case, snake_case_fields


@pytest.mark.parametrize("name", ["leaderId", "leaderID", "leader_id"])
def test_a_field_has_one_name_however_it_is_spelled(name: str) -> None:
    assert snake_case(name) == "leader_id"


@pytest.mark.parametrize("name", ["role", "key", "HTTP", "Total", "", "a_B", "v2"])
def test_other_names_stay_as_they_are(name: str) -> None:
    assert snake_case(name) == name


def test_stored_values_are_left_untouched() -> None:
    stored = {"firstName": {"lastName": 1}}

    assert snake_case_fields({"key": "myKey", "value": stored, "nodeRole": "leader"}) == {
        "key": "myKey", "value": stored, "node_role": "leader",
    }  # fmt: skip


def test_where_both_spellings_are_there_snake_case_counts() -> None:
    assert snake_case_fields({"leader_id": "a", "leaderId": "b"}) == {"leader_id": "a"}
    assert snake_case_fields({"leaderId": "b", "leader_id": "a"}) == {"leader_id": "a"}
