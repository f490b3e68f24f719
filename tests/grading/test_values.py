"""What crosses between the grader and a student's process."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.grading.child.values import BadValue, RecordValue, Symbol, decode, encode

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
hashables = st.recursive(
    scalars, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=5
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(hashables, inner) | st.frozensets(hashables)
    ),
    max_leaves=10,
)


def travel(value: Any) -> Any:
    return decode(json.loads(json.dumps(encode(value), allow_nan=False)))


@given(values)
def test_a_plain_value_arrives_as_it_left(value: Any) -> None:
    arrived = travel(value)

    assert arrived == value
    assert type(arrived) is type(value)


@dataclass
class Verdict:
    ok: bool
    reason: str


class Sample(NamedTuple):
    at: float
    seen: int


class Colour(Enum):
    RED = 1


def test_dataclasses_named_tuples_and_enums_arrive_as_records() -> None:
    assert travel([Verdict(True, "fine"), Sample(0.5, 3), Colour.RED]) == [
        RecordValue("Verdict", {"ok": True, "reason": "fine"}),
        RecordValue("Sample", {"at": 0.5, "seen": 3}),
        Symbol("Colour", "RED"),
    ]


def test_a_dict_that_looks_like_a_mark_stays_a_dict() -> None:
    assert travel({"$": "tuple", "v": [1]}) == {"$": "tuple", "v": [1]}


@pytest.mark.parametrize(
    "data",
    [
        {"$": "tuple"},
        {"$": "tuple", "v": 3},
        {"$": "unknown", "v": []},
        {"$": 3, "v": []},
        {"$": "dict", "v": [[1]]},
        {"$": "dict", "v": [[[], 1]]},
        {"$": "set", "v": [[1]]},
        {"$": "record", "v": ["A", 1]},
        {"$": "symbol", "v": ["A", 1]},
        2**63,
        float("inf"),
    ],
)
def test_forged_text_is_refused(data: Any) -> None:
    with pytest.raises(BadValue):
        decode(data)


@given(
    st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("$va"), inner), max_leaves=20)
)
def test_any_json_is_either_read_or_refused(data: Any) -> None:
    with suppress(BadValue):
        encode(decode(data))  # whatever was read is a plain value
