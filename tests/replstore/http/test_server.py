"""The server against clients of every kind, over real sockets of this machine."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from replstore.http import server as server_module
from replstore.http.connection import Connection, Handler
from replstore.http.connection_state import TRANSITIONS, State
from replstore.http.limits import Limits
from replstore.http.server import SPARE_FILES, Server, allow_open_files
from replstore.http.syntax import Admit, HttpError, Request, admit_all, check_length
from replstore.http.writing import HeaderPairs, Headers, response

HOST = "127.0.0.1"
GET = b"GET /key/name HTTP/1.1\r\nHost: n\r\n\r\n"
PLAIN = Limits(close_time=0.2)
QUICK = Limits(head_time=0.2, body_time=0.2, idle_time=0.2, write_time=0.3, linger_time=0.2, close_time=0.3)


def small(method: str, path: str, headers: Headers, length: int) -> HeaderPairs:
    check_length(length, 1000)
    return ()


def echo(request: Request, connection: Connection) -> bytes:
    """Answers with the path and the size of the body."""
    body = json.dumps([request.path, len(request.body)]).encode()
    return response(200, body, request.keep_alive)


class Watched(Connection):
    """Objects to a state that may not follow the one before."""

    __slots__ = ("_state",)

    @property
    def state(self) -> State:
        return self._state

    @state.setter
    def state(self, new: State) -> None:
        old = getattr(self, "_state", new)
        if new is not old and new not in TRANSITIONS[old]:
            forbidden.append((old, new))
        seen.add((old, new))
        self._state = new


forbidden: list[tuple[State, State]] = []
seen: set[tuple[State, State]] = set()


@pytest.fixture(autouse=True)
def _every_change_of_state_is_one_of_the_table(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(server_module, "Connection", Watched)
    forbidden.clear()
    yield
    assert forbidden == []


@asynccontextmanager
async def serving(
    handler: Handler = echo, limits: Limits | None = None, admit: Admit = admit_all
) -> AsyncIterator[Server]:
    server = Server(handler, limits or PLAIN, admit)
    await server.start(HOST, 0)
    try:
        yield server
    finally:
        await server.close()


class Client:
    """Speaks to the server byte by byte, as badly as a test wants."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, server: Server) -> Client:
        return cls(*await asyncio.open_connection(HOST, server.port))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> tuple[int, Any]:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        return int(head.split()[1]), json.loads(await self.reader.readexactly(length))

    async def closed(self) -> bool:
        """Waits for the end; returns whether nothing more came before it."""
        try:
            return await self.reader.read() == b""
        except ConnectionError:
            return True

    def leave(self) -> None:
        self.writer.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.leave()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            return


def reset(client: Client) -> None:
    """Go as a process goes that was killed: without a farewell."""
    client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.writer.transport.abort()


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 30))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


# -- answering -------------------------------------------------------------------------------------------


def test_requests_on_one_connection_are_answered_one_after_the_other() -> None:
    async def test() -> None:
        async with serving() as server, await Client.connect(server) as client:
            for _ in range(3):
                await client.send(GET)
                assert await client.answer() == (200, ["/key/name", 0])
            assert len(server.connections) == 1

    run(test)


def test_a_request_that_comes_byte_by_byte_is_answered() -> None:
    async def test() -> None:
        async with serving() as server, await Client.connect(server) as client:
            for byte in b"PUT /a HTTP/1.1\r\nHost: n\r\nContent-Length: 2\r\n\r\n42":
                await client.send(bytes([byte]))
                await asyncio.sleep(0)
            assert await client.answer() == (200, ["/a", 2])

    run(test)


def test_a_short_answer_does_not_wait_until_the_one_before_is_acknowledged() -> None:
    async def test() -> None:
        async with serving() as server, await Client.connect(server):
            await until(lambda: len(server.connections) == 1)
            (connection,) = server.connections
            assert connection._transport is not None
            accepted = connection._transport.get_extra_info("socket")
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    run(test)


