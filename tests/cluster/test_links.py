"""A link carries HTTP as real programs speak it, and breaks it on purpose. The nodes here are scripted sockets."""

from __future__ import annotations

import gc
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from labs.cluster.links import LinkFaults, Links

PLAIN = b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"term": 3}'
CHUNKED = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"te\r\n7\r\nrm": 3}\r\n0\r\n\r\n'
OLD = b'HTTP/1.0 200 OK\r\n\r\n{"term": 3}'
REPLICATE = b'POST /internal/replicate HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n{"term": 3}'
HEARTBEAT = b"POST /internal/heartbeat HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"


class ScriptedNode:
    """Listens, reads one request on each connection, gives always the same answer, and hangs up."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.received: list[bytes] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                request = whole_request(connection)
                if request:
                    self.received.append(request)
                    connection.sendall(self._answer)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


def whole_request(connection: socket.socket) -> bytes:
    data = b""
    while not (data.endswith((b"\r\n\r\n", b"}")) and (b"Content-Length: 11" not in data or data.endswith(b"}"))):
        piece = connection.recv(4096)
        if not piece:
            return b""
        data += piece
    return data


class Stage:
    """node-1 speaks to node-2, whose answer is scripted."""

    def __init__(self, stack: ExitStack, answer: bytes) -> None:
        self.events: list[tuple[str, str, str, str, str, dict[str, Any]]] = []
        self.node = ScriptedNode(answer)
        stack.callback(self.node.close)
        self.links = Links({"node-1": 1, "node-2": self.node.port}, lambda time, *event: self.events.append(event))
        stack.callback(self.links.close)
        host, port = self.links.url("node-1", "node-2").removeprefix("http://").split(":")
        self.sender = stack.enter_context(socket.create_connection((host, int(port)), timeout=5))

    def ask(self, request: bytes) -> bytes:
        self.sender.sendall(request)
        return self.answer()

    def answer(self) -> bytes:
        data = b""
        while not data.endswith((b"}", b"0\r\n\r\n")):
            piece = self.sender.recv(4096)
            if not piece:
                break
            data += piece
        return data

    def told(self) -> list[tuple[str, str, str]]:
        return [(node, event, kind) for node, event, kind, *_ in self.events]


StageOf = Callable[..., Stage]


@pytest.fixture
def stage_of() -> Iterator[StageOf]:
    with ExitStack() as stack:
        yield lambda answer=PLAIN: Stage(stack, answer)


@pytest.mark.parametrize("answer", [PLAIN, OLD])
def test_requests_and_answers_get_through_one_after_the_other(stage_of: StageOf, answer: bytes) -> None:
    stage = stage_of(answer)

    for _ in range(3):
        got = stage.ask(REPLICATE)
        assert got.startswith(b"HTTP/1.1 200")
        assert got.endswith(b'\r\n\r\n{"term": 3}')
        assert b"content-length: 11" in got.lower()

    assert len(stage.node.received) == 3
    assert all(request.endswith(b'\r\n\r\n{"term": 3}') for request in stage.node.received)


def test_a_chunked_answer_stays_chunked(stage_of: StageOf) -> None:
    got = stage_of(CHUNKED).ask(REPLICATE)

    assert b"transfer-encoding: chunked" in got.lower()
    assert b'{"term": 3}' in got
    assert got.endswith(b"0\r\n\r\n")


def test_a_sender_that_speaks_http_1_0_gets_its_answer_and_the_end(stage_of: StageOf) -> None:
    stage = stage_of()

    got = stage.ask(b"GET /status HTTP/1.0\r\n\r\n")

    assert got.endswith(b'{"term": 3}')
    assert stage.sender.recv(1) == b""


def test_a_sender_may_wait_to_be_asked_for_its_body(stage_of: StageOf) -> None:
    stage = stage_of()
    head, body = REPLICATE.split(b"\r\n\r\n")
    stage.sender.sendall(head + b"\r\nExpect: 100-continue\r\n\r\n")
    assert stage.sender.recv(4096).startswith(b"HTTP/1.1 100")

    assert stage.ask(body).endswith(b'{"term": 3}')


def test_what_a_link_carries_is_told_as_messages_sent_and_received(stage_of: StageOf) -> None:
    stage = stage_of()
    stage.ask(REPLICATE)

    assert stage.told() == [
        ("node-1", "sent", "Replicate"), ("node-2", "received", "Replicate"),
        ("node-2", "sent", "Replicated"), ("node-1", "received", "Replicated"),
    ]  # fmt: skip
    numbers = [number for _, _, _, number, _, _ in stage.events]
    assert numbers[0] == numbers[1] != numbers[2] == numbers[3]
    assert [details for *_, details in stage.events] == [{"term": 3}] * 4


@pytest.mark.parametrize(
    ("lost", "arrives", "dropped"),
    [(("node-1", "node-2"), 0, ("node-1", "dropped", "Heartbeat")),
     (("node-2", "node-1"), 1, ("node-2", "dropped", "HeartbeatReply"))],
)  # fmt: skip
def test_a_cut_loses_one_direction_in_silence(
    stage_of: StageOf, lost: tuple[str, str], arrives: int, dropped: tuple[str, str, str]
) -> None:
    stage = stage_of()
    stage.links.set_faults(LinkFaults(lost=frozenset([lost])))
    stage.sender.settimeout(0.3)

    with pytest.raises(TimeoutError):
        stage.ask(HEARTBEAT)

    assert len(stage.node.received) == arrives
    assert stage.told()[-1] == dropped

    stage.links.set_faults(LinkFaults())
    stage.sender.settimeout(5)
    assert stage.sender.recv(1) == b"", "a sender that waits without a limit learns that its message was lost"


def test_replication_is_delayed_and_heartbeats_are_not(stage_of: StageOf) -> None:
    stage = stage_of()
    stage.links.set_faults(LinkFaults(delay_ms=300))

    began = time.monotonic()
    stage.ask(HEARTBEAT)
    assert time.monotonic() - began < 0.3
    began = time.monotonic()
    stage.ask(REPLICATE)
    assert time.monotonic() - began >= 0.3


def test_a_repeated_message_arrives_twice_and_is_answered_once(stage_of: StageOf) -> None:
    stage = stage_of()
    stage.links.set_faults(LinkFaults(duplicate=1))

    assert stage.ask(REPLICATE).count(b"HTTP/1.1") == 1
    assert len(stage.node.received) == 2


@pytest.mark.parametrize("answer", [b"hello\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}"])
def test_an_answer_that_is_none_breaks_the_connection(stage_of: StageOf, answer: bytes) -> None:
    assert stage_of(answer).ask(HEARTBEAT) == b""


def test_a_node_that_is_down_breaks_the_connection(stage_of: StageOf) -> None:
    stage = stage_of()
    with socket.create_connection(("127.0.0.1", int(stage.links.url("node-2", "node-1").rsplit(":", 1)[1]))) as sender:
        sender.sendall(HEARTBEAT)
        assert sender.recv(1) == b""


def test_what_is_no_request_breaks_the_connection(stage_of: StageOf) -> None:
    stage = stage_of()

    assert stage.ask(b"\x00\x01\x02\r\n\r\n") == b""
    assert stage.node.received == []


def test_links_are_on_loopback_and_end_with_everything_on_them(stage_of: StageOf) -> None:
    stage = stage_of()
    stage.links.set_faults(LinkFaults(lost=frozenset([("node-1", "node-2")])))
    stage.sender.sendall(HEARTBEAT)
    assert stage.links.url("node-1", "node-2").startswith("http://127.0.0.1:")

    stage.links.close()
    stage.links.close()

    assert stage.sender.recv(1) == b""


def test_no_connection_outlives_the_links_that_carried_it() -> None:
    """Neither one that was just being made, nor one whose receiver takes nothing, nor one whose message was lost."""
    deaf = socket.create_server(("127.0.0.1", 0))
    length = 4 * 2**20  # more than the system's buffers take
    head = f"POST /internal/replicate HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()
    with warnings.catch_warnings(record=True) as complaints, deaf:
        warnings.simplefilter("always", ResourceWarning)
        for _ in range(5):
            links = Links({"node-1": 1, "node-2": deaf.getsockname()[1]}, lambda *event: None)
            host, port = links.url("node-1", "node-2").removeprefix("http://").split(":")
            with ExitStack() as senders:
                links.set_faults(LinkFaults(lost=frozenset({("node-2", "node-1")})))
                back, back_port = links.url("node-2", "node-1").removeprefix("http://").split(":")
                unheard = senders.enter_context(socket.create_connection((back, int(back_port)), timeout=5))
                unheard.sendall(HEARTBEAT)
                full = senders.enter_context(socket.create_connection((host, int(port)), timeout=5))
                full.sendall(head + b"1" * length)
                connection, _ = deaf.accept()
                senders.enter_context(connection)
                for _ in range(50):
                    senders.enter_context(socket.create_connection((host, int(port)), timeout=5))
                links.close()
            gc.collect()

    assert [str(complaint.message) for complaint in complaints] == []
