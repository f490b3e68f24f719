"""The client against nodes that say what a test tells them to: what is repeated, what never is, what is believed."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.cluster.base import Answer, Outcome
from labs.cluster.client import Client, ClientOperation, as_json, outcome_of
from labs.cluster.reply import HttpReply
from labs.cluster.transport import Transport

Line = tuple[int, Any] | str
"""What a scripted node answers: code and body, or `drop` (takes the request and hangs up) or `hang` (says nothing)."""

OK: Line = (200, {"success": True, "key": "k", "value": 1, "leader_id": "node-1"})
MISSING: Line = (404, {"error": "Key not found", "key": "k"})
UNKNOWN: Line = (504, {"error": "Outcome unknown"})


def refuses(leader: str) -> Line:
    return (503, {"error": "Not the leader", "current_role": "follower", "leader_id": leader})


def is_role(role: str, term: int = 1) -> Line:
    return (200, {"role": role, "term": term})


class ScriptedNode(ThreadingHTTPServer):
    """Answers `/status` with `status`, and everything else with the lines of `script`, the last one for ever."""

    daemon_threads = True

    def __init__(self, status: Line, script: list[Line]) -> None:
        super().__init__(("127.0.0.1", 0), Scripted)
        self.status = status
        self.script = script
        self.asked: list[tuple[str, str, bytes]] = []
        self.ending = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Scripted(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ScriptedNode

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        node = self.server
        if self.path == "/status":
            line = node.status
        else:
            node.asked.append((self.command, self.path, body))
            line = node.script.pop(0) if len(node.script) > 1 else node.script[0]
        self.say(line)

    do_GET = do_PUT = do_DELETE = answer  # noqa: N815

    def say(self, line: Line) -> None:
        if isinstance(line, str):
            if line == "hang":
                self.server.ending.wait(10)
            self.close_connection = True
            return
        code, content = line
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


NodesOf = Callable[..., ScriptedNode]


@pytest.fixture
def node_of() -> Iterator[NodesOf]:
    with ExitStack() as stack:

        def make(*script: Line, status: Line = ("", "")) -> ScriptedNode:  # type: ignore[assignment]
            node = stack.enter_context(ScriptedNode(status, list(script) or [OK]))
            thread = threading.Thread(target=node.serve_forever, args=(0.01,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(node.shutdown)
            stack.callback(node.ending.set)
            return node

        yield make


@pytest.fixture
def client_of() -> Iterator[Callable[..., Client]]:
    with ExitStack() as stack:

        def make(*nodes: ScriptedNode | str, timeout: float = 2.0) -> Client:
            urls = [node if isinstance(node, str) else node.url for node in nodes]
            client = Client.of({f"node-{number}": url for number, url in enumerate(urls, 1)}, timeout)
            stack.callback(client.close)
            return client

        yield make


@pytest.fixture
def nobody() -> str:
    """An address where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


ClientOf = Callable[..., Client]


def summary(answer: Answer) -> tuple[Outcome, int | None, str, int]:
    return (answer.outcome, answer.code, answer.node, answer.attempts)


# -- asking one node --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "write", "read"),
    [
        (OK, Outcome.OK, Outcome.OK),
        (MISSING, Outcome.OK, Outcome.OK),
        ((404, {"error": "Not found"}), Outcome.FAILED, Outcome.FAILED),
        ((400, {"error": "Invalid JSON"}), Outcome.FAILED, Outcome.FAILED),
        ((413, {"error": "Too large"}), Outcome.FAILED, Outcome.FAILED),
        (refuses("node-2"), Outcome.FAILED, Outcome.FAILED),
        (UNKNOWN, Outcome.UNKNOWN, Outcome.FAILED),
        ((500, {"error": "Oops"}), Outcome.UNKNOWN, Outcome.FAILED),
        ((200, b"<html>"), Outcome.UNKNOWN, Outcome.FAILED),
        ("drop", Outcome.UNKNOWN, Outcome.FAILED),
        ("hang", Outcome.UNKNOWN, Outcome.FAILED),
    ],
)
def test_what_a_client_may_believe(
    node_of: NodesOf, client_of: ClientOf, line: Line, write: Outcome, read: Outcome
) -> None:
    node = node_of(line)
    client = client_of(node)

    assert client.put("k", 1, via="node-1", timeout=0.3).outcome is write
    assert client.delete("k", via="node-1", timeout=0.3).outcome is write
    assert client.get("k", via="node-1", timeout=0.3).outcome is read
    assert [method for method, _, _ in node.asked] == ["PUT", "DELETE", "GET"]


