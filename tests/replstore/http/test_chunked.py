"""Answers in chunks, as Node.js and Go write them where nobody told them the length."""

from __future__ import annotations

import asyncio
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replstore.http.chunked import MAX_SIZE_LINE
from replstore.http.link import PeerLink
from replstore.http.parser import ResponseParser
from replstore.http.syntax import HttpError
from replstore.http.writing import response

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunked(pieces: list[bytes], extension: bytes = b"", trailer: bytes = b"") -> bytes:
    body = b"".join(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces if piece)
    return HEAD + body + b"0" + extension + b"\r\n" + trailer + b"\r\n"


def read(pieces: list[bytes], max_body: int = 1000) -> list[bytes]:
    parser, found = ResponseParser(max_body), []
    for piece in pieces:
        parser.feed(piece)
        while (answer := parser.next()) is not None:
            found.append(answer.body)
    return found


answers = st.one_of(
    st.binary(max_size=40).map(lambda body: (response(200, body), body)),
    st.tuples(
        st.lists(st.binary(max_size=30), max_size=5),
        st.sampled_from([b"", b";a=b", b' ; name="value"']),
        st.sampled_from([b"", b"Checked: yes\r\n"]),
    ).map(lambda parts: (chunked(*parts), b"".join(parts[0]))),
)


@given(st.lists(answers, max_size=4), st.lists(st.integers(0, 600), max_size=10))
def test_answers_in_chunks_and_in_one_piece_are_read_however_they_are_cut(
    sent: list[tuple[bytes, bytes]], places: list[int]
) -> None:
    stream = b"".join(data for data, _ in sent)
    cuts = sorted({0, len(stream), *(place for place in places if place < len(stream))})

    found = read([stream[start:end] for start, end in itertools.pairwise(cuts)])

    assert found == [body for _, body in sent]


def test_a_large_answer_in_many_small_chunks_costs_time_in_proportion() -> None:
    body = b"x" * 200_000
    stream = chunked([body[place : place + 7] for place in range(0, len(body), 7)])

    found = read([stream[place : place + 1000] for place in range(0, len(stream), 1000)], max_body=len(body))

    assert found == [body]


@pytest.mark.parametrize(
    ("rest", "complaint"),
    [
        (b"hello\r\n", "does not begin with its size"),
        (b"-1\r\n", "does not begin with its size"),
        (b"0x5\r\nhello\r\n", "does not begin with its size"),
        (b"5 5\r\nhello\r\n", "does not begin with its size"),
        (b"\r\n", "does not begin with its size"),
        (b"5\nhello\r\n", "does not begin with its size"),
        (b"4\r\nhello\r\n", "longer than its size says"),
        (b"3e9\r\n", "more than the 1000 bytes"),
        (b"fffffffffffffffff\r\n", "does not begin with its size"),
        (b"5;" + b"a" * MAX_SIZE_LINE, "a line that is too long"),
        (b"0\r\n" + b"a: b\r\n" * 4000, "a line that is too long"),
    ],
)
def test_what_is_no_chunked_body_is_refused(rest: bytes, complaint: str) -> None:
    with pytest.raises(HttpError, match=complaint):
        read([HEAD + rest])


def test_chunks_that_are_too_much_together_are_refused_before_they_are_all_there() -> None:
    with pytest.raises(HttpError, match="more than the 1000 bytes"):
        read([HEAD, *[b"64\r\n" + b"x" * 100 + b"\r\n"] * 10, b"1\r\n"])


def test_a_peer_that_answers_in_chunks_is_heard_on_the_same_connection() -> None:
    heard: list[bytes] = []
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(2)
                for piece in (HEAD, b"2\r\n", body, b"\r\n0\r\n", b"\r\n"):
                    writer.write(piece)
                    await writer.drain()
        except asyncio.IncompleteReadError:
            writer.close()

    async def talk() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        link = PeerLink("127.0.0.1", port, on_reply=heard.append, on_error=lambda *_: None, on_state=lambda *_: None)
        link.start()
        for number in range(10, 30):
            link.send("/internal/heartbeat", json.dumps(number).encode())
        async with asyncio.timeout(10):
            while len(heard) < 20:
                await asyncio.sleep(0.01)
        await link.close()
        server.close()
        await server.wait_closed()

    asyncio.run(talk())

    assert heard == [str(number).encode() for number in range(10, 30)]
    assert connections == 1
