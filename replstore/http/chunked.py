"""A body that arrives in chunks, each with its size in front (RFC 9112 §7.1). Many HTTP servers answer like this where
nobody told them the length.

Law of this module: no more is held than was promised, and a size that can be read in two ways is refused.
"""

from __future__ import annotations

import re

from replstore.http.syntax import MAX_HEAD, HttpError

MAX_SIZE_LINE = 1024
"""Bytes of a line with a chunk's size; extensions behind a `;` are read over."""

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?")
_NEXT_SIZE, _DATA, _TRAILER = range(3)


class ChunkedBody:
    """Give `take` what has arrived and not been used; it says how much of it is used now, and how many bytes are worth
    another look. When `complete`, `body` is all of it."""

    def __init__(self, max_body: int) -> None:
        self.body = bytearray()
        self.complete = False
        self._max_body = max_body
        self._state = _NEXT_SIZE
        self._size = 0
        self._trailer = 0

    def take(self, data: bytes, start: int) -> tuple[int, int]:
        """Raises `HttpError` for what is no chunked body."""
        while not self.complete:
            used = self._take_data(data, start) if self._state == _DATA else self._take_line(data, start)
            if used == 0:
                wanted = self._size + 2 if self._state == _DATA else len(data) - start + 1
                return start, wanted
            start += used
        return start, 1

    def _take_data(self, data: bytes, start: int) -> int:
        end = start + self._size
        if len(data) < end + 2:
            return 0
        if data[end : end + 2] != b"\r\n":
            raise HttpError(502, "A chunk of the peer's answer is longer than its size says")
        self.body += data[start:end]
        self._state = _NEXT_SIZE
        return self._size + 2

    def _take_line(self, data: bytes, start: int) -> int:
        """A line with a size, or one of the trailer: header lines behind the last chunk, which nobody needs."""
        limit = MAX_SIZE_LINE if self._state == _NEXT_SIZE else MAX_HEAD - self._trailer
        end = data.find(b"\r\n", start, start + limit + 2)
        if end < 0:
            if len(data) - start >= limit + 2:
                raise HttpError(502, "The peer's answer has a line that is too long between its chunks")
            return 0
        line = data[start:end]
        if self._state == _TRAILER:
            self._trailer += len(line) + 2
            self.complete = not line
        else:
            self._read_size(line)
        return len(line) + 2

    def _read_size(self, line: bytes) -> None:
        match = _SIZE.fullmatch(line)
        if match is None:
            raise HttpError(502, "A chunk of the peer's answer does not begin with its size")
        self._size = int(match[1], 16)
        if len(self.body) + self._size > self._max_body:
            raise HttpError(502, f"The peer's answer has more than the {self._max_body} bytes that are taken")
        self._state = _DATA if self._size else _TRAILER
