"""Which requests the HTTP parser takes, which it refuses, and what it waits for."""

from __future__ import annotations

import json

import pytest

from replstore.http.parser import RequestParser
from replstore.http.syntax import (
    MAX_EMPTY_LINES,
    MAX_HEAD,
    MAX_HEADER_LINES,
    MEMO_BYTES,
    HttpError,
    Stage,
    whole_request,
)
from replstore.http.writing import HeaderPairs, Headers, response, without_content
from tests.replstore.http.parsing import get, parse, put, refusal, small

# -- what is taken ---------------------------------------------------------------------------------------


def test_a_request_is_split_into_its_parts() -> None:
    (found,) = parse(b"PUT /key/a%20b?read=linearizable&x=? HTTP/1.1\r\nHost: n\r\nContent-Length: 2\r\n\r\n42")

    assert (found.method, found.path, found.query) == ("PUT", "/key/a%20b", "read=linearizable&x=?")
    assert found.headers == {"host": "n", "content-length": "2"}
    assert (found.body, found.keep_alive) == (b"42", True)


def test_several_requests_in_one_chunk_come_out_in_order() -> None:
    stream = get(target=b"/1") + put(b"Content-Length: 3", body=b"abc") + get(target=b"/2")

    assert [(r.path, r.body) for r in parse(stream)] == [("/1", b""), ("/key/name", b"abc"), ("/2", b"")]


def test_header_names_are_lower_case_and_values_lose_the_blanks_around_them() -> None:
    (found,) = parse(get(b"X-Cluster-TOKEN: \t a b \t", b"Empty:"))

    assert found.headers["x-cluster-token"] == "a b"
    assert found.headers["empty"] == ""


def test_the_values_of_a_repeated_header_are_joined() -> None:
    assert parse(get(b"Accept: a", b"Accept: b"))[0].headers["accept"] == "a, b"


def test_headers_are_shared_and_therefore_cannot_be_changed() -> None:
    (found,) = parse(get())

    with pytest.raises(TypeError):
        found.headers["host"] = "another"  # type: ignore[index]  # a type checker objects as well


def test_a_key_of_ten_thousand_bytes_fits() -> None:
    key = b"k" * 10_000

    assert parse(get(target=b"/key/" + key))[0].path == "/key/" + key.decode()


def test_a_head_too_long_to_be_remembered_is_parsed_all_the_same() -> None:
    (found,) = parse(get(b"Cookie: " + b"c" * MEMO_BYTES))

    assert len(found.headers["cookie"]) == MEMO_BYTES


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"http://node-1:4000/key/a?b", "/key/a", "b"),
        (b"http://node-1:4000", "/", ""),
        (b"http://node-1:4000?b/c", "/", "b/c"),
    ],
)
def test_an_absolute_target_is_split_and_its_host_counts_instead_of_the_header(
    target: bytes, path: str, query: str
) -> None:
    (found,) = parse(get(target=target))

    assert (found.path, found.query, found.headers["host"]) == (path, query, "node-1:4000")


def test_empty_lines_before_a_request_line_are_ignored_each_time() -> None:
    lines = b"\r\n" * MAX_EMPTY_LINES

    assert [r.path for r in parse(lines + get(target=b"/1") + lines + get(target=b"/2"))] == ["/1", "/2"]


def test_the_target_of_options_may_be_a_star() -> None:
    assert parse(b"OPTIONS * HTTP/1.1\r\nHost: n\r\n\r\n")[0].path == "*"


def test_an_unknown_method_is_left_to_the_routing() -> None:
    assert parse(b"BREW /pot HTTP/1.1\r\nHost: n\r\n\r\n")[0].method == "BREW"


@pytest.mark.parametrize(
    ("head", "keep_alive"),
    [
        (b"GET / HTTP/1.1\r\nHost: n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: n\r\nConnection: keep-alive\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: n\r\nConnection: close\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: n\r\nConnection: TE, Close\r\n", False),
        (b"HEAD / HTTP/1.1\r\nHost: n\r\n", True),
        (b"GET / HTTP/1.0\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n", False),
    ],
)
def test_whether_the_connection_stays_open_follows_from_version_and_header(head: bytes, keep_alive: bool) -> None:
    assert parse(head + b"\r\n")[0].keep_alive is keep_alive


def test_remembering_a_head_does_not_carry_its_target_or_body_over() -> None:
    one, two = put(b"Content-Length: 1", body=b"1"), put(b"Content-Length: 1", body=b"2")

    first, second = parse(one.replace(b"/name", b"/first") + two.replace(b"/name", b"/second"))

    assert (first.path, first.body) == ("/key/first", b"1")
    assert (second.path, second.body) == ("/key/second", b"2")


