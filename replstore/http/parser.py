"""Bytes into requests, and bytes into answers: parsers that are fed whatever arrived, in pieces of any size.

Law of this module: no socket, no clock, no event loop. Call `next` until it returns None. What may be written, and what
is refused, is `syntax`'s business; here it is only how much of it has arrived.
"""

from __future__ import annotations

from types import MappingProxyType

from replstore.http.chunked import ChunkedBody
from replstore.http.syntax import (
    BARE_LINE_FEED,
    MAX_EMPTY_LINES,
    MAX_HEAD,
    SIMPLE_TARGETS,
    WITH_BODY,
    Admit,
    HttpError,
    Request,
    Response,
    ResponseHead,
    Stage,
    admit_all,
    read_target,
    response_head,
    split_absolute,
    split_head,
)


class _Parser:
    """Bytes that have arrived and are not used yet, from `_start` on; `_need` of them are worth another look."""

    __slots__ = ("_buffer", "_need", "_start", "stage")

    def __init__(self) -> None:
        self._buffer: bytes | bytearray = b""
        self._start = 0
        self._need = 1
        self.stage = Stage.START

    @property
    def pending(self) -> int:
        """How many bytes are held."""
        return len(self._buffer) - self._start

    def feed(self, data: bytes) -> None:
        if not self._buffer:
            self._buffer = data
            return
        # An array grows in place: a large body that comes in many pieces is not copied anew for each.
        if isinstance(self._buffer, bytes):
            self._buffer = bytearray(self._buffer[self._start :])
            self._start = 0
        self._buffer += data

    def _settled(self) -> bytes:
        """What is held, as bytes, whose slices are bytes too."""
        if not isinstance(self._buffer, bytes):
            self._buffer = bytes(self._buffer)
        return self._buffer

    def _wait(self, stage: Stage, need: int) -> None:
        self.stage = stage
        self._need = need

    def _wait_for_head(self) -> None:
        part = bytes(self._buffer[self._start : self._start + MAX_HEAD + 4])
        if BARE_LINE_FEED.search(part):
            raise HttpError(400, "Lines must end in CR LF; there is a bare line feed")
        if len(part) == MAX_HEAD + 4:
            limit = f"request line and headers may have {MAX_HEAD} bytes together"
            if b"\r\n" in part:
                raise HttpError(431, f"The headers are too large: {limit}")
            raise HttpError(414, f"The request target is too long: {limit}")
        self._wait(Stage.HEAD, self.pending + 1)

    def _done(self, end: int) -> None:
        """Everything before `end` is used. An empty buffer is let go: an idle connection should hold no memory."""
        if end == len(self._buffer):
            self._buffer = b""
            end = 0
        self._start = end
        self._need = 1
        self.stage = Stage.START


class RequestParser(_Parser):
    """Splits a client's stream into requests. After an `HttpError` the stream is lost: answer, and close."""

    __slots__ = ("_admit", "_empty_lines", "wants_continue")

    def __init__(self, admit: Admit = admit_all) -> None:
        super().__init__()
        self._admit = admit
        self._empty_lines = 0
        self.wants_continue = False
        """The client waits for `CONTINUE` before it sends the body. Set it back once that was sent."""

    @property
    def method_is_head(self) -> bool:
        """Whether the request that is arriving, or was just refused, begins with HEAD: its answer has no content."""
        return self._buffer[self._start : self._start + 5] == b"HEAD "

    def clear(self) -> None:
        """Forget what arrived and was not used."""
        self._done(len(self._buffer))

    def next(self) -> Request | None:
        """The next request, or None until more has been fed. Raises `HttpError`."""
        start = self._start
        if len(self._buffer) - start < self._need:
            return None
        buffer = self._settled()
        if buffer.startswith(b"\r\n", start):
            start = self._skip_empty_lines(buffer)
            buffer = self._settled()
            if start == len(buffer):
                return None
        end = buffer.find(b"\r\n\r\n", start, start + MAX_HEAD + 4)
        if end < 0:
            self._wait_for_head()
            return None
        method, target, head = split_head(buffer[start:end])
        headers, keep_alive, length, expects_continue = head
        if target[:1] not in SIMPLE_TARGETS:
            # The target's host counts, whatever the Host header says.
            host, target = split_absolute(target)
            headers = MappingProxyType({**headers, "host": host})
        path, query = read_target(target)
        admitted = self._admit(method, path, headers, length or 0)
        end += 4
        if length is None:
            if method in WITH_BODY:
                raise HttpError(411, "Content-Length is missing: say how long the body is, 0 for none")
            body = b""
        else:
            body = buffer[end : end + length]
            if len(body) < length:
                self.wants_continue = expects_continue
                self._wait(Stage.BODY, end - start + length)
                return None
            end += length
        self._empty_lines = 0
        self._done(end)
        return Request(method, path, query, headers, body, keep_alive, admitted)

    def _skip_empty_lines(self, buffer: bytes) -> int:
        """Returns where the request line begins, or will."""
        start = self._start
        while buffer.startswith(b"\r\n", start):
            self._empty_lines += 1
            if self._empty_lines > MAX_EMPTY_LINES:
                raise HttpError(400, f"More than {MAX_EMPTY_LINES} empty lines before the request line")
            start += 2
        self._done(start)
        return self._start


class ResponseParser(_Parser):
    """Splits a server's stream into answers. After an `HttpError` the stream is lost: close."""

    __slots__ = ("_chunked", "_max_body")

    def __init__(self, max_body: int) -> None:
        super().__init__()
        self._max_body = max_body
        self._chunked: tuple[ResponseHead, ChunkedBody] | None = None
        """The answer whose chunks are arriving."""

    def next(self) -> Response | None:
        """The next answer, or None until more has been fed. Raises `HttpError`."""
        start = self._start
        if len(self._buffer) - start < self._need:
            return None
        if self._chunked is not None:
            return self._next_chunks(*self._chunked)
        buffer = self._settled()
        end = buffer.find(b"\r\n\r\n", start, start + MAX_HEAD + 4)
        if end < 0:
            self._wait_for_head()
            return None
        head = response_head(buffer[start:end])
        status, headers, keep_alive, length = head
        end += 4
        if length is None:
            self._start, self._chunked = end, (head, ChunkedBody(self._max_body))
            return self._next_chunks(*self._chunked)
        if length > self._max_body:
            raise HttpError(502, f"The peer's answer has {length} bytes; at most {self._max_body} are taken")
        if len(buffer) < end + length:
            self._wait(Stage.BODY, end - start + length)
            return None
        body = buffer[end : end + length]
        self._done(end + length)
        return Response(status, headers, body, keep_alive)

    def _next_chunks(self, head: ResponseHead, chunked: ChunkedBody) -> Response | None:
        self._start, need = chunked.take(self._settled(), self._start)
        if not chunked.complete:
            self._wait(Stage.BODY, need)
            return None
        self._chunked = None
        self._done(self._start)
        return Response(head.status, head.headers, bytes(chunked.body), head.keep_alive)
