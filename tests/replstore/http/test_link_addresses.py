"""How a link finds its peer: names are looked up anew, and neither a look-up nor an address that hangs holds it up."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from replstore.http.addresses import MOST_LEFT_BEHIND
from replstore.http.link import LinkLimits, PeerLink
from tests.replstore.http.link_ends import NEVER_BY_ITSELF, PATH, Owner, Peer, running
from tests.replstore.http.scenes import HOST, run, until


class Resolver:
    """Stands in for the system's: `known` gives each name's port (a container's address changes; here its port does,
    since this machine has one address). A look-up made while `hangs` is set lasts until the test ends."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self.hangs = False
        self.asked: list[str] = []
        self.hanging = 0
        self._end = threading.Event()

    def getaddrinfo(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked.append(host)
        if self.hangs:
            self.hanging += 1
            self._end.wait()
            self.hanging -= 1
        self.link._port = self.known[host]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (HOST, self.known[host]))]

    def end(self) -> None:
        self._end.set()

    link: PeerLink


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    made = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", made.getaddrinfo)
    yield made
    made.end()


def test_the_name_is_looked_up_anew_for_each_connection(resolver: Resolver) -> None:
    async def test() -> None:
        owner, first, second = Owner(), Peer(), Peer()
        async with running(first), running(second):
            resolver.known = {"node-2": first.port}
            async with owner.link(1, host="node-2") as resolver.link:
                resolver.link.send(PATH, b"a")
                await until(lambda: first.got == [b"a"])
                resolver.known = {"node-2": second.port}
                await first.stop()
                await until(lambda: len(resolver.asked) >= 2)
                resolver.link.send(PATH, b"b")
                await until(lambda: second.got == [b"b"])
        assert set(resolver.asked) == {"node-2"}

    run(test)


def test_a_look_up_that_hangs_is_given_up_in_time_and_the_next_one_does_not_join_it(resolver: Resolver) -> None:
    async def test() -> None:
        owner, peer = Owner(), Peer()
        limits = LinkLimits(connect_time=0.1, first_retry=0.01, last_retry=0.05)
        async with running(peer):
            resolver.known, resolver.hangs = {"node-2": peer.port}, True
            async with owner.link(1, limits, "node-2") as resolver.link:
                await until(lambda: owner.states == [False])
                assert owner.reasons == ["no connection within 0.1 s"]
                resolver.hangs = False
                resolver.link.send(PATH, b"a")
                await until(lambda: peer.got == [b"a"])
                assert resolver.hanging > 0

    run(test)


def test_look_ups_that_hang_do_not_pile_up_and_leave_room_for_one_that_has_better_prospects(resolver: Resolver) -> None:
    async def test() -> None:
        owner, peer = Owner(), Peer()
        limits = LinkLimits(connect_time=0.02, first_retry=0.01, last_retry=0.01)
        async with running(peer):
            resolver.known, resolver.hangs = {"node-2": peer.port}, True
            async with owner.link(1, limits, "node-2") as resolver.link:
                await until(lambda: resolver.hanging == MOST_LEFT_BEHIND)
                await asyncio.sleep(0.3)
                assert resolver.hanging == MOST_LEFT_BEHIND
                resolver.hangs = False
                while resolver.link._wire is None:
                    resolver.link.peer_seen()
                    await asyncio.sleep(0.005)
                assert resolver.hanging == MOST_LEFT_BEHIND

    run(test)


def test_when_the_peer_shows_itself_a_look_up_that_hangs_is_given_up(resolver: Resolver) -> None:
    async def test() -> None:
        owner, peer = Owner(), Peer()
        async with running(peer):
            resolver.known, resolver.hangs = {"node-2": peer.port}, True
            async with owner.link(1, NEVER_BY_ITSELF, "node-2") as resolver.link:
                await until(lambda: resolver.hanging == 1)
                resolver.hangs = False
                resolver.link.peer_seen()
                resolver.link.send(PATH, b"a")
                await until(lambda: owner.states == [True])

    run(test)


@contextmanager
def silent_address() -> Iterator[int]:
    """A port where attempts to connect get no answer at all, as at a container's address that has gone: it listens,
    and its queue is full."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind((HOST, 0))
        listener.listen(0)
        for client in (first, second):
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_when_the_peer_shows_itself_an_attempt_to_connect_to_where_it_was_is_given_up() -> None:
    async def test() -> None:
        owner, peer = Owner(), Peer()
        async with running(peer):
            with silent_address() as port:
                async with owner.link(port, NEVER_BY_ITSELF) as link:
                    await asyncio.sleep(0.1)
                    assert owner.states == []
                    link._port = peer.port
                    link.peer_seen()
                    link.send(PATH, b"a")
                    await until(lambda: owner.states == [True])

    run(test)


def test_an_attempt_to_connect_to_an_address_that_has_gone_is_over_in_time() -> None:
    async def test() -> None:
        owner = Owner()
        with silent_address() as port:
            async with owner.link(port, LinkLimits(connect_time=0.1)):
                await until(lambda: owner.states == [False])
                assert owner.reasons == ["no connection within 0.1 s"]

    run(test)


def test_an_address_that_is_silent_leaves_time_for_the_names_other_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        owner, peer = Owner(), Peer()
        loop = asyncio.get_running_loop()
        create_connection = loop.create_connection

        async def reach(factory: Any, host: str, port: int) -> Any:
            if host == "silent":
                await asyncio.Event().wait()
            return await create_connection(factory, HOST, port)

        def both(*_: Any, **__: Any) -> list[Any]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in ("silent", HOST)]

        monkeypatch.setattr(loop, "create_connection", reach)
        monkeypatch.setattr(socket, "getaddrinfo", both)
        async with running(peer), owner.link(peer.port, LinkLimits(connect_time=1), "node-2") as link:
            link.send(PATH, b"a")
            await until(lambda: owner.states == [True])

    run(test)


def test_a_name_that_does_not_exist_is_a_peer_that_is_down() -> None:
    async def test() -> None:
        owner = Owner()
        async with owner.link(4000, host="no-such-node.invalid") as link:
            link.send(PATH, b"x")
            await until(lambda: owner.states == [False])
        async with owner.link(4000, host="x" * 70) as link:
            await until(lambda: link.connected is False)

    run(test)
