"""What a node tells of its log says whose entries it holds, and is bounded."""

from __future__ import annotations

from typing import Any

import pytest

from replstore.core.log import Log
from replstore.core.log_summary import MOST_RUNS, TAIL, summary_of
from replstore.core.messages import Entry, EntryId
from replstore.json_text import to_json


def log_of(*terms: int, value: Any = 1) -> Log:
    log = Log()
    for index, term in enumerate(terms, 1):
        log.append(Entry(index, term, f"node-{term}", "put", f"k{index}", value))
    return log


def test_each_leadership_is_told_with_its_first_entry() -> None:
    assert summary_of(log_of(1, 1, 2, 2, 2, 4))["runs"] == [[1, 1, "node-1"], [3, 2, "node-2"], [6, 4, "node-4"]]


def test_an_empty_log_has_no_leadership_and_no_entry() -> None:
    assert summary_of(Log()) == {"runs": [], "tail": []}


def test_what_was_forgotten_is_told_by_its_last_entry() -> None:
    log = Log()
    log.reset(EntryId(70, 3, "node-1"))
    log.append(Entry(71, 4, "node-2", "noop"))

    assert summary_of(log) == {"runs": [[70, 3, "node-1"], [71, 4, "node-2"]], "tail": [[71, "noop", "", None]]}


def test_only_the_last_of_many_are_told() -> None:
    told = summary_of(log_of(*range(1, 101)))

    assert [run[0] for run in told["runs"]] == list(range(101 - MOST_RUNS, 101))
    assert [entry[0] for entry in told["tail"]] == list(range(101 - TAIL, 101))


LARGE = {"text": "x" * 200_000, "whole number": 10**4000, "object": {"a": 1}, "list": [1], "fraction": 1e300}


@pytest.mark.parametrize("value", LARGE.values(), ids=LARGE)
def test_a_large_value_is_not_told(value: Any) -> None:
    told = summary_of(log_of(1, value=value))

    assert told["tail"][0][3] is None
    assert len(to_json(told)) < 100


@pytest.mark.parametrize("value", [None, True, 0, -3, 1.5, "", "Ann"])
def test_a_short_value_is_told_as_it_is(value: Any) -> None:
    assert summary_of(log_of(1, value=value))["tail"][0][3] is value or value is None
