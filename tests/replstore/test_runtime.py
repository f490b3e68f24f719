"""What waits at a node for its clients, in number: writes, and those who wait for events."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from replstore import runtime as runtime_module
from replstore.core.contract import Done, Overloaded, Put, Result
from replstore.core.lowest_id import Alive, LowestId
from replstore.core.messages import Heartbeat, Message
from replstore.http.limits import Limits
from replstore.http.server import Server
from replstore.http.writing import response
from replstore.runtime import Runtime
from replstore.settings import Settings
from replstore.wire.codec import build_message

ALONE = Settings("node-1", LowestId, port=0, heartbeat_ms=50, election_timeout_ms=200)
PROTECTED = replace(ALONE, token="secret")

Page = dict[str, Any]


def run(settings: Settings, test: Callable[[Runtime], Coroutine[Any, Any, None]]) -> None:
    async def all_of_it() -> None:
        runtime, stop = Runtime(settings, None, Random(1)), asyncio.Event()
        server = Server(lambda request, connection: response(200), Limits(close_time=0.1))
        running = asyncio.create_task(runtime.run(server, stop))
        try:
            async with asyncio.timeout(20):
                while not runtime.node.leads:
                    await asyncio.sleep(0.01)
                await test(runtime)
        finally:
            stop.set()
            await running

    asyncio.run(all_of_it())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


def test_a_write_is_answered_once_it_has_its_copies() -> None:
    async def test(runtime: Runtime) -> None:
        found: list[Result] = []
        runtime.ask(Put("k", 1), found.append)
        await until(lambda: bool(found))
        assert isinstance(found[0], Done)

    run(ALONE, test)


@pytest.mark.parametrize(
    "raised", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError(), ValueError("no"), RecursionError()]
)
def test_a_strategy_cannot_end_its_node(raised: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    class LeavesOnce(LowestId):
        left = False

        def tick(self, now: float) -> None:
            if not LeavesOnce.left:
                LeavesOnce.left = True
                raise raised
            super().tick(now)

    async def test(runtime: Runtime) -> None:
        assert runtime.node.leads

    run(replace(ALONE, election=LeavesOnce), test)

    assert LeavesOnce.left
    assert f"The election strategy raised {type(raised).__name__}" in "".join(capsys.readouterr())


def test_more_clients_than_there_are_places_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_module, "MAX_WAITING", 5)

    async def test(runtime: Runtime) -> None:
        found: list[Result] = []
        for number in range(8):
            runtime.ask(Put("k", number), found.append)
        assert found == [Overloaded()] * 3
        await until(lambda: len(found) == 8)
        assert all(isinstance(result, Done) for result in found[3:])

    run(ALONE, test)


def test_of_too_many_who_wait_for_events_the_one_who_waited_longest_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runtime_module, "MAX_WATCHERS", 3)

    async def test(runtime: Runtime) -> None:
        answered: list[int] = []
        for number in range(5):
            runtime.watch(10**9, 30, lambda page, number=number: answered.append(number))  # type: ignore[misc]
        assert answered == [0, 1]

    run(ALONE, test)


def test_who_stops_waiting_is_answered_once_and_never_again() -> None:
    async def test(runtime: Runtime) -> None:
        pages: list[Page] = []
        stop = runtime.watch(runtime.ring.next, 30, pages.append)
        stop()
        stop()
        runtime.ask(Put("k", 1), lambda result: None)
        await asyncio.sleep(0.1)
        assert [page["events"] for page in pages] == [[]]

    run(ALONE, test)


def test_who_waits_for_events_is_told_when_there_are_some() -> None:
    async def test(runtime: Runtime) -> None:
        pages: list[Page] = []
        runtime.watch(runtime.ring.next, 30, pages.append)
        assert pages == []
        runtime.ask(Put("k", 1), lambda result: None)
        await until(lambda: bool(pages))
        assert pages[0]["events"]

    run(ALONE, test)


@pytest.mark.parametrize(("settings", "said"), [(ALONE, True), (PROTECTED, False)])
def test_a_node_without_a_token_says_so_after_its_first_line(
    settings: Settings, said: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    async def test(runtime: Runtime) -> None:
        return

    run(settings, test)
    lines = capsys.readouterr().out.splitlines()

    assert "listening on port" in lines[0]
    assert any("No CLUSTER_TOKEN is set" in line for line in lines[1:3]) is said


# -- peers -----------------------------------------------------------------------------------------------


@pytest.fixture
def unreachable_peer() -> Iterator[Settings]:
    """node-2 has a port, and does not listen there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield replace(ALONE, peers={"node-2": ("127.0.0.1", int(taken.getsockname()[1]))})


async def tell(runtime: Runtime, message: Message) -> list[Message]:
    """What stands in the response to a message that node-2 posts."""
    response: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    runtime.receive("node-2", "node-2:1", message, response.set_result)
    return [build_message(envelope["message"]) for envelope in json.loads(await response)]


def test_a_peer_that_cannot_be_reached_learns_term_and_leader_from_the_response_to_its_own_message(
    unreachable_peer: Settings,
) -> None:
    async def test(runtime: Runtime) -> None:
        await until(lambda: runtime._links["node-2"].connected is False)
        await until(lambda: runtime.node.leading is not None and runtime.node.leading.state.round >= 2)
        told = await tell(runtime, Alive(0))

        assert told[0] == Alive(1)
        assert isinstance(told[1], Heartbeat)
        assert told[1].term == 1

    run(unreachable_peer, test)


def test_a_message_of_a_peer_makes_the_link_to_it_try_again_but_not_one_that_a_fault_blocks(
    unreachable_peer: Settings,
) -> None:
    async def test(runtime: Runtime) -> None:
        seen: list[str] = []
        runtime._links["node-2"].peer_seen = lambda: seen.append("node-2")  # type: ignore[method-assign]
        runtime.set_faults(replace(runtime.faults, blocked=("node-2",)))
        await tell(runtime, Alive(1))
        assert seen == []
        runtime.set_faults(replace(runtime.faults, blocked=()))
        await tell(runtime, Alive(1))
        assert seen == ["node-2"]

    run(unreachable_peer, test)


@pytest.mark.parametrize(("heartbeat_ms", "seconds"), [(100, 0.2), (500, 1.0), (2000, 2.0), (1, 0.02)])
def test_an_attempt_to_connect_takes_two_heartbeats_at_most(
    unreachable_peer: Settings, heartbeat_ms: int, seconds: float
) -> None:
    settings = replace(unreachable_peer, heartbeat_ms=heartbeat_ms, election_timeout_ms=4 * heartbeat_ms)

    async def test() -> None:
        runtime = Runtime(settings, None, Random(1))
        link = runtime._link("node-2")
        assert link.limits.connect_time == pytest.approx(seconds)
        await link.close()

    asyncio.run(test())
