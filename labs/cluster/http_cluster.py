"""What clusters of real nodes have in common, be they processes or containers: everything that goes through the
nodes' HTTP interface.

Law of this module: it knows nodes only by their URL. Starting and ending them is left to the backend, which fills
in `_start`, `_stop`, `_kill`, `_pause`, `_resume`, `_state`, `url`, `logs` and `close`; checks of node ids,
"already in that state", the record of faults and the collecting of events before a node goes are done here,
around those.

Partitions, delays and losses are the nodes' own fault settings (`PUT /internal/faults`), so a client can still
look at a node that is cut off from its peers.
"""

from __future__ import annotations

import itertools
import json
import secrets
import threading
import time
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from labs.cluster.base import Answer, Cluster, ClusterError, NodeStatus, NoSuchNode, Settings, StartFailed
from labs.cluster.client import Client, ClientOperation, whole
from labs.cluster.environment import check_delay, check_loss, check_settings, node_environment
from labs.cluster.event_collector import Happenings
from labs.trace.events import Event

RUNNING, PAUSED, STOPPED = "running", "paused", "stopped"
ANSWER_TIMEOUT = 1.0
"""Seconds that a node may take over a question about itself."""
NETWORK_FAULTS = ("replication_delay_ms", "jitter_ms", "drop", "duplicate")
"""The fault settings that are the same for all nodes."""
READING = "Reading the journal: "
"""What a node that starts with a large journal says once a second, with how far it is."""
POLL = 0.01
"""Seconds between two looks at nodes that are starting."""


