"""How the journal's records stand in its file: a line each, with a checksum that also proves the line's place.

Law of this module: a line is accepted only where it was written. It is its length and a CRC-32 (eight hex digits
each), then the record as JSON. The CRC is computed over *all* text from the file's beginning, so a line that is
missing, doubled, moved or from another file breaks the chain at that place, like a changed byte does.

The length tells a *torn* line from a *damaged* one. Torn is a last line of which only the beginning was written: it
was never durable, nobody was promised it. Everything else that does not fit is damage.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from zlib import crc32

from replstore.core.contract import Append, Install, Record

HEAD = 18
"""Bytes before the text: `0000002f 1c291ca3 `."""

_HEAD_SO_FAR = re.compile(rb"[0-9a-f]{0,8}|[0-9a-f]{8} [0-9a-f]{0,8}|[0-9a-f]{8} [0-9a-f]{8} ")


class Broken(ValueError):
    """A line is not what was written in its place; the message says how that shows."""


class Chain:
    """The lines of one file in their order; `value` is the checksum of all text so far."""

    def __init__(self) -> None:
        self.value = 0

    def line(self, text: bytes) -> bytes:
        """The next line, holding `text`."""
        self.value = crc32(text, self.value)
        return b"%08x %08x %b\n" % (len(text), self.value, text)

    def text(self, line: bytes) -> bytes:
        """What the next line holds. Raises `Broken`."""
        return self.texts((line,))[0]

    def texts(self, lines: Iterable[bytes]) -> list[bytes]:
        """What the next lines hold. Raises `Broken`."""
        value = self.value
        texts = []
        for line in lines:
            text = line[HEAD:-1]
            value = crc32(text, value)
            if line != b"%08x %08x %b\n" % (len(text), value, text):
                raise Broken("it was changed, or a line is missing before it, or it does not belong here")
            texts.append(text)
        self.value = value
        return texts

    def lacks_only_its_end(self, line: bytes) -> bool:
        """Whether this last line without an end is complete but for the line break."""
        text = line[HEAD:]
        return line == b"%08x %08x %b" % (len(text), crc32(text, self.value), text)


class OldChain(Chain):
    """The lines of 0.1.0: a CRC-32 of the line's text alone, and no length. They are read, never written.

    Nothing in a line shows its place, but in most lines an entry's index does.
    """

    def __init__(self) -> None:
        super().__init__()
        self._base = self._last = 0

    def gap(self, records: Iterable[Record]) -> int | None:
        """The number of the first record (from 0) whose entries cannot follow those before it."""
        for number, record in enumerate(records):
            if isinstance(record, Install):
                self._base = self._last = record.at.index
            for index, *_ in record.entries if isinstance(record, Append) else ():
                if index > self._last + 1:
                    return number
                if index > self._base:  # else a live key of a compacted journal
                    self._last = index
        return None

    def texts(self, lines: Iterable[bytes]) -> list[bytes]:
        texts = []
        for line in lines:
            checksum, _, text = line[:-1].partition(b" ")
            if checksum != b"%08x" % crc32(text) or line[-1:] != b"\n":
                raise Broken("its checksum does not match")
            texts.append(text)
        return texts

    def lacks_only_its_end(self, line: bytes) -> bool:
        checksum, _, text = line.partition(b" ")
        return checksum == b"%08x" % crc32(text)


def is_old(first_line: bytes) -> bool:
    """Whether a file that begins like this was written by 0.1.0."""
    return first_line[8:10] == b" {"


def is_torn(line: bytes) -> bool:
    """Whether a last line without an end is the beginning of a line and not a whole one that was changed."""
    if len(line) <= HEAD:
        return _HEAD_SO_FAR.fullmatch(line) is not None
    if not _HEAD_SO_FAR.fullmatch(line[:HEAD]):
        return False
    return len(line) - HEAD < int(line[:8], 16)


def is_torn_old(line: bytes) -> bool:
    """As `is_torn`, for 0.1.0: there, only a changed line break can be told from a line that was cut off."""
    checksum, _, text = line.partition(b" ")
    return checksum != b"%08x" % crc32(text[:-1])