def test_a_refused_connection_is_a_certain_failure(client_of: ClientOf, nobody: str) -> None:
    answer = client_of(nobody).put("k", 1, via="node-1")

    assert summary(answer) == (Outcome.FAILED, None, "node-1", 1)
    assert answer.body == {"error": "connection refused"}


def test_a_node_without_an_address_is_a_certain_failure() -> None:
    answer = Client(lambda node: None, lambda: ()).put("k", 1, via="node-1")

    assert summary(answer) == (Outcome.FAILED, None, "node-1", 1)


@given(key=st.text(), linearizable=st.booleans())
def test_a_key_of_any_text_becomes_one_segment_of_a_path(key: str, linearizable: bool) -> None:
    path = ClientOperation("get", key, linearizable=linearizable).path if key.isprintable() else "/key/"

    assert path.startswith("/key/")
    assert path.count("/") == 2
    assert path.isascii()
    assert path.count("?") == int(linearizable and key.isprintable())


@pytest.mark.parametrize("key", ["..", ".", "a/b", "a b", "?", "#", "%", "%2e", "ключ", ""])
def test_a_key_goes_out_as_it_is(node_of: NodesOf, client_of: ClientOf, key: str) -> None:
    from urllib.parse import unquote

    node = node_of()
    client_of(node).put(key, None, via="node-1")

    [(method, path, body)] = node.asked
    assert (method, unquote(path), body) == ("PUT", f"/key/{key}", b"null")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1}, b"bytes"])
def test_a_value_without_a_json_form_is_never_sent(node_of: NodesOf, client_of: ClientOf, value: object) -> None:
    node = node_of()

    with pytest.raises(ValueError, match="no JSON form"):
        client_of(node).put("k", value, via="node-1")
    assert node.asked == []


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)))  # fmt: skip # noqa: E501
def test_the_body_is_the_value(value: object) -> None:
    assert json.loads(as_json(value)) == value


