"""What the tools that run mutants have in common: a limit of processor time, and results one by one.

Law of this module: what a mutant does, its tool goes on. An interrupted tool ends at once and keeps what is there.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

R = TypeVar("R")


class TooLong(BaseException):
    """Nothing that a mutant catches."""


def _stop(*_: object) -> None:
    raise TooLong


@contextmanager
def processor_limit(seconds: float) -> Iterator[None]:
    """Raises `TooLong` where the block takes more of the processor."""
    signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def as_they_come(work: Callable[..., R], jobs: Iterable[tuple[object, ...]], workers: int) -> Iterator[R]:
    """`work(*job)` for each job, in other processes; what is not begun when it is interrupted is given up."""
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        futures = [pool.submit(work, *job) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            for future in futures:  # (`shutdown` forgets that it is to do this when the block ends and calls it again)
                future.cancel()
