"""Panels work beside the cells: on threads, and where there are none, in the turns of the kernel's event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from math import inf
from typing import Any

import pytest

from labs.panel import background
from labs.panel.actions import CommandWorker, PanelCommand
from labs.panel.background import Loop, LoopTurns, ThreadTurns


@pytest.fixture(params=["threads", "event loop"])
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Runs a scene with each of the two carriers. In the event loop no thread may be started."""
    if request.param == "threads":
        return lambda scene: scene()

    def without_threads(scene: Callable[[], None]) -> None:
        monkeypatch.setattr(background, "threads_work", lambda: False)

        def refused(thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        async def play() -> None:
            scene()

        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            with monkeypatch.context() as patch:
                patch.setattr(threading.Thread, "start", refused)
                runner.run(play())
            loop.run_until_complete(asyncio.sleep(0))

    return without_threads


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


def nobody(doing: str, error: BaseException | None) -> None:
    raise AssertionError(f"{doing}: {error}")


def test_a_turn_is_taken_in_the_event_loop_until_it_ends() -> None:
    async def scene() -> int:
        taken: list[int] = []

        def turn() -> float:
            taken.append(1)
            return 0.0

        turns = LoopTurns("test", turn)
        turns.begin()
        await until(lambda: len(taken) >= 3)
        turns.end()
        await asyncio.sleep(0.01)
        count = len(taken)
        await asyncio.sleep(0.01)
        assert not turns.alive
        assert len(taken) == count
        return count

    assert asyncio.run(scene()) >= 3


def test_who_waits_to_be_woken_sleeps_until_then() -> None:
    async def scene() -> list[int]:
        taken: list[int] = []

        def turn() -> float:
            taken.append(1)
            return inf

        turns = LoopTurns("test", turn)
        turns.begin()
        await until(lambda: len(taken) == 1)
        await asyncio.sleep(0.02)
        assert len(taken) == 1
        turns.wake()
        await until(lambda: len(taken) == 2)
        turns.end()
        return taken

    assert len(asyncio.run(scene())) == 2


def test_a_turn_that_says_never_again_was_the_last() -> None:
    on_thread = ThreadTurns("test", lambda: None)
    on_thread.begin()
    on_thread.end(timeout=5)

    async def scene() -> bool:
        turns = LoopTurns("test", lambda: None)
        turns.begin()
        await until(lambda: not turns.alive)
        return turns.alive

    assert not on_thread.alive
    assert asyncio.run(scene()) is False


def test_what_was_submitted_before_the_end_is_carried_out(run: Callable[[Callable[[], None]], None]) -> None:
    seen: list[int] = []

    def scene() -> None:
        worker = CommandWorker("test", lambda command: seen.append(command.id), nobody)
        for number in (1, 2, 3):
            worker.submit(PanelCommand("heal", {}, number))
        worker.end(timeout=5)
        assert not worker.alive

    run(scene)

    assert seen == [1, 2, 3]


def test_a_command_may_end_its_own_worker(run: Callable[[Callable[[], None]], None]) -> None:
    seen: list[int] = []

    def scene() -> None:
        workers: list[CommandWorker] = []

        def carry_out(command: PanelCommand) -> None:
            seen.append(command.id)
            workers[0].end()

        workers.append(CommandWorker("test", carry_out, nobody))
        workers[0].submit(PanelCommand("heal", {}, 1))
        workers[0].submit(PanelCommand("heal", {}, 2))
        workers[0].end(timeout=5)

    run(scene)

    assert seen == [1, 2]


def test_what_fails_is_reported_tried_again_and_then_reported_to_be_well() -> None:
    told: list[str] = []
    tries: list[int] = []

    def work() -> float:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("gone")
        return 0.0

    async def scene() -> None:
        loop = Loop("test", "Looking", work, lambda doing, error: told.append(f"{doing}: {error}"))
        loop._turns = LoopTurns("test", loop._turn)
        loop.begin()
        await until(lambda: len(told) == 2)
        loop.end()

    asyncio.run(scene())

    assert told == ["Looking: gone", "Looking: None"]


def test_a_turn_comes_again_where_no_point_of_time_can_be_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A web page's loop raises where such a point has passed before it is set; asyncio's timeouts set one."""

    def refused(*_: Any) -> None:
        raise ValueError("Can't schedule in the past")

    monkeypatch.setattr(asyncio, "wait_for", refused)
    monkeypatch.setattr(asyncio.Timeout, "reschedule", refused)
    taken: list[int] = []

    def turn() -> float | None:
        taken.append(1)
        return 0.0 if len(taken) < 3 else None

    async def scene() -> None:
        turns = LoopTurns("test", turn)
        turns.begin()
        while turns.alive:
            await asyncio.sleep(0)

    asyncio.run(scene())
    assert len(taken) == 3
