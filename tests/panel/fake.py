"""A small pretended cluster for the panel's tests: the `Cluster` interface over a script, with its own clock.

The lowest running node leads; heartbeats flow; a write is shipped to every follower, which applies it after the
replication delay. Nothing here elects or replicates by the rules: the panel must only find it plausible.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

from labs.cluster.base import Answer, Cluster, NodeStatus, NoSuchNode, Outcome, Settings
from labs.trace.events import Event

FLIGHT = 0.004


class FakeNode:
    def __init__(self, name: str) -> None:
        self.name = name
        self.state = "running"
        self.role = "follower"
        self.term = 0
        self.leader: str | None = None
        self.store: dict[str, Any] = {}
        self.last = 0
        self.heard = 0.0


class FakeCluster(Cluster):
    """`clock=None`: time stands still and moves by `sleep`. `clock=time.time`: it lives in real time."""

    def __init__(
        self, settings: Settings | None = None, clock: Callable[[], float] | None = None, backend: str = "processes"
    ) -> None:
        self.settings = settings or Settings(heartbeat_ms=100, election_timeout_ms=400)
        self.backend = backend
        self.nodes = {name: FakeNode(name) for name in self.node_ids}
        self.broken: Exception | None = None
        self.groups: list[list[str]] = []
        self.delay = 0.0
        self.jitter = 0.0
        self.drop = 0.0
        self.closed = False
        self.asked: list[str] = []
        self._clock = clock
        self._virtual = 0.0
        self._done = self.now()
        self._log: list[Event] = []
        self._seq = itertools.count(1)
        self._ids = itertools.count(1)
        self._agenda: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()
        self._lock = threading.RLock()
        for node in self.nodes.values():
            self._note(node, "started", self._done, election="lowest-id", mode=self.settings.mode)
            node.heard = self._done
        self._at(self._done + 0.02, self._beat)

    # -- time -----------------------------------------------------------------------------------------

    def now(self) -> float:
        return self._clock() if self._clock else self._virtual

    def sleep(self, seconds: float) -> None:
        self._virtual += seconds
        self.advance()

    def advance(self) -> None:
        with self._lock:
            now = self.now()
            while self._agenda and self._agenda[0][0] <= now:
                moment, _, action = heapq.heappop(self._agenda)
                self._done = moment
                action(moment)

    def _at(self, moment: float, action: Callable[[float], None]) -> None:
        heapq.heappush(self._agenda, (moment, next(self._order), action))

    # -- the pretended protocol -----------------------------------------------------------------------

    def _beat(self, now: float) -> None:
        beat = self.settings.heartbeat_ms / 1000
        for node in self._running():
            if node.role == "leader":
                for peer in self._others(node):
                    self._send(node.name, peer, "Heartbeat", now, term=node.term)
            elif now - node.heard > self.settings.election_timeout:
                self._elect(node, now)
        self._at(now + beat, self._beat)

    def _elect(self, node: FakeNode, now: float) -> None:
        node.heard = now
        rank = self.node_ids.index(node.name)
        alive = [n for n in self._running() if self._connected(n.name, node.name)]
        if any(self.node_ids.index(n.name) < rank for n in alive):
            return
        self._note(node, "election_timeout", now)
        node.role, node.leader, node.term = "candidate", None, node.term + 1
        for peer in self._others(node):
            self._send(node.name, peer, "Alive", now)
        self._at(now + 0.05, lambda at: self._crown(node, at))

    def _crown(self, node: FakeNode, now: float) -> None:
        if node.state != "running" or node.role != "candidate":
            return
        node.role, node.leader = "leader", node.name
        self._note(node, "became_leader", now, term=node.term)

    def _arrive(self, sender: str, receiver: str, kind: str, number: str, now: float, details: dict[str, Any]) -> None:
        node = self.nodes[receiver]
        if node.state != "running" or not self._connected(sender, receiver):
            return
        self._log.append(Event(now, receiver, "received", kind, next(self._seq), number, sender))
        if kind == "Heartbeat" and details["term"] >= node.term:
            self._follow(node, sender, details["term"], now)
            self._send(receiver, sender, "HeartbeatReply", now)
        if kind == "HeartbeatReply" and node.role == "leader" and self.nodes[sender].last < node.last:
            self._ship(node, sender, now)
        if kind == "Replicate":
            node.store, node.last = dict(details["store"]), details["last"]
            self._send(receiver, sender, "Replicated", now)

    def _follow(self, node: FakeNode, leader: str, term: int, now: float) -> None:
        node.heard = now
        if (node.leader, node.term) == (leader, term):
            return
        if node.role == "leader":
            self._note(node, "stepped_down", now, term=node.term)
        node.role, node.leader, node.term = "follower", leader, term
        self._note(node, "following", now, leader=leader, term=term)
        self._ship(self.nodes[leader], node.name, now)

    def _send(self, sender: str, receiver: str, kind: str, now: float, **details: Any) -> None:
        number = f"m{next(self._ids)}"
        shown = {name: value for name, value in details.items() if not isinstance(value, dict)}
        self._log.append(Event(now, sender, "sent", kind, next(self._seq), number, receiver, shown))
        flight = FLIGHT + (self.delay if kind == "Replicate" else 0)
        self._at(now + flight, lambda at: self._arrive(sender, receiver, kind, number, at, details))

    def _ship(self, leader: FakeNode, peer: str, now: float) -> None:
        self._send(leader.name, peer, "Replicate", now, store=dict(leader.store), last=leader.last, count=1)

    def _running(self) -> list[FakeNode]:
        return [node for node in self.nodes.values() if node.state == "running"]

    def _others(self, node: FakeNode) -> list[str]:
        return [name for name in self.node_ids if name != node.name]

    def _connected(self, one: str, other: str) -> bool:
        return not self.groups or any(one in group and other in group for group in self.groups)

    def _note(self, node: FakeNode, kind: str, now: float, **details: Any) -> None:
        self._log.append(Event(now, node.name, "note", kind, next(self._seq), details=details))

    def _fault(self, kind: str, node: str = "", **details: Any) -> None:
        self.advance()
        self._log.append(Event(self.now(), node, "fault", kind, next(self._seq), details=details))

    # -- the interface --------------------------------------------------------------------------------

    def _change(self, node: str, verb: str, state: str) -> None:
        if node not in self.nodes:
            raise NoSuchNode(f"There is no node {node!r}. The nodes are {', '.join(self.node_ids)}.")
        self._fault(verb, node)
        self.nodes[node].state = state

    def start(self, node: str | None = None) -> None:
        for name in [node] if node else self.node_ids:
            self._change(name, "start", "running")
            self.nodes[name].role, self.nodes[name].heard = "follower", self.now()
            self._note(self.nodes[name], "recovered", self.now(), keys=len(self.nodes[name].store), entries=0)

    def stop(self, node: str) -> None:
        self._change(node, "stop", "stopped")

    def kill(self, node: str) -> None:
        self._change(node, "kill", "stopped")

    def pause(self, node: str) -> None:
        self._change(node, "pause", "paused")

    def resume(self, node: str) -> None:
        self._change(node, "resume", "running")

    def partition(self, *groups: Sequence[str]) -> None:
        named = [list(group) for group in groups]
        rest = [[name] for name in self.node_ids if not any(name in group for group in named)]
        self.groups = named + rest
        self._fault("partition", groups=self.groups)

    def cut(self, sender: str, to: str) -> None:
        self._fault("cut", **{"from": sender, "to": to})

    def heal(self) -> None:
        self.groups = []
        self._fault("heal")

    def delay_replication(self, ms: float, jitter_ms: float = 0) -> None:
        self.delay, self.jitter = ms / 1000, jitter_ms / 1000
        self._fault("delay", replication_delay_ms=ms, jitter_ms=jitter_ms)

    def lose_messages(self, drop: float, duplicate: float = 0.0) -> None:
        self.drop = drop
        self._fault("loss", drop=drop, duplicate=duplicate)

    def put(self, key: str, value: Any, via: str | None = None, timeout: float | None = None) -> Answer:
        return self._write("put", key, value, via)

    def delete(self, key: str, via: str | None = None, timeout: float | None = None) -> Answer:
        return self._write("delete", key, None, via)

    def _write(self, verb: str, key: str, value: Any, via: str | None) -> Answer:
        self.advance()
        node = self.nodes[via or self.leader() or "node-1"]
        number = f"c{next(self._ids)}"
        details = {"key": key, "value": value} if verb == "put" else {"key": key}
        self._log.append(Event(self.now(), "", "request", verb, next(self._seq), number, node.name, details))
        if node.state != "running" or node.role != "leader":
            code = 503 if node.state == "running" else None
            answer = Answer(Outcome.FAILED, code, {"error": "Not the leader", "leader_id": node.leader}, node.name)
        else:
            node.store.pop(key, None) if verb == "delete" else node.store.update({key: value})
            node.last += 1
            for peer in self._others(node):
                self._ship(node, peer, self.now())
            body = {"success": True, "key": key, "value": value, "index": node.last, "term": node.term}
            answer = Answer(Outcome.OK, 200, body, node.name)
        reply = {"code": answer.code, "outcome": answer.outcome.value, **answer.body}
        self._log.append(Event(self.now(), node.name, "reply", verb, next(self._seq), number, details=reply))
        return answer

    def get(self, key: str, via: str | None = None, linearizable: bool = False, timeout: float | None = None) -> Answer:
        self.advance()
        node = self.nodes[via or self.leader() or "node-1"]
        self.asked.append(key)
        if node.state != "running":
            return Answer(Outcome.UNKNOWN, None, {}, node.name)
        if key not in node.store:
            return Answer(Outcome.OK, 404, {"error": "Key not found", "key": key}, node.name)
        return Answer(Outcome.OK, 200, {"key": key, "value": node.store[key], "node_role": node.role}, node.name)

    def peek(self, node: str, key: str) -> Answer:
        found = self.nodes[node]
        if found.state != "running":
            return Answer(Outcome.FAILED, None, {}, node)
        return Answer(Outcome.OK, 200 if key in found.store else 404, {"value": found.store.get(key)}, node)

    def status(self) -> dict[str, NodeStatus]:
        if self.broken:
            raise self.broken
        self.advance()
        return {name: self._status(node) for name, node in self.nodes.items()}

    def _status(self, node: FakeNode) -> NodeStatus:
        if node.state != "running":
            return NodeStatus(node.name, node.state)
        blocked = [name for name in self._others(node) if not self._connected(name, node.name)]
        raw: dict[str, Any] = {
            "keys": sorted(node.store), "mode": self.settings.mode, "last_index": node.last,
            "commit_index": node.last, "applied_index": node.last,
            "faults": {
                "blocked": blocked, "replication_delay_ms": self.delay * 1000, "jitter_ms": self.jitter * 1000,
                "drop": self.drop, "duplicate": 0.0,
            },
        }  # fmt: skip
        if node.role == "leader":
            raw["lag"] = {name: node.last - self.nodes[name].last for name in self._others(node)}
        return NodeStatus(node.name, "running", True, node.role, node.term, node.leader, len(node.store), raw)

    def events(self) -> list[Event]:
        if self.broken:
            raise self.broken
        self.advance()
        return sorted(self._log, key=lambda event: event.time)

    def url(self, node: str) -> str | None:
        return None

    def logs(self, node: str, lines: int = 20) -> list[str]:
        return []

    def close(self) -> None:
        self.closed = True
