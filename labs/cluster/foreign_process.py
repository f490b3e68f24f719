"""A node that is some command of the user's, with everything that the command starts.

Law of this module: `npm start`, `go run` and `gradle run` are only parents of the node. Whatever is done to a node is
done to all processes that bear its mark, an environment variable that children inherit, wherever they moved to.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from labs.cluster.processes import PAUSE_TIMEOUT, NodeProcess
from labs.cluster.watchdog import MARK, kill_marked, marked

END_TIMEOUT = 2.0
"""Seconds that a process which was killed may take to end. It takes some milliseconds; one that waits for a disk may
take longer, and is not waited for."""


class ForeignProcess(NodeProcess):
    """One running command and its children."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path, log: Path) -> None:
        self.mark = secrets.token_hex(8)
        super().__init__(command, {**environment, MARK: self.mark}, folder, log)

    @property
    def watched(self) -> str:
        return f"family {self.mark}"

    @property
    def exit_code(self) -> int | None:
        return self._popen.poll()

    def members(self) -> list[psutil.Process]:
        return marked(self.mark)

    def listening(self) -> list[int]:
        """The TCP ports on which its processes listen, as far as this user may know."""
        ports: set[int] = set()
        for process in self.members():
            try:
                connections = process.net_connections(kind="tcp")
            except psutil.Error:
                continue
            ports |= {c.laddr.port for c in connections if c.status == psutil.CONN_LISTEN and c.laddr}
        return sorted(ports)

    def pause(self) -> None:
        deadline = time.monotonic() + PAUSE_TIMEOUT
        while time.monotonic() < deadline:
            awake = [process for process in self.members() if not _stopped(process)]
            if not awake:
                break
            for process in awake:
                _tell(process, "suspend")
            time.sleep(0.001)
        self.paused = True

    def resume(self) -> None:
        for process in self.members():
            _tell(process, "resume")
        self.paused = False

    def stop(self, patience: float) -> None:
        """Ask all of them to leave: a shell or a launcher does not hand the signal on to its child."""
        asked = self.members()
        for process in asked:
            _tell(process, "terminate")
        if self.paused:
            self.resume()
        deadline = time.monotonic() + patience
        while (self.alive or self.members()) and time.monotonic() < deadline:
            time.sleep(0.01)
        self.kill()
        _await_end(asked)

    def kill(self) -> None:
        alive = self.members()
        self._popen.kill()
        self._popen.wait()
        kill_marked(self.mark)
        _await_end(alive)
        self._forget()


def _tell(process: psutil.Process, what: str) -> None:
    try:
        getattr(process, what)()
    except psutil.NoSuchProcess:
        return


def _await_end(processes: Iterable[psutil.Process]) -> None:
    """Wait until they have let go of everything. A process that is ending loses its mark first and its ports last, and
    a node that is started again at once needs them."""
    deadline = time.monotonic() + END_TIMEOUT
    while not all(map(_has_ended, processes)) and time.monotonic() < deadline:
        time.sleep(0.002)


def _has_ended(process: psutil.Process) -> bool:
    try:
        # Where other threads are still ending, the first one is a zombie already.
        is_zombie = process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1
        return is_zombie or not process.is_running()
    except psutil.NoSuchProcess:
        return True


def _stopped(process: psutil.Process) -> bool:
    try:
        return str(process.status()) == psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:
        return True