class HttpCluster(Cluster):
    """A cluster whose nodes answer HTTP. Its verbs may be called from several threads."""

    _poll = POLL

    def __init__(self, settings: Settings) -> None:
        self.settings = check_settings(settings)
        self.token = secrets.token_hex(16)
        self._lock = threading.RLock()
        self._groups: tuple[frozenset[str], ...] = (frozenset(settings.node_ids),)
        self._cuts: set[tuple[str, str]] = set()
        self._network_faults: dict[str, float] = dict.fromkeys(NETWORK_FAULTS, 0)
        self._numbers = itertools.count(1)
        self._happenings = Happenings(self._fetch_events)
        self._client = Client(
            self.url,
            self._running,
            # A write may have to wait until the node knows that it lost its office or its copies.
            request_timeout=settings.election_timeout + 2.0,
            trust=min(settings.heartbeat_ms / 1000, 0.5),
            observer=self._saw_exchange,
        )

    # -- what a backend fills in ----------------------------------------------------------------------

    @abstractmethod
    def _start(self, nodes: Sequence[str]) -> None:
        """Start these stopped nodes; return when each of them answers (see `_await_answers`).

        Raises `StartFailed`, and then none of them is left running.
        """

    @abstractmethod
    def _stop(self, node: str) -> None:
        """SIGTERM to a running or paused node; return when it is gone, by force if it takes too long."""

    @abstractmethod
    def _kill(self, node: str) -> None:
        """SIGKILL to a running or paused node; return when it is gone."""

    @abstractmethod
    def _pause(self, node: str) -> None:
        """Freeze a running node."""

    @abstractmethod
    def _resume(self, node: str) -> None:
        """Thaw a paused node."""

    @abstractmethod
    def _state(self, node: str) -> str:
        """`running`, `paused` or `stopped`, as it is now (a node may have died of its own)."""

    # -- nodes ----------------------------------------------------------------------------------------

    def start(self, node: str | None = None) -> None:
        with self._lock:
            wanted = self.node_ids if node is None else (self._known(node),)
            nodes = [name for name in wanted if self._state(name) == STOPPED]
            if not nodes:
                return
            for name in nodes:
                self._happenings.begins_anew(name)
                self._fault("start", name)
            self._start(nodes)
            self._client.remember(None)
            self._apply_faults([name for name in nodes if any(self._faults_of(name).values())])

    def stop(self, node: str) -> None:
        self._end(node, "stop")

    def kill(self, node: str) -> None:
        self._end(node, "kill")

    def _end(self, node: str, how: str) -> None:
        with self._lock:
            state = self._state(self._known(node))
            if state == STOPPED:
                return
            if state == RUNNING:
                self._happenings.collect(node)
            self._fault(how, node)
            (self._stop if how == "stop" else self._kill)(node)

    def pause(self, node: str) -> None:
        with self._lock:
            if self._state(self._known(node)) == RUNNING:
                self._fault("pause", node)
                self._pause(node)

    def resume(self, node: str) -> None:
        with self._lock:
            if self._state(self._known(node)) == PAUSED:
                self._fault("resume", node)
                self._resume(node)
                # What was broken or mended while it slept holds for it from now on.
                self._apply_faults([node])

    def _known(self, node: str) -> str:
        if node not in self.node_ids:
            raise NoSuchNode(f"there is no {node!r} here; the nodes are {', '.join(self.node_ids)}")
        return node

    def _running(self) -> list[str]:
        return [node for node in self.node_ids if self._state(node) == RUNNING]

    # -- for the backends -----------------------------------------------------------------------------

    def _environment(self, node: str, addresses: dict[str, str]) -> dict[str, str]:
        """The node's variables, but for HOST, PORT and DATA_DIR. `addresses`: URLs as peers reach them."""
        return node_environment(self.settings, node, addresses, self.token, self._faults_of(node))

    def _answers(self, node: str) -> bool:
        """Whether *our* node answers there: a stranger on its port does not know the token."""
        if self._ask(node, "GET", "/internal/faults") is None:
            return False
        return self._ask(node, "GET", "/status") is not None

    def _await_answers(self, nodes: Sequence[str], timeout: float) -> None:
        """Wait until each of these nodes answers. Raises `StartFailed` for one that ends or takes too long: `timeout`
        seconds without an answer, and without a word on how far it has read its journal."""
        deadline = time.monotonic() + timeout
        progress: dict[str, str] = {}
        waiting = list(nodes)
        while waiting:
            for node in waiting:
                if self._state(node) == STOPPED:
                    raise StartFailed(self._with_log(f"{node} ended while it was starting", node))
            waiting = [node for node in waiting if not self._answers(node)]
            if waiting and time.monotonic() > deadline and self._go_on_reading(waiting, progress):
                deadline = time.monotonic() + timeout
            if waiting and time.monotonic() > deadline:
                message = f"{waiting[0]} did not answer within {timeout:g} s of its start"
                raise StartFailed(self._with_log(message, waiting[0]))
            if waiting:
                time.sleep(self._poll)

    def _go_on_reading(self, nodes: Sequence[str], told: dict[str, str]) -> bool:
        """Whether each of these nodes has got further with its journal since this was asked last."""
        last = {node: "".join(self.logs(node, 1)) for node in nodes}
        further = all(READING in line and line != told.get(node) for node, line in last.items())
        told.update(last)
        return further

    def _with_log(self, message: str, node: str) -> str:
        lines = self.logs(node)
        if not lines:
            return f"{message}, and logged nothing."
        return f"{message}. Its last log lines:\n" + "\n".join(f"  {line}" for line in lines)

    # -- network --------------------------------------------------------------------------------------

    def partition(self, *groups: Sequence[str]) -> None:
        named = [self._known(node) for group in groups for node in group]
        twice = {node for node in named if named.count(node) > 1}
        if twice:
            raise ClusterError(f"a node can be on one side of a partition only: {', '.join(sorted(twice))}")
        alone = [[node] for node in self.node_ids if node not in named]
        with self._lock:
            self._groups = tuple(frozenset(group) for group in (*groups, *alone) if group)
            self._cuts.clear()
            self._fault("partition", details={"groups": [list(group) for group in (*groups, *alone) if group]})
            self._apply_faults(self.node_ids)

    def cut(self, sender: str, to: str) -> None:
        with self._lock:
            self._cuts.add((self._known(sender), self._known(to)))
            self._fault("cut", details={"from": sender, "to": to})
            self._apply_faults([to])

    def heal(self) -> None:
        with self._lock:
            self._groups = (frozenset(self.node_ids),)
            self._cuts.clear()
            self._fault("heal")
            self._apply_faults(self.node_ids)

    def delay_replication(self, ms: float, jitter_ms: float = 0) -> None:
        check_delay(ms, jitter_ms)
        self._set_network_faults("delay", replication_delay_ms=ms, jitter_ms=jitter_ms)

    def lose_messages(self, drop: float, duplicate: float = 0.0) -> None:
        check_loss(drop, duplicate)
        self._set_network_faults("loss", drop=drop, duplicate=duplicate)

    def _set_network_faults(self, kind: str, **changes: float) -> None:
        with self._lock:
            self._network_faults |= changes
            self._fault(kind, details=dict(changes))
            self._apply_faults(self.node_ids)

    def _faults_of(self, node: str) -> dict[str, Any]:
        mine = next(group for group in self._groups if node in group)
        return {
            **self._network_faults,
            "blocked": [peer for peer in self.node_ids if peer not in mine],
            "lost_from": [sender for sender, to in sorted(self._cuts) if to == node],
        }

    def _apply_faults(self, nodes: Sequence[str]) -> None:
        """Tell the running ones of these nodes; the others are told when they are started or resumed."""
        self._client.remember(None)
        for node in nodes:
            if self._state(node) != RUNNING:
                continue
            body = json.dumps(self._faults_of(node)).encode()
            text = self._ask(node, "PUT", "/internal/faults", body)
            if text is None and self._state(node) == RUNNING:
                raise ClusterError(self._with_log(f"{node} did not take its fault settings", node))

    def _fault(self, kind: str, node: str = "", details: dict[str, Any] | None = None) -> None:
        self._happenings.record(self.now(), node, "fault", kind, details)

    # -- clients --------------------------------------------------------------------------------------

    def put(self, key: str, value: Any, via: str | None = None, timeout: float | None = None) -> Answer:
        return self._client.put(key, value, self._target(via), self._request_timeout(via, timeout))

    def get(self, key: str, via: str | None = None, linearizable: bool = False, timeout: float | None = None) -> Answer:
        return self._client.get(key, self._target(via), linearizable, self._request_timeout(via, timeout))

    def delete(self, key: str, via: str | None = None, timeout: float | None = None) -> Answer:
        return self._client.delete(key, self._target(via), self._request_timeout(via, timeout))

    def _target(self, via: str | None) -> str | None:
        return None if via is None else self._known(via)

    def _request_timeout(self, via: str | None, timeout: float | None) -> float:
        """Long enough for a fail-over where any node will do."""
        if timeout is not None:
            return timeout
        return self._client.request_timeout * (1 if via is not None else 2)

    def _saw_exchange(self, operation: ClientOperation, answer: Answer, started: float, ended: float) -> None:
        number = f"client-{next(self._numbers)}"
        asked = {"key": operation.key}
        if operation.body is not None:
            asked["value"] = json.loads(operation.body)
        self._happenings.record(started, answer.node, "request", operation.kind, asked, number)
        if answer.code is not None:
            text = {"key": operation.key, "code": answer.code, "outcome": answer.outcome.value}
            self._happenings.record(ended, answer.node, "reply", operation.kind, text, number)

    # -- looking --------------------------------------------------------------------------------------

    def status(self) -> dict[str, NodeStatus]:
        return {node: self._status_of(node) for node in self.node_ids}

    def _status_of(self, node: str) -> NodeStatus:
        state = self._state(node)
        seen = self._ask(node, "GET", "/status") if state == RUNNING else None
        if seen is None:
            return NodeStatus(node, state)
        role, leader_id = (text if isinstance(text := seen.get(name), str) else None for name in ("role", "leader_id"))
        return NodeStatus(
            node, state, True, role, whole(seen.get("term")), leader_id, whole(seen.get("total_keys")), seen
        )

    def leader(self) -> str | None:
        found = super().leader()
        self._client.remember(found)
        return found

    def events(self) -> list[Event]:
        for node in self._running():
            self._happenings.collect(node)
        return self._happenings.all()

    def events_since(self, position: int) -> tuple[list[Event], int]:
        for node in self._running():
            self._happenings.collect(node)
        return self._happenings.since(position)

    def _fetch_events(self, node: str, since: int) -> dict[str, Any] | None:
        return self._ask(node, "GET", f"/events?since={since}")

    def _ask(self, node: str, method: str, path: str, body: bytes | None = None) -> dict[str, Any] | None:
        """The node's answer to a question about itself; None where it gives none."""
        secret = {"X-Cluster-Token": self.token} if path.startswith("/internal/") else None
        reply = self._client.exchange(node, method, path, body, ANSWER_TIMEOUT, secret)
        return reply.body if reply.code == 200 and not reply.error else None

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))

    def close(self) -> None:
        """Backends extend this: end the nodes first, then call it."""
        self._client.close()
