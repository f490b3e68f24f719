"""A cluster of nodes in any language: every node is a command that keeps the lesson's contract.

Law of this module: the node is asked for nothing but the lesson's HTTP interface. Faults and message events come from
the links between the nodes, and what happens inside a node from its `GET /status`. What it does not tell stays unknown.
"""

from __future__ import annotations

import itertools
import os
import shlex
import shutil
import textwrap
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from labs.cluster import ports
from labs.cluster.base import ClusterError, NodeStatus, Settings, StartFailed
from labs.cluster.environment import node_environment
from labs.cluster.foreign_process import ForeignProcess
from labs.cluster.http_cluster import ANSWER_TIMEOUT, PAUSED, RUNNING, STOPPED, HttpCluster
from labs.cluster.links import LinkFaults, Links
from labs.cluster.process import STOP_TIMEOUT
from labs.cluster.processes import ProcessTree
from labs.trace import kinds

START_TIMEOUT = 20.0
"""Seconds that a command may take from its start to its first answer."""
NOT_INHERITED = (
    *("NODE_ID", "PORT", "HOST", "PEERS", "HEARTBEAT_MS", "ELECTION_TIMEOUT_MS", "REPLICATION_MODE", "ELECTION"),
    *("REPLICATION_DELAY_MS", "CLUSTER_TOKEN", "ALLOW_FAULTS", "DATA_DIR", "EXIT_WITH_PARENT"),
)
"""A command sees the user's whole environment (JAVA_HOME, GOPATH, …) but for these, which are a node's own."""

PATIENT = Settings(heartbeat_ms=200, election_timeout_ms=1200)
"""Short timings for programs in other languages: they take their time to start, and who is up early must not take the
others for dead."""

Command = Sequence[str]


