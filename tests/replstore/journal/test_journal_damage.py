"""Whatever happens to a journal's file: what is read is what was saved, up to a torn last line, or it is refused."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from replstore.core.contract import Append, Install, Record, State
from replstore.core.messages import Entry, EntryId
from replstore.journal import journal as journal_module
from replstore.journal.folder import FolderRefused
from replstore.journal.journal import Journal, JournalDamaged
from tests.replstore.journal.old_journal import write_old

PEERS = ("node-2", "node-3")

anything = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def records_of_a_node(draw: st.DrawFn) -> list[Record]:
    """A term, then entries one after the other in records of one to three, with a vote now and then."""
    records: list[Record] = [State(1, None)]
    index = itertools.count(1)
    for _ in range(draw(st.integers(1, 6))):
        if draw(st.booleans()):
            records.append(State(len(records) + 1, draw(st.none() | st.sampled_from(PEERS))))
        entries = [Entry(next(index), 1, "node-1", "put", "k", draw(values)) for _ in range(draw(st.integers(1, 3)))]
        records.append(Append(tuple(entries), draw(st.integers(0, entries[-1].index))))
    return records


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about what stands in the file; hundreds of examples with an fsync each would take minutes."""
    monkeypatch.setattr(os, "fsync", lambda number: None)


def said(records: Iterable[Record]) -> list[object]:
    """What records say, however many appends it is said in: states, snapshots and entries; and the highest commit."""
    parts: list[object] = []
    commit = 0
    for record in records:
        parts += record.entries if isinstance(record, Append) else [record]
        commit = max(commit, getattr(record, "commit", 0))
    return [*parts, commit]


folders = itertools.count()


def fresh(parent: Path) -> Path:
    return parent / f"example-{next(folders)}"


def write(folder: Path, records: Iterable[Record]) -> None:
    journal = Journal(folder, "node-1", PEERS)
    list(journal.records())
    for record in records:
        journal.write(record)
    journal.close()


def write_in_old_form(folder: Path, records: Iterable[Record]) -> None:
    write_old(folder, records)


def read(folder: Path) -> tuple[list[Record], str | None]:
    journal = Journal(folder, "node-1", PEERS)
    try:
        return list(journal.records()), journal.torn
    finally:
        journal._file.close()
        journal._folder.close()


both_forms = pytest.mark.parametrize("save", [write, write_in_old_form])
Save = Callable[[Path, Iterable[Record]], None]


@both_forms
@anything
@given(records=records_of_a_node(), data=st.data())
def test_a_file_cut_off_anywhere_gives_back_every_whole_record_and_tells_what_was_dropped(
    tmp_path: Path, save: Save, records: list[Record], data: st.DataObject
) -> None:
    folder = fresh(tmp_path)
    save(folder, records)
    path = folder / "journal"
    whole = path.read_bytes()
    headers = whole.count(b"\n") - len(records)
    size = data.draw(st.integers(whole.index(b"\n") + 1 if headers else 0, len(whole)))
    path.write_bytes(whole[:size])
    lacks_only_its_end = whole[size : size + 1] == b"\n"
    complete = whole[:size].count(b"\n") + lacks_only_its_end - headers

    found, torn = read(folder)

    assert said(found) == said(records[:complete])
    assert (torn is not None) == (size > 0 and not whole[:size].endswith(b"\n") and not lacks_only_its_end)
    again, torn = read(folder)
    assert said(again) == said(found)
    assert torn is None, "what was dropped is gone, and told once"


@both_forms
@anything
@given(records=records_of_a_node(), data=st.data())
def test_a_changed_byte_is_damage_wherever_it_is(
    tmp_path: Path, save: Save, records: list[Record], data: st.DataObject
) -> None:
    folder = fresh(tmp_path)
    save(folder, records)
    path = folder / "journal"
    whole = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(whole) - 1) | st.integers(1, 20).map(lambda n: len(whole) - n))
    whole[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(whole)

    with pytest.raises(JournalDamaged, match=r"line \d+ is damaged"):
        read(folder)
    assert path.read_bytes() == whole, "nothing was changed"


@anything
@given(records=records_of_a_node(), data=st.data())
def test_a_line_that_is_missing_doubled_or_moved_is_damage(
    tmp_path: Path, records: list[Record], data: st.DataObject
) -> None:
    folder = fresh(tmp_path)
    write(folder, records)
    path = folder / "journal"
    lines = path.read_bytes().splitlines(keepends=True)
    what = data.draw(st.sampled_from(["remove", "double", "swap"]))
    place = data.draw(st.integers(0, len(lines) - 2))
    other = data.draw(st.integers(place + 1, len(lines) - 1))
    if what == "remove":
        del lines[place]
    elif what == "double":
        lines.insert(other, lines[place])
    else:
        lines[place], lines[other] = lines[other], lines[place]
    path.write_bytes(b"".join(lines))

    with pytest.raises(JournalDamaged, match=r"line \d+ is damaged"):
        read(folder)


@anything
@given(records=records_of_a_node(), data=st.data())
def test_a_line_of_another_node_or_another_file_is_damage(
    tmp_path: Path, records: list[Record], data: st.DataObject
) -> None:
    ours, theirs = fresh(tmp_path), fresh(tmp_path)
    write(ours, records)
    write(theirs, records)  # the same records, in another file
    lines = (ours / "journal").read_bytes().splitlines(keepends=True)
    strange = (theirs / "journal").read_bytes().splitlines(keepends=True)
    place = data.draw(st.integers(1, len(lines) - 1))
    lines[place] = strange[place]
    (ours / "journal").write_bytes(b"".join(lines))

    with pytest.raises(JournalDamaged, match=f"line {place + 1} is damaged"):
        read(ours)


@anything
@given(garbage=st.binary(min_size=1, max_size=40))
@example(b"\0" * 16)
@example(b"\n")
@example(b"00000001 00000000 x")
def test_garbage_behind_the_last_record_is_damage_unless_a_record_could_begin_so(
    tmp_path: Path, garbage: bytes
) -> None:
    folder = fresh(tmp_path)
    write(folder, [State(1, None)])
    path = folder / "journal"
    path.write_bytes(path.read_bytes() + garbage)

    try:
        found, torn = read(folder)
    except JournalDamaged:
        return
    assert found == [State(1, None)]
    assert torn is not None


def test_a_missing_entry_in_an_old_journal_is_damage_though_every_line_is_whole(tmp_path: Path) -> None:
    entries = [Append((Entry(number, 1, "node-1", "put", "k", number),), 0) for number in (1, 2, 3)]
    for name, order in (("missing", (0, 2)), ("swapped", (1, 0, 2))):
        write_old(tmp_path / name, [State(1, None), *(entries[number] for number in order)])

        with pytest.raises(JournalDamaged, match=r"line \d+ is damaged"):
            read(tmp_path / name)


def test_an_old_journal_is_read_and_written_anew_in_todays_form(tmp_path: Path) -> None:
    records: list[Record] = [State(3, "node-2"), Append((Entry(1, 3, "node-2", "put", "k", "v"),), 1)]
    write_old(tmp_path, records)

    assert read(tmp_path) == (records, None)
    assert (tmp_path / "journal").read_bytes()[18:].startswith(b'{"journal":2,')
    assert read(tmp_path) == (records, None)
    write(tmp_path, [State(4, None)])
    assert read(tmp_path) == ([*records, State(4, None)], None)


def test_an_old_compacted_journal_with_entries_out_of_order_is_read(tmp_path: Path) -> None:
    """Compaction puts live entries of before the log's beginning among the newer ones."""
    records: list[Record] = [
        State(1, None),
        Install(EntryId(10, 1, "node-1"), ()),
        Append((Entry(11, 1, "node-1", "put", "a", 1),), 10),
        Append((Entry(4, 1, "node-1", "put", "b", 2),), 0),
        Append((Entry(12, 1, "node-1", "put", "c", 3),), 11),
        Append((Entry(12, 2, "node-2", "put", "c", 4),), 11),
    ]
    write_old(tmp_path, records)

    assert read(tmp_path) == (records, None)


def test_what_json_cannot_read_is_not_called_damage(tmp_path: Path) -> None:
    value = b"[" * 200_000 + b"]" * 200_000
    deep = b'{"record":"append","entries":[[1,1,"node-1","put","k",%b]],"commit":0}' % value
    (tmp_path / "journal").write_bytes(b"%08x %b\n" % (crc32(deep), deep))

    with pytest.raises(JournalDamaged, match="are whole, but hold something that this version"):
        read(tmp_path)


# -- the journal is gone -----------------------------------------------------------------------------------


@pytest.mark.parametrize("left", [None, b"", b"00000057 1c"])
def test_a_node_without_its_journal_remembers_its_vote_and_that_it_is_recovering(
    tmp_path: Path, left: bytes | None
) -> None:
    write(tmp_path, [State(7, "node-3"), Append((Entry(1, 7, "node-3", "noop"),), 0)])
    (tmp_path / "journal").unlink()
    if left is not None:
        (tmp_path / "journal").write_bytes(left)

    found, torn = read(tmp_path)

    assert found == [State(7, "node-3", recovering=True)]
    assert (torn is not None) == bool(left)
    assert read(tmp_path)[0] == found, "and after the next crash it still is"


def test_the_vote_beside_the_journal_is_the_last_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "node-1", PEERS)
    list(journal.records())
    for term in range(1, 5):
        journal.write(State(term, "node-2"))
        journal.sync()

    journal._file.close()
    journal._folder.close()
    (tmp_path / "journal").unlink()
    assert read(tmp_path)[0] == [State(4, "node-2", recovering=True)]


