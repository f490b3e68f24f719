"""Work that goes on beside a notebook's cells: one small seam, "call this every so often", with two carriers.

Law of this module: a turn is a plain function; who calls it is decided here and nowhere else. Where threads can be
started each has its own. In a web page there are none: turns are taken in the kernel's event loop, between two cells
and whenever a cell awaits, so a turn there must be short.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from math import inf
from typing import Protocol

LONGEST_PAUSE = 2.0
"""Seconds between two tries of what keeps failing."""

Turn = Callable[[], float | None]
"""Does some work and says in how many seconds it is to be called again: `inf` when it is woken, None never again."""
Report = Callable[[str, BaseException | None], None]


def threads_work() -> bool:
    """Whether a thread can be started here. Python in a web page (Emscripten) cannot."""
    return sys.platform != "emscripten"


def beside(name: str, work: Callable[[], None]) -> None:
    """Do this once, beside the cells. `work` must not raise."""

    def once() -> None:
        work()

    turns(name, once).begin()


class Turns(Protocol):
    """Calls a `Turn` again and again, from `begin` to `end`."""

    def begin(self) -> None: ...

    def wake(self) -> None:
        """Call it now."""
        ...

    def end(self, timeout: float = 0.0, last: bool = False) -> None:
        """Call it no more; with `last`, once again first. Waits up to `timeout` seconds for one that is under way."""
        ...

    @property
    def alive(self) -> bool: ...


def turns(name: str, turn: Turn) -> Turns:
    return ThreadTurns(name, turn) if threads_work() else LoopTurns(name, turn)


class ThreadTurns:
    """Turns on a thread of their own."""

    def __init__(self, name: str, turn: Turn) -> None:
        self._turn = turn
        self._wake = threading.Event()
        self._ending = self._last = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def end(self, timeout: float = 0.0, last: bool = False) -> None:
        self._last = self._last or (last and not self._ending)
        self._ending = True
        self._wake.set()
        if timeout and self._thread is not threading.current_thread() and self._thread.is_alive():
            self._thread.join(timeout)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        seconds: float | None = 0.0
        while not self._ending:
            seconds = self._turn()
            if seconds is None:
                return
            self._wake.wait(None if seconds == inf else seconds)
            self._wake.clear()
        if self._last:
            self._turn()


class LoopTurns:
    """Turns in the event loop that is running. Everything happens on one thread, so nothing has to be waited for."""

    def __init__(self, name: str, turn: Turn) -> None:
        self._name = name
        self._turn = turn
        self._wake = asyncio.Event()
        self._ending = self._at_work = False
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name=self._name)

    def wake(self) -> None:
        self._wake.set()

    def end(self, timeout: float = 0.0, last: bool = False) -> None:
        if last and not self._ending and not self._at_work:
            self._take()
        self._ending = True
        if self._task is not None and not self._at_work:
            self._task.cancel()

    @property
    def alive(self) -> bool:
        return self._task is not None and not self._ending and not self._task.done()

    def _take(self) -> float | None:
        self._at_work = True
        try:
            return self._turn()
        finally:
            self._at_work = False

    async def _run(self) -> None:
        while not self._ending:
            seconds = self._take()
            if seconds is None:
                return
            # A moment from now, and no point of time: that one may have passed before it is set, which a web page's
            # loop answers with an exception, and that would be the last turn.
            loop = asyncio.get_running_loop()
            alarm = None if seconds == inf else loop.call_later(max(seconds, 0.001), self._wake.set)
            try:
                await self._wake.wait()
            finally:
                self._wake.clear()
                if alarm is not None:
                    alarm.cancel()


class Loop:
    """Does `work` every so often. `work` returns the seconds until it wants to be called again. What it raises goes to
    `report` (`report(doing, None)` once it works again), and it is tried again after a pause."""

    def __init__(self, name: str, doing: str, work: Callable[[], float], report: Report) -> None:
        self._doing = doing
        self._work = work
        self._report = report
        self._pause = 0.1
        self._failed = False
        self._turns = turns(name, self._turn)

    def begin(self) -> None:
        self._turns.begin()

    def wake(self) -> None:
        """Do not wait for the next turn."""
        self._turns.wake()

    def end(self, timeout: float = 0.0) -> None:
        self._turns.end(timeout)

    @property
    def alive(self) -> bool:
        return self._turns.alive

    def _turn(self) -> float:
        try:
            seconds = self._work()
            if self._failed:
                self._report(self._doing, None)
        except Exception as error:  # noqa: BLE001 - whatever a backend raises belongs on the panel, see `report`
            self._report(self._doing, error)
            self._pause, self._failed = min(2 * self._pause, LONGEST_PAUSE), True
            return self._pause
        self._pause, self._failed = 0.1, False
        return seconds
