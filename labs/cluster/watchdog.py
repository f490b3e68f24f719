"""Ends a cluster's processes when the program that made them is gone, however it went.

A script of its own: `python watchdog.py FOLDER`. It reads process ids, one a line, from its standard input, a pipe
whose other end only that program holds. The pipe ends when the program does, be it by SIGKILL; then the watchdog
kills what it was told of and removes FOLDER. A node would notice the end of its own pipe, but not while it is paused.

Law of this module: it kills only processes that it was told of, and never one that merely got such a process's id
later (psutil compares the time of birth).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable

import psutil


def watch(lines: Iterable[str]) -> list[psutil.Process]:
    """Read ids until the pipe ends; the processes of those that are still alive."""
    text: list[psutil.Process] = []
    for line in lines:
        text = [process for process in text if process.is_running()]
        try:
            text.append(psutil.Process(int(line)))
        except psutil.NoSuchProcess:
            continue
    return text


def main() -> None:
    for process in watch(sys.stdin):
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    shutil.rmtree(sys.argv[1], ignore_errors=True)


if __name__ == "__main__":
    main()
