"""Requests as bytes, and what the parser makes of them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from replstore.http.parser import RequestParser
from replstore.http.syntax import Admit, HttpError, Request, Stage, check_length
from replstore.http.writing import HeaderPairs, Headers


def small(method: str, path: str, headers: Headers, length: int) -> HeaderPairs:
    check_length(length, 1000 if path.startswith("/internal/") else 100)
    return ()


def drain(parser: RequestParser) -> list[Request]:
    return list(iter(parser.next, None))


def parse(data: bytes, admit: Admit = small) -> list[Request]:
    """All requests in `data`, which must end with one."""
    parser = RequestParser(admit)
    parser.feed(data)
    requests = drain(parser)
    assert parser.stage is Stage.START
    return requests


def refusal(data: bytes, admit: Admit = small) -> HttpError:
    parser = RequestParser(admit)
    parser.feed(data)
    with pytest.raises(HttpError) as caught:
        drain(parser)
    return caught.value


def get(*lines: bytes, target: bytes = b"/key/name") -> bytes:
    return b"\r\n".join((b"GET " + target + b" HTTP/1.1", b"Host: node", *lines, b"", b""))


def put(*lines: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join((b"PUT /key/name HTTP/1.1", b"Host: node", *lines, b"", body))


def cut(data: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(bounds)]
