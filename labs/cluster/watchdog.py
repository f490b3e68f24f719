"""Ends a cluster's processes when the program that made them is gone, however it went.

A script of its own: `python watchdog.py FOLDER`. It reads process ids, one a line, from its standard input, a pipe
whose other end only that program holds. A line may also be `family MARK`: all processes with that mark in their
environment, which children inherit. The pipe ends when the program does, be it by SIGKILL; then the watchdog kills what
it was told of and removes FOLDER. A node would notice the end of its own pipe, but not while it is paused.

Law of this module: it kills only processes that it was told of, one by one or by their mark, and never one that merely
got such a process's id later (psutil compares the time of birth).
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable

import psutil

MARK = "REPLAB_FAMILY"
"""The environment variable that marks a process, and all that it starts, as one node's."""


def marked(mark: str) -> list[psutil.Process]:
    """The living processes with this mark. Those of other users cannot be looked at, and do not count."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def watch(lines: Iterable[str]) -> tuple[list[psutil.Process], list[str]]:
    """Read ids and marks until the pipe ends; the processes of those ids that are still alive, and the marks."""
    told: list[psutil.Process] = []
    marks: list[str] = []
    for line in lines:
        told = [process for process in told if process.is_running()]
        if line.startswith("family "):
            marks.append(line.removeprefix("family ").strip())
            continue
        try:
            told.append(psutil.Process(int(line)))
        except psutil.NoSuchProcess:
            continue
    return told, marks


def kill_marked(mark: str) -> None:
    """Again and again, since a process that is being ended may just have started another one."""
    while alive := marked(mark):
        kill(alive)
        time.sleep(0.005)


def kill(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def main() -> None:
    told, marks = watch(sys.stdin)
    kill(told)
    for mark in marks:
        kill_marked(mark)
    shutil.rmtree(sys.argv[1], ignore_errors=True)


if __name__ == "__main__":
    main()
