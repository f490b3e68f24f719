"""Clients that are slow, idle or do not read: the server's time limits."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from replstore.http.connection import Connection
from replstore.http.syntax import Request
from replstore.http.writing import response
from tests.replstore.http.raw_client import GET, QUICK, Client, serving
from tests.replstore.http.scenes import HOST, run, until


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
