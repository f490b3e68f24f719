"""The clusters that a nemesis can strike: processes and containers that can be killed in the middle of something.

Law of this module: a blow is as sharp as the machine allows. The clusters' own `kill` first asks the node for its
events, which takes milliseconds; here the signal comes first.
"""

from __future__ import annotations

import shlex
import sys
import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from labs.cluster import DockerCluster, ForeignCluster, ProcessCluster, Settings
from labs.cluster.foreign_process import ForeignProcess
from labs.cluster.http_cluster import STOPPED, HttpCluster
from labs.cluster.processes import ProcessTree

COMPACTION_FILE = "journal.new"
"""What a node's folder holds while it rewrites its journal."""


class Target(HttpCluster):
    """What a nemesis needs beyond a cluster's own verbs."""

    def strike(self, nodes: Sequence[str]) -> list[str]:
        """SIGKILL to all of these at once; returns those that were there to be killed."""
        with self._lock:
            there = [node for node in nodes if self._state(node) != STOPPED]
            for node in there:
                self._fault("kill", node)
            if there:
                with ThreadPoolExecutor(len(there)) as pool:
                    list(pool.map(self._kill, there))
            self._client.remember(None)
            return there

    def strike_while_starting(self, node: str, after: float) -> bool:
        """Start a stopped node and kill it `after` seconds later; whether there was anything to start."""
        with self._lock:
            if self._state(node) != STOPPED:
                return False
            self._happenings.begins_anew(node)
            self._fault("start", node)
            self._spawn(node)
            time.sleep(after)  # the moment is the point: it is drawn, not waited for
            self._fault("kill", node)
            self._kill(node)
            return True

    def copy_data(self, node: str, folder: Path) -> None:
        """Put the node's files into `folder`, as evidence."""

    @abstractmethod
    def whole_log(self, node: str) -> list[str]:
        """Everything that the node printed in all its lives."""

    def compacting(self, node: str) -> bool | None:
        """Whether the node is rewriting its journal; None where that cannot be seen."""
        return None

    @abstractmethod
    def _spawn(self, node: str) -> None:
        """Start the node and do not wait for it."""


class LocalTarget(Target):
    """Processes of this machine."""

    _family: ProcessTree

    def whole_log(self, node: str) -> list[str]:
        log = self._family.log(node)
        return log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []

    def copy_data(self, node: str, folder: Path) -> None:
        source = self._family.folder / node
        folder.mkdir(parents=True, exist_ok=True)
        for file in source.glob("*"):
            if file.is_file():
                (folder / file.name).write_bytes(file.read_bytes())

    def compacting(self, node: str) -> bool | None:
        return (self._family.folder / node / COMPACTION_FILE).exists()


class ProcessTarget(LocalTarget, ProcessCluster):
    def _spawn(self, node: str) -> None:
        self._family.start(node, [self._python, "-m", "replstore"], self._variables(node))


class MixedTarget(LocalTarget, ForeignCluster):
    """Some of the nodes are commands in other languages, which speak the lab's peer protocol."""

    def _spawn(self, node: str) -> None:
        variables = self._variables(node, self._connect())
        self._family.start(node, self._commands[node], variables, self._folder, ForeignProcess)


class DockerTarget(Target, DockerCluster):
    def _spawn(self, node: str) -> None:
        self._launch(node, hold=False)

    def whole_log(self, node: str) -> list[str]:
        return self.logs(node, 100_000)

    def copy_data(self, node: str, folder: Path) -> None:
        container = self._containers.get(node)
        if container is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        chunks, _ = self._api.get_archive(container, "/data")
        (folder / "data.tar").write_bytes(b"".join(chunks))


def open_target(backend: str, settings: Settings, commands: Mapping[str, str] | None = None) -> Target:
    """`commands`: the command of each node that is not the lab's own."""
    if commands:
        python = f"{shlex.quote(sys.executable)} -m replstore"
        words = {node: shlex.split(commands.get(node, python)) for node in settings.node_ids}
        # A cluster of commands leaves ELECTION to them.
        mine = ["env", f"ELECTION={settings.election}"]
        every = {node: command if node in commands else [*mine, *command] for node, command in words.items()}
        return MixedTarget(settings, every, named_peers=True)
    return ProcessTarget(settings) if backend == "process" else DockerTarget(settings)