def test_pipelined_requests_are_answered_in_order_although_one_is_answered_late() -> None:
    owed: list[Connection] = []

    def handler(request: Request, connection: Connection) -> bytes | None:
        if request.path == "/late":
            owed.append(connection)
            return None
        return echo(request, connection)

    async def test() -> None:
        stream = b"".join(GET.replace(b"/key/name", path) for path in (b"/1", b"/late", b"/2", b"/late", b"/3"))
        async with serving(handler) as server, await Client.connect(server) as client:
            await client.send(stream)
            assert await client.answer() == (200, ["/1", 0])
            for number in (2, 3):
                await until(lambda: len(owed) == 1)
                owed.pop().respond(response(200, b'"late"'))
                assert await client.answer() == (200, "late")
                assert await client.answer() == (200, [f"/{number}", 0])

    run(test)


def test_an_answer_may_also_be_given_from_within_the_handler() -> None:
    def handler(request: Request, connection: Connection) -> None:
        connection.respond(response(200, json.dumps(request.path).encode()))

    async def test() -> None:
        async with serving(handler) as server, await Client.connect(server) as client:
            await client.send(GET * 3)
            assert [await client.answer() for _ in range(3)] == [(200, "/key/name")] * 3

    run(test)


def test_while_an_answer_is_owed_a_client_cannot_make_us_hoard_what_it_sends() -> None:
    owed: list[Connection] = []

    async def test() -> None:
        # Four megabytes are more than the buffers of the two sockets hold.
        flood = GET * (4 * 2**20 // len(GET))
        async with (
            serving(lambda _, connection: owed.append(connection), Limits(read_ahead=10_000, close_time=0.2)) as server,
            await Client.connect(server) as client,
        ):
            await client.send(GET)
            await until(lambda: bool(owed))
            sending = asyncio.create_task(client.send(flood))
            await asyncio.wait([sending], timeout=0.3)
            held = owed[0]._parser.pending
            assert not sending.done()
            assert 10_000 < held < 10_000 + 2 * 2**18
            sending.cancel()
            client.writer.transport.abort()

    run(test)


def test_a_client_held_up_goes_on_when_it_has_its_answer() -> None:
    owed: list[Connection] = []

    def handler(request: Request, connection: Connection) -> bytes | None:
        if request.path == "/late":
            owed.append(connection)
            return None
        return echo(request, connection)

    async def test() -> None:
        count = 5000
        async with (
            serving(handler, Limits(read_ahead=100, close_time=0.2)) as server,
            await Client.connect(server) as client,
        ):
            await client.send(GET.replace(b"/key/name", b"/late"))
            await until(lambda: bool(owed))
            await client.send(GET * 10)
            transport = owed[0]._transport
            assert transport is not None
            await until(lambda: not transport.is_reading())
            sending = asyncio.create_task(client.send(GET * count))
            owed[0].respond(response(200, b"1"))
            assert await client.answer() == (200, 1)
            for _ in range(count + 10):
                assert await client.answer() == (200, ["/key/name", 0])
            await sending

    run(test)


def test_who_asks_for_the_end_of_the_connection_or_speaks_http_1_0_is_answered_and_closed() -> None:
    async def test() -> None:
        async with serving() as server:
            for data in (GET.replace(b"1.1", b"1.0"), GET.replace(b"Host", b"Connection: close\r\nHost")):
                async with await Client.connect(server) as client:
                    await client.send(data + GET)
                    assert (await client.answer())[0] == 200
                    assert await client.closed()

    run(test)


def test_a_client_that_closes_its_sending_half_still_gets_a_late_answer() -> None:
    owed: list[Connection] = []

    async def test() -> None:
        async with (
            serving(lambda _, connection: owed.append(connection)) as server,
            await Client.connect(server) as client,
        ):
            await client.send(GET)
            client.writer.write_eof()
            await until(lambda: bool(owed))
            await asyncio.sleep(0.05)
            owed[0].respond(response(200, b"1"))
            assert await client.answer() == (200, 1)
            assert await client.closed()

    run(test)


def test_an_answer_to_a_client_that_has_gone_is_dropped() -> None:
    owed: list[Connection] = []

    async def test() -> None:
        async with serving(lambda _, connection: owed.append(connection)) as server:
            client = await Client.connect(server)
            await client.send(GET)
            await until(lambda: bool(owed))
            reset(client)
            await until(lambda: not server.connections)
            owed[0].respond(response(200, b"1"))

    run(test)


def test_an_answer_that_nobody_asked_for_is_a_mistake() -> None:
    owed: list[Connection] = []

    async def test() -> None:
        async with (
            serving(lambda _, connection: owed.append(connection)) as server,
            await Client.connect(server) as client,
        ):
            await client.send(GET)
            await until(lambda: bool(owed))
            owed[0].respond(response(200, b"1"))
            with pytest.raises(RuntimeError, match="owed no answer"):
                owed[0].respond(response(200, b"2"))

    run(test)


def test_curl_is_told_to_send_its_large_body() -> None:
    async def test() -> None:
        async with serving() as server, await Client.connect(server) as client:
            await client.send(b"PUT /a HTTP/1.1\r\nHost: n\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            await client.send(b"abc")
            assert await client.answer() == (200, ["/a", 3])

    run(test)


# -- refusing --------------------------------------------------------------------------------------------


def test_a_refused_client_gets_the_reason_is_closed_and_the_others_do_not_notice() -> None:
    async def test() -> None:
        async with serving() as server, await Client.connect(server) as good:
            async with await Client.connect(server) as bad:
                await bad.send(b"nonsense\r\n\r\n" + GET)
                status, body = await bad.answer()
                assert (status, list(body)) == (400, ["error"])
                assert await bad.closed()
            await good.send(GET)
            assert (await good.answer())[0] == 200

    run(test)


def test_answers_that_were_due_before_a_refusal_are_still_given() -> None:
    async def test() -> None:
        async with serving() as server, await Client.connect(server) as client:
            await client.send(GET + b"nonsense\r\n\r\n")
            assert [(await client.answer())[0] for _ in range(2)] == [200, 400]

    run(test)


def test_a_client_that_sends_all_of_a_body_that_is_too_large_can_read_why_it_was_refused() -> None:
    async def test() -> None:
        async with (
            serving(admit=small) as server,
            await Client.connect(server) as client,
        ):
            size = 8 * 2**20
            await client.send(b"PUT /a HTTP/1.1\r\nHost: n\r\nContent-Length: %d\r\n\r\n" % size)
            await client.send(b"x" * size)
            assert (await client.answer())[0] == 413
            assert await client.closed()

    run(test)


def test_the_handler_may_refuse_too_and_the_connection_stays_open() -> None:
    def handler(request: Request, connection: Connection) -> bytes:
        raise HttpError(405, "Use GET", (("Allow", "GET"),))

    async def test() -> None:
        async with serving(handler) as server, await Client.connect(server) as client:
            await client.send(GET * 2)
            assert [await client.answer() for _ in range(2)] == [(405, {"error": "Use GET"})] * 2

    run(test)


def test_a_mistake_in_the_handler_is_logged_and_answered_with_500(caplog: pytest.LogCaptureFixture) -> None:
    def handler(request: Request, connection: Connection) -> bytes:
        return echo(request, connection) if request.path == "/key/name" else b"%d" % (1 // 0)

    async def test() -> None:
        async with serving(handler) as server, await Client.connect(server) as client:
            await client.send(GET.replace(b"/key/name", b"/broken") + GET)
            assert [(await client.answer())[0] for _ in range(2)] == [500, 200]

    with caplog.at_level(logging.ERROR):
        run(test)
    assert "GET /broken failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


# -- time ------------------------------------------------------------------------------------------------


async def drip(client: Client, data: bytes) -> None:
    """Send a byte every now and then, until the server will have no more."""
    for byte in data:
        await client.send(bytes([byte]))
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("start", "rest"),
    [(b"", GET), (b"PUT / HTTP/1.1\r\nHost: n\r\nContent-Length: 900\r\n\r\n", b"x" * 900)],
    ids=["head", "body"],
)
def test_a_client_that_sends_a_byte_now_and_then_is_told_that_its_time_is_up(start: bytes, rest: bytes) -> None:
    async def test() -> None:
        async with serving(limits=QUICK) as server, await Client.connect(server) as client:
            await client.send(start)
            began = time.monotonic()
            dripping = asyncio.create_task(drip(client, rest + GET * 20))
            assert (await client.answer())[0] == 408
            assert await client.closed()
            assert time.monotonic() - began < 5
            dripping.cancel()
            await asyncio.wait([dripping])
            await until(lambda: not server.connections)

    run(test)


def test_an_idle_connection_is_closed_without_a_word() -> None:
    async def test() -> None:
        async with (
            serving(limits=QUICK) as server,
            await Client.connect(server) as fresh,
            await Client.connect(server) as used,
        ):
            await used.send(GET)
            await used.answer()
            assert await fresh.closed()
            assert await used.closed()

    run(test)


def test_idle_time_counts_from_the_last_answer() -> None:
    owed: list[Connection] = []

    async def test() -> None:
        async with (
            serving(lambda _, connection: owed.append(connection), QUICK) as server,
            await Client.connect(server) as client,
        ):
            await client.send(GET)
            await asyncio.sleep(3 * QUICK.idle_time)
            owed.pop().respond(response(200, b"1"))
            await client.answer()
            await client.send(GET)
            await until(lambda: bool(owed))
            owed.pop().respond(response(200, b"2"))
            assert await client.answer() == (200, 2)

    run(test)


def test_a_client_that_does_not_read_is_closed_and_our_memory_stays_bounded() -> None:
    large = response(200, b'"' + b"x" * 2**20 + b'"')
    made = 0

    def handler(request: Request, connection: Connection) -> bytes:
        nonlocal made
        made += 1
        return large

    async def test() -> None:
        async with serving(handler, QUICK) as server:
            client = socket.create_connection((HOST, server.port))
            with client:
                client.sendall(GET * 500)
                await until(lambda: made > 0)
                await until(lambda: not server.connections)
                assert made < 50

    run(test)


def test_a_slow_reader_gets_everything_if_it_reads_in_time() -> None:
    large = response(200, b'"' + b"x" * 2**20 + b'"')

    async def test() -> None:
        async with serving(lambda _, __: large) as server, await Client.connect(server) as client:
            await client.send(GET * 30)
            await asyncio.sleep(0.1)
            for _ in range(30):
                assert len((await client.answer())[1]) == 2**20

    run(test)


# -- numbers ---------------------------------------------------------------------------------------------


def test_the_longest_idle_connection_makes_room_for_a_new_one() -> None:
    async def test() -> None:
        async with serving(limits=Limits(max_connections=3, close_time=0.2)) as server:
            old = [await Client.connect(server) for _ in range(3)]
            for client in (*old, old[0]):
                await client.send(GET)
                await client.answer()
            async with await Client.connect(server) as fresh:
                await fresh.send(GET)
                assert (await fresh.answer())[0] == 200
                assert await old[1].closed()
                for client in (old[0], old[2]):
                    await client.send(GET)
                    assert (await client.answer())[0] == 200
            for client in old:
                client.leave()

    run(test)


def test_who_sent_nothing_yet_goes_after_those_who_had_an_answer_and_soon_before_those_who_are_sending() -> None:
    async def test() -> None:
        async with serving(limits=Limits(max_connections=2, slow_time=0.3, close_time=0.2)) as server:
            new, served = [await Client.connect(server) for _ in range(2)]
            await served.send(GET)
            await served.answer()
            third = await Client.connect(server)
            assert await served.closed()
            await third.send(GET[:10])
            await asyncio.sleep(0.4)
            fourth = await Client.connect(server)
            assert await new.closed()
            for client in (new, served, third, fourth):
                client.leave()

    run(test)


def test_who_is_in_the_middle_of_a_request_goes_after_the_idle_ones_and_who_is_owed_an_answer_stays() -> None:
    owed: list[Connection] = []

    async def test() -> None:
        async with serving(lambda _, c: owed.append(c), Limits(max_connections=3, close_time=0.2)) as server:
            waiting, sending, idle = [await Client.connect(server) for _ in range(3)]
            await idle.send(GET)
            await until(lambda: bool(owed))
            owed.pop().respond(response(200, b"0"))
            await idle.answer()
            await waiting.send(GET)
            await sending.send(GET[:10])
            await until(lambda: bool(owed) and sum(c.idle for c in server.connections) == 1)
            first = await Client.connect(server)
            assert await idle.closed()
            await first.send(GET)
            await until(lambda: len(owed) == 2)
            second = await Client.connect(server)
            assert await sending.closed()
            owed[0].respond(response(200, b"1"))
            assert await waiting.answer() == (200, 1)
            for client in (waiting, sending, idle, first, second):
                client.leave()

    run(test)


def test_if_every_connection_is_owed_an_answer_a_new_one_waits_until_one_has_it() -> None:
    owed: list[Connection] = []

    async def test() -> None:
        async with serving(lambda _, c: owed.append(c), Limits(max_connections=2, close_time=0.2)) as server:
            busy = [await Client.connect(server) for _ in range(2)]
            for client in busy:
                await client.send(GET)
            await until(lambda: len(owed) == 2)
            async with await Client.connect(server) as patient:
                await patient.send(GET)
                await asyncio.sleep(0.2)
                assert len(owed) == 2
                owed[0].respond(response(200, b"1"))
                await until(lambda: len(owed) == 3)
                owed[2].respond(response(200, b"3"))
                assert await patient.answer() == (200, 3)
            for client in busy:
                client.leave()

    run(test)


def test_two_thousand_idle_connections_do_not_keep_a_client_from_being_answered() -> None:
    count = 2000
    if allow_open_files(2 * count) < count + 1200:
        pytest.skip("this system does not allow enough open files")

    async def test() -> None:
        async with serving(limits=Limits(max_connections=500, close_time=0.2)) as server:
            idle = []
            for _ in range(count // 100):
                idle += await asyncio.gather(*(Client.connect(server) for _ in range(100)))
            async with await Client.connect(server) as client:
                await client.send(GET)
                assert await client.answer() == (200, ["/key/name", 0])
                assert len(server.connections) <= 500
            for connection in idle:
                connection.leave()

    run(test)


def test_when_accepting_fails_for_want_of_files_the_longest_idle_is_closed_and_accepting_goes_on() -> None:
    async def test() -> None:
        loop = asyncio.get_running_loop()
        async with serving() as server:
            idle = await Client.connect(server)
            await until(lambda: len(server.connections) == 1)
            real, failures = loop.sock_accept, 2

            async def accept(listener: socket.socket) -> tuple[socket.socket, Any]:
                nonlocal failures
                if failures:
                    failures -= 1
                    raise OSError(errno.EMFILE, "Too many open files")
                return await real(listener)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(loop, "sock_accept", accept)
                # The accept that is already waiting is served first.
                async with await Client.connect(server) as first, await Client.connect(server) as second:
                    await until(lambda: failures == 0)
                    assert await idle.closed()
                    await second.send(GET)
                    assert (await second.answer())[0] == 200
                    first.leave()
            idle.leave()

    run(test)


STARVED = """
import asyncio, os, resource
from replstore.http.writing import response
from replstore.http.server import Server

async def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
    server = Server(lambda request, connection: response(200, b'"alive"'))
    await server.start("127.0.0.1", 0)
    taken = []
    while True:  # somebody else in this process takes all files but eight
        try:
            taken.append(os.dup(0))
        except OSError:
            break
    for file in taken[:8]:
        os.close(file)
    print(server.port, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of open files there")
def test_a_process_that_runs_out_of_files_goes_on_answering() -> None:
    command = [sys.executable, "-c", STARVED]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            address = (HOST, int(process.stdout.readline()))
            idle = [socket.create_connection(address, timeout=10) for _ in range(40)]
            with socket.create_connection(address, timeout=10) as client:
                client.sendall(GET)
                assert client.recv(1000).endswith(b'"alive"')
            for connection in idle:
                connection.close()
        finally:
            process.kill()
        assert process.stderr.read() == b""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of open files there")
def test_the_limit_of_open_files_is_raised_as_far_as_the_hard_limit_and_bounds_the_connections() -> None:
    program = (
        "import asyncio, resource\n"
        "from replstore.http.server import *\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, (50, {SPARE_FILES + 7}))\n"
        "async def main():\n"
        "    server = Server(lambda request, connection: b'')\n"
        "    await server.start('127.0.0.1', 0)\n"
        "    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], server._max_connections)\n"
        "    await server.close()\n"
        "asyncio.run(main())\n"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert printed.split() == [str(SPARE_FILES + 7), "7"]


# -- starting and closing --------------------------------------------------------------------------------


def test_a_port_in_use_is_an_os_error() -> None:
    async def test() -> None:
        async with serving() as server:
            with pytest.raises(OSError, match=os.strerror(errno.EADDRINUSE)):
                await Server(echo).start(HOST, server.port)

    run(test)


def test_closing_ends_idle_connections_at_once_and_lets_a_request_under_way_finish() -> None:
    owed: list[Connection] = []

    async def test() -> None:
        server = Server(lambda _, connection: owed.append(connection))
        await server.start(HOST, 0)
        port = server.port
        idle, busy = await Client.connect(server), await Client.connect(server)
        await busy.send(GET)
        await until(lambda: bool(owed))

        closing = asyncio.create_task(server.close())

        assert await idle.closed()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(HOST, port)
        assert not closing.done()
        owed[0].respond(response(200, b"1"))
        assert await busy.answer() == (200, 1)
        assert await busy.closed()
        await closing
        idle.leave()
        busy.leave()

    run(test)


def test_closing_does_not_wait_for_ever() -> None:
    owed: list[Connection] = []

    async def test() -> None:
        server = Server(lambda _, connection: owed.append(connection), QUICK)
        await server.start(HOST, 0)
        async with await Client.connect(server) as client:
            await client.send(GET)
            await until(lambda: bool(owed))
            began = time.monotonic()
            await server.close()
            assert QUICK.close_time * 0.9 < time.monotonic() - began < 5
            assert not server.connections
            assert await client.closed()

    run(test)


# -- bytes -----------------------------------------------------------------------------------------------

POST = b"POST /internal/x HTTP/1.1\r\nHost: n\r\nContent-Length: %d\r\n\r\n"


def test_a_request_that_is_not_admitted_is_refused_on_its_head_and_what_follows_is_dropped() -> None:
    def admit(method: str, path: str, headers: Headers, length: int) -> HeaderPairs:
        raise HttpError(403, "no token")

    async def test() -> None:
        async with serving(admit=admit) as server, await Client.connect(server) as client:
            await client.send(POST % 10_000_000)
            assert await client.answer() == (403, {"error": "no token"})
            await client.send(b"x" * 1_000_000)
            assert server.held == 0

    run(test)


def test_requests_under_way_are_bounded_together_and_who_holds_most_is_told_so() -> None:
    async def until_held(server: Server, size: int) -> None:
        await until(lambda: server.held >= size)

    async def test() -> None:
        limits = Limits(received_bytes=100_000, close_time=0.2)
        async with serving(limits=limits) as server:
            clients = [await Client.connect(server) for _ in range(3)]
            for number, client in enumerate(clients, 1):
                await client.send(POST % 90_000 + b"x" * 20_000 * number)
                await until_held(server, min(60_000, 20_000 * number))
            assert (await clients[2].answer())[0] == 503
            assert await clients[2].closed()
            assert server.held <= limits.received_bytes
            for number, client in enumerate(clients[:2], 1):
                await client.send(b"x" * (90_000 - 20_000 * number))
                assert (await client.answer())[0] == 200
            assert server.held == 0
            for client in clients:
                client.leave()

    run(test)


def test_what_is_held_is_counted_down_again_when_clients_vanish() -> None:
    async def test() -> None:
        async with serving() as server:
            clients = [await Client.connect(server) for _ in range(3)]
            for client in clients:
                await client.send(POST % 90_000 + b"x" * 20_000)
            await until(lambda: server.held > 60_000)
            for client in clients:
                reset(client)
            await until(lambda: not server.connections)
            assert server.held == 0

    run(test)


def test_unread_answers_are_bounded_together_and_who_has_not_read_for_longest_goes() -> None:
    large = response(200, b'"' + b"x" * 8 * 2**20 + b'"')
    asked: list[Connection] = []

    def handler(request: Request, connection: Connection) -> bytes:
        asked.append(connection)
        return large

    async def until_asked(count: int) -> None:
        await until(lambda: len(asked) == count)

    async def test() -> None:
        limits = Limits(unread_bytes=20 * 2**20, close_time=0.2)
        async with serving(handler, limits) as server:
            clients = [socket.create_connection((HOST, server.port)) for _ in range(6)]
            for count, client in enumerate(clients, 1):
                client.sendall(GET)
                await until_asked(count)
            await until(lambda: asked[0] not in server.connections)
            assert asked[-1] in server.connections
            assert 8 * 2**20 < sum(each.unread for each in server.slow) <= limits.unread_bytes
            for client in clients:
                client.close()

    run(test)


def test_clients_that_do_not_read_keep_nobody_out() -> None:
    large = response(200, b'"' + b"x" * 8 * 2**20 + b'"')

    async def test() -> None:
        limits = Limits(max_connections=3, slow_time=0.1, close_time=0.2)
        async with serving(lambda r, c: large if r.path == "/large" else echo(r, c), limits) as server:
            slow = [socket.create_connection((HOST, server.port)) for _ in range(3)]
            for each in slow:
                each.sendall(GET.replace(b"/key/name", b"/large"))
            await until(lambda: len(server.slow) == 3)
            async with await Client.connect(server) as client:
                await client.send(GET)
                assert (await client.answer())[0] == 200
            for each in slow:
                each.close()

    run(test)


# -- hanging up ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leave", ["close", "reset", "half", "flood", "half, later"])
def test_a_handler_is_told_when_its_client_hangs_up_before_the_answer(leave: str) -> None:
    owed: list[Connection] = []
    told: list[Connection] = []

    def handler(request: Request, connection: Connection) -> None:
        def gone() -> None:
            told.append(connection)
            connection.respond(response(200, b"1"))

        owed.append(connection)
        connection.when_gone(gone)

    async def test() -> None:
        limits = Limits(read_ahead=1000, close_time=0.2)
        async with serving(handler, limits) as server:
            client = await Client.connect(server)
            await client.send(GET * 2 if leave == "half, later" else GET)
            await until(lambda: bool(owed))
            assert told == []
            if leave == "close":
                client.leave()
            elif leave == "reset":
                reset(client)
            elif leave == "flood":
                await client.send(b"x" * 5000)
            else:
                client.writer.write_eof()
            await until(lambda: len(told) == (2 if leave == "half, later" else 1))
            if leave.startswith("half"):
                assert await client.answer() == (200, 1)
            client.leave()
            await until(lambda: not server.connections)
        assert len(told) == len(owed)

    run(test)


def test_a_handler_that_has_answered_is_told_nothing() -> None:
    told: list[int] = []

    def handler(request: Request, connection: Connection) -> None:
        connection.when_gone(lambda: told.append(1))
        connection.respond(response(200, b"1"))
        connection.when_gone(lambda: told.append(2))

    async def test() -> None:
        async with serving(handler) as server, await Client.connect(server) as client:
            await client.send(GET)
            assert await client.answer() == (200, 1)
            reset(client)
            await until(lambda: not server.connections)

    run(test)
    assert told == []


def test_the_answer_to_head_has_no_content_be_it_given_at_once_later_or_a_refusal() -> None:
    owed: list[Connection] = []

    def handler(request: Request, connection: Connection) -> bytes | None:
        if request.path == "/late":
            owed.append(connection)
            return None
        return echo(request, connection)

    async def test() -> None:
        head = b"HEAD %b HTTP/1.1\r\nHost: n\r\n\r\n"
        async with serving(handler) as server, await Client.connect(server) as client:
            await client.send(head % b"/now" + head % b"/late" + head.replace(b"/1.1", b"/3.0") % b"/bad")
            await until(lambda: bool(owed))
            owed[0].respond(response(200, b'"late"'))
            text = await client.reader.read()
            heads = text.split(b"\r\n\r\n")
            assert [each.split()[1] for each in heads[:-1]] == [b"200", b"200", b"505"]
            assert heads[-1] == b""

    run(test)
