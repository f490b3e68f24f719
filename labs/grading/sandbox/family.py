"""What a sandboxed process and all that it started take: processor time and memory, looked at from outside.

Law of this module: the limit of memory is that of the whole family, for the kernel's own limit (`RLIMIT_AS`) counts
each process alone. Processor time is a high-water mark: it never falls, whoever ends.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import psutil

_INTERVAL = 0.15


class FamilyWatch:
    """Looks, in a thread of its own, at the processes that `members()` gives. Ends all of them if together they take
    more than `memory` bytes, and then says so in `excess`."""

    def __init__(self, members: Callable[[], list[psutil.Process]], memory: int) -> None:
        self._members = members
        self._memory = memory
        self._seconds: dict[tuple[int, float], float] = {}
        self._before = 0.0
        self._priority = _priority(psutil.Process())
        self._closed = threading.Event()
        self.excess: str | None = None
        self.look()
        self._before = self.seconds
        self._thread = threading.Thread(target=self._run, name="family-watch", daemon=True)
        self._thread.start()

    @property
    def seconds(self) -> float:
        """Of processor time, of all that were ever seen, since this watch began."""
        return sum(self._seconds.copy().values()) - self._before

    def look(self) -> None:
        members, memory = self._members(), 0
        lowered = False
        for one in members:
            try:
                with one.oneshot():
                    times = one.cpu_times()
                    memory += one.memory_info().rss
                    # Its children's only as far as they are over and waited for: the others are seen themselves.
                    used = times.user + times.system
                    lowered = lowered or _priority(one) != self._priority
                    key = (one.pid, one.create_time())
            except (psutil.Error, OSError):
                continue
            self._seconds[key] = max(used, self._seconds.get(key, 0.0))
        if memory > self._memory:
            self.excess = f"more than {self._memory // 2**20:,} MiB of memory, all processes together"
            _kill(members)
        elif lowered:
            # It would have to wait for others, and that time is not charged.
            self.excess = "a process that changed its own priority"
            _kill(members)

    def _run(self) -> None:
        while not self._closed.wait(_INTERVAL):
            self.look()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()


def _priority(process: psutil.Process) -> tuple[int, int]:
    """How it is scheduled: its nice value and, on Linux, its policy."""
    policy = os.sched_getscheduler(process.pid) if hasattr(os, "sched_getscheduler") else 0
    return int(process.nice()), policy


def _kill(members: list[psutil.Process]) -> None:
    for one in members:
        try:
            one.kill()
        except psutil.Error:
            continue
