"""Connections, open files and bytes are bounded: who goes when there are too many, and who does not notice."""

from __future__ import annotations

import asyncio
import errno
import socket
import subprocess
import sys
from typing import Any

import pytest

from replstore.http.connection import Connection
from replstore.http.limits import Limits
from replstore.http.server import SPARE_FILES, Server, allow_open_files
from replstore.http.syntax import HttpError, Request
from replstore.http.writing import HeaderPairs, Headers, response
from tests.replstore.http.raw_client import GET, Client, echo, reset, serving
from tests.replstore.http.scenes import HOST, run, until

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


@pytest.mark.slow
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
        # Enough for the first two, however their bytes come in pieces, and not for all three.
        limits = Limits(received_bytes=150_000, close_time=0.2)
        async with serving(limits=limits) as server:
            clients = [await Client.connect(server) for _ in range(3)]
            for client, size, held in zip(clients, (20_000, 40_000, 95_000), (20_000, 60_000, 60_000), strict=True):
                await client.send(POST % 99_000 + b"x" * size)
                await until_held(server, held)
            assert (await clients[2].answer())[0] == 503
            assert await clients[2].closed()
            assert server.held <= limits.received_bytes
            for client, size in zip(clients[:2], (20_000, 40_000), strict=True):
                await client.send(b"x" * (99_000 - size))
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
