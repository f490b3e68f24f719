"""What the server answers and refuses, over real sockets of this machine."""

from __future__ import annotations

import asyncio
import json
import logging
import socket

import pytest

from replstore.http.connection import Connection
from replstore.http.limits import Limits
from replstore.http.syntax import HttpError, Request, check_length
from replstore.http.writing import HeaderPairs, Headers, response
from tests.replstore.http.raw_client import GET, Client, echo, reset, serving
from tests.replstore.http.scenes import run, until


def small(method: str, path: str, headers: Headers, length: int) -> HeaderPairs:
    check_length(length, 1000)
    return ()


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
