"""What a check can do: ask nodes, do something to them, wait, and say what it expected.

Law of this module: everything that is sent and comes back is kept, so that a failure can be shown.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from labs.cluster.base import ConditionTimeout, NodeStatus, describe
from labs.conform.bench import Bench, TimedCluster
from labs.conform.check import NotAsSaid, TooLate
from labs.conform.exchange import Reply, exchange
from labs.trace.events import Event

T = TypeVar("T")

ANSWER_LIMIT = 3.0
"""Seconds that a node has for an answer to a client, where nothing else is said."""
JSON = {"Content-Type": "application/json"}


class Scene:
    """One run of one check."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.transcript: list[str] = []
        self.measured: list[str] = []
        """Sentences about times: what was measured, and what is allowed."""
        self.requests: list[Event] = []
        self.began = time.time()
        self._numbers = itertools.count(1)

    # -- the cluster ----------------------------------------------------------------------------------

    @property
    def cluster(self) -> TimedCluster:
        """All nodes running, mode `async`."""
        return self.bench.present or self.bench.started()

    @property
    def nodes(self) -> tuple[str, ...]:
        return self.cluster.node_ids

    def settle(self, mode: str = "async") -> str:
        """All nodes run and agree on one leader: its name. A cluster that does not come to this is replaced once."""
        cluster = self.bench.started(mode)
        try:
            return cluster.wait_for(agreed) or ""
        except ConditionTimeout:
            cluster = self.bench.fresh(mode)
            cluster.start()
        try:
            return cluster.wait_for(agreed) or ""
        except ConditionTimeout:
            limit = cluster.election_allowed
            raise TooLate(f"the nodes did not agree on one leader within {limit:.1f} s: {self.seen()}") from None

    def others(self, *nodes: str) -> list[str]:
        return [node for node in self.nodes if node not in nodes]

    def do(self, text: str, action: Callable[[], None]) -> None:
        """Something that is done to nodes or network."""
        self.transcript.append(f"* {text}")
        action()

    def seen(self) -> str:
        """The nodes as they are now, in one line."""
        return "; ".join(describe(status) for status in self.cluster.status().values())

    # -- asking ---------------------------------------------------------------------------------------

    def ask(
        self,
        node: str,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = ANSWER_LIMIT,
        url: str | None = None,
    ) -> Reply:
        """One request: straight to the node, or by the link at `url`."""
        url = url or self.cluster.url(node)
        assert url is not None, "checks ask nodes that have been started"
        began = time.time()
        given = {**(JSON if body is not None else {}), **(headers or {})}
        reply = exchange(url, method, path, body, given, timeout)
        self.transcript += reply.lines(node)
        self._draw(node, reply, began)
        return reply

    def _draw(self, node: str, reply: Reply, began: float) -> None:
        """A client's request for the picture."""
        kind = reply.method.lower()
        if kind not in ("get", "put", "delete") or not reply.path.startswith("/key/"):
            return
        number, key = f"check-{next(self._numbers)}", reply.path.removeprefix("/key/")
        asked = {"key": key} if reply.sent is None else {"key": key, "value": reply.sent.decode("utf-8", "replace")}
        self.requests.append(Event(began, node, "request", kind, id=number, details=asked))
        if reply.code is not None:
            outcome = "ok" if reply.code in (200, 404) else "unknown" if reply.code > 503 else "failed"
            told = {"key": key, "code": reply.code, "outcome": outcome}
            self.requests.append(Event(time.time(), node, "reply", kind, id=number, details=told))

    def put(self, node: str, key: str, value: Any, timeout: float = ANSWER_LIMIT) -> Reply:
        return self.ask(node, "PUT", path_of(key), json.dumps(value, ensure_ascii=False).encode(), timeout=timeout)

    def get(self, node: str, key: str, timeout: float = ANSWER_LIMIT) -> Reply:
        return self.ask(node, "GET", path_of(key), timeout=timeout)

    def delete(self, node: str, key: str, timeout: float = ANSWER_LIMIT) -> Reply:
        return self.ask(node, "DELETE", path_of(key), timeout=timeout)

    def write(self, node: str, key: str, value: Any) -> None:
        """A write that the leader must acknowledge.

        It may have lost its office: on a machine that does other things heartbeats come late. So where it says that, or
        nothing in time, the check is repeated."""
        reply = self.put(node, key, value)
        if reply.code != 200:
            wrong = TooLate if reply.code in (None, 503, 504) else NotAsSaid
            raise wrong(f"{node}, the leader, did not take the write {key} = {json.dumps(value)}: {self.seen()}")

    # -- expecting ------------------------------------------------------------------------------------

    def expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise NotAsSaid(otherwise)

    def within(self, seconds: float, what: str, condition: Callable[[TimedCluster], T]) -> T:
        """Wait until `condition` holds. `what`: in words, what is waited for."""
        started = time.monotonic()
        try:
            found = self.cluster.wait_for(condition, seconds)
        except ConditionTimeout:
            self.measured.append(f"{what}: not within the {seconds:.1f} s allowed")
            raise TooLate(f"not within {seconds:.1f} s: {what}. The nodes then: {self.seen()}") from None
        self.measured.append(f"{what}: {time.monotonic() - started:.2f} s, allowed {seconds:.1f} s")
        return found

    def has(self, node: str, key: str, value: Any) -> bool:
        """Whether the node's own copy has exactly this (`MISSING`: that there is no such key), without a record."""
        answer = self.cluster.get(key, via=node, timeout=ANSWER_LIMIT)
        if value is MISSING:
            return answer.code == 404
        return answer.code == 200 and same(answer.value, value)

    def all_have(self, data: Mapping[str, Any], nodes: list[str] | None = None) -> Callable[[TimedCluster], bool]:
        """A condition: each of the nodes has all of this in its own copy."""
        asked = list(self.nodes) if nodes is None else nodes
        return lambda cluster: all(self.has(node, key, value) for node in asked for key, value in data.items())


MISSING = object()
"""In the place of a value: there is no such key."""


def path_of(key: str) -> str:
    return f"/key/{quote(key, safe='')}"


def same(one: Any, other: Any) -> bool:
    """The same JSON value: unlike in Python, 1 and true differ; 1 and 1.0 are the same number."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other
    return type(one) is type(other) and bool(one == other)


def running(cluster: TimedCluster) -> list[NodeStatus]:
    return [status for status in cluster.status().values() if status.state == "running"]


def agreed(cluster: TimedCluster) -> str | None:
    """The one leader whom every running node names, in one term; None while they do not agree."""
    return agreed_among(running(cluster))


def agreed_among(seen: list[NodeStatus]) -> str | None:
    leaders = [status.node_id for status in seen if status.role == "leader"]
    told = {(status.leader_id, status.term) for status in seen}
    if len(leaders) != 1 or len(told) != 1 or not all(status.answers for status in seen):
        return None
    return leaders[0] if told.pop()[0] == leaders[0] else None
