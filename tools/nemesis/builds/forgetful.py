"""Broken on purpose: says that a record is saved while it still waits in memory for others to come."""

from __future__ import annotations

from replstore.journal.journal import Journal
from solutions.ex3_election import MyElection
from tools.nemesis.builds.small import Bully, LowestId

__all__ = ["Bully", "LowestId", "MyElection"]

_sync = Journal.sync


def _late(journal: Journal) -> None:
    if len(journal._buffer) >= 50:
        _sync(journal)


Journal.sync = _late  # type: ignore[method-assign, assignment]
