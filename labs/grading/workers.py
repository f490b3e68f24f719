"""Worker processes that grade one submission after the other, watched from outside.

Law of this module: nothing that happens in a worker ends the batch. One that dies, or takes longer than any submission
may, is ended with everything that it started, and replaced; its submission gets no mark, and the others are graded.
When the grading is broken off, no worker and no sandboxed process stays behind.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Generic, TypeVar

import psutil

from labs.grading.errors import Stopped
from labs.grading.sandbox import processes

_LOOK = 0.25
_GRACE = 10.0
"""Seconds in which a worker may end by itself what it has started."""
_TRIES = 2
"""A worker may have died of another one's appetite."""

J = TypeVar("J")
R = TypeVar("R")
Stop = Callable[[], bool]


class WorkerPool(Generic[J, R]):
    """Does `work(job, stop)` for each job, up to `count` at a time. `seconds`: the most that one may take.

    `work`, jobs and results are pickled. `failed(job, why)` gives the result of a job that could not be done.
    """

    def __init__(
        self, count: int, work: Callable[[J, Stop], R], failed: Callable[[J, str], R], *, seconds: float
    ) -> None:
        self._count = count
        self._work = work
        self._failed = failed
        self._seconds = seconds
        self._mark = secrets.token_hex(8)
        self._folder = Path(tempfile.mkdtemp(prefix="replab-workers-"))
        self._folder.chmod(0o711)  # a sandbox under a user id of its own passes through it
        self._workers: list[_Worker[J, R]] = []

    def run(self, jobs: Sequence[J], stop: Stop) -> Iterator[tuple[int, R]]:
        """The results as they come, each with its job's number. Ends early when `stop()` is true."""
        waiting = deque((number, 1) for number in range(len(jobs)))
        try:
            while not stop() and (waiting or any(worker.job is not None for worker in self._workers)):
                self._hand_out(waiting, jobs)
                wait([one for worker in self._workers for one in worker.signs], _LOOK)
                for worker in list(self._workers):
                    yield from self._look(worker, waiting, jobs)
        finally:
            self.close()

    def _hand_out(self, waiting: deque[tuple[int, int]], jobs: Sequence[J]) -> None:
        while waiting:
            worker = next((one for one in self._workers if one.job is None), None)
            if worker is None:
                if len(self._workers) >= self._count:
                    return
                worker = _Worker(self._work, self._folder, self._mark)
                self._workers.append(worker)
            number, attempt = waiting.popleft()
            worker.begin(number, attempt, jobs[number])

    def _look(
        self, worker: _Worker[J, R], waiting: deque[tuple[int, int]], jobs: Sequence[J]
    ) -> Iterator[tuple[int, R]]:
        if worker.job is None:
            return
        number, attempt = worker.job
        result = worker.result()
        if result is not None:
            worker.job = None
            yield number, result
        elif not worker.alive:
            self._replace(worker)
            if attempt < _TRIES:
                waiting.append((number, attempt + 1))
            else:
                yield number, self._failed(jobs[number], f"its worker died twice (exit code {worker.exit_code})")
        elif worker.seconds > self._seconds:
            self._replace(worker)
            yield number, self._failed(jobs[number], f"it took more than {self._seconds:g} s")

    def _replace(self, worker: _Worker[J, R]) -> None:
        self._workers.remove(worker)
        worker.end()
        processes.end_marked(worker.mark)

    def close(self) -> None:
        """End all workers, and all that they started."""
        for worker in self._workers:
            worker.ask_to_end()
        deadline = time.monotonic() + _GRACE
        for worker in self._workers:
            worker.end(max(0.0, deadline - time.monotonic()))
        processes.end_marked(self._mark)
        self._workers.clear()
        shutil.rmtree(self._folder, ignore_errors=True)


class _Worker(Generic[J, R]):
    """One process, from our side. `job`: the number of what it does, and the how-manieth attempt that is."""

    def __init__(self, work: Callable[[J, Stop], R], folder: Path, mark: str) -> None:
        # Not forked: a fork of a process with threads may hang, and each worker needs its own private uid.
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        self.mark = f"{mark}-{secrets.token_hex(4)}-"
        self.job: tuple[int, int] | None = None
        self._connection: Connection = ours
        self._begun = 0.0
        self._process = context.Process(target=_serve, args=(theirs, work, str(folder), self.mark, os.getpid()))
        self._process.start()
        theirs.close()

    @property
    def signs(self) -> list[Connection | int]:
        return [self._connection, self._process.sentinel]

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    @property
    def exit_code(self) -> int | None:
        return self._process.exitcode

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    def begin(self, number: int, attempt: int, job: J) -> None:
        self.job, self._begun = (number, attempt), time.monotonic()
        try:
            self._connection.send(job)
        except OSError:
            return  # it has died: seen at the next look

    def result(self) -> R | None:
        try:
            return self._connection.recv() if self._connection.poll() else None
        except (EOFError, OSError):
            return None

    def ask_to_end(self) -> None:
        self._connection.close()
        if self._process.is_alive():
            self._process.terminate()

    def end(self, grace: float | None = None) -> None:
        """It, and all that it started."""
        self.ask_to_end()
        self._process.join(_GRACE if grace is None else grace)
        if self._process.is_alive():
            family = psutil.Process(self._process.pid).children(recursive=True)
            self._process.kill()
            for one in family:
                try:
                    one.kill()
                except psutil.NoSuchProcess:
                    continue
        self._process.join()


def _serve(connection: Connection, work: Callable[[J, Stop], R], folder: str, mark: str, parent: int) -> None:
    """The worker: one job after the other, until there are no more or it is told to end."""
    asked = False
    busy = False

    def end(number: int, frame: object) -> None:
        nonlocal asked
        asked = True
        if not busy:
            raise SystemExit

    signal.signal(signal.SIGTERM, end)
    for name in ("SIGINT", "SIGHUP"):  # a terminal sends them to all of its processes: the first one decides
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    tempfile.tempdir = folder
    processes.mark_prefix = mark
    try:
        while not asked:
            try:
                job = connection.recv()
            except (EOFError, OSError):
                return
            busy = True
            try:
                result = work(job, lambda: asked or os.getppid() != parent)
            except Stopped:
                return
            busy = False
            connection.send(result)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what it clears away at its end is not to be interrupted
