"""How the server starts and ends, and what a handler is told when its client hangs up."""

from __future__ import annotations

import asyncio
import errno
import os
import time

import pytest

from replstore.http.connection import Connection
from replstore.http.limits import Limits
from replstore.http.server import Server
from replstore.http.syntax import Request
from replstore.http.writing import response
from tests.replstore.http.raw_client import GET, QUICK, Client, echo, reset, serving
from tests.replstore.http.scenes import HOST, run, until

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
