"""It does not matter to the HTTP parser how the bytes are cut, nor whether it takes the short way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replstore.http.parser import RequestParser
from replstore.http.syntax import MAX_EMPTY_LINES, MAX_HEAD, HttpError, Request, whole_request
from tests.replstore.http.parsing import cut, get, parse, put, small

TOKEN = st.text("abcXYZ-09", min_size=1, max_size=8)
GOOD = st.builds(
    lambda path, headers, body: (
        b"PUT /%b HTTP/1.1\r\nHost: n\r\n" % path.encode()
        + b"".join(b"X%b: %b\r\n" % (name.encode(), value.encode()) for name, value in headers)
        + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    ),
    st.text("abc/?%20", max_size=20),
    st.lists(st.tuples(TOKEN, TOKEN), max_size=4),
    st.binary(max_size=60),
)
ODD = st.sampled_from(
    [
        get(),
        put(),
        get(b"A: b\nC: d"),
        b"GET / HTTP/2.0\r\nA: b\nC: d\r\n\r\n",
        get(b" folded"),
        put(b"Content-Length: 999"),
        put(b"Content-Length: 5", body=b"cut"),
        put(b"Content-Length: 1", b"Expect: 100-continue", body=b"1"),
        b"GET /" + b"a" * (MAX_HEAD + 10),
        get(target=b"/" + b"a" * (MAX_HEAD + 10)),
        get(target=b"http://node/key"),
        b"\r\n",
        b"\r\n" * MAX_EMPTY_LINES,
        b"GET / HTTP/1.1\r\nA: " + b"a" * (MAX_HEAD + 10) + b"\r\n\r\n",
        b"\r\n\r\n",
        b"\n",
    ]
)
STREAM = st.lists(GOOD | ODD | st.binary(max_size=30), max_size=5).map(b"".join)


def outcome(pieces: list[bytes]) -> tuple[list[Request], int | None]:
    """The requests found, and the status of the refusal that ended it, if one did."""
    parser, requests = RequestParser(small), []
    try:
        for piece in pieces:
            parser.feed(piece)
            while (found := parser.next()) is not None:
                requests.append(found)
    except HttpError as error:
        return requests, error.status
    return requests, None


@given(STREAM, st.lists(st.integers(0, 40_000), max_size=12))
def test_any_cut_of_a_stream_gives_the_same_requests_and_the_same_refusal(stream: bytes, places: list[int]) -> None:
    assert outcome(cut(stream, places)) == outcome([stream])


@given(st.lists(GOOD | st.sampled_from([get(), put(), get(b"A: b\nC: d")]), max_size=3).map(b"".join))
def test_byte_by_byte_gives_the_same_too(stream: bytes) -> None:
    assert outcome([stream[n : n + 1] for n in range(len(stream))]) == outcome([stream])


@given(
    st.lists(
        st.sampled_from([get(), get(b"A: b"), get(b"A:\0"), put(b"Content-Length: 6", body=b"1\r\n\r\n2")])
        | ODD
        | GOOD,
        min_size=1,
        max_size=2,
    ).map(b"".join)
)
def test_the_short_way_gives_what_the_parser_gives_or_nothing(data: bytes) -> None:
    short = short_outcome(data)

    assert short is None or short == outcome([data])


def short_outcome(data: bytes) -> tuple[list[Request], int | None] | None:
    try:
        found = whole_request(data)
    except HttpError as error:
        return [], error.status
    return None if found is None else ([found], None)


@pytest.mark.parametrize(
    "data",
    [
        get(),
        get(b"Accept: */*", target=b"/key/a%20b?c"),
        get().replace(b"GET", b"DELETE"),
        put(b"Content-Length: 0"),
        put(b"Content-Length: 6", body=b'"\r\n\r\n"'),
        put(b"Content-Length: 1", body=b"1").replace(b"PUT", b"POST"),
    ],
)
def test_the_short_way_takes_what_most_clients_send(data: bytes) -> None:
    assert [whole_request(data)] == parse(data)


@given(st.binary(max_size=300))
def test_whatever_arrives_there_is_nothing_but_requests_and_refusals(noise: bytes) -> None:
    outcome([noise, b"\r\n\r\n", noise])
