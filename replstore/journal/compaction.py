"""Compaction: a new journal growing beside the old one, while the node goes on writing.

Law of this module: all or nothing. The old file counts until the new one is complete and durable. No write ever waits
for a copy of all the data: with each record that is written a few old lines are looked at (as log-structured stores
merge). What the disk does not take is given up, and the old file stays as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from replstore.core.contract import Append, Install, Record
from replstore.core.messages import Entry, EntryId
from replstore.journal import disk
from replstore.journal.lines import Chain
from replstore.wire.codec import decode_record, encode_record

GROUP_ENTRIES, GROUP_BYTES = 64, 64 << 10
"""Old entries are taken over many to a line: a file is read the faster the fewer lines it has."""

COPY_RATIO = 4
"""How many old bytes are looked at for each byte written while compacting. Above one, or it would never end."""


class Owner(Protocol):
    """What compaction asks the node whose journal it is."""

    commit: EntryId

    def checkpoint(self) -> tuple[Install, Append]:
        """Where the log begins, and all of the log from there on."""
        ...

    def keeps(self, entry: Entry) -> bool:
        """Whether this old entry still gives its key its value."""
        ...


class Compaction:
    """The new file: `head`, which holds the log; then every new record as it comes, and among them the old entries up
    to `base` that still give a key its value, in the order in which they stand."""

    def __init__(self, old: Path, old_size: int, new: Path, head: list[bytes], base: int, owner: Owner) -> None:
        self._old = open(old, "rb")  # noqa: SIM115 - both files stay open across calls
        self._old_chain = Chain()
        self._left = old_size
        self._path = new
        self._new = disk.open_to_append(new)
        self.chain = Chain()
        self._base = base
        self._owner = owner
        self._pending = b"".join(map(self.chain.line, head))
        self._kept: list[Entry] = []
        self._kept_bytes = 0

    @property
    def complete(self) -> bool:
        return self._left <= 0

    def step(self, text: bytes) -> None:
        """The record `text` was written: take it over, and go through COPY_RATIO times as much of the old file.

        Raises `Broken` where the old file is no longer what was written, and `OSError`.
        """
        pieces = [self._pending, self.chain.line(text)]
        self._pending = b""
        budget = COPY_RATIO * len(text)
        while budget > 0 and self._left > 0:
            old = self._old.readline()
            self._left -= len(old)
            budget -= len(old)
            self._keep_what_matters(self._old_chain.text(old))
            if len(self._kept) >= GROUP_ENTRIES or self._kept_bytes >= GROUP_BYTES or self.complete:
                pieces.append(self._kept_line())
        disk.write_all(self._new, b"".join(pieces))

    def _keep_what_matters(self, text: bytes) -> None:
        if is_header(text):
            return
        record = decode_record(text.decode("ascii"))
        entries = record.items if isinstance(record, Install) else getattr(record, "entries", ())
        kept = [entry for entry in entries if entry.index <= self._base and self._owner.keeps(entry)]
        if kept:
            self._kept += kept
            self._kept_bytes += len(text)

    def _kept_line(self) -> bytes:
        kept, self._kept, self._kept_bytes = tuple(self._kept), [], 0
        return self.chain.line(text_of(Append(kept, 0))) if kept else b""

    def finish(self) -> None:
        # A key's old value was left out because a newer one had been applied: so that must be known to be committed.
        disk.write_all(self._new, self.chain.line(text_of(Append((), self._owner.commit.index))))
        disk.sync_file(self._new)
        self._new.close()
        self._old.close()

    def abandon(self) -> None:
        self._old.close()
        self._new.close()
        self._path.unlink(missing_ok=True)


def text_of(record: Record) -> bytes:
    return encode_record(record).encode("ascii")


def is_header(text: bytes) -> bool:
    return text.startswith(b'{"journal":')


