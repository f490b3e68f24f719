"""The log: commands in the order in which they take effect, the oldest ones forgotten once they have.

Law of this module: an entry's identity (`EntryId`) decides everything; the log never looks into a value, except to
estimate its size. What lies at or before `base` has been applied to the store and is known only by its last identity.
"""

from __future__ import annotations

from collections.abc import Iterable

from replstore.codec import to_json
from replstore.messages import START, Entry, EntryId

KEEP_ENTRIES = 4096
KEEP_BYTES = 8 * 2**20
"""How much of the applied log stays, so that a follower that is a little behind needs no snapshot."""

BATCH_ENTRIES = 512
BATCH_BYTES = 256 * 2**10
"""How much travels in one message at the most (but always one entry at least)."""


class Log:
    """Entries from `base` (exclusive) to the last one, without gaps."""

    def __init__(self) -> None:
        self.base: EntryId = START
        self._entries: list[Entry] = []
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    # -- looking --------------------------------------------------------------------------------------

    @property
    def last_id(self) -> EntryId:
        return self._entries[-1].id if self._entries else self.base

    @property
    def last_index(self) -> int:
        return self.base.index + len(self._entries)

    @property
    def last(self) -> tuple[int, int]:
        """`(term, index)` of the last entry; the newer of two logs is the greater (Raft §5.4.1)."""
        last = self._entries[-1] if self._entries else self.base
        return (last.term, last.index)

    def get(self, index: int) -> Entry:
        """The entry at `index`, which must lie behind `base`."""
        return self._entries[index - self.base.index - 1]

    def id_at(self, index: int) -> EntryId | None:
        """The identity of the entry at `index`; None where this log has none, or has forgotten it."""
        if index == self.base.index:
            return self.base
        if self.base.index < index <= self.last_index:
            return self.get(index).id
        return None

    def after(self, index: int) -> list[Entry]:
        """All entries behind `index`."""
        return self._entries[index - self.base.index :]

    def batch(self, after: int) -> tuple[Entry, ...]:
        """The entries behind `after`, as many as one message takes."""
        start = after - self.base.index
        return take_batch(self._entries, start)

    def start_of_run(self, index: int) -> int:
        """The first index of the stretch around `index` that one leadership wrote without interruption."""
        written_by = self.get(index)[1:3]
        while index - 1 > self.base.index and self.get(index - 1)[1:3] == written_by:
            index -= 1
        return index

    @property
    def is_long(self) -> bool:
        return len(self._entries) > 2 * KEEP_ENTRIES or self._bytes > 2 * KEEP_BYTES

    # -- changing -------------------------------------------------------------------------------------

    def append(self, entry: Entry) -> None:
        if entry.index != self.last_index + 1:
            raise ValueError(f"entry {entry.index} cannot follow entry {self.last_index}")
        self._entries.append(entry)
        self._bytes += weight(entry)

    def truncate(self, after: int) -> list[Entry]:
        """Drop everything behind `after`; returns what was dropped."""
        start = after - self.base.index
        if start < 0:
            raise ValueError(f"entries up to {self.base.index} are applied and cannot be dropped one by one")
        dropped = self._entries[start:]
        del self._entries[start:]
        self._bytes -= sum(map(weight, dropped))
        return dropped

    def compact(self, upto: int) -> None:
        """Forget entries up to index `upto`, down to what is to be kept. Done when the log `is_long`, that is in bulk,
        so that each entry's share in it is small."""
        count, size = 0, self._bytes
        for entry in self._entries[: upto - self.base.index]:
            if len(self._entries) - count <= KEEP_ENTRIES and size <= KEEP_BYTES:
                break
            count += 1
            size -= weight(entry)
        if count:
            self.base = self._entries[count - 1].id
            del self._entries[:count]
            self._bytes = size

    def reset(self, at: EntryId) -> None:
        """Begin anew behind `at`."""
        self.base = at
        self._entries.clear()
        self._bytes = 0


def weight(entry: Entry) -> int:
    """About how many bytes the entry takes in a message. Exact sizes would cost an encoding each."""
    value = entry.value
    kind = type(value)
    if kind is str:
        return 64 + len(entry.key) + len(value)
    if kind in (dict, list):
        return 64 + len(entry.key) + len(to_json(value))
    return 80 + len(entry.key)


def take_batch(entries: list[Entry], start: int) -> tuple[Entry, ...]:
    """From number `start` on, as many as one message takes, but one at least where there is one."""
    batch = entries[start : start + BATCH_ENTRIES]
    return tuple(batch[: _fitting(batch)])


def _fitting(batch: Iterable[Entry]) -> int:
    size = count = 0
    for entry in batch:
        size += weight(entry)
        if count and size > BATCH_BYTES:
            break
        count += 1
    return count
