"""The syntax of HTTP/1.1 messages: request lines, header lines, and what is refused.

Law of this module: pure functions of bytes. Whatever can be read in two ways is refused (bare line feeds, folded
headers, two lengths …), because two programs that split one stream differently is how requests are smuggled
(RFC 9112 §11.2).

Most requests arrive whole, and a client repeats its header lines from request to request. So everything behind the
request target (version and headers, one block of bytes) is parsed once and looked up afterwards; what varies, the
method and the target, is checked every time.

Not supported, and refused clearly: requests with a chunked body (411; a peer's answer may have one), `Expect` other
than `100-continue` (417).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from replstore.http.writing import CONTROL, TOKEN, HeaderPairs, Headers, response

MAX_HEAD = 16 * 2**10
"""Bytes of request line and headers together."""
MAX_HEADER_LINES = 100
MAX_LENGTH_DIGITS = 18
MAX_EMPTY_LINES = 8
"""Empty lines before a request line are ignored (RFC 9112 §2.2), so many of them."""
MAX_BODY = 2**20
"""Bytes of a body, where nobody says otherwise."""

MEMO_BLOCKS = 256
MEMO_BYTES = 1024
"""How many header blocks are remembered, and up to which size: about half a megabyte at the most."""

_METHODS = {name.encode(): name for name in ("GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH")}
WITH_BODY = frozenset(("PUT", "POST"))
_WITH_BODY = {raw: name for raw, name in _METHODS.items() if name in WITH_BODY}
_WITHOUT_BODY = {raw: name for raw, name in _METHODS.items() if name not in WITH_BODY and name != "HEAD"}
SIMPLE_TARGETS = (b"/", b"*")
_ONLY_ONCE = frozenset(("content-length", "transfer-encoding", "host"))

BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")
_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([2-5][0-9][0-9])(?: [^\x00-\x1f]*)?")


class HttpError(Exception):
    """The request (or a peer's answer) is refused: `status` and `message` say why and what to do instead."""

    def __init__(self, status: int, message: str, headers: HeaderPairs = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers

    def response(self, keep_alive: bool = False) -> bytes:
        body = json.dumps({"error": self.message}).encode()
        return response(self.status, body, keep_alive, self.headers)


@dataclass(slots=True)
class Request:
    """`path` and `query` are as they were sent, still percent-encoded, without the `?` between them. `admitted`: what
    `Admit` said, headers that belong to the answer."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    keep_alive: bool
    admitted: HeaderPairs = ()


@dataclass(slots=True)
class Response:
    status: int
    headers: Headers
    body: bytes
    keep_alive: bool


class Stage(Enum):
    """What a parser that returned None is waiting for."""

    START = "the first byte"
    HEAD = "the rest of the head"
    BODY = "the rest of the body"


Admit = Callable[[str, str, Headers, int], HeaderPairs]
"""Asked with method, path, headers and the body's length as soon as a request's head is there, before its body is read.
Raises `HttpError` to refuse the request; else returns headers for its answer."""


def admit_all(method: str, path: str, headers: Headers, length: int) -> HeaderPairs:
    check_length(length)
    return ()


def check_length(length: int, limit: int = MAX_BODY) -> None:
    """Whether a body of `length` bytes is taken. Raises `HttpError`."""
    if length > limit:
        raise HttpError(413, f"The body has {length} bytes; at most {limit} are taken")


# --------------------------------------------------------------------------------------------------------
# Header lines


def _fields(lines: list[bytes]) -> dict[str, str]:
    if len(lines) > MAX_HEADER_LINES:
        raise HttpError(431, f"{len(lines)} header lines; at most {MAX_HEADER_LINES} are taken")
    fields: dict[str, str] = {}
    for line in lines:
        raw_name, colon, raw_value = line.partition(b":")
        # This also refuses folded lines and blanks before the colon: a blank is no token character.
        if not colon or not TOKEN.fullmatch(raw_name):
            raise HttpError(400, "Malformed header line: expected `Name: value`, without blanks in or before the name")
        if CONTROL.search(raw_value):
            raise HttpError(400, "Malformed header line: control character or bare line break in its value")
        name = raw_name.decode("ascii").lower()
        value = raw_value.strip(b" \t").decode("latin-1")
        if name not in fields:
            fields[name] = value
        elif name in _ONLY_ONCE:
            raise HttpError(400, f"The header {name} is there twice")
        else:
            fields[name] += ", " + value
    return fields


def _length(fields: Headers) -> int | None:
    """The announced length of the body; None where there is none. Raises `HttpError`."""
    text = fields.get("content-length")
    if "transfer-encoding" in fields:
        if text is not None:
            raise HttpError(400, "Both Content-Length and Transfer-Encoding: send Content-Length alone")
        raise HttpError(411, "Transfer-Encoding is not supported: send the body in one piece with Content-Length")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise HttpError(400, "Content-Length must be one decimal number")
    if len(text) > MAX_LENGTH_DIGITS:
        raise HttpError(413, "The body is too large")
    return int(text)


def _tokens(fields: Headers, name: str) -> list[str]:
    return [token.strip().lower() for token in fields.get(name, "").split(",")]


# --------------------------------------------------------------------------------------------------------
# Heads


class Head(NamedTuple):
    """All that follows from a request's version and header lines."""

    headers: Headers
    keep_alive: bool
    length: int | None
    expects_continue: bool


def _parse_head(block: bytes) -> Head:
    """`block` is what follows the request target: `HTTP/1.1`, then the header lines."""
    if BARE_LINE_FEED.search(block):
        raise HttpError(400, "Lines must end in CR LF; there is a bare line feed")
    version, *lines = block.split(b"\r\n")
    _check_version(version)
    current = version == b"HTTP/1.1"
    fields = _fields(lines)
    if current and "host" not in fields:
        raise HttpError(400, "The Host header is missing; HTTP/1.1 requires it")
    expect = fields.get("expect", "").lower()
    if expect not in ("", "100-continue"):
        raise HttpError(417, "Expect: only 100-continue is supported")
    # HTTP/1.0 connections are closed after one answer, whatever the client would like: simple, and always allowed.
    keep_alive = current and "close" not in _tokens(fields, "connection")
    return Head(MappingProxyType(fields), keep_alive, _length(fields), current and expect != "")


def _check_version(version: bytes) -> None:
    if version in (b"HTTP/1.1", b"HTTP/1.0"):
        return
    if _VERSION.fullmatch(version):
        raise HttpError(505, "Only HTTP/1.1 and HTTP/1.0 are supported")
    raise HttpError(400, "Malformed request line: expected `METHOD /path HTTP/1.1`")


_remembered_head = lru_cache(MEMO_BLOCKS)(_parse_head)  # a block that is refused raises, and is not remembered


def _method(raw: bytes) -> str:
    if not TOKEN.fullmatch(raw):
        raise HttpError(400, "Malformed request line: the method is not a word")
    return raw.decode("ascii")


def read_target(raw: bytes) -> tuple[str, str]:
    """Path and query of a request target."""
    target = str(raw, "latin-1")
    if not target.isprintable() or not target.isascii() or "#" in target:
        raise HttpError(400, "The request target holds characters that must be percent-encoded")
    if raw[:1] != b"/" and target != "*":
        raise HttpError(400, "Malformed request line: the target must begin with /")
    if "?" in target:
        path, _, query = target.partition("?")
        return path, query
    return target, ""


def split_absolute(target: bytes) -> tuple[str, bytes]:
    """Host and path of `http://host/path`, which servers must take although only proxies see it (RFC 9112 §3.2.2)."""
    scheme, found, rest = target.partition(b"://")
    if not found or scheme.lower() not in (b"http", b"https"):
        raise HttpError(400, "Malformed request line: the target must begin with /")
    end = min((place for mark in b"/?" if (place := rest.find(mark)) >= 0), default=len(rest))
    path = rest[end:]
    return rest[:end].decode("latin-1"), path if path.startswith(b"/") else b"/" + path


# --------------------------------------------------------------------------------------------------------
# The short way


def whole_request(data: bytes) -> Request | None:
    """What most clients send most of the time: `data` is one request, all of it, and nothing more.

    None: it is not, or it is not that simple. Then ask a `RequestParser`, which gives the same answer for the simple
    ones, and takes three times as long. Raises `HttpError` as that would.
    """
    parts = data.split(b" ", 2)
    method = _WITHOUT_BODY.get(parts[0])
    if method is None:
        return _whole_with_body(data)
    if len(parts) < 3 or len(parts[2]) > MEMO_BYTES or len(data) > MAX_HEAD or parts[1][:1] not in SIMPLE_TARGETS:
        return None
    head = _whole_head(parts[2])
    if head is None:
        return None
    path, query = read_target(parts[1])
    return Request(method, path, query, head.headers, b"", head.keep_alive)


def _whole_with_body(data: bytes) -> Request | None:
    end = data.find(b"\r\n\r\n", 0, MAX_HEAD + 4)
    parts = data[:end].split(b" ", 2)
    if end < 0 or parts[0] not in _WITH_BODY or len(parts) < 3 or len(parts[2]) > MEMO_BYTES:
        return None
    head = _simple_head(parts[2])
    if head is None or head.length != len(data) - end - 4 or parts[1][:1] not in SIMPLE_TARGETS:
        return None
    path, query = read_target(parts[1])
    return Request(_WITH_BODY[parts[0]], path, query, head.headers, data[end + 4 :], head.keep_alive)


@lru_cache(MEMO_BLOCKS)
def _whole_head(block: bytes) -> Head | None:
    """`block` follows a request target, to the end of what arrived. None if it is anything but one proper head."""
    if block.find(b"\r\n\r\n") != len(block) - 4:
        return None
    head = _simple_head(block[:-4])
    return head if head is not None and head.length is None else None


@lru_cache(MEMO_BLOCKS)
def _simple_head(block: bytes) -> Head | None:
    """`block` follows a request target. None if it is refused, or its client wants to be told to go on."""
    try:
        head = _parse_head(block)
    except HttpError:
        return None
    return None if head.expects_continue else head


def split_head(raw: bytes) -> tuple[str, bytes, Head]:
    try:
        method, target, block = raw.split(b" ", 2)
    except ValueError:
        raise HttpError(400, "Malformed request line: expected `METHOD /path HTTP/1.1`") from None
    head = _remembered_head(block) if len(block) <= MEMO_BYTES else _parse_head(block)
    return _METHODS.get(method) or _method(method), target, head


class ResponseHead(NamedTuple):
    """`length` is None where the body comes in chunks."""

    status: int
    headers: Headers
    keep_alive: bool
    length: int | None


@lru_cache(MEMO_BLOCKS)
def response_head(block: bytes) -> ResponseHead:
    line, *lines = block.split(b"\r\n")
    match = _STATUS_LINE.fullmatch(line)
    if not match:
        raise HttpError(502, "The peer's answer does not begin with an HTTP/1.1 status line")
    fields = _fields(lines)
    status = int(match[2])
    chunked = "transfer-encoding" in fields and "content-length" not in fields
    if chunked and (fields["transfer-encoding"].lower() != "chunked" or match[1] == b"0" or status in (204, 304)):
        raise HttpError(502, "The peer's answer is encoded in a way that is not supported: only `chunked` is")
    length = None if chunked else _length(fields)
    if length is None and not chunked:
        if status not in (204, 304):
            raise HttpError(502, "The peer's answer has no Content-Length")
        length = 0
    keep_alive = match[1] == b"1" and "close" not in _tokens(fields, "connection")
    return ResponseHead(status, MappingProxyType(fields), keep_alive, length)
