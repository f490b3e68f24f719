"""The state machine: a dictionary to which committed entries are applied in order.

Law of this module: `apply` depends on nothing but the entries, so nodes that applied the same ones are equal (state
machine replication, Raft §2). No clock, no random number, nothing of the node may have an influence here.

Each key holds the whole `put` that gave it its value: its index tells how new the value is. So a snapshot needs no log
(it is the list of these entries), and a client can be told which of two answers is the newer one.

A deleted key leaves nothing behind. That is enough here, because entries are applied in one order everywhere; a store
whose replicas merge without an order would have to remember deletes.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from replstore.core.messages import Entry


class Store:
    """The live keys. Not safe to change from outside: entries come through `Replica.advance_commit` alone."""

    def __init__(self) -> None:
        self._live: dict[str, Entry] = {}

    def __len__(self) -> int:
        return len(self._live)

    def get(self, key: str) -> Entry | None:
        return self._live.get(key)

    def apply(self, entry: Entry) -> bool:
        """Let the entry take effect; returns whether its key was there before."""
        live, key, op = self._live, entry.key, entry.op
        found = key in live
        if op == "put":
            live[key] = entry
        elif op == "delete":
            live.pop(key, None)
        return found

    def apply_all(self, entries: Iterable[Entry]) -> None:
        """`apply` for many, when nobody asks what was there before."""
        live = self._live
        for entry in entries:
            if entry[3] == "put":
                live[entry[4]] = entry
            elif entry[3] == "delete":
                live.pop(entry[4], None)

    def replace(self, items: Iterable[Entry]) -> None:
        """Forget everything and take these `put` entries instead."""
        self._live = {item.key: item for item in items}

    def items(self) -> list[Entry]:
        """The live `put` entries as of now. Values are shared, not copied, and later writes do not change the list."""
        return list(self._live.values())

    def keys(self, limit: int) -> list[str]:
        """Some `limit` keys, sorted."""
        return sorted(islice(self._live, limit))
