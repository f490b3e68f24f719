"""What `bench_peers` says to each system, and what it takes for a yes."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from benchmarks import bench_peers, closed_loop, peers, processes
from benchmarks.bench_peers import Figure, ratio, table
from benchmarks.closed_loop import Dialogue
from benchmarks.load import LoadError, Rate
from labs.cluster import ports


@pytest.fixture(scope="module")
def ceiling() -> Iterator[int]:
    with processes.ceiling() as served:
        yield int(served.url.rpartition(":")[2])


def rate(per_second: int) -> Rate:
    return Rate(per_second, 1.0, 0, 0, 1.0, 1.0)


# -- the generator ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("connections", [1, 8])
def test_every_answer_is_counted_once(ceiling: int, connections: int) -> None:
    found = closed_loop.run(ceiling, peers.store_dialogues()[peers.LOCAL_READ], connections, 0.2)

    assert found.clean
    assert found.requests >= connections
    assert found.p50_ms <= found.p99_ms


def test_an_answer_that_comes_in_pieces_is_one_answer() -> None:
    with socket.create_server((ports.HOST, 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with closing(connection):
                while connection.recv(100):
                    for byte in b"+OK\r\n:1\r\n":
                        connection.send(bytes([byte]))

        threading.Thread(target=serve, daemon=True).start()
        dialogue = peers.redis_dialogues()[peers.WRITE]

        found = closed_loop.run(server.getsockname()[1], dialogue, connections=1, seconds=0.05)

    assert found.clean


def test_a_refusal_is_counted_as_one(ceiling: int) -> None:
    dialogue = Dialogue(lambda n: b"GET / HTTP/1.1\r\n\r\n", lambda buffer: (False, len(buffer)))

    found = closed_loop.run(ceiling, dialogue, connections=1, seconds=0.05)

    assert found.refused == found.requests > 0


def test_a_server_that_is_not_there_is_named() -> None:
    (port,) = ports.choose(1)

    with pytest.raises(LoadError, match=f"port {port} .* is the server running"):
        closed_loop.run(port, peers.store_dialogues()[peers.WRITE], 1, 0.1)


# -- what is said, and heard ------------------------------------------------------------------------------


def test_a_redis_write_counts_when_a_replica_has_it() -> None:
    assert peers.redis_write_answer(b"+OK\r\n:1\r\n") == (True, 9)
    assert peers.redis_write_answer(b"+OK\r\n:0\r\n") == (False, 9)
    assert peers.redis_write_answer(b"-ERR no\r\n:2\r\n") == (False, 13)
    assert peers.redis_write_answer(b"+OK\r\n:1") is None


def test_a_redis_read_counts_when_there_is_a_value() -> None:
    assert peers.redis_read_answer(b"$3\r\nabc\r\n") == (True, 9)
    assert peers.redis_read_answer(b"$-1\r\n") == (False, 5)
    assert peers.redis_read_answer(b"$3\r\nabc") is None


def test_every_system_is_asked_for_the_same_keys() -> None:
    store, etcd, redis = peers.store_dialogues(), peers.etcd_dialogues(), peers.redis_dialogues()

    assert b"/key/key-919 " in store[peers.WRITE].request(1)
    assert b'{"key":"a2V5LTkxOQ==","value":"dmFsdWUtMQ=="}' in etcd[peers.WRITE].request(1)
    assert b"key-919\r\n" in redis[peers.WRITE].request(1)
    assert b"read=linearizable" in store[peers.LINEARIZABLE_READ].request(1)
    assert b"serializable" not in etcd[peers.LINEARIZABLE_READ].request(1)
    assert b'"serializable":true' in etcd[peers.LOCAL_READ].request(1)


# -- telling ----------------------------------------------------------------------------------------------


def test_a_ratio_is_the_median_of_the_rounds_ratios_not_the_ratio_of_medians() -> None:
    ours = Figure("replstore", "write", 1, (rate(100), rate(300), rate(90)))
    theirs = Figure("etcd", "write", 1, (rate(50), rate(100), rate(90)))

    assert ratio(ours, theirs) == 2.0


def test_a_system_that_lacks_an_operation_leaves_its_cell_empty() -> None:
    figures = [Figure(name, "linearizable read", 1, (rate(100),)) for name in ("replstore", "etcd")]
    figures.append(Figure("redis", "write", 1, (rate(100),)))

    drawn = table(figures, "etcd")

    assert [list(column.cells) for column in drawn.columns if column.header == "redis"] == [["", "100 (1.00)"]]


def test_a_system_that_is_not_installed_is_told_and_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: None)

    starts = bench_peers._starts(bench_peers._options([]))

    told = " ".join(capsys.readouterr().out.split())
    assert len(starts) == 1
    assert "etcd is not installed (on Debian: apt install etcd-server)" in told
    assert "redis is not installed (on Debian: apt install redis-server)" in told
