"""A second process of the grader, which does its jobs beside the first.

Law of this module: it is there to save time and decides nothing. Where there is none, or it has ended, the first
process does all the work itself, with the same results.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from labs.grading.errors import GraderError, Stopped

if TYPE_CHECKING:  # a web page imports this module, too, and has no processes
    from multiprocessing.connection import Connection

J = TypeVar("J")
R = TypeVar("R")
Stop = Callable[[], bool]

_LOOK = 0.05
"""Seconds between two looks at whether something is still wanted."""
_GRACE = 10.0
"""Seconds in which it may end by itself what it has started."""


def possible() -> bool:
    """Whether a second process would be of use, and can be forked safely: a fork of a process with threads may hang."""
    if sys.platform != "linux" or threading.active_count() > 1:
        return False
    return len(os.sched_getaffinity(0)) > 1


class Lane(Generic[J, R]):
    """Forked from this process when it is made. Does `work(job, stop)` for each job: results come one by one, are
    pickled, and are taken in their order. A context manager, which leaves no process behind."""

    def __init__(self, work: Callable[[J, Stop], Iterator[R]]) -> None:
        context = get_context("fork")
        self._mark = f"{secrets.token_hex(8)}-"
        self._ours, theirs = context.Pipe()
        arguments = (self._ours, theirs, work, self._mark, os.getpid())
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        self._open: deque[bool] = deque()
        """For each job that was begun and has not been seen to end: whether its results are wanted."""

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def begin(self, job: J) -> bool:
        """False if the process has ended. What came of an earlier job is not wanted any more."""
        self.give_up()
        try:
            self._ours.send(job)
        except OSError:
            return False
        self._open.append(True)
        return True

    def result(self, stop: Stop) -> R | None:
        """The next result of the present job; None if the process has ended. Raises `Stopped`, and `GraderError` if the
        work failed."""
        while True:
            while not self._ours.poll(_LOOK):
                if stop():
                    raise Stopped
            try:
                kind, value = self._ours.recv()
            except (EOFError, OSError):
                return None
            if kind == "over":
                self._open.popleft()
                if not self._open:
                    return None
            elif self._open[0]:
                if kind == "failed":
                    raise GraderError(value)
                result: R = value
                return result

    def give_up(self) -> None:
        """Whatever is still to come of the present job is not wanted."""
        if self._open and self._open[-1]:
            self._open[-1] = False
            try:
                self._ours.send(None)
            except OSError:
                return  # it has ended: the next job shows it

    def close(self) -> None:
        self._ours.close()
        self._process.join(_GRACE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
            from labs.grading.sandbox import processes  # needs psutil, which a web page does not have

            processes.end_marked(processes.mark_prefix + self._mark)

    def __enter__(self) -> Lane[J, R]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _serve(
    ours: Connection, connection: Connection, work: Callable[[J, Stop], Iterator[R]], mark: str, parent: int
) -> None:
    from labs.grading.sandbox import processes

    ours.close()
    for name in ("SIGINT", "SIGHUP"):  # a terminal sends them to all of its processes: the first one decides
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    processes.private_uids.cache_clear()  # the first process's are not ours
    processes.mark_prefix += mark
    looked = 0.0

    def stop() -> bool:
        nonlocal looked
        if time.monotonic() - looked < _LOOK:
            return False
        looked = time.monotonic()
        return connection.poll() or os.getppid() != parent  # something is said only to end this job

    while True:
        try:
            job = connection.recv()
            if job is None:
                continue  # the job that is not wanted was over already
            for message in _messages(work(job, stop)):
                connection.send(message)
        except (EOFError, OSError):
            return


def _messages(results: Iterator[Any]) -> Iterator[tuple[str, Any]]:
    try:
        for result in results:
            yield "result", result
    except Stopped:
        pass
    except Exception as error:  # noqa: BLE001  # the first process says it
        yield "failed", f"{type(error).__name__}: {error}"
    yield "over", None
