"""The link to a peer: it pipelines, comes back, gives up on who does not answer, and never bothers its owner."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from replstore.http.link import LinkLimits
from replstore.http.writing import response
from tests.replstore.http.link_ends import NEVER_BY_ITSELF, PATH, QUICK, Owner, Peer, free_port, numbers, running
from tests.replstore.http.scenes import HOST, run, until


def test_messages_arrive_in_order_with_the_token_and_their_answers_come_back() -> None:
    async def test() -> None:
        owner = Owner()
        async with running(Peer()) as peer, owner.link(peer.port) as link:
            for body in numbers(50):
                link.send(PATH, body)
            await until(lambda: len(owner.replies) == 50)
            assert peer.got == owner.replies == numbers(50)
            assert peer.tokens == {"secret"}
            assert owner.states == [True]
            assert link.connected

    run(test)


def test_the_next_message_leaves_before_the_last_one_is_answered() -> None:
    async def test() -> None:
        owner, peer = Owner(), Peer()
        async with running(peer), owner.link(peer.port, LinkLimits(stall_time=5)) as link:
            peer.silent = True
            for body in numbers(3):
                link.send(PATH, body)
            await until(lambda: bool(peer.owed))
            # All three are there, though the first has no answer yet: the server parses on only when it has.
            await until(lambda: peer.owed[0]._parser.pending > 0)
            peer.silent = False
            peer.owed[0].respond(response(200, b"first"))
            await until(lambda: len(owner.replies) == 3)
            assert owner.replies == [b"first", b"1", b"2"]

    run(test)


def test_an_empty_answer_is_no_reply_and_another_status_is_an_error() -> None:
    async def test() -> None:
        owner, peer = Owner(), Peer()
        async with running(peer), owner.link(peer.port) as link:
            link.send(PATH, b"")
            await until(lambda: owner.states == [True])
            peer.status = 401
            link.send(PATH, b"who?")
            await until(lambda: owner.errors == [(401, b"who?")])
            assert owner.replies == []

    run(test)


def test_when_the_peer_is_started_again_the_link_comes_back_by_itself() -> None:
    owner, peer = Owner(), Peer()

    async def until_told(states: list[bool]) -> None:
        await until(lambda: owner.states == states)

    async def test() -> None:
        async with owner.link(free_port()) as link:
            peer.port = link._port
            await until_told([False])
            for expected in ([False, True], [False, True, False, True]):
                await peer.start()
                link.send(PATH, b"hello")
                await until_told(expected)
                await peer.stop()
                await until(lambda: owner.states[-1] is False)
            assert owner.reasons[0]
            assert owner.reasons[1] == ""

    run(test)


def test_a_peer_that_is_down_is_reported_once_however_often_it_is_tried() -> None:
    async def test() -> None:
        owner = Owner()
        async with owner.link(free_port()) as link:
            await asyncio.sleep(0.4)
            link.send(PATH, b"x")
            assert owner.states == [False]
            assert link.connected is False

    run(test)


def test_while_there_is_no_connection_only_the_newest_messages_are_kept() -> None:
    async def test() -> None:
        owner, peer = Owner(), Peer()
        limits = LinkLimits(first_retry=0.01, last_retry=0.05, queue_messages=5)
        async with owner.link(free_port(), limits) as link:
            for body in numbers(20):
                link.send(PATH, body)
            assert link.dropped == 15
            peer.port = link._port
            async with running(peer):
                await until(lambda: len(peer.got) >= 5)
                assert peer.got == numbers(20)[15:]

    run(test)


def test_while_there_is_no_connection_what_is_kept_is_bounded_in_bytes_too() -> None:
    async def test() -> None:
        async with Owner().link(free_port(), LinkLimits(queue_bytes=10_000)) as link:
            for _ in range(20):
                link.send(PATH, b"x" * 3000)
            assert link.dropped == 17
            link.send(PATH, b"x" * 20_000)
            assert link.dropped == 20  # the newest message is never dropped, or a large one would have no chance

    run(test)


def test_a_peer_that_takes_connections_but_does_not_answer_counts_as_down_until_it_answers() -> None:
    owner, peer = Owner(), Peer()

    async def until_owed(count: int) -> None:
        await until(lambda: len(peer.owed) >= count)

    async def test() -> None:
        async with running(peer), owner.link(peer.port) as link:
            link.send(PATH, b"a")
            await until(lambda: owner.states == [True])
            peer.silent = True
            for _ in range(3):
                before = len(peer.owed)
                link.send(PATH, b"b")
                await until_owed(before + 1)
                await asyncio.sleep(1.5 * QUICK.stall_time)
            assert owner.states == [True, False]
            assert "no answer" in owner.reasons[1]
            peer.silent = False
            link.send(PATH, b"c")
            await until(lambda: owner.states == [True, False, True])

    run(test)


def test_a_silent_peer_of_whom_nothing_is_asked_is_left_in_peace() -> None:
    async def test() -> None:
        owner, peer = Owner(), Peer()
        async with running(peer), owner.link(peer.port) as link:
            link.send(PATH, b"a")
            await until(lambda: owner.replies == [b"a"])
            wire = link._wire
            await asyncio.sleep(2 * QUICK.stall_time)
            assert link._wire is wire
            assert owner.states == [True]

    run(test)


def test_an_idle_connection_that_the_peer_closed_is_replaced_without_a_word() -> None:
    async def test() -> None:
        owner, peer = Owner(), Peer(idle_time=0.1)
        async with running(peer), owner.link(peer.port) as link:
            link.send(PATH, b"a")
            await until(lambda: owner.replies == [b"a"])
            wire = link._wire
            await until(lambda: link._wire not in (None, wire))
            link.send(PATH, b"b")
            await until(lambda: owner.replies == [b"a", b"b"])
            assert owner.states == [True]

    run(test)


def test_what_a_peer_does_not_read_is_bounded_and_the_rest_dropped() -> None:
    async def test() -> None:
        listener = socket.create_server((HOST, 0))
        limits = LinkLimits(stall_time=5, write_bytes=100_000)
        with listener:
            async with Owner().link(listener.getsockname()[1], limits) as link:
                await until(lambda: link._wire is not None)
                for _ in range(1000):
                    link.send(PATH, b"x" * 50_000)
                assert link.dropped > 500
                assert link._wire is not None
                assert link._wire._transport is not None
                assert link._wire._transport.get_write_buffer_size() <= 100_000

    run(test)


def test_a_peer_that_talks_nonsense_is_left_and_tried_again() -> None:
    async def test() -> None:
        owner = Owner()
        came = 0

        async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal came
            came += 1
            writer.write(b"220 mail.example ESMTP\r\n\r\n")
            await reader.read()
            writer.close()

        server = await asyncio.start_server(babble, HOST, 0)
        async with server, owner.link(server.sockets[0].getsockname()[1]) as link:
            link.send(PATH, b"hello")
            await until(lambda: came >= 3)
            assert owner.states == [False]
            assert owner.replies == []

    run(test)


def test_when_the_peer_shows_itself_the_link_does_not_finish_its_pause() -> None:
    async def test() -> None:
        owner, peer = Owner(), Peer()
        async with owner.link(free_port(), NEVER_BY_ITSELF) as link:
            await until(lambda: owner.states == [False])
            peer.port = link._port
            async with running(peer):
                link.send(PATH, b"welcome back")
                link.peer_seen()
                await until(lambda: peer.got == [b"welcome back"])

    run(test)


def test_a_peer_that_shows_itself_often_but_refuses_connections_is_not_tried_without_a_break(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test() -> None:
        owner = Owner()
        attempts = 0
        async with owner.link(free_port(), LinkLimits(first_retry=0.1, last_retry=60)) as link:
            connect = link._connect

            async def counted(urgent: bool) -> Any:
                nonlocal attempts
                attempts += 1
                return await connect(urgent)

            monkeypatch.setattr(link, "_connect", counted)
            end = asyncio.get_running_loop().time() + 1.0
            while asyncio.get_running_loop().time() < end:
                link.peer_seen()
                await asyncio.sleep(0.001)
        assert 3 <= attempts <= 12

    run(test)


def test_after_closing_nothing_is_left_and_nothing_is_called() -> None:
    async def test() -> None:
        owner, peer = Owner(), Peer()
        async with running(peer):
            peer.silent = True
            async with owner.link(peer.port, LinkLimits(stall_time=5)) as link:
                link.send(PATH, b"a")
                await until(lambda: bool(peer.owed))
            peer.owed[0].respond(response(200, b"late"))
            await asyncio.sleep(0.05)
            link.send(PATH, b"b")
            assert owner.replies == []
            assert owner.states == []
            assert len(asyncio.all_tasks()) <= 3  # this test, its time limit, and the peer's accepting

    run(test)
