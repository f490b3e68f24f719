"""A cluster of local processes, one `python -m replstore` for each node. Needs nothing but Python.

Law of this module: everything that it starts ends with it, and everything that it writes is in one private folder
that goes with it.
"""

from __future__ import annotations

import os
import shutil
import sys
import weakref
from collections.abc import Sequence
from pathlib import Path

import replstore
from labs.cluster import ports
from labs.cluster.base import Settings, StartFailed
from labs.cluster.http_cluster import PAUSED, RUNNING, STOPPED, HttpCluster
from labs.cluster.processes import ProcessTree

START_TIMEOUT = 20.0
"""Seconds that a node may take from its start to its first answer (a busy laptop with a virus scanner)."""
STOP_TIMEOUT = 5.0
"""Seconds that a node may take to leave when asked; after that it is killed."""
PORT_ATTEMPTS = 5
"""How often other ports are drawn because somebody took one between our look and the node's start."""
INHERITED = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TEMP", "TMP"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "VIRTUAL_ENV"),
    *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE", "APPDATA", "LOCALAPPDATA"),
)
"""All that a node sees of our environment: a NODE_ID or PEERS of the shell is none of its business."""


class PortTaken(StartFailed):
    """A node's port belongs to somebody else."""


class ProcessCluster(HttpCluster):
    """`settings.nodes` processes on 127.0.0.1. `python`: the interpreter that runs them (default: this one)."""

    backend = "process"

    def __init__(self, settings: Settings | None = None, python: str | None = None) -> None:
        super().__init__(settings or Settings())
        self._python = python or sys.executable
        self._ports: dict[str, int] = {}
        self._has_run = False
        self._family = ProcessTree()
        # Called when this object is forgotten, and at the interpreter's exit; so it must not refer to `self`.
        self._finalizer = weakref.finalize(self, self._family.end)

    # -- starting -------------------------------------------------------------------------------------

    def _start(self, nodes: Sequence[str]) -> None:
        if not self._finalizer.alive:
            raise StartFailed("this cluster has been closed; make a new one")
        for attempt in range(1, PORT_ATTEMPTS + 1):
            try:
                self._launch(nodes)
                return
            except PortTaken:
                # Peers know each other's ports: they can change only as long as nobody runs.
                fixed = self.settings.first_port is not None
                if fixed or attempt == PORT_ATTEMPTS or set(self.node_ids) - set(nodes) - set(self._stopped()):
                    raise
                self._ports = {}
                self._forget_first_attempt()

    def _launch(self, nodes: Sequence[str]) -> None:
        self._ports = self._ports or self._choose_ports()
        for node in nodes:
            self._refuse_taken_port(node)
        try:
            for node in nodes:
                self._family.start(node, [self._python, "-m", "replstore"], self._variables(node))
            self._await_answers(nodes, START_TIMEOUT)
        except BaseException as error:
            for node in nodes:
                if node in self._family.nodes:
                    self._family.nodes[node].kill()
            if isinstance(error, StartFailed):
                for node in nodes:
                    self._refuse_taken_port(node)
            raise
        self._has_run = True

    def _forget_first_attempt(self) -> None:
        """A start that failed must not leave its mark (a term, say) on the start that then succeeds."""
        if not self._has_run:
            for node in self.node_ids:
                shutil.rmtree(self._family.folder / node, ignore_errors=True)

    def _choose_ports(self) -> dict[str, int]:
        first = self.settings.first_port
        numbers = ports.choose(self.settings.nodes) if first is None else range(first, first + self.settings.nodes)
        return dict(zip(self.node_ids, numbers, strict=True))

    def _refuse_taken_port(self, node: str) -> None:
        port = self._ports[node]
        if not ports.is_free(port):
            raise PortTaken(
                f"port {port} for {node} is in use{ports.holder(port)}: end that program, or choose another first port"
            )

    def _variables(self, node: str) -> dict[str, str]:
        variables = {name: os.environ[name] for name in INHERITED if name in os.environ}
        addresses = {name: f"http://{ports.HOST}:{port}" for name, port in self._ports.items()}
        variables |= self._environment(node, addresses)
        variables |= {
            "HOST": ports.HOST,
            "PORT": str(self._ports[node]),
            "PYTHONPATH": os.pathsep.join(self._python_path()),
            "PYTHONUNBUFFERED": "1",
            "PYTHONUTF8": "1",  # the log lines have a crown in them, also where the console is not UTF-8
            "EXIT_WITH_PARENT": "1",
        }
        if self.settings.durable:
            variables["DATA_DIR"] = str(self._family.folder / node)
        return variables

    def _python_path(self) -> list[str]:
        wanted = [str(path.resolve()) for path in self.settings.python_path]
        inherited = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
        return [*wanted, str(Path(replstore.__file__).parent.parent), *inherited]

    # -- the rest of a node's life --------------------------------------------------------------------

    def _stop(self, node: str) -> None:
        self._family.nodes[node].stop(STOP_TIMEOUT)

    def _kill(self, node: str) -> None:
        self._family.nodes[node].kill()

    def _pause(self, node: str) -> None:
        self._family.nodes[node].pause()

    def _resume(self, node: str) -> None:
        self._family.nodes[node].resume()

    def _state(self, node: str) -> str:
        process = self._family.nodes.get(node)
        if process is None or not process.alive:
            return STOPPED
        return PAUSED if process.paused else RUNNING

    def _stopped(self) -> list[str]:
        return [node for node in self.node_ids if self._state(node) == STOPPED]

    # -- looking --------------------------------------------------------------------------------------

    def url(self, node: str) -> str | None:
        """None before the first start: only then the ports are chosen."""
        port = self._ports.get(self._known(node))
        return None if port is None else f"http://{ports.HOST}:{port}"

    def pid(self, node: str) -> int | None:
        """The node's process id; None where it is not running."""
        return self._family.nodes[node].pid if self._state(self._known(node)) != STOPPED else None

    def logs(self, node: str, lines: int = 20) -> list[str]:
        return self._family.last_lines(self._known(node), lines)

    def close(self) -> None:
        with self._lock:
            self._family.end()
            self._finalizer.detach()
        super().close()