def test_a_folder_that_is_gone_altogether_is_a_new_one(tmp_path: Path) -> None:
    assert read(tmp_path / "new") == ([], None)


# -- whose it is -------------------------------------------------------------------------------------------


def test_another_node_is_refused_and_told_whose_the_folder_is(tmp_path: Path) -> None:
    write(tmp_path, [State(1, None)])

    with pytest.raises(FolderRefused, match="belongs to node-1, and this is node-7"):
        Journal(tmp_path, "node-7", PEERS)


def test_a_journal_carried_into_another_nodes_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "one", [State(1, "node-1")])
    (tmp_path / "seven").mkdir()
    (tmp_path / "seven" / "journal").write_bytes((tmp_path / "one" / "journal").read_bytes())

    journal = Journal(tmp_path / "seven", "node-7", PEERS)
    with pytest.raises(FolderRefused, match="belongs to node-1, and this is node-7"):
        list(journal.records())
    journal._folder.close()
    journal._file.close()


def test_another_cluster_is_refused(tmp_path: Path) -> None:
    write(tmp_path, [State(1, None)])

    with pytest.raises(FolderRefused, match="in a cluster of node-1, node-2, node-3, and PEERS makes it one of node-1"):
        Journal(tmp_path, "node-1", ("node-2", "node-3", "node-4", "node-5"))


def test_a_second_user_is_refused_and_told_who_is_there_until_the_first_has_gone(tmp_path: Path) -> None:
    first = Journal(tmp_path, "node-1", PEERS)

    with pytest.raises(FolderRefused, match=r"in use by node-1, process \d+ on"):
        Journal(tmp_path, "node-1", PEERS)
    first.close()
    Journal(tmp_path, "node-1", PEERS).close()


def test_a_damaged_owner_file_is_refused_and_the_advice_is_true(tmp_path: Path) -> None:
    write(tmp_path, [State(5, "node-2")])
    owner = tmp_path / "owner"
    owner.write_bytes(owner.read_bytes().replace(b'"term": 5', b'"term": 6'))

    with pytest.raises(FolderRefused, match="delete `owner`"):
        Journal(tmp_path, "node-1", PEERS)
    owner.unlink()
    assert read(tmp_path)[0] == [State(5, "node-2")]
    assert owner.exists()


def test_reading_tells_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "BLOCK_BYTES", 500)
    write(tmp_path, (Append((Entry(number, 1, "node-1", "put", "k", number),), 0) for number in range(1, 100)))
    told: list[int] = []

    journal = Journal(tmp_path, "node-1", PEERS, told.append)
    list(journal.records())
    journal.close()

    assert told == sorted(told)
    assert len(told) > 10
    assert told[-1] == 100