# -- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("why", "data", "status"),
    [
        ("no target", b"GET\r\nHost: n\r\n\r\n", 400),
        ("no version", b"GET /\r\nHost: n\r\n\r\n", 400),
        ("a blank in the target", get(target=b"/key/a b"), 400),
        ("two blanks", b"GET  / HTTP/1.1\r\nHost: n\r\n\r\n", 400),
        ("an empty target", b"GET  HTTP/1.1\r\nHost: n\r\n\r\n", 400),
        ("a target without slash", get(target=b"key/name"), 400),
        ("a target of CONNECT", b"CONNECT node:80 HTTP/1.1\r\nHost: n\r\n\r\n", 400),
        ("another scheme", get(target=b"ftp://node/key"), 400),
        ("raw UTF-8 in the target", get(target="/key/ä".encode()), 400),
        ("a tab in the target", get(target=b"/key/\t"), 400),
        ("a zero byte in the target", get(target=b"/key/\0"), 400),
        ("a carriage return in the target", get(target=b"/key/\r"), 400),
        ("a method that is no word", b"G(T / HTTP/1.1\r\nHost: n\r\n\r\n", 400),
        ("too many empty lines first", b"\r\n" * (MAX_EMPTY_LINES + 1) + get(), 400),
        ("a bare line feed first", b"\n" + get(), 400),
        ("a blank line first", b" \r\n" + get(), 400),
        ("a fragment", get(target=b"/key/a#b"), 400),
        ("a star with a query", b"OPTIONS *?a HTTP/1.1\r\nHost: n\r\n\r\n", 400),
        ("both lengths in HTTP/1.0", b"PUT / HTTP/1.0\r\nContent-Length: 1\r\nTransfer-Encoding: x\r\n\r\n1", 400),
        ("no HTTP at all", b"SSH-2.0-OpenSSH_9.6 x y\r\n\r\n", 400),
        ("lower-case HTTP", b"GET / http/1.1\r\nHost: n\r\n\r\n", 400),
        ("HTTP/0.9", b"GET / HTTP/0.9\r\nHost: n\r\n\r\n", 505),
        ("HTTP/1.2", b"GET / HTTP/1.2\r\nHost: n\r\n\r\n", 505),
        ("HTTP/2's preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        ("no Host", b"GET / HTTP/1.1\r\n\r\n", 400),
        ("two Hosts", get(b"Host: other"), 400),
        ("a folded line", get(b"A: b", b" c"), 400),
        ("a folded first line", b"GET / HTTP/1.1\r\n Host: n\r\n\r\n", 400),
        ("a blank before the colon", get(b"Content-Length : 3"), 400),
        ("a header without colon", get(b"nonsense"), 400),
        ("a header without name", get(b": value"), 400),
        ("a name that is no token", get(b"a(b: c"), 400),
        ("a bare line feed between headers", get(b"A: b\nContent-Length: 3"), 400),
        ("bare line feeds throughout", get().replace(b"\r\n", b"\n"), 400),
        ("a bare carriage return", get(b"A: b\rC: d"), 400),
        ("a zero byte in a header", get(b"A: \0"), 400),
        ("no length", put(), 411),
        ("no length in a POST", b"POST / HTTP/1.1\r\nHost: n\r\n\r\n", 411),
        ("a chunked body", put(b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 411),
        ("a chunked body of a GET", get(b"Transfer-Encoding: chunked"), 411),
        ("both lengths", put(b"Content-Length: 3", b"Transfer-Encoding: chunked", body=b"abc"), 400),
        ("two lengths", put(b"Content-Length: 3", b"Content-Length: 4", body=b"abcd"), 400),
        ("one length twice", put(b"Content-Length: 3", b"Content-Length: 3", body=b"abc"), 400),
        ("a list of lengths", put(b"Content-Length: 3, 3", body=b"abc"), 400),
        ("a negative length", put(b"Content-Length: -1"), 400),
        ("a signed length", put(b"Content-Length: +3", body=b"abc"), 400),
        ("a hexadecimal length", put(b"Content-Length: 0x3", body=b"abc"), 400),
        ("an underscore in the length", put(b"Content-Length: 1_0"), 400),
        ("a superscript length", put("Content-Length: ³".encode("latin-1")), 400),
        ("an empty length", put(b"Content-Length:"), 400),
        ("an endless length", put(b"Content-Length: " + b"9" * 5000), 413),
        ("an unknown expectation", put(b"Expect: tea", b"Content-Length: 0"), 417),
    ],
)
def test_a_malformed_request_is_refused(why: str, data: bytes, status: int) -> None:
    error = refusal(data)

    assert error.status == status, why
    assert error.message


def test_bare_line_feeds_are_refused_at_once_and_not_when_time_is_up() -> None:
    assert refusal(b"GET / HTTP/1.1\nHost: n\n\n").status == 400


def test_a_head_of_exactly_the_limit_is_taken_and_one_byte_more_is_not() -> None:
    def head(filler: int) -> bytes:
        return get(b"A: " + b"a" * filler)

    room = MAX_HEAD + 4 - len(head(0))

    assert len(parse(head(room))) == 1
    assert refusal(head(room + 1)).status == 431


def test_an_endless_header_is_refused_before_it_ends() -> None:
    assert refusal(b"GET / HTTP/1.1\r\nA: " + b"a" * MAX_HEAD).status == 431


def test_an_endless_target_is_refused_before_it_ends() -> None:
    assert refusal(b"GET /key/" + b"a" * MAX_HEAD).status == 414


def test_a_target_that_is_too_long_is_refused_likewise_when_it_arrives_whole() -> None:
    whole = get(target=b"/key/" + b"a" * MAX_HEAD)

    assert refusal(whole).status == 414
    assert whole_request(whole) is None


def test_a_hundred_header_lines_are_taken_and_one_more_is_not() -> None:
    lines = [b"H%d: x" % n for n in range(MAX_HEADER_LINES)]

    assert len(parse(get(*lines[1:]))[0].headers) == MAX_HEADER_LINES
    assert refusal(get(*lines)).status == 431


def test_a_body_that_is_too_large_is_refused_before_it_arrives() -> None:
    assert refusal(put(b"Content-Length: 101")).status == 413
    assert len(parse(put(b"Content-Length: 100", body=b"x" * 100))) == 1


def test_below_internal_a_larger_body_is_taken() -> None:
    def post(length: int) -> bytes:
        return b"POST /internal/replicate HTTP/1.1\r\nHost: n\r\nContent-Length: %d\r\n\r\n" % length

    assert len(parse(post(1000) + b"x" * 1000)[0].body) == 1000
    assert refusal(post(1001)).status == 413


def test_a_request_is_refused_on_its_head_before_its_body_arrives() -> None:
    asked: list[tuple[str, str, str, int]] = []

    def admit(method: str, path: str, headers: Headers, length: int) -> HeaderPairs:
        asked.append((method, path, headers["x-cluster-token"], length))
        raise HttpError(403, "no")

    head = put(b"X-Cluster-Token: wrong", b"Content-Length: 20")
    assert refusal(head, admit).status == 403
    assert asked == [("PUT", "/key/name", "wrong", 20)]


def test_the_answer_to_head_ends_where_the_content_would_begin() -> None:
    assert without_content(response(200, b"1\r\n\r\n2")) == response(200, b"1\r\n\r\n2")[: -len(b"1\r\n\r\n2")]


def test_the_parser_knows_that_a_refused_request_was_head() -> None:
    for data, is_head in ((get().replace(b"GET", b"HEAD").replace(b"1.1", b"9.9"), True), (get(b":"), False)):
        parser = RequestParser(small)
        parser.feed(get(target=b"/before") + data)
        parser.next()
        with pytest.raises(HttpError):
            parser.next()
        assert parser.method_is_head is is_head


def test_a_refusal_says_why_in_json_and_closes() -> None:
    head, _, body = HttpError(405, 'use "GET"', (("Allow", "GET"),)).response().partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\n")
    assert b"\r\nConnection: close\r\n" in head
    assert json.loads(body) == {"error": 'use "GET"'}


# -- waiting ---------------------------------------------------------------------------------------------


def test_the_parser_says_what_it_waits_for() -> None:
    parser = RequestParser(small)
    stages = []
    for piece in (b"", b"PUT / HTTP/1.1\r\nHost: n\r\nContent-", b"Length: 4\r\n\r\nab", b"c", b"d"):
        parser.feed(piece)
        found = parser.next()
        stages.append(parser.stage)

    assert found is not None
    assert found.body == b"abcd"
    assert stages == [Stage.START, Stage.HEAD, Stage.BODY, Stage.BODY, Stage.START]


def test_a_parser_that_has_used_everything_holds_nothing() -> None:
    parser = RequestParser(small)
    parser.feed(get())
    assert parser.pending == len(get())

    parser.next()

    assert parser.pending == 0


def test_a_client_that_expects_it_is_told_to_send_its_body_unless_the_body_is_there_already() -> None:
    head = put(b"Expect: 100-Continue", b"Content-Length: 3")
    waiting, content = RequestParser(small), RequestParser(small)
    waiting.feed(head)
    content.feed(head + b"abc")

    assert waiting.next() is None
    assert waiting.wants_continue
    assert content.next() is not None
    assert not content.wants_continue
