"""Whatever a client or a stranger sends, the node answers properly or closes in time, goes on, and keeps its data."""

from __future__ import annotations

import contextlib
import json
import resource
import socket
import time
from collections.abc import Iterator

import pytest
import requests

from labs.cluster import ProcessCluster, Settings

pytestmark = pytest.mark.processes
NODE = "node-1"


UNHURRIED = Settings(heartbeat_ms=100, election_timeout_ms=2000)
"""A busy machine alone must not bring another leader: here that would say that a request had done it."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[ProcessCluster]:
    with ProcessCluster(UNHURRIED) as cluster:
        cluster.start()
        cluster.wait_for(lambda c: c.leader() == NODE)
        assert cluster.put("treasure", {"still": "here"}).ok
        yield cluster


@pytest.fixture(autouse=True)
def _the_node_goes_on_and_its_data_is_unchanged(cluster: ProcessCluster) -> Iterator[None]:
    yield
    assert cluster.get("treasure", via=NODE).value == {"still": "here"}
    assert cluster.status()[NODE].total_keys == 1
    assert cluster.leader() == NODE


def url(cluster: ProcessCluster, path: str) -> str:
    return f"{cluster.url(NODE)}{path}"


def connect(cluster: ProcessCluster) -> socket.socket:
    address = str(cluster.url(NODE)).removeprefix("http://").split(":")
    return socket.create_connection((address[0], int(address[1])), timeout=10)


def raw(cluster: ProcessCluster, data: bytes) -> bytes:
    """What comes back for these bytes, until the node closes."""
    with connect(cluster) as client, contextlib.suppress(ConnectionError):
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))
    return b""


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


# -- bodies ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"", b"Alice", b'{"a": 1', b"NaN", b"[1, Infinity]", b'"\xff\xfe"'],
    ids=["empty", "no JSON", "truncated", "NaN", "Infinity", "bad UTF-8"],
)
def test_a_body_that_is_no_json_is_refused(cluster: ProcessCluster, body: bytes) -> None:
    answer = requests.put(url(cluster, "/key/k"), data=body, timeout=10)

    assert (answer.status_code, answer.json()) == (400, {"error": "Invalid JSON"})


def test_a_body_that_is_too_large_is_refused_before_it_is_read(cluster: ProcessCluster) -> None:
    head = b"PUT /key/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048577\r\n\r\n"

    assert status_of(raw(cluster, head)) == 413


def test_a_body_of_one_mebibyte_is_taken(cluster: ProcessCluster) -> None:
    value = "x" * (2**20 - 2)

    assert requests.put(url(cluster, "/key/big"), data=json.dumps(value), timeout=10).status_code == 200
    assert requests.get(url(cluster, "/key/big"), timeout=10).json()["value"] == value
    assert requests.delete(url(cluster, "/key/big"), timeout=10).status_code == 200


def test_a_body_without_a_length_is_refused(cluster: ProcessCluster) -> None:
    assert status_of(raw(cluster, b"PUT /key/k HTTP/1.1\r\nHost: localhost\r\n\r\n")) == 411


def test_a_body_shorter_than_announced_changes_nothing(cluster: ProcessCluster) -> None:
    raw(cluster, b"PUT /key/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n123")

    assert requests.get(url(cluster, "/key/k"), timeout=10).status_code == 404


# -- keys ------------------------------------------------------------------------------------------------


def test_an_empty_key_is_refused(cluster: ProcessCluster) -> None:
    assert requests.put(url(cluster, "/key/"), data="1", timeout=10).status_code == 400


@pytest.mark.parametrize(
    ("path", "key"),
    [("a%20b", "a b"), ("a/b", "a/b"), ("a%2Fb", "a/b"), ("%C3%A9", "é"), ("..", ".."), ("k" * 10_000, "k" * 10_000)],
    ids=["blank", "slash", "encoded slash", "UTF-8", "dots", "10 kB"],
)
def test_an_unusual_key_is_taken_as_it_is(cluster: ProcessCluster, path: str, key: str) -> None:
    head = b"Host: localhost\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1"
    stored = raw(cluster, b"PUT /key/%b HTTP/1.1\r\n%b" % (path.encode(), head))
    deleted = raw(cluster, b"DELETE /key/%b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path.encode())

    assert json.loads(stored.split(b"\r\n\r\n", 1)[1])["key"] == key
    assert status_of(deleted) == 200


def test_a_key_that_is_not_utf_8_is_refused(cluster: ProcessCluster) -> None:
    assert requests.get(url(cluster, "/key/%ff"), timeout=10).status_code == 400


# -- paths and methods -----------------------------------------------------------------------------------


def test_an_unknown_path_is_not_found(cluster: ProcessCluster) -> None:
    assert requests.get(url(cluster, "/nothing"), timeout=10).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/key/k"), ("PUT", "/status"), ("BREW", "/key/k"), ("PATCH", "/events")]
)
def test_a_method_that_is_not_possible_is_refused_with_those_that_are(
    cluster: ProcessCluster, method: str, path: str
) -> None:
    answer = requests.request(method, url(cluster, path), data="1" if method in ("POST", "PUT") else None, timeout=10)

    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_options_tell_a_browser_what_is_allowed_but_never_about_internal_paths(cluster: ProcessCluster) -> None:
    origin = {"Origin": "http://localhost:8888"}
    open_path = requests.options(url(cluster, "/key/k"), headers=origin, timeout=10)
    internal = requests.options(
        url(cluster, "/internal/faults"), headers={"X-Cluster-Token": cluster.token, **origin}, timeout=10
    )

    assert open_path.status_code == 200
    assert open_path.headers["Access-Control-Allow-Origin"] == origin["Origin"]
    assert internal.status_code == 405
    assert "Access-Control-Allow-Origin" not in internal.headers


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("/key/treasure?read=sometimes", "local or linearizable"),
        ("/key/treasure?read=Linearizable", "local or linearizable"),
        ("/key/treasure?read=", "local or linearizable"),
        ("/key/treasure?read", "local or linearizable"),
        ("/key/treasure?raed=linearizable", "known: read"),
        ("/key/treasure?read=local&read=linearizable", "twice"),
        ("/key/treasure?read=local&", "known: read"),
        ("/key/treasure?read=local;x=1", "local or linearizable"),
        ("/key/treasure?read=%zz", "hexadecimal"),
        ("/key/treasure?read=%ff", "UTF-8"),
        ("/status?full=1", "known: none"),
        ("/events?since=x", "whole number"),
        ("/events?since=-1", "whole number"),
        ("/events?since=1.5", "whole number"),
        ("/events?since=", "whole number"),
        ("/events?since=%D9%A3", "whole number"),
        ("/events?since=1&since=2", "twice"),
        ("/events?since=1" + "0" * 30, "whole number"),
        ("/events?wait=nan", "seconds"),
        ("/events?wait=inf", "seconds"),
        ("/events?wait=-1", "seconds"),
        ("/events?wait=1e3", "seconds"),
        ("/events?wait=%2B1", "seconds"),
        ("/key/100%", "%25"),
        ("/key/a%4", "%25"),
        ("/key/a%zz", "%25"),
        ("/key/a#b", "percent-encoded"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused_with_what_is_known(
    cluster: ProcessCluster, target: str, told: str
) -> None:
    answer = raw(cluster, b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % target.encode())

    assert status_of(answer) == 400
    assert told in json.loads(answer.partition(b"\r\n\r\n")[2])["error"]


@pytest.mark.parametrize(("method", "path"), [("PUT", "/key/k?read=local"), ("DELETE", "/key/treasure?force=1")])
def test_a_write_takes_no_query(cluster: ProcessCluster, method: str, path: str) -> None:
    answer = requests.request(method, url(cluster, path), data="1", timeout=10)

    assert (answer.status_code, "known: none" in answer.json()["error"]) == (400, True)


@pytest.mark.parametrize("path", ["/key/treasure", "/key/treasure?read=linearizable", "/key/none", "/status?x", "/x"])
def test_head_gets_the_headers_of_get_and_no_content(cluster: ProcessCluster, path: str) -> None:
    lines = b" %b HTTP/1.1\r\nHost: localhost\r\n" % path.encode()

    answer = raw(cluster, b"HEAD" + lines + b"\r\nGET" + lines + b"Connection: close\r\n\r\n")

    head, _, rest = answer.partition(b"\r\n\r\n")
    assert rest.startswith(b"HTTP/1.1")
    assert rest.partition(b"\r\n\r\n")[0].replace(b"\r\nConnection: close", b"") == head


def test_a_target_that_is_too_long_is_told_so_although_it_arrives_whole(cluster: ProcessCluster) -> None:
    assert status_of(raw(cluster, b"GET /key/%b HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"k" * 20_000))) == 414


def test_empty_lines_before_a_request_are_ignored(cluster: ProcessCluster) -> None:
    get = b"GET /status HTTP/1.1\r\nHost: localhost\r\n"

    answers = raw(cluster, b"\r\n" + get + b"\r\n\r\n\r\n" + get + b"Connection: close\r\n\r\n")

    assert [int(part.split()[0]) for part in answers.split(b"HTTP/1.1 ")[1:]] == [200, 200]


# -- strangers -------------------------------------------------------------------------------------------

EVIL = "http://evil.example"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
@pytest.mark.parametrize("header", [{"Origin": EVIL}, {"Origin": "null"}, {"Host": "evil.example:4001"}])
def test_a_stranger_can_neither_read_nor_write(cluster: ProcessCluster, method: str, header: dict[str, str]) -> None:
    answer = requests.request(method, url(cluster, "/key/treasure"), headers=header, data="1", timeout=10)

    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    if method != "HEAD":
        assert "ALLOW_" in answer.json()["error"]


def test_a_page_of_this_machine_may_read_what_went_wrong_too(cluster: ProcessCluster) -> None:
    for path in ("/key/treasure", "/key/none", "/key/treasure?raed=1", "/status", "/events"):
        answer = requests.get(url(cluster, path), headers={"Origin": "http://127.0.0.1:8888"}, timeout=10)
        assert answer.headers["Access-Control-Allow-Origin"] == "http://127.0.0.1:8888", path
        assert answer.headers["Vary"] == "Origin"


def test_a_request_without_a_host_header_is_no_browsers(cluster: ProcessCluster) -> None:
    assert status_of(raw(cluster, b"GET /status HTTP/1.0\r\n\r\n")) == 200


def test_a_peer_without_the_token_is_refused_before_its_body(cluster: ProcessCluster) -> None:
    head = b"POST /internal/replicate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16000000\r\n\r\n"
    with connect(cluster) as client:
        client.sendall(head)
        assert status_of(client.recv(65536)) == 403


# -- heads -----------------------------------------------------------------------------------------------


def test_a_flood_of_headers_is_refused(cluster: ProcessCluster) -> None:
    flood = b"".join(b"X-%d: y\r\n" % number for number in range(3000))

    assert status_of(raw(cluster, b"GET /status HTTP/1.1\r\nHost: localhost\r\n" + flood + b"\r\n")) == 431


@pytest.mark.parametrize(
    "junk", [b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"GET /status HTTP/9.9\r\n\r\n", b"\x16\x03\x01" * 50]
)
def test_what_is_not_http_is_refused(cluster: ProcessCluster, junk: bytes) -> None:
    answer = raw(cluster, junk)

    assert answer == b"" or status_of(answer) in (400, 505)


def test_pipelined_requests_are_answered_in_their_order(cluster: ProcessCluster) -> None:
    put = b"PUT /key/p HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n%d"
    get = b"GET /key/p HTTP/1.1\r\nHost: localhost\r\n\r\n"
    delete = b"DELETE /key/p HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET /key/p HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    answers = raw(cluster, put % 1 + get + put % 2 + get + delete + last)

    assert [int(part.split()[0]) for part in answers.split(b"HTTP/1.1 ")[1:]] == [200, 200, 200, 200, 200, 404]
    assert answers.index(b'"value":1,"node_role"') < answers.index(b'"value":2,"node_role"')


# -- slow and many ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_client_that_sends_a_byte_a_second_is_closed_in_time(cluster: ProcessCluster) -> None:
    with connect(cluster) as client:
        started = time.monotonic()
        client.settimeout(1.0)
        answer = b""
        for byte in b"GET /status HTTP/1.1\r\nHost: slow":
            with contextlib.suppress(ConnectionError):
                client.sendall(bytes([byte]))
            try:
                answer = client.recv(4096)
                break
            except TimeoutError:
                continue

    assert answer == b"" or status_of(answer) == 408
    assert time.monotonic() - started < 20


def test_two_thousand_idle_connections_do_not_keep_a_client_out(cluster: ProcessCluster) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2200 if hard == resource.RLIM_INFINITY else min(2200, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    with contextlib.ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(wanted - 200):
            stack.enter_context(contextlib.closing(connect(cluster)))
        answer = requests.get(url(cluster, "/status"), timeout=10)

    assert answer.json()["role"] == "leader"


# -- peers -----------------------------------------------------------------------------------------------

HEARTBEAT = {"type": "heartbeat", "term": 99, "commit": [0, 0, ""], "round": 1}


def post(cluster: ProcessCluster, body: object, token: str | None = None) -> requests.Response:
    headers = {"X-Cluster-Token": cluster.token if token is None else token}
    return requests.post(url(cluster, "/internal/heartbeat"), data=json.dumps(body), headers=headers, timeout=10)


def test_a_peer_message_that_is_one_endless_number_does_not_stop_the_node(cluster: ProcessCluster) -> None:
    headers = {"X-Cluster-Token": cluster.token}

    answer = requests.post(url(cluster, "/internal/heartbeat"), data=b"1" * 16_000_000, headers=headers, timeout=10)

    assert answer.status_code == 400


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_peer_message_without_the_token_is_refused(cluster: ProcessCluster, token: str) -> None:
    assert post(cluster, {"from": "node-2", "id": "x", "message": HEARTBEAT}, token).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {"from": "node-9", "id": "x", "message": HEARTBEAT},
        {"from": NODE, "id": "x", "message": HEARTBEAT},
        {"from": ["node-2"], "id": "x", "message": HEARTBEAT},
        {"from": "node-2", "id": 7, "message": HEARTBEAT},
        {"from": "node-2", "message": HEARTBEAT},
        {"from": "node-2", "id": "x", "message": {**HEARTBEAT, "term": "99"}},
        {"from": "node-2", "id": "x", "message": {"type": HEARTBEAT["type"], "term": 99}},
        {"from": "node-2", "id": "x", "message": {**HEARTBEAT, "type": "os.system"}},
        {"from": "node-2", "id": "x", "message": None},
        [],
        "hello",
    ],
    ids=[
        "unknown peer", "myself", "sender is a list", "id is a number", "no id", "term is text", "fields missing",
        "unknown type", "no message", "a list", "text",
    ],
)  # fmt: skip
def test_a_peer_message_that_makes_no_sense_is_refused(cluster: ProcessCluster, body: object) -> None:
    answer = post(cluster, body)

    assert answer.status_code == 400
    assert "Bad message" in answer.json()["error"]


@pytest.mark.parametrize(
    "faults", [{"drop": 2}, {"drop": True}, {"delay": 5}, {"blocked": "node-2"}, {"jitter_ms": -1}, [], 7]
)
def test_fault_settings_that_make_no_sense_are_refused(cluster: ProcessCluster, faults: object) -> None:
    headers = {"X-Cluster-Token": cluster.token}

    answer = requests.put(url(cluster, "/internal/faults"), data=json.dumps(faults), headers=headers, timeout=10)

    assert answer.status_code == 400
