"""The journal: what a node saved, one checksummed line a record, in a file that stays near the size of the live data.

Law of this module: a record that `sync` covered is there after a crash, or the damage is reported; nothing is ever
dropped in silence, and nothing that another node wrote is taken for this one's.

* How a line proves that it is whole and in its place, and how a *torn* line is told from a *damaged* one: `lines`.
* Whose the folder is, and why only one process uses it: `folder`.
* *Group commit*: `write` only fills a buffer; one `sync` makes all that arrived together durable.
* The file's first line names the node and its cluster. `compaction` keeps the file small.
* A journal that is missing where this node had one is *lost*: the new one begins with the term and vote that the folder
  still knows, and with the mark that the node is recovering.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from replstore.core.contract import Install, Record, State
from replstore.core.messages import NodeId
from replstore.journal import disk
from replstore.journal.compaction import Compaction, Owner, is_header, text_of
from replstore.journal.folder import Folder, FolderRefused
from replstore.journal.lines import Broken, Chain, OldChain, is_old, is_torn, is_torn_old
from replstore.wire.codec import CodecError, decode_records

GROWTH = 2
SLACK_BYTES = 4 << 20
"""A file is compacted when it has grown to GROWTH times what it was after the last time, plus SLACK_BYTES."""

BLOCK_BYTES = 1 << 20
"""How much is read, checked and parsed together at a start."""


class JournalDamaged(OSError):
    """A line is not what was written in its place; the message names file and line."""


class Journal:
    """The records of `node_id` in `folder`. Read `records()` once, then `write` and `sync`.

    `progress` is told how many hundredths of the file have been read. Raises `FolderRefused` for a folder that another
    node owns or uses, and `OSError`.
    """

    def __init__(
        self,
        folder: Path,
        node_id: NodeId,
        peers: Iterable[NodeId] = (),
        progress: Callable[[int], None] = lambda percent: None,
    ) -> None:
        self.path = folder / "journal"
        self.torn: str | None = None
        """What was dropped at the end of the file, in a sentence."""
        self._spare = folder / "journal.new"
        self._folder = Folder(folder, node_id, peers)
        self._progress = progress
        self._chain = Chain()
        self._size = 0
        self._compact_at = SLACK_BYTES
        self._buffer: list[bytes] = []
        self._state: State | None = None
        self._owner: Owner | None = None
        self._compaction: Compaction | None = None
        try:
            self._spare.unlink(missing_ok=True)  # left by a crash while compacting; the old file is complete
            if not _begins(self.path):
                self._make()
            self._file = disk.open_to_append(self.path)
        except BaseException:
            self._folder.close()
            raise

    def _make(self) -> None:
        """The first journal in this folder, or one in place of that which was lost."""
        if self.path.exists() and (left := self.path.read_bytes()):
            self.torn = f"{self.path}: only {len(left)} bytes of its first line are there; they are dropped"
        known = self._folder.state
        lost = [State(known.term, known.vote, recovering=True)] if known else []
        self._write_anew(lost)
        disk.replace(self._spare, self.path)

    def serve(self, owner: Owner) -> None:
        """From now on compact, asking `owner` what still matters."""
        self._owner = owner

    # -- reading --------------------------------------------------------------------------------------

    def records(self) -> Iterator[Record]:
        """What was saved, in order; appends that continue one another may come as one. A torn last line is cut off the
        file. Raises `JournalDamaged`, `FolderRefused`."""
        with open(self.path, "rb") as file:
            total = os.fstat(file.fileno()).st_size
            old = is_old(file.read(10))
            file.seek(0)
            chain = OldChain() if old else self._chain
            number = 1
            while lines := file.readlines(BLOCK_BYTES):
                last = None if lines[-1].endswith(b"\n") else lines.pop()
                for record in self._parse(lines, chain, number):
                    if type(record) is State:
                        self._state = record
                    yield record
                number += len(lines)
                self._size += sum(map(len, lines))
                if last is not None:
                    yield from self._end(last, chain, number)
                self._progress(100 * self._size // max(total, 1))
                if last is not None:
                    break  # or the end that was put to it would be read as the next line
        if old:
            self._upgrade()
        if self._state is not None:
            self._folder.remember(self._state)
        self._compact_at = GROWTH * self._size + SLACK_BYTES

    def _parse(self, lines: list[bytes], chain: Chain, number: int) -> list[Record]:
        """The records of these lines, the first of which is line `number`."""
        value = chain.value
        try:
            texts = chain.texts(lines)
        except Broken:
            chain.value = value
            for count, line in enumerate(lines):
                try:
                    chain.text(line)
                except Broken as error:
                    self._damaged(number + count, str(error))
            raise
        if number == 1 and texts and is_header(texts[0]):
            self._folder.check(json.loads(texts.pop(0)), self.path)
        elif number == 1 and texts and not isinstance(chain, OldChain):
            self._damaged(1, "it does not name the node")
        try:
            records = decode_records(texts, join=not isinstance(chain, OldChain))
            if isinstance(chain, OldChain) and (gap := chain.gap(records)) is not None:
                self._damaged(number + gap, "an entry is missing before it, or it does not belong here")
            return records
        except CodecError as error:
            raise JournalDamaged(
                f"{self.path}: lines {number} to {number + len(lines) - 1} are whole, but hold something that this"
                f" version of the store, or of Python, cannot read ({error}). Nothing was changed. Start the node with"
                f" the versions that wrote the file; or take it for damaged. {self._way_out()}"
            ) from None

    def _end(self, line: bytes, chain: Chain, number: int) -> Iterator[Record]:
        """The last line, which has no end."""
        if chain.lacks_only_its_end(line):
            yield from self._parse([line + b"\n"], chain, number)
            disk.write_all(self._file, b"\n")
            self._size += len(line) + 1
        elif (is_torn_old if isinstance(chain, OldChain) else is_torn)(line):
            self.torn = (
                f"{self.path}: line {number} was cut off after {len(line)} bytes, while it was being written, and is"
                f" dropped: {line[:60].decode('ascii', 'replace')}…"
            )
            self._file.truncate(self._size)
        else:
            self._damaged(number, "its end was changed")
        disk.sync_file(self._file)

    def _damaged(self, number: int, how: str) -> NoReturn:
        raise JournalDamaged(
            f"{self.path}: line {number} is damaged: {how}. Nothing was changed. {self._way_out()}"
        )

    def _way_out(self) -> str:
        return (
            f"If the other nodes are running, move this one file away and leave the rest of {self.path.parent}: the"
            " node then fetches everything from the leader, and neither votes nor leads until it has. What only this"
            " node had is lost (in mode async: writes that no other node had yet). Do not do this on a second node"
            " before the first has caught up"
        )

    def _upgrade(self) -> None:
        """Write 0.1.0's file anew in today's form."""
        with open(self.path, "rb") as file, disk.open_to_append(self._spare) as spare:
            chain, old = Chain(), OldChain()
            disk.write_all(spare, chain.line(self._header()))
            while lines := file.readlines(BLOCK_BYTES):
                disk.write_all(spare, b"".join(map(chain.line, old.texts(lines))))
            disk.sync_file(spare)
        self._adopt_spare(chain)

    # -- writing --------------------------------------------------------------------------------------

    def write(self, record: Record) -> None:
        """Take `record` in; it is durable after the next `sync`."""
        if isinstance(record, State):
            self._state = record
        if isinstance(record, Install):
            self._start_afresh(record)
            return
        text = text_of(record)
        self._buffer.append(self._chain.line(text))
        if self._compaction is not None:
            self._compact(self._compaction, text)

    def sync(self) -> None:
        """Make everything written so far durable: one write, one fsync. Raises `OSError` (a full disk, say); the file
        then ends with the last record that an earlier `sync` covered, and nothing more may be written."""
        if self._buffer:
            data, self._buffer = b"".join(self._buffer), []
            try:
                disk.write_all(self._file, data)
                disk.sync_file(self._file)
            except OSError:
                self._file.truncate(self._size)
                raise
            self._size += len(data)
            if self._compaction is None:
                self._maybe_compact()
            elif self._compaction.complete:
                self._finish(self._compaction)
        if self._state is not None and self._state is not self._folder.state:
            self._folder.remember(self._state)  # before anything that this term or vote led to leaves the node

    def close(self) -> None:
        self.sync()
        self._drop_compaction()
        self._file.close()
        self._folder.close()

    # -- a new file in place of the old ---------------------------------------------------------------

    def _maybe_compact(self) -> None:
        if self._owner is None or self._size < self._compact_at:
            return
        begin, log = self._owner.checkpoint()
        head = [self._header(), *map(text_of, (*self._states(), begin, log))]
        try:
            self._compaction = Compaction(self.path, self._size, self._spare, head, begin.at.index, self._owner)
        except OSError:
            self._put_off_compaction()

    def _compact(self, compaction: Compaction, text: bytes) -> None:
        try:
            compaction.step(text)
        except Broken as error:
            raise JournalDamaged(f"{self.path}: the file was changed while the node was running: {error}") from None
        except OSError:
            self._put_off_compaction()

    def _finish(self, compaction: Compaction) -> None:
        try:
            compaction.finish()
        except OSError:
            self._put_off_compaction()
        else:
            self._compaction = None
            self._adopt_spare(compaction.chain)

    def _put_off_compaction(self) -> None:
        """There is no room for a second file. The old one is complete and goes on; the next try is a while away."""
        self._drop_compaction()
        self._compact_at = self._size + max(SLACK_BYTES, self._size // 4)

    def _drop_compaction(self) -> None:
        if self._compaction is not None:
            self._compaction.abandon()
            self._compaction = None

    def _start_afresh(self, record: Install) -> None:
        """The whole store is replaced, so what was saved before is history."""
        self._drop_compaction()
        self._buffer.clear()
        self._adopt_spare(self._write_anew([*self._states(), record]))

    def _write_anew(self, records: Iterable[Record]) -> Chain:
        """A complete spare file with these records."""
        chain = Chain()
        lines = [chain.line(text) for text in (self._header(), *map(text_of, records))]
        try:
            with disk.open_to_append(self._spare) as file:
                disk.write_all(file, b"".join(lines))
                disk.sync_file(file)
        except OSError:
            self._spare.unlink(missing_ok=True)
            raise
        return chain

    def _header(self) -> bytes:
        # A number that no other file has: it makes the checksums of this file's lines different from all others'.
        header = {"journal": 2, "file": os.urandom(8).hex(), **self._folder.identity}
        return json.dumps(header, separators=(",", ":")).encode("ascii")

    def _states(self) -> list[Record]:
        return [self._state] if self._state else []

    def _adopt_spare(self, chain: Chain) -> None:
        """Put the finished new file in the old one's place."""
        self._file.close()
        disk.replace(self._spare, self.path)
        self._file = disk.open_to_append(self.path)
        self._chain = chain
        self._size = self.path.stat().st_size
        self._compact_at = GROWTH * self._size + SLACK_BYTES


def _begins(path: Path) -> bool:
    """Whether there is a journal: a file of which no more than a part of its first line is left holds nothing."""
    if not path.exists():
        return False
    with open(path, "rb") as file:
        line = file.readline()
    if line.endswith(b"\n") or is_old(line):
        return True
    return not is_torn(line)


__all__ = ["FolderRefused", "Journal", "JournalDamaged", "Owner"]
