"""The `cluster` that a student's function is given: every verb is a question to the grader's own cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labs.cluster.base import Answer, Cluster, NodeStatus, Outcome, Settings
from labs.grading.child.wire import GraderWire
from labs.trace.events import Event


class ProxyCluster(Cluster):
    def __init__(self, number: int, settings: dict[str, Any], backend: str, wire: GraderWire) -> None:
        self.settings = Settings(**settings)
        self.backend = backend
        self._number = number
        self._wire = wire

    def _ask(self, method: str, **arguments: Any) -> Any:
        return self._wire.request(self._number, method, arguments)

    # -- nodes ----------------------------------------------------------------------------------------

    def start(self, node: str | None = None) -> None:
        self._ask("start", node=node)

    def stop(self, node: str) -> None:
        self._ask("stop", node=node)

    def kill(self, node: str) -> None:
        self._ask("kill", node=node)

    def pause(self, node: str) -> None:
        self._ask("pause", node=node)

    def resume(self, node: str) -> None:
        self._ask("resume", node=node)

    def restart(self, node: str) -> None:
        self._ask("restart", node=node)

    # -- network --------------------------------------------------------------------------------------

    def partition(self, *groups: Sequence[str]) -> None:
        self._ask("partition", groups=[list(group) for group in groups])

    def cut(self, sender: str, to: str) -> None:
        self._ask("cut", sender=sender, to=to)

    def heal(self) -> None:
        self._ask("heal")

    def delay_replication(self, ms: float, jitter_ms: float = 0) -> None:
        self._ask("delay_replication", ms=ms, jitter_ms=jitter_ms)

    def lose_messages(self, drop: float, duplicate: float = 0.0) -> None:
        self._ask("lose_messages", drop=drop, duplicate=duplicate)

    # -- clients --------------------------------------------------------------------------------------

    def put(self, key: str, value: Any, via: str | None = None, timeout: float | None = None) -> Answer:
        return _answer(self._ask("put", key=key, value=value, via=via, timeout=timeout))

    def get(self, key: str, via: str | None = None, linearizable: bool = False, timeout: float | None = None) -> Answer:
        return _answer(self._ask("get", key=key, via=via, linearizable=linearizable, timeout=timeout))

    def delete(self, key: str, via: str | None = None, timeout: float | None = None) -> Answer:
        return _answer(self._ask("delete", key=key, via=via, timeout=timeout))

    # -- looking --------------------------------------------------------------------------------------

    def status(self) -> dict[str, NodeStatus]:
        return {status["node_id"]: NodeStatus(**status) for status in self._ask("status")}

    def leader(self) -> str | None:
        leader: str | None = self._ask("leader")
        return leader

    def events(self) -> list[Event]:
        return [Event.from_json(event) for event in self._ask("events")]

    def now(self) -> float:
        return float(self._ask("now"))

    def sleep(self, seconds: float) -> None:
        self._ask("sleep", seconds=seconds)

    def url(self, node: str) -> str | None:
        return None

    def logs(self, node: str, lines: int = 20) -> list[str]:
        return []

    def close(self) -> None:
        """The grader's cluster is the grader's to close."""


def _answer(data: dict[str, Any]) -> Answer:
    return Answer(**{**data, "outcome": Outcome(data["outcome"])})
