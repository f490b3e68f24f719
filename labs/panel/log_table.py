"""The logs as a table: a row for each node, a column for each index, and what is to be said of entries in danger.

Law of this module: pure, as `model`. It shows what nodes told; what a node no longer remembers is shown as folded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labs.panel.logs import Comparison, Leadership, LogSeen
from labs.trace.prose import listed
from labs.trace.sentences import key_text, value_text

COLUMNS = 24
"""Entries that are shown, the last ones."""

REMEMBERED = 2000
"""Entries of which key and value are remembered."""

STORIES = 2


@dataclass(frozen=True)
class Row:
    """A node's log for the table. `told`: it answers now; otherwise the log is what it told last."""

    node: str
    log: LogSeen
    copy: Comparison
    told: bool


class LogTable:
    """Remembers what stands in which entry: a node tells only its last few."""

    def __init__(self) -> None:
        self._entries: dict[tuple[int, Leadership], tuple[str, str, Any]] = {}

    def observe(self, log: LogSeen) -> None:
        for index, op, key, value in log.tail:
            by = log.by(index)
            if by is not None:
                self._entries.setdefault((index, by), (op, key, value))
        while len(self._entries) > REMEMBERED:
            del self._entries[next(iter(self._entries))]

    def picture(
        self, rows: Sequence[Row], leader: str | None, copies: int | None, promised: Mapping[tuple[str, str], Any]
    ) -> dict[str, Any]:
        """`promised`: the writes, by key and value as text, that a client was told are stored."""
        if not rows:
            return {"first": 1, "last": 0, "commit": None, "rows": [], "stories": []}
        last = max(row.log.last for row in rows)
        first = max(1, last - COLUMNS + 1)
        leading = next((row for row in rows if row.node == leader), None)
        commit = leading.log.commit if leading else None
        return {
            "first": first, "last": last, "commit": commit,
            "rows": [self._row(row, first) for row in rows],
            "stories": self._stories(rows, leading, copies, promised)[:STORIES],
        }  # fmt: skip

    def _row(self, row: Row, first: int) -> dict[str, Any]:
        cells = [self._cell(row, index) for index in range(first, row.log.last + 1)]
        return {"node": row.node, "last": row.log.last, "told": row.told, "cells": cells}

    def _cell(self, row: Row, index: int) -> list[Any]:
        """`[term, words, state]`; the state is `committed`, `open`, `doomed` or `folded`."""
        by = row.log.by(index)
        if by is None:
            return [None, "", "folded"]
        op, key, value = self._entries.get((index, by), ("", "", None))
        if row.copy.parted is not None and index >= row.copy.parted:
            state = "doomed"
        else:
            state = "committed" if index <= row.log.commit else "open"
        return [by[0], _words(op, key, value), state]

    # -- what is to be said ---------------------------------------------------------------------------

    def _stories(
        self, rows: Sequence[Row], leading: Row | None, copies: int | None, promised: Mapping[tuple[str, str], Any]
    ) -> list[str]:
        if leading is None:
            return []
        return [*self._doomed(rows, leading, promised), *self._waiting(rows, leading, copies)]

    def _doomed(self, rows: Sequence[Row], leading: Row, promised: Mapping[tuple[str, str], Any]) -> list[str]:
        """Writes in a history that the leader does not have. Those of the same nodes are one story, by their first; it
        is short, since two lines of the panel are what there is for it."""
        groups: dict[str, list[tuple[str, bool]]] = {}
        places = [(row.copy.parted, row) for row in rows if row.copy.parted is not None]
        doomed = {(i, by) for since, row in places for i in range(since, row.log.last + 1) if (by := row.log.by(i))}
        for index, by in sorted(doomed):
            op, key, value = self._entries.get((index, by), ("", "", None))
            if op not in ("put", "delete"):
                continue
            what = f"{op} {key_text(key, 16)}" + (f" = {value_text(value, 16)}" if op == "put" else "")
            holders = listed(row.node for row in rows if row.log.by(index) == by)
            told = (key, value_text(value)) in promised
            groups.setdefault(holders, []).append((f"{what} (entry {index})", told))
        return [_doom(holders, writes, leading.node) for holders, writes in groups.items()]

    def _waiting(self, rows: Sequence[Row], leading: Row, copies: int | None) -> list[str]:
        """The leader's entries that are not committed."""
        log = leading.log
        if copies is None or log.commit >= log.last:
            return []
        index = log.commit + 1
        by = log.by(index)
        held = sum(row.log.by(index) == by for row in rows)
        more = f" and {log.last - index} after it" if log.last > index else ""
        return [f"Entry {index}{more} of {leading.node} is not committed: {held} of the {copies} copies are known."]


def _doom(holders: str, writes: list[tuple[str, bool]], leader: str) -> str:
    """What becomes of the writes that only these nodes hold; of each its words, and whether a client was told of it."""
    others = len(writes) - 1
    what = writes[0][0] + (f" and {others} later write{'s' * (others > 1)}" if others else "")
    they = f"is only at {holders}, and goes" if not others else f"are only at {holders}, and go"
    follow = "they follow" if " and " in holders else "it follows"
    promises = sum(told for _, told in writes)
    told = "" if not promises else ". A client was told “stored”" if promises == 1 else ". Clients were told “stored”"
    return f"{what} {they} when {follow} {leader}{told}."


def _words(op: str, key: str, value: Any) -> str:
    if op == "put":
        return key_text(key, 20) if value is None else f"{key_text(key, 20)}={value_text(value, 12)}"
    return f"−{key_text(key, 20)}" if op == "delete" else op