def test_a_proxy_of_the_environment_is_not_asked(
    node_of: NodesOf, client_of: ClientOf, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", nobody)
    monkeypatch.setenv("no_proxy", "")

    assert client_of(node_of()).get("k", via="node-1").ok


def test_a_redirect_is_not_followed(node_of: NodesOf, client_of: ClientOf) -> None:
    node = node_of((302, {}))

    assert client_of(node).get("k", via="node-1").outcome is Outcome.FAILED
    assert len(node.asked) == 1


# -- finding the leader -----------------------------------------------------------------------------------


def test_the_leader_is_asked_at_once(node_of: NodesOf, client_of: ClientOf) -> None:
    follower, leader = node_of(status=is_role("follower")), node_of(status=is_role("leader"))

    answer = client_of(follower, leader).put("k", 1)

    assert summary(answer) == (Outcome.OK, 200, "node-2", 1)
    assert follower.asked == []


def test_of_two_that_lead_the_higher_term_counts(node_of: NodesOf, client_of: ClientOf) -> None:
    new, old = node_of(status=is_role("leader", 2)), node_of(status=is_role("leader", 1))

    assert client_of(old, new).put("k", 1).node == "node-2"
    assert client_of(new, old).put("k", 1).node == "node-1"


def test_the_leader_that_a_refusal_names_is_asked_next(node_of: NodesOf, client_of: ClientOf) -> None:
    deposed = node_of(refuses("node-2"), status=is_role("leader"))
    leader = node_of(OK, status=is_role("follower"))

    answer = client_of(deposed, leader).put("k", 1)

    assert summary(answer) == (Outcome.OK, 200, "node-2", 2)


def test_two_nodes_that_point_at_each_other_do_not_keep_the_client_running(
    node_of: NodesOf, client_of: ClientOf
) -> None:
    one = node_of(refuses("node-2"), status=is_role("leader"))
    other = node_of(refuses("node-1"), status=is_role("follower"))

    answer = client_of(one, other).put("k", 1, timeout=0.3)

    assert answer.outcome is Outcome.FAILED
    assert answer.attempts < 40


@pytest.mark.parametrize("hint", ["Unknown", "node-99", "node-1", None, 7])
def test_a_useless_hint_is_not_followed(node_of: NodesOf, client_of: ClientOf, hint: Any) -> None:
    node = node_of(refuses(hint), OK, status=is_role("leader"))

    assert summary(client_of(node).put("k", 1)) == (Outcome.OK, 200, "node-1", 2)


def test_a_refusal_is_tried_again_until_somebody_leads(node_of: NodesOf, client_of: ClientOf) -> None:
    node = node_of(refuses("Unknown"), refuses("Unknown"), OK, status=is_role("leader"))

    assert summary(client_of(node).put("k", 1)) == (Outcome.OK, 200, "node-1", 3)


@pytest.mark.parametrize("lost", ["drop", "hang", UNKNOWN])
def test_a_write_whose_answer_was_lost_is_never_sent_again(node_of: NodesOf, client_of: ClientOf, lost: Line) -> None:
    node = node_of(lost, OK, status=is_role("leader"))
    client = client_of(node, timeout=0.3)

    assert client.put("k", 1, timeout=2).outcome is Outcome.UNKNOWN
    assert len(node.asked) == 1


@pytest.mark.parametrize("lost", ["drop", "hang", UNKNOWN])
def test_a_read_whose_answer_was_lost_is_repeated(node_of: NodesOf, client_of: ClientOf, lost: Line) -> None:
    node = node_of(lost, (200, {"key": "k", "value": 1, "node_role": "leader"}), status=is_role("leader"))
    client = client_of(node, timeout=0.3)

    assert summary(client.get("k", timeout=2)) == (Outcome.OK, 200, "node-1", 2)


def test_a_read_answered_by_one_who_leads_no_more_is_repeated_at_the_leader(
    node_of: NodesOf, client_of: ClientOf
) -> None:
    deposed = node_of((200, {"key": "k", "value": "old", "node_role": "follower"}), status=is_role("follower"))
    leader = node_of((200, {"key": "k", "value": "new", "node_role": "leader"}), status=is_role("leader"))
    client = client_of(deposed, leader)
    client.remember("node-1")

    assert client.get("k").value == "new"


@pytest.mark.parametrize("line", [(400, {"error": "Invalid JSON"}), (413, {"error": "Too large"})])
def test_a_mistake_of_our_own_is_not_repeated(node_of: NodesOf, client_of: ClientOf, line: Line) -> None:
    node = node_of(line, status=is_role("leader"))

    assert summary(client_of(node).put("k", 1)) == (Outcome.FAILED, line[0], "node-1", 1)


def test_a_dead_node_does_not_keep_the_leader_from_being_found(
    node_of: NodesOf, client_of: ClientOf, nobody: str
) -> None:
    client = client_of(nobody, node_of(status=is_role("leader")))
    client.remember("node-1")

    assert summary(client.put("k", 1)) == (Outcome.OK, 200, "node-2", 2)


def test_with_nobody_there_the_client_gives_up_when_the_time_is_over(client_of: ClientOf, nobody: str) -> None:
    began = time.monotonic()
    answer = client_of(nobody).put("k", 1, timeout=0.3)

    assert summary(answer) == (Outcome.FAILED, None, "", 1)
    assert 0.3 <= time.monotonic() - began < 2


def test_every_single_attempt_is_reported(node_of: NodesOf) -> None:
    node = node_of(refuses("Unknown"), OK, status=is_role("leader"))
    seen: list[tuple[str, int | None, bool]] = []
    client = Client(
        {"node-1": node.url}.get,
        lambda: ("node-1",),
        observer=lambda operation, answer, began, ended: seen.append((operation.kind, answer.code, began <= ended)),
    )
    client.put("k", 1)
    client.close()

    assert seen == [("put", 503, True), ("put", 200, True)]


# -- connections ------------------------------------------------------------------------------------------


def test_each_thread_has_connections_of_its_own(node_of: NodesOf) -> None:
    node = node_of()
    transport = Transport()
    replies: list[HttpReply] = []

    def ask() -> None:
        for _ in range(20):
            replies.append(transport.exchange("GET", f"{node.url}/key/k"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    transport.close()

    assert [reply.code for reply in replies] == [200] * 80


def test_an_outcome_is_never_better_than_what_is_known() -> None:
    assert outcome_of(HttpReply(None, delivered=True), writes=True) is Outcome.UNKNOWN
    assert outcome_of(HttpReply(None, delivered=False), writes=True) is Outcome.FAILED
    assert outcome_of(HttpReply(None, delivered=True), writes=False) is Outcome.FAILED


@pytest.mark.parametrize("code", [200, 302, 500, 503, 504])
def test_a_write_whose_answer_was_cut_short_is_of_unknown_outcome(code: int) -> None:
    cut = HttpReply(code, {"error": '{"error": "Outco'}, error="the answer's body is not JSON")

    assert outcome_of(cut, writes=True) is Outcome.UNKNOWN
    assert outcome_of(replace(cut, code=400), writes=True) is Outcome.FAILED
