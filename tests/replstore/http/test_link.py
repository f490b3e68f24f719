"""The link to a peer: it pipelines, comes back, gives up on who does not answer, and never bothers its owner."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from replstore.http.addresses import MOST_LEFT_BEHIND
from replstore.http.connection import Connection
from replstore.http.limits import Limits
from replstore.http.link import LinkLimits, PeerLink
from replstore.http.server import Server
from replstore.http.syntax import Request
from replstore.http.writing import response

HOST = "127.0.0.1"
QUICK = LinkLimits(connect_time=1, stall_time=0.2, first_retry=0.01, last_retry=0.05)
PATH = "/internal/replicate"


class Peer:
    """A node that writes down what it is sent and answers with the same, or later, or not at all."""

    def __init__(self, **limits: Any) -> None:
        self.got: list[bytes] = []
        self.tokens: set[str | None] = set()
        self.owed: list[Connection] = []
        self.silent = False
        self.status = 200
        self.port = 0
        self._limits = Limits(close_time=0.1, **limits)
        self._server: Server | None = None

    async def start(self) -> None:
        self._server = Server(self._handle, self._limits)
        await self._server.start(HOST, self.port)
        self.port = self._server.port

    async def stop(self) -> None:
        assert self._server is not None
        await self._server.close()

    def _handle(self, request: Request, connection: Connection) -> bytes | None:
        self.got.append(request.body)
        self.tokens.add(request.headers.get("x-cluster-token"))
        if self.silent:
            self.owed.append(connection)
            return None
        return response(self.status, request.body)


class Owner:
    """Collects what a link tells."""

    def __init__(self) -> None:
        self.replies: list[bytes] = []
        self.errors: list[tuple[int, bytes]] = []
        self.states: list[bool] = []
        self.reasons: list[str] = []

    def changed(self, connected: bool, reason: str) -> None:
        self.states.append(connected)
        self.reasons.append(reason)

    @asynccontextmanager
    async def link(self, port: int, limits: LinkLimits = QUICK, host: str = HOST) -> AsyncIterator[PeerLink]:
        link = PeerLink(
            host,
            port,
            on_reply=self.replies.append,
            on_error=lambda status, body: self.errors.append((status, body)),
            on_state=self.changed,
            headers=(("X-Cluster-Token", "secret"),),
            limits=limits,
        )
        link.start()
        try:
            yield link
        finally:
            await link.close()


@asynccontextmanager
async def running(peer: Peer) -> AsyncIterator[Peer]:
    await peer.start()
    try:
        yield peer
    finally:
        await peer.stop()


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 30))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


def numbers(count: int) -> list[bytes]:
    return [b"%d" % n for n in range(count)]


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


NEVER_BY_ITSELF = LinkLimits(connect_time=60, first_retry=60, last_retry=60)


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


def test_a_name_that_does_not_exist_is_a_peer_that_is_down() -> None:
    async def test() -> None:
        owner = Owner()
        async with owner.link(4000, host="no-such-node.invalid") as link:
            link.send(PATH, b"x")
            await until(lambda: owner.states == [False])
        async with owner.link(4000, host="x" * 70) as link:
            await until(lambda: link.connected is False)

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
