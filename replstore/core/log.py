"""The log: commands in the order in which they take effect, the oldest ones forgotten once they have.

Law of this module: an entry's identity (`EntryId`) decides everything; the log never looks into a value, except to know
its size. What lies at or before `base` has been applied to the store and is known only by its last identity.

    forgotten | base | kept: base+1 … last_index | to come

Indexes run without gaps. An index below `base` says nothing any more, since what stood there is forgotten; `id_at`
answers None then, as for one that is still to come. To forget is safe only for what is applied (`Replica.compact_log`
sees to it): a follower that still needs it is sent a snapshot of the store instead (Raft §7).

Which of two logs is *newer* is a matter of their last entries alone: the later term wins, and in the same term the
longer log (Raft §5.4.1). A longer log with an older last term is older: a leader that was cut off can append as much as
it likes.

Sizes matter because a message has a limit: what is appended must be shippable, else it would keep everything behind it
from the followers for ever. So `append` weighs each entry first and refuses what no message can carry.
"""

from __future__ import annotations

from collections.abc import Iterable

from replstore.core.messages import MAX_MESSAGE, START, Entry, EntryId
from replstore.json_text import to_json, value_json

KEEP_ENTRIES = 4096
KEEP_BYTES = 8 * 2**20
"""How much of the applied log stays, so that a follower that is a little behind needs no snapshot."""

BATCH_ENTRIES = 512
BATCH_BYTES = 256 * 2**10
"""How much travels in one message at the most (but always one entry at least)."""

ENTRY_BYTES = 160
"""What an entry takes beside key and value at the most: index and term have up to 20 digits each, the name of a leader
up to 64 letters."""


SHORT = 16
"""Characters of a text that is not encoded to be weighed: each takes 12 bytes at the most."""

MAX_ENTRY = MAX_MESSAGE - 4 * 2**10
"""The largest entry that fits into a message. What clients may store is much smaller (see `values`); what an older
version took is smaller, too."""


class CannotCarry(ValueError):
    """An entry that no message can carry; the message is a sentence that says why."""


class Log:
    """Entries from `base` (exclusive) to the last one, without gaps."""

    def __init__(self) -> None:
        self.base: EntryId = START
        self._entries: list[Entry] = []
        self._weights: list[int] = []
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

    def between(self, after: int, last: int) -> list[Entry]:
        """The entries behind `after`, up to and with `last`."""
        return self._entries[after - self.base.index : last - self.base.index]

    def batch(self, after: int) -> tuple[Entry, ...]:
        """The entries behind `after`, as many as one message takes."""
        start = after - self.base.index
        end = start + BATCH_ENTRIES
        return tuple(self._entries[start : start + _fitting(self._weights[start:end])])

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
        """Raises `CannotCarry`."""
        if entry.index != self.last_index + 1:
            raise ValueError(f"entry {entry.index} cannot follow entry {self.last_index}")
        size = weight(entry)
        self._entries.append(entry)
        self._weights.append(size)
        self._bytes += size

    def truncate(self, after: int) -> list[Entry]:
        """Drop everything behind `after`; returns what was dropped."""
        start = after - self.base.index
        if start < 0:
            raise ValueError(f"entries up to {self.base.index} are applied and cannot be dropped one by one")
        dropped = self._entries[start:]
        self._bytes -= sum(self._weights[start:])
        del self._entries[start:], self._weights[start:]
        return dropped

    def compact(self, upto: int) -> None:
        """Forget entries up to index `upto`, down to what is to be kept. Done when the log `is_long`, that is in bulk,
        so that each entry's share in it is small."""
        count, size = 0, self._bytes
        for weighs in self._weights[: upto - self.base.index]:
            if len(self._entries) - count <= KEEP_ENTRIES and size <= KEEP_BYTES:
                break
            count += 1
            size -= weighs
        if count:
            self.base = self._entries[count - 1].id
            del self._entries[:count], self._weights[:count]
            self._bytes = size

    def reset(self, at: EntryId) -> None:
        """Begin anew behind `at`."""
        self.base = at
        self._entries.clear()
        self._weights.clear()
        self._bytes = 0


def weight(entry: Entry) -> int:
    """How many bytes the entry takes in a message or record, at the most. Raises `CannotCarry`."""
    value = entry.value
    kind = type(value)
    if kind is int:
        size: int = value.bit_length() // 3
    elif kind is str and len(value) < SHORT:
        size = 12 * len(value) + 2
    else:
        try:
            size = 0 if value is None else len(value_json(value))
        except (TypeError, ValueError) as error:
            raise CannotCarry(f"The value cannot be sent to the other nodes: {error}") from None
    key = entry.key
    size += ENTRY_BYTES + (12 * len(key) + 2 if len(key) < SHORT else len(to_json(key)))
    if size > MAX_ENTRY:
        raise CannotCarry(f"Key and value take {size:,} bytes; at most {MAX_ENTRY:,} can be sent to the other nodes")
    return size


def take_batch(entries: list[Entry], start: int) -> tuple[Entry, ...]:
    """From number `start` on, as many as one message takes, but one at least where there is one."""
    batch = entries[start : start + BATCH_ENTRIES]
    return tuple(batch[: _fitting(map(weight, batch))])


def _fitting(weights: Iterable[int]) -> int:
    size = count = 0
    for weighs in weights:
        size += weighs
        if count and size > BATCH_BYTES:
            break
        count += 1
    return count
