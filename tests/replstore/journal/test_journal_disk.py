"""A disk that takes a part of a write, or nothing: what was acknowledged is there, and nothing else is promised."""

from __future__ import annotations

import errno
import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import IO, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replstore.core.contract import Append, Flush, Install, Put, Record, Request, Save, Tick
from replstore.core.lowest_id import LowestId
from replstore.core.messages import Entry, EntryId
from replstore.core.node import Node
from replstore.journal import disk
from replstore.journal import journal as journal_module
from replstore.journal.journal import Journal
from tests.replstore.journal.test_journal_damage import said

real_open = disk.open_to_append
folders = itertools.count()
anything = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


class Disk:
    """So many bytes are free; a write takes what fits, and at most `most` at a time."""

    def __init__(self, free: int, most: int = 1 << 30, only: Callable[[Path], bool] = lambda path: True) -> None:
        self.free, self.most, self.only = free, most, only

    def open(self, path: Path) -> IO[bytes]:
        file = real_open(path)
        return FullFile(self, file) if self.only(path) else file  # type: ignore[return-value]


class FullFile:
    def __init__(self, full: Disk, file: IO[bytes]) -> None:
        self._disk, self._file = full, file

    def write(self, data: bytes) -> int:
        size = min(len(data), self._disk.free, self._disk.most)
        if not size:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._disk.free -= size
        return self._file.write(data[:size])

    def __enter__(self) -> FullFile:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda number: None)


def entry(number: int) -> Append:
    return Append((Entry(number, 1, "node-1", "put", f"k{number}", "v" * number),), 0)


def read(folder: Path) -> list[Record]:
    journal = Journal(folder, "node-1", ("node-2",))
    try:
        return list(journal.records())
    finally:
        journal.close()


@anything
@given(free=st.integers(0, 3000), most=st.integers(1, 200), snapshot_at=st.integers(1, 30))
def test_on_a_disk_that_fills_up_exactly_what_was_acknowledged_is_read_again(
    tmp_path: Path, free: int, most: int, snapshot_at: int
) -> None:
    folder = tmp_path / f"example-{next(folders)}"
    acknowledged: list[Record] = []
    journal = Journal(folder, "node-1", ("node-2",))
    list(journal.records())
    full = Disk(free, most)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disk, "open_to_append", full.open)
        journal._file = full_file = FullFile(full, journal._file)  # type: ignore[assignment]
        try:
            for number in range(1, 40):
                if number == snapshot_at:
                    install = Install(EntryId(number, 1, "node-1"), tuple(entry(n).entries[0] for n in range(3)))
                    journal.write(install)
                    acknowledged = [install]
                else:
                    journal.write(entry(number))
                    journal.sync()
                    acknowledged.append(entry(number))
        except OSError:  # full: a node stops here
            full.free = 0
    full_file.close()
    journal._file.close()
    journal._folder.close()

    assert said(read(folder)) == said(acknowledged)


@anything
@given(free=st.integers(0, 60_000), most=st.integers(50, 5000))
def test_a_compaction_for_which_there_is_no_room_is_put_off_and_loses_nothing(
    tmp_path: Path, free: int, most: int
) -> None:
    from replstore.core import log as log_module

    folder = tmp_path / f"example-{next(folders)}"
    full = Disk(free, most, only=lambda path: path.suffix == ".new" and path.stem == "journal")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal_module, "SLACK_BYTES", 1000)
        patch.setattr(log_module, "KEEP_ENTRIES", 5)
        patch.setattr(disk, "open_to_append", full.open)
        journal = Journal(folder, "node-1") if free > 200 else None
        if journal is None:
            return
        node = alone(journal)
        for number in range(150):
            take(node, journal, Request(number, Put(f"k{number % 7}", number)), Flush())
        journal.close()
        contents = {item.key: item.value for item in node.store.items()}
    again = Journal(folder, "node-1")
    assert {item.key: item.value for item in alone(again).store.items()} == contents
    again.close()


def alone(journal: Journal) -> Node:
    node = Node(
        "node-1", [], LowestId, heartbeat=0.1, timeout=0.4, mode="async", rng=Random(1), records=journal.records()
    )  # fmt: skip
    journal.serve(node)
    take(node, journal, Tick())
    return node


def take(node: Node, journal: Journal, *events: Tick | Flush | Request) -> None:
    for event in events:
        for effect in node.handle(event, 0.0):
            if isinstance(effect, Save):
                journal.write(effect.record)
    journal.sync()


def test_a_write_of_which_the_disk_took_nothing_is_an_error(tmp_path: Path) -> None:
    class Nothing:
        def write(self, data: bytes) -> int:
            return 0

    with pytest.raises(OSError, match="took nothing"):
        disk.write_all(Nothing(), b"x")  # type: ignore[arg-type]


def test_a_first_start_makes_its_folders_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(disk, "sync_folder", synced.append)

    Journal(tmp_path / "a" / "b", "node-1").close()

    assert {tmp_path, tmp_path / "a", tmp_path / "a" / "b"} <= set(synced)


WRITER = """
import resource, signal, sys
from pathlib import Path
from replstore.journal.journal import Journal
from replstore.core.contract import Append, State
from replstore.core.messages import Entry
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
journal = Journal(Path(sys.argv[1]), "node-1")
list(journal.records())
journal.write(State(1, None))
for number in range(1, 1000):
    journal.write(Append((Entry(number, 1, "node-1", "put", "k", "v" * 100),), 0))
    try:
        journal.sync()
    except OSError:
        break
    print(number, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
def test_a_real_file_that_may_not_grow_ends_with_the_last_acknowledged_record(tmp_path: Path) -> None:
    """The kernel takes a part of the write that crosses the limit: a short write as on a full disk."""
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    acknowledged = len(done.stdout.splitlines())

    assert 10 < acknowledged < 999
    journal = Journal(tmp_path, "node-1")
    entries = [record for record in journal.records() if isinstance(record, Append)]
    assert [entry.index for record in entries for entry in record.entries] == list(range(1, acknowledged + 1))
    assert journal.torn is None
    journal.close()
