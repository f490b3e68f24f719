"""HTTP/1.1 messages as bytes: the requests and answers that a node sends.

Law of this module: no socket, no clock, no event loop. A head that was written once is remembered; what varies, the
content, is put behind it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus

Headers = Mapping[str, str]
"""Names in lower case; a repeated header's values are joined by a comma. Shared between requests, hence read-only."""

HeaderPairs = tuple[tuple[str, str], ...]
"""Headers to be sent, in order. A tuple, so that the finished head can be looked up by it."""

MEMO_HEADS = 256
"""How many finished heads are remembered."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_REASONS = {status.value: status.phrase for status in HTTPStatus}

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""A method, or the name of a header (RFC 9110 §5.6.2)."""
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""Characters that no header may hold."""


def without_content(answer: bytes) -> bytes:
    """The answer to HEAD: what GET would have got, up to the content (RFC 9110 §9.3.2)."""
    return answer[: answer.index(b"\r\n\r\n") + 4]


def response(status: int, body: bytes = b"", keep_alive: bool = True, headers: HeaderPairs = ()) -> bytes:
    """A complete answer. Its content is JSON unless `headers` name another Content-Type."""
    return b"%b%d\r\n\r\n%b" % (_response_prefix(status, keep_alive, headers), len(body), body)


def request(method: str, path: str, body: bytes = b"", headers: HeaderPairs = ()) -> bytes:
    """A complete request. `headers` must name the Host."""
    return b"%b%d\r\n\r\n%b" % (_request_prefix(method, path, headers), len(body), body)


@lru_cache(MEMO_HEADS)
def _response_prefix(status: int, keep_alive: bool, headers: HeaderPairs) -> bytes:
    closing = () if keep_alive else (("Connection", "close"),)
    return _prefix(f"HTTP/1.1 {status} {_REASONS[status]}", (*headers, *closing))


@lru_cache(MEMO_HEADS)
def _request_prefix(method: str, path: str, headers: HeaderPairs) -> bytes:
    if not (path.startswith("/") and path.isascii() and path.isprintable() and " " not in path):
        raise ValueError(f"not a request target: {path!r}")
    return _prefix(f"{method} {path} HTTP/1.1", headers)


def _prefix(first_line: str, headers: HeaderPairs) -> bytes:
    """The head up to the number that Content-Length still lacks."""
    for name, value in headers:
        if not TOKEN.fullmatch(name.encode()) or CONTROL.search(value.encode("latin-1")):
            raise ValueError(f"not a header: {name!r}: {value!r}")
    lines = [first_line, *(f"{name}: {value}" for name, value in headers)]
    if not any(name.lower() == "content-type" for name, _ in headers):
        lines.append("Content-Type: application/json")
    return ("\r\n".join(lines) + "\r\nContent-Length: ").encode("latin-1")
