"""The operating system's processes behind a `ProcessCluster`, and the promise that none of them outlives it.

Law of this module: a process is ended only through the `Popen` that started it. As long as that has not been waited
for, its id cannot go to another process. Three nets, each for what the one before does not catch: `close` (and the
context manager), a finalizer (object forgotten, interpreter exits), and the watchdog (this process was killed).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

import psutil

from labs.cluster import watchdog
from labs.cluster.base import StartFailed

PAUSE_TIMEOUT = 1.0
"""Seconds that a signal may take to arrive (it takes less than one millisecond on an idle machine)."""
LOG_TAIL = 64 * 1024
"""Bytes of a log file that are looked at for its last lines."""


class NodeProcess:
    """One running `python -m replstore`. Its standard input is a pipe that only we hold (see `EXIT_WITH_PARENT`)."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path, log: Path) -> None:
        with log.open("ab") as output:
            self._popen = _spawn(command, environment, folder, output)
        self.paused = False

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def watched(self) -> str:
        """The line that tells the watchdog of it."""
        return str(self.pid)

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def pause(self) -> None:
        for process in self._all():
            process.suspend()
        self.paused = True
        # The signal is on its way; only when it has arrived the node is certain to do nothing more.
        deadline = time.monotonic() + PAUSE_TIMEOUT
        while self.alive and time.monotonic() < deadline and not _sleeps(self.pid):
            time.sleep(0.001)

    def resume(self) -> None:
        for process in self._all():
            process.resume()
        self.paused = False

    def stop(self, timeout: float) -> None:
        """Ask it to leave; after `timeout` seconds without an effect, kill it."""
        if self.alive:
            self._popen.terminate()
        if self.paused and self.alive:
            self.resume()
        try:
            self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
        self._forget()

    def kill(self) -> None:
        self._popen.kill()  # does nothing to a process that has ended
        self._popen.wait()
        self._forget()

    def _forget(self) -> None:
        self.paused = False
        if self._popen.stdin is not None:
            self._popen.stdin.close()

    def _all(self) -> list[psutil.Process]:
        """The node; on Windows the `python.exe` of a virtual environment is a launcher, and the node its child."""
        process = psutil.Process(self.pid)
        return [process] if os.name == "posix" else [process, *process.children(recursive=True)]


def _sleeps(pid: int) -> bool:
    return psutil.Process(pid).status() == psutil.STATUS_STOPPED


class ProcessTree:
    """All the processes of one cluster, and the private folder with their logs and data."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="replab-"))
        self.nodes: dict[str, NodeProcess] = {}
        self._owner = os.getpid()
        self._watchdog: subprocess.Popen[bytes] | None = None

    def start(
        self,
        node: str,
        command: list[str],
        environment: dict[str, str],
        folder: Path | None = None,
        make: type[NodeProcess] = NodeProcess,
    ) -> None:
        """Start the node's process in `folder` (default: the private one). Raises `StartFailed` where there is no such
        program."""
        if node in self.nodes:
            self.nodes[node].kill()  # it has ended, perhaps of its own: let go of its pipe
        try:
            process = make(command, environment, folder or self.folder, self.log(node))
        except OSError as error:
            raise StartFailed(f"{node} could not be started with {command[0]!r}: {error.strerror}") from error
        self.nodes[node] = process
        self._tell_watchdog(process.watched)

    def _tell_watchdog(self, line: str) -> None:
        if self._watchdog is None or self._watchdog.poll() is not None:
            told = [process.watched for process in self.nodes.values() if process.alive]
            self._watchdog = _start_watchdog(self.folder)
        else:
            told = [line]
        assert self._watchdog.stdin is not None
        self._watchdog.stdin.write("".join(f"{one}\n" for one in told).encode())
        self._watchdog.stdin.flush()

    def log(self, node: str) -> Path:
        return self.folder / f"{node}.log"

    def last_lines(self, node: str, lines: int) -> list[str]:
        try:
            with self.log(node).open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - LOG_TAIL))
                text = file.read().decode(errors="replace")
        except FileNotFoundError:
            return []
        return text.splitlines()[-lines:] if lines > 0 else []

    def end(self) -> None:
        """Leave nothing: no process, no folder. Safe to call twice."""
        if os.getpid() != self._owner:
            return  # a fork of the owner exits, and what it inherited is not its own
        for process in self.nodes.values():
            process.kill()
        self.nodes.clear()
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.wait()
            assert self._watchdog.stdin is not None
            self._watchdog.stdin.close()
            self._watchdog = None
        shutil.rmtree(self.folder, ignore_errors=True)


def _start_watchdog(folder: Path) -> subprocess.Popen[bytes]:
    # -P: the script's own folder has modules named like others' packages, and must not come before those.
    command = [sys.executable, "-P", str(Path(watchdog.__file__)), str(folder)]
    return _spawn(command, dict(os.environ), folder, subprocess.DEVNULL)


def _spawn(
    command: list[str], environment: dict[str, str], folder: Path, output: IO[bytes] | int
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        # Ctrl-C in a terminal and a notebook's interrupt go to a whole process group: it must not be in ours.
        start_new_session=os.name == "posix",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )
