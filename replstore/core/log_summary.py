"""What a node tells of its log in `GET /status`, for whoever compares the logs of several nodes.

Law of this module: it only looks, and what it tells is bounded, however long the log is and however large its values.

An entry is identified by index, term and leader, and a leader appends its entries in a row. So a log is described
completely by its *runs*: from which index on it holds the entries of which leadership. Two logs agree up to the last
index at which both have the same leadership (the Log Matching Property, Raft §5.3). Neither keys nor values are needed
for that; the last few are told all the same, for people.
"""

from __future__ import annotations

from typing import Any

from replstore.core.log import Log
from replstore.core.messages import Entry

MOST_RUNS = 32
"""Leaderships that are told of, the latest ones."""

TAIL = 24
"""Entries that are told of one by one."""

KEY_CHARACTERS = 40
VALUE_CHARACTERS = 24
LARGEST = 1e15


def summary_of(log: Log) -> dict[str, Any]:
    """`runs`: `[first index, term, leader]` for each leadership whose entries the log remembers, in order. `tail`: the
    last entries as `[index, op, key, value]`; a value that is long or has parts is None."""
    tail = log.after(max(log.base.index, log.last_index - TAIL))
    return {"runs": _runs(log), "tail": [_brief(entry) for entry in tail]}


def _runs(log: Log) -> list[list[Any]]:
    runs: list[list[Any]] = [list(log.base)] if log.base.index else []
    for entry in log.after(log.base.index):
        if not runs or runs[-1][1:] != [entry.term, entry.leader]:
            runs.append([entry.index, entry.term, entry.leader])
    return runs[-MOST_RUNS:]


def _brief(entry: Entry) -> list[Any]:
    return [entry.index, entry.op, entry.key[:KEY_CHARACTERS], _short(entry.value)]


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= VALUE_CHARACTERS else None
    small = isinstance(value, int | float) and abs(value) < LARGEST
    return value if small else None
