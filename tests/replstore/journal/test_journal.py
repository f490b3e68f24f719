"""What the journal promises: everything synced is there again, or the damage is named."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replstore.core.contract import Append, Delete, Flush, Install, Put, Record, Request, Save, State, Tick
from replstore.core.lowest_id import LowestId
from replstore.core.messages import Entry, EntryId
from replstore.core.node import Node
from replstore.journal import journal as journal_module
from replstore.journal.journal import Journal

PEERS = ("node-2", "node-3")

RECORDS: list[Record] = [
    State(1, None),
    Append((Entry(1, 1, "node-1", "noop"), Entry(2, 1, "node-1", "put", "name", "Ålice ✓")), 1),
    State(2, "node-2"),
    Append((Entry(3, 2, "node-2", "delete", "name"),), 2),
]


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda number: None)


def fresh(parent: Path) -> Path:
    """A folder that is not there yet: each example begins with nothing."""
    return parent / f"example-{len(list(parent.iterdir()))}"


def write(folder: Path, records: Iterable[Record]) -> None:
    journal = Journal(folder, "node-1", PEERS)
    list(journal.records())
    for record in records:
        journal.write(record)
    journal.close()


def read(folder: Path) -> list[Record]:
    journal = Journal(folder, "node-1", PEERS)
    try:
        return list(journal.records())
    finally:
        journal.close()


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, RECORDS)

    assert read(tmp_path) == RECORDS


def test_a_new_folder_is_made_and_is_empty(tmp_path: Path) -> None:
    assert read(tmp_path / "a" / "b") == []


def test_what_arrived_together_costs_one_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path, "node-1", PEERS)
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)

    for record in RECORDS[1], RECORDS[3]:
        journal.write(record)
    journal.sync()

    assert len(synced) == 1
    monkeypatch.undo()
    journal.close()


def test_a_snapshot_takes_the_place_of_everything_but_the_term(tmp_path: Path) -> None:
    items = (Entry(7, 3, "node-3", "put", "k", 1),)
    write(tmp_path, [*RECORDS, Install(EntryId(9, 3, "node-3"), items), Append((Entry(10, 3, "node-3", "noop"),), 9)])

    assert read(tmp_path) == [
        State(2, "node-2"),
        Install(EntryId(9, 3, "node-3"), items),
        Append((Entry(10, 3, "node-3", "noop"),), 9),
    ]


# -- compaction, with a real node as the owner -------------------------------------------------------------


class Life:
    """A node that leads itself, and its journal."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal(folder, "node-1", PEERS)
        self.node = Node(
            "node-1", [], LowestId, heartbeat=0.1, timeout=0.4, mode="async", rng=Random(1),
            records=self.journal.records(),
        )  # fmt: skip
        self.journal.serve(self.node)
        self.requests = 0
        self.take(Tick())

    def take(self, *events: Tick | Flush | Request) -> None:
        for event in events:
            for effect in self.node.handle(event, 0.0):
                if isinstance(effect, Save):
                    self.journal.write(effect.record)
        self.journal.sync()

    def ask(self, command: Put | Delete) -> None:
        self.requests += 1
        self.take(Request(self.requests, command), Flush())

    @property
    def contents(self) -> dict[str, object]:
        return {entry.key: entry.value for entry in self.node.store.items()}


def test_a_journal_follows_the_live_data_and_not_the_number_of_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from replstore.core import log as log_module

    monkeypatch.setattr(journal_module, "SLACK_BYTES", 4000)
    monkeypatch.setattr(log_module, "KEEP_ENTRIES", 20)
    life = Life(tmp_path)
    sizes = []
    for number in range(600):
        life.ask(Put(f"k{number % 10}", number))
        sizes.append((tmp_path / "journal").stat().st_size)

    assert max(sizes) < 25_000, "600 writes of some 90 bytes would be 54,000"
    life.journal.close()
    again = Life(tmp_path)
    assert again.contents == life.contents
    again.journal.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.none() | st.integers(0, 9)), min_size=30, max_size=200),
)
def test_a_crash_at_any_moment_of_a_compaction_loses_nothing(
    tmp_path: Path, commands: list[tuple[str, int | None]]
) -> None:
    from replstore.core import log as log_module

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal_module, "SLACK_BYTES", 500)
        patch.setattr(log_module, "KEEP_ENTRIES", 5)
        home = fresh(tmp_path)
        life = Life(home)
        copy = fresh(tmp_path)
        for key, value in commands:
            life.ask(Delete(key) if value is None else Put(key, value))
            if life.journal._compaction is not None or len(commands) % 7 == 0:
                copy.mkdir(exist_ok=True)
                for path in home.iterdir():
                    (copy / path.name).write_bytes(path.read_bytes())
                again = Life(copy)
                assert again.contents == life.contents
                assert again.node.log.last_index == life.node.log.last_index + 1, "its own first entry comes on top"
                again.journal.close()
        life.journal.close()


def test_a_half_finished_compaction_is_thrown_away(tmp_path: Path) -> None:
    write(tmp_path, RECORDS)
    (tmp_path / "journal.new").write_bytes(b"half a")

    assert read(tmp_path) == RECORDS
    assert not (tmp_path / "journal.new").exists()
