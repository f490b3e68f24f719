"""What a server writes, a client reads; and which answers it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replstore.http.parser import ResponseParser
from replstore.http.syntax import HttpError, Response
from replstore.http.writing import CONTINUE, request, response
from tests.replstore.http.parsing import cut, parse


def answers(data: bytes, max_body: int = 1000) -> list[Response]:
    parser = ResponseParser(max_body)
    parser.feed(data)
    return list(iter(parser.next, None))


def test_an_answer_is_complete_and_json_unless_said_otherwise() -> None:
    assert response(200, b"{}") == (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
    assert response(404, b"no", keep_alive=False, headers=(("Content-Type", "text/plain"),)) == (
        b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"
    )


def test_a_line_break_cannot_be_smuggled_into_what_we_send() -> None:
    with pytest.raises(ValueError, match="not a header"):
        response(200, headers=(("Allow", "GET\r\nSet-Cookie: a=b"),))
    with pytest.raises(ValueError, match="not a request target"):
        request("POST", "/a b\r\n", b"", (("Host", "n"),))


@given(st.lists(st.tuples(st.sampled_from([200, 400, 503]), st.binary(max_size=40)), max_size=4), st.data())
def test_a_client_reads_what_a_server_wrote_however_it_is_cut(
    sent: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    stream = b"".join(response(status, body) for status, body in sent)
    places = data.draw(st.lists(st.integers(0, 400), max_size=8))
    parser, found = ResponseParser(1000), []
    for piece in cut(stream, places):
        parser.feed(piece)
        while (answer := parser.next()) is not None:
            found.append((answer.status, answer.body))

    assert found == sent


@given(st.sampled_from(["GET", "POST"]), st.binary(max_size=90))
def test_a_server_reads_what_a_client_wrote(method: str, body: bytes) -> None:
    (found,) = parse(request(method, "/internal/heartbeat", body, (("Host", "n"), ("X-Cluster-Token", "t"))))

    assert (found.method, found.path, found.body) == (method, "/internal/heartbeat", body)
    assert found.headers["x-cluster-token"] == "t"


def test_an_answer_that_closes_the_connection_says_so() -> None:
    assert [a.keep_alive for a in answers(response(200, b"a") + response(200, b"b", keep_alive=False))] == [True, False]


def test_an_answer_without_content_needs_no_length() -> None:
    assert answers(b"HTTP/1.1 204 No Content\r\n\r\n")[0].body == b""


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n\r\n",
        b"HTTP/2 200\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        CONTINUE,
    ],
)
def test_a_peer_that_does_not_speak_our_http_is_refused(data: bytes) -> None:
    with pytest.raises(HttpError):
        answers(data)
