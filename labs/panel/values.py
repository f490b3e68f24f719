"""The data view: which node holds which value for which key, and since when a copy is stale.

Law of this module: pure, like `model`. A copy is *stale* where it differs from the leader's; its age counts from the
moment when the leader's value was written (or first seen), so a copy gets older until it is fresh again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from labs.trace.sentences import value_text

ROWS = 12
"""Keys shown at a time, where not all are asked for."""

REMEMBERED = 300
"""Keys whose copies are remembered at all; in a bigger store the ones written longest ago are forgotten."""

HIDDEN_PREFIX = "panel."
"""Keys of the panel's own background client are not part of the student's data."""


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()
"""In place of a value: the node answered that it has no such key."""


class Values:
    """Copies by key and node, as last read."""

    def __init__(self, node_ids: Sequence[str]) -> None:
        self.node_ids = list(node_ids)
        self.lost: list[dict[str, Any]] = []
        self.total = 0
        self.show_all = False
        self._answering: set[str] = set()
        self._known: dict[str, dict[str, Any]] = {}
        self._changed: dict[str, dict[str, float]] = {}
        self._written: dict[str, float] = {}
        self._dirty: dict[tuple[str, str], None] = {}

    # -- in -------------------------------------------------------------------------------------------

    def observe(self, keys: Mapping[str, Iterable[str]]) -> None:
        """The keys that each answering node lists in its status."""
        listed = {node: {key for key in names if _shown(key)} for node, names in keys.items()}
        self._answering = set(listed)
        everything = set().union(*listed.values())
        self.total = len(everything)
        for key in sorted(everything - self._known.keys()):
            self._touch(key)
        for node, names in listed.items():
            for key, copies in self._known.items():
                if (key in names) != (copies.get(node, ABSENT) is not ABSENT):
                    self._dirty[(node, key)] = None

    def written(self, key: str, at: float) -> None:
        """A client wrote or deleted `key`: every copy is to be read anew."""
        self._written[key] = max(at, self._written.get(key, at))
        self._touch(key)

    def read(self, node: str, key: str, value: Any, at: float) -> None:
        copies, changed = self._known.setdefault(key, {}), self._changed.setdefault(key, {})
        if node not in copies or not same(copies[node], value):
            # The write's own time is exact; the time of our reading is late by up to one round of reading.
            written = self._written.get(key)
            changed[node] = written if written is not None and at - written < 1.0 else at
        copies[node] = value

    def lose(self, write: dict[str, Any]) -> None:
        """An acknowledged write was dropped; the last few are kept for the panel."""
        if any(known["key"] == write["key"] and known["value"] == write["value"] for known in self.lost):
            return
        self.lost = [*self.lost, write][-5:]
        self._touch(write["key"])

    # -- out ------------------------------------------------------------------------------------------

    def wanted(self, limit: int, leader: str | None, answering: Collection[str]) -> list[tuple[str, str]]:
        """Up to `limit` copies to read next, as (node, key): those that may have changed, then stale ones."""
        visible = self.shown()
        dirty = [pair for pair in self._dirty if pair[0] in answering and pair[1] in visible][:limit]
        for pair in dirty:
            del self._dirty[pair]
        pairs = [(node, key) for key in visible for node in self.node_ids if node in answering]
        stale = [pair for pair in pairs if self.stale(*pair, leader) and pair not in dirty]
        return dirty + stale[: limit - len(dirty)]

    def sweep(self, turn: int, answering: Collection[str]) -> list[tuple[str, str]]:
        """The copies of one shown key, another at each turn: finds writes that went past this cluster object."""
        visible = self.shown()
        return [(node, visible[turn % len(visible)]) for node in self.node_ids if node in answering] if visible else []

    def retry(self, node: str, key: str) -> None:
        """This copy could not be read: ask again."""
        self._dirty[(node, key)] = None

    def shown(self) -> list[str]:
        """The keys of the table: first those of which nodes hold different values, then those written last."""
        alive = sorted(key for key in self._known if self._worth_a_row(key))
        alive.sort(key=lambda key: (not self._differs(key), -self._written.get(key, 0.0)))
        return alive if self.show_all else alive[:ROWS]

    def _differs(self, key: str) -> bool:
        """Whether two nodes that answer are known to hold different values."""
        copies = [copy for node, copy in self._known[key].items() if node in self._answering]
        return any(not same(copies[0], copy) for copy in copies[1:])

    def stale(self, node: str, key: str, leader: str | None) -> bool:
        copies = self._known.get(key, {})
        if leader is None or leader not in copies or node not in copies:
            return False
        return node != leader and not same(copies[node], copies[leader])

    def table(self, leader: str | None, answering: Collection[str]) -> dict[str, Any]:
        """The table as JSON. A cell: `v` (text, null: no such key), `since` where it is stale, `old` where the node
        does not answer and its copy is only remembered."""
        visible = self.shown()
        rows = [{"key": key, "cells": self._cells(key, leader, answering)} for key in visible]
        return {
            "rows": rows, "hidden": max(0, self.total - len(visible)), "all": self.show_all, "lost": self.lost,
            "leader": leader,
        }  # fmt: skip

    def _cells(self, key: str, leader: str | None, answering: Collection[str]) -> dict[str, Any]:
        cells: dict[str, Any] = {}
        for node in self.node_ids:
            copies = self._known[key]
            if node not in copies:
                continue
            cell: dict[str, Any] = {"v": None if copies[node] is ABSENT else value_text(copies[node])}
            if node not in answering:
                cell["old"] = True
            elif leader is not None and self.stale(node, key, leader):
                cell["since"] = self._changed[key][leader]
            cells[node] = cell
        return cells

    def _touch(self, key: str) -> None:
        if _shown(key):
            if key not in self._known and len(self._known) >= REMEMBERED:
                self._forget_the_oldest()
            self._known.setdefault(key, {})
            self._dirty.update({(node, key): None for node in self.node_ids})

    def _forget_the_oldest(self) -> None:
        oldest = min(self._known, key=lambda key: self._written.get(key, 0.0))
        for table in (self._known, self._changed, self._written):
            table.pop(oldest, None)
        for node in self.node_ids:
            self._dirty.pop((node, oldest), None)

    def _worth_a_row(self, key: str) -> bool:
        copies = self._known[key]
        lost = any(write["key"] == key for write in self.lost)
        return lost or not copies or any(value is not ABSENT for value in copies.values())


def _shown(key: str) -> bool:
    return not key.startswith(HIDDEN_PREFIX)


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal, types included: in Python `[1] == [True]`, in JSON not."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    return bool(one == other)
