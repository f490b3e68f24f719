"""The journal: what a node saved, one checksummed line a record, in a file that stays near the size of the live data.

Law of this module: a record that `sync` covered is there after a crash, or the damage is reported; nothing is ever
dropped in silence. A line is eight hex digits of CRC-32, a space, and the record as JSON.

* A file whose *last line has no end* was cut off while being written. Nobody was promised that record: it is dropped,
  and `torn` says so. Any other line that does not match its checksum is damage: `JournalDamaged` names the line.
* *Group commit*: `write` only fills a buffer; one `sync` makes all that arrived together durable.
* *Compaction* copies the lines that still matter into a new file, a few for each record that is written (as
  log-structured stores merge), so that no write ever waits for a copy of all the data.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol
from zlib import crc32

from replstore.codec import CodecError, decode_record, encode_record
from replstore.messages import Append, Entry, EntryId, Install, Record, State

GROWTH = 2
SLACK_BYTES = 4 << 20
"""A file is compacted when it has grown to GROWTH times what it was after the last time, plus SLACK_BYTES."""

COPY_RATIO = 4
"""How many old bytes are looked at for each byte written while compacting. Above one, or it would never end."""


class JournalDamaged(Exception):
    """A line in the middle of the file is not what was written; the message names file and line."""


class Owner(Protocol):
    """What compaction asks the node whose journal it is."""

    commit: EntryId

    def checkpoint(self) -> tuple[Install, Append]:
        """Where the log begins, and all of the log from there on."""
        ...

    def keeps(self, entry: Entry) -> bool:
        """Whether this old entry still gives its key its value."""
        ...


class Journal:
    """The records in `folder`, which is made where it is missing. Read `records()` once, then `write` and `sync`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "journal"
        self.torn: str | None = None
        self._spare = folder / "journal.new"
        self._spare.unlink(missing_ok=True)  # left by a crash while compacting; the old file is complete
        self._file = _open_to_append(self.path)
        self._size = 0
        self._compact_at = SLACK_BYTES
        self._buffer: list[bytes] = []
        self._state: State | None = None
        self._owner: Owner | None = None
        self._compaction: Compaction | None = None

    def serve(self, owner: Owner) -> None:
        """From now on compact, asking `owner` what still matters."""
        self._owner = owner

    # -- reading --------------------------------------------------------------------------------------

    def records(self) -> Iterator[Record]:
        """What was saved, in order. A torn last line is cut off the file. Raises `JournalDamaged`."""
        with open(self.path, "rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    self.torn = f"{self.path}: line {number} was cut off after {len(line)} bytes and is dropped"
                    self._file.truncate(self._size)
                    os.fsync(self._file.fileno())
                    break
                self._size += len(line)
                record = self._parse(line, number)
                if isinstance(record, State):
                    self._state = record
                yield record
        self._compact_at = GROWTH * self._size + SLACK_BYTES

    def _parse(self, line: bytes, number: int) -> Record:
        try:
            return parse_line(line)
        except CodecError as error:
            raise JournalDamaged(
                f"{self.path}: line {number} is damaged ({error}). Nothing was changed. Put back a good copy of the"
                " file, or move it away: the node then starts empty and fetches everything from the leader."
            ) from None

    # -- writing --------------------------------------------------------------------------------------

    def write(self, record: Record) -> None:
        """Take `record` in; it is durable after the next `sync`."""
        if isinstance(record, State):
            self._state = record
        if isinstance(record, Install):
            self._start_afresh(record)
            return
        line = format_line(record)
        self._buffer.append(line)
        if self._compaction is not None:
            self._compaction.step(line)

    def sync(self) -> None:
        """Make everything written so far durable: one write, one fsync. Raises `OSError` (a full disk, say)."""
        if not self._buffer:
            return
        data, self._buffer = b"".join(self._buffer), []
        _write_durably(self._file, data)
        self._size += len(data)
        if self._compaction is None:
            self._maybe_compact()
        elif self._compaction.complete:
            self._compaction.finish()
            self._compaction = None
            self._adopt_spare()

    def close(self) -> None:
        self.sync()
        self._drop_compaction()
        self._file.close()

    # -- a new file in place of the old ---------------------------------------------------------------

    def _maybe_compact(self) -> None:
        if self._owner is not None and self._size >= self._compact_at:
            begin, log = self._owner.checkpoint()
            head = [*self._states(), begin, log]
            self._compaction = Compaction(self.path, self._size, self._spare, head, begin.at.index, self._owner)

    def _start_afresh(self, record: Install) -> None:
        """The whole store is replaced, so what was saved before is history."""
        self._drop_compaction()
        self._buffer.clear()
        with _open_to_append(self._spare) as file:
            _write_durably(file, b"".join(map(format_line, (*self._states(), record))))
        self._adopt_spare()

    def _states(self) -> list[Record]:
        return [self._state] if self._state else []

    def _adopt_spare(self) -> None:
        """Put the finished new file in the old one's place: whenever a crash comes, one of them is there, complete."""
        self._file.close()
        os.replace(self._spare, self.path)
        _sync_folder(self.path.parent)
        self._file = _open_to_append(self.path)
        self._size = self.path.stat().st_size
        self._compact_at = GROWTH * self._size + SLACK_BYTES

    def _drop_compaction(self) -> None:
        if self._compaction is not None:
            self._compaction.abandon()
            self._compaction = None


class Compaction:
    """A new file growing beside the old one: a head that holds the log, then every new line as it comes, and among
    them the old entries up to `base` that still give a key its value, in the order in which they stand."""

    def __init__(self, old: Path, old_size: int, new: Path, head: list[Record], base: int, owner: Owner) -> None:
        self._old = open(old, "rb")  # noqa: SIM115 - both files stay open across calls
        self._left = old_size
        self._path = new
        self._new = _open_to_append(new)
        self._base = base
        self._owner = owner
        self._pending = b"".join(map(format_line, head))

    @property
    def complete(self) -> bool:
        return self._left <= 0

    def step(self, line: bytes) -> None:
        """`line` was written: take it over, and go through COPY_RATIO times as much of the old file."""
        pieces = [self._pending, line]
        self._pending = b""
        budget = COPY_RATIO * len(line)
        while budget > 0 and self._left > 0:
            old = self._old.readline()
            self._left -= len(old)
            budget -= len(old)
            pieces.append(self._what_matters(old))
        self._new.write(b"".join(pieces))

    def _what_matters(self, line: bytes) -> bytes:
        record = parse_line(line)
        entries = record.items if isinstance(record, Install) else getattr(record, "entries", ())
        kept = tuple(entry for entry in entries if entry.index <= self._base and self._owner.keeps(entry))
        return format_line(Append(kept, 0)) if kept else b""

    def finish(self) -> None:
        # A key's old value was left out because a newer one had been applied: so that must be known to be committed.
        self._new.write(format_line(Append((), self._owner.commit.index)))
        self._old.close()
        os.fsync(self._new.fileno())
        self._new.close()

    def abandon(self) -> None:
        self._old.close()
        self._new.close()
        self._path.unlink()


# --------------------------------------------------------------------------------------------------------
# Lines and files


def format_line(record: Record) -> bytes:
    text = encode_record(record).encode("ascii")
    return b"%08x %b\n" % (crc32(text), text)


def parse_line(line: bytes) -> Record:
    """Raises `CodecError` for anything that `format_line` did not write."""
    checksum, _, text = line.rstrip(b"\n").partition(b" ")
    if checksum != b"%08x" % crc32(text):
        raise CodecError("the checksum does not match")
    return decode_record(text.decode("ascii"))


def _open_to_append(path: Path) -> IO[bytes]:
    return open(path, "ab", buffering=0)


def _write_durably(file: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a rename durable. Windows has no such thing as syncing a folder."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
