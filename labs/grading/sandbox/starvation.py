"""How long a process was kept from running, because others had the processor.

A loaded machine must not fail a student: that time is taken off what a submission is charged. Linux tells it; where it
does not, the limits are wall time.
"""

from __future__ import annotations

import os
import sys


class Starvation:
    """Of the process `pid`, and of our own: the grader itself may also wait for a CPU before it reads the reply."""

    def __init__(self, pid: int) -> None:
        self._files = [file for one in (str(pid), "self") if (file := _open(one)) is not None]

    def seconds(self) -> float:
        """Since the two processes began."""
        return sum(map(_waited, self._files))

    def close(self) -> None:
        for file in self._files:
            os.close(file)
        self._files = []


def _open(name: str) -> int | None:
    if sys.platform != "linux":
        return None
    try:
        return os.open(f"/proc/{name}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


def _waited(file: int) -> float:
    try:
        fields = os.pread(file, 100, 0).split()
    except OSError:  # the process has ended
        return 0.0
    return int(fields[1]) / 1e9 if len(fields) == 3 else 0.0