class ForeignCluster(HttpCluster):
    """`settings.nodes` commands on 127.0.0.1.

    * `command`: the program and its arguments, the same for every node; or one for each:
      `{"node-1": ["node", "a.js"], …}`
    * `folder`: where they are started (default: the current one)
    * `named_peers`: PEERS as `node-2=http://…` instead of the lesson's bare `http://…`
    * `start_timeout`: seconds that a node may take to answer; builds at the start (`go run`) may need more
    * `around`: makes of a node and its command what is really started, a sandbox around it for example
    """

    backend = "foreign"

    def __init__(
        self,
        settings: Settings | None,
        command: Command | Mapping[str, Command],
        folder: Path | None = None,
        named_peers: bool = False,
        start_timeout: float = START_TIMEOUT,
        around: Callable[[str, Command], Command] = lambda node, command: command,
    ) -> None:
        super().__init__(settings or Settings())
        self._around = around
        self._commands = commands_by_node(self.node_ids, command)
        self._folder = folder or Path.cwd()
        self._named_peers = named_peers
        self._start_timeout = start_timeout
        self._ports: dict[str, int] = {}
        self._links: Links | None = None
        self._told: dict[str, tuple[str | None, int | None, str | None]] = {}
        self._note_numbers = itertools.count(1)
        self._family = ProcessTree()
        # Called when this object is forgotten, and at the interpreter's exit; so it must not refer to `self`.
        self._finalizer = weakref.finalize(self, self._family.end)

    # -- starting -------------------------------------------------------------------------------------

    def _start(self, nodes: Sequence[str]) -> None:
        if not self._finalizer.alive:
            raise StartFailed("this cluster has been closed; make a new one")
        links = self._connect()
        for node in nodes:
            if not ports.is_free(self._ports[node]):
                raise StartFailed(
                    f"port {self._ports[node]} for {node} is in use{ports.holder(self._ports[node])}: "
                    "end that program, or choose another first port"
                )
        try:
            # The first one, and when it answers the others. Programs may take a second or two to start, and not all of
            # them equally long: side by side, one that is up early would take a node that is still starting for dead.
            for some in filter(None, (nodes[:1], nodes[1:])):
                for node in some:
                    variables = self._variables(node, links)
                    words = list(self._around(node, self._commands[node]))
                    self._family.start(node, words, variables, self._folder, ForeignProcess)
                self._await_answers(some, self._start_timeout)
        except BaseException as error:
            why = self._why_no_start(nodes, error) if isinstance(error, StartFailed) else None
            for node in nodes:
                if node in self._family.nodes:
                    self._family.nodes[node].kill()
            if why is not None:
                raise StartFailed(why) from None
            raise

    def _connect(self) -> Links:
        """Ports and links are chosen once: a node that is started again comes back at the same address."""
        if self._links is None:
            first, count = self.settings.first_port, self.settings.nodes
            numbers = ports.choose(count) if first is None else range(first, first + count)
            self._ports = dict(zip(self.node_ids, numbers, strict=True))
            self._links = Links(self._ports, self._saw_message, self.settings.seed)
            self._apply_faults(())
        return self._links

    def _variables(self, node: str, links: Links) -> dict[str, str]:
        addresses = {peer: links.url(node, peer) for peer in self.node_ids if peer != node}
        wanted = node_environment(self.settings, node, addresses, "", {})
        offered = ("NODE_ID", "PEERS", "HEARTBEAT_MS", "ELECTION_TIMEOUT_MS", "REPLICATION_MODE")
        variables = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        variables |= {name: wanted[name] for name in offered}
        variables |= {"HOST": ports.HOST, "PORT": str(self._ports[node])}
        if not self._named_peers:
            variables["PEERS"] = ",".join(addresses.values())
        if self.settings.durable:
            data = self.data_folder(node)
            data.mkdir(exist_ok=True)
            variables["DATA_DIR"] = str(data)
        return variables

    def _answers(self, node: str) -> bool:
        """Whether the node answers under its own name: a stranger on its port has another one, or none."""
        return (self._ask(node, "GET", "/status") or {}).get("node_id") == node

    def _why_no_start(self, nodes: Sequence[str], error: StartFailed) -> str:
        """One sentence about a node that does not run as it should, and what it printed. One that has ended comes
        first: the others may have had no time to do whatever ended it."""
        family = [(node, self._family.nodes.get(node)) for node in nodes]
        begun = [(node, process) for node, process in family if isinstance(process, ForeignProcess)]
        for node, process in sorted(begun, key=lambda one: one[1].exit_code is None):
            if not self._answers(node):
                return self._with_log(self._fault_of(node, process), node)
        return str(error)

    def _fault_of(self, node: str, process: ForeignProcess) -> str:
        command, port = textwrap.shorten(shlex.join(self._commands[node]), 80), self._ports[node]
        if process.exit_code is not None:
            left = process.members()
            if left:
                return (
                    f"{node}: the command `{command}` ended and left process {left[0].pid} in the background; "
                    "a node must stay in the foreground"
                )
            return f"{node}: the command `{command}` ended at once, with exit code {process.exit_code}"
        listening = process.listening()
        if port not in listening:
            where = f"on port {', '.join(map(str, listening))}" if listening else "on no port"
            return (
                f"{node}: the command `{command}` runs, but listens {where}; it must listen on the port in PORT, "
                f"which is {port}, within {self._start_timeout:g} s"
            )
        reply = self._client.exchange(node, "GET", "/status", timeout=ANSWER_TIMEOUT)
        if reply.code is None or reply.error:
            said = reply.error or "nothing"
        elif reply.code != 200:
            said = f"it answered with code {reply.code}"
        else:
            said = f"its node_id is {reply.body.get('node_id')!r}, not {node!r}"
        return f"{node}: the command `{command}` listens on port {port}, but GET /status is wrong: {said}"

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

    def replace(self, node: str, command: Command) -> None:
        """Stop the node, and start another program in its place, at the same address: an upgrade, also to another
        language. Its DATA_DIR is emptied, since one program cannot read what another one wrote; so the new node has
        nothing until the others have filled it. Raises `StartFailed`."""
        with self._lock:
            self.stop(node)
            self._commands = commands_by_node(self.node_ids, {**self._commands, node: command})
            shutil.rmtree(self.data_folder(node), ignore_errors=True)
            self.start(node)

    # -- network --------------------------------------------------------------------------------------

    def _apply_faults(self, nodes: Sequence[str]) -> None:
        """The links carry them out, whatever the nodes do."""
        self._client.remember(None)
        if self._links is None:
            return
        lost = set(self._cuts)
        for node in self.node_ids:
            lost |= {(node, peer) for peer in self._faults_of(node)["blocked"]}
        shared = self._network_faults
        self._links.set_faults(
            LinkFaults(
                frozenset(lost),
                shared["replication_delay_ms"],
                shared["jitter_ms"],
                shared["drop"],
                shared["duplicate"],
            )
        )

    def _saw_message(
        self, time: float, node: str, event: str, kind: str, number: str, peer: str, details: dict[str, Any]
    ) -> None:
        self._happenings.record(time, node, event, kind, details, number, peer)

    # -- looking --------------------------------------------------------------------------------------

    def _status_of(self, node: str) -> NodeStatus:
        """Also notes what has changed since the last look: a foreign node keeps no diary."""
        seen = super()._status_of(node)
        if seen.answers:
            # What the links do to a node's messages is known here, not to the node.
            seen.raw.setdefault("faults", self._faults_of(node))
            with self._lock:
                self._note_changes(seen)
        elif seen.state == STOPPED:
            self._told.pop(node, None)
        return seen

    def _note_changes(self, seen: NodeStatus) -> None:
        now = (seen.role, seen.term, seen.leader_id)
        before = self._told.get(seen.node_id)
        self._told[seen.node_id] = now
        if now == before:
            return
        if before is None:
            self._note(seen.node_id, kinds.STARTED, {"port": self._ports[seen.node_id]})
        if seen.role == "leader" and (before is None or before[:2] != now[:2]):
            self._note(seen.node_id, kinds.BECAME_LEADER, {"term": seen.term})
        elif seen.role == "follower" and seen.leader_id in self.node_ids:
            if before is not None and before[0] == "leader":
                self._note(seen.node_id, kinds.STEPPED_DOWN, {"term": before[1]})
            self._note(seen.node_id, kinds.FOLLOWING, {"leader": seen.leader_id, "term": seen.term})

    def _note(self, node: str, kind: str, details: dict[str, Any]) -> None:
        self._happenings.record(self.now(), node, "note", kind, details, seq=next(self._note_numbers))

    def _fetch_events(self, node: str, since: int) -> dict[str, Any] | None:
        self._status_of(node)
        return None

    def url(self, node: str) -> str | None:
        """The node itself, not a link to it. None before the first start: only then the ports are chosen."""
        port = self._ports.get(self._known(node))
        return None if port is None else f"http://{ports.HOST}:{port}"

    def link(self, sender: str, to: str) -> str:
        """The address under which `sender` finds `to`. Raises `ClusterError` before the first start."""
        if self._links is None:
            raise ClusterError("the links are made at the first start")
        return self._links.url(self._known(sender), self._known(to))

    def data_folder(self, node: str) -> Path:
        """The node's DATA_DIR."""
        return self._family.folder / self._known(node)

    def logs(self, node: str, lines: int = 20) -> list[str]:
        return self._family.last_lines(self._known(node), lines)

    def close(self) -> None:
        with self._lock:
            self._family.end()
            self._finalizer.detach()
            links, self._links = self._links, None
        if links is not None:
            links.close()
        super().close()


def commands_by_node(nodes: Sequence[str], command: Command | Mapping[str, Command]) -> dict[str, list[str]]:
    """A command for each node, of one for all or one each. Raises `ClusterError` for a node without one."""
    if not isinstance(command, Mapping):
        command = dict.fromkeys(nodes, command)
    unknown = sorted(set(command) - set(nodes))
    if unknown:
        raise ClusterError(f"a command for {unknown[0]!r}, but the nodes are {', '.join(nodes)}")
    for node in nodes:
        if not command.get(node):
            raise ClusterError(f"there is no command for {node}")
        if isinstance(command[node], str):
            raise ClusterError(f"a command is a list of words, like ['node', 'dist/main.js'], not {command[node]!r}")
    return {node: list(command[node]) for node in nodes}
