"""The `cluster` that a student's function is given: every verb is a question to the grader's own cluster.

Law of this module: few questions, the same run. A question costs more than what it asks for. So what time it is comes
with every answer, and a `sleep` travels with the next question: nothing can be seen of the cluster in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from labs.cluster.base import Answer, Cluster, NodeStatus, Outcome, Settings
from labs.grading.child.wire import GraderWire
from labs.trace.events import Event

_MOST_LOOKS = 100
"""At the clock, until the grader hears of it: who looks at nothing else for ever has used up what it may ask."""


class ProxyCluster(Cluster):
    """`may_wait`: whether a `sleep` may wait for the next question, since time passes in the verbs alone."""

    def __init__(
        self, number: int, settings: dict[str, Any], backend: str, wire: GraderWire, may_wait: bool = False
    ) -> None:
        self.settings = Settings(**settings)
        self.backend = backend
        self._number = number
        self._wire = wire
        self._may_wait = may_wait
        self._now: float | None = None
        """What the grader's cluster showed after the last answer; None: not known."""
        self._slept: float | None = None
        """The `sleep` that the grader has not been told of."""
        self._looks = 0

    def _ask(self, method: str, **arguments: Any) -> Any:
        slept, self._slept, self._now, self._looks = self._slept, None, None, 0
        answer = self._wire.request(self._number, "turn", {"sleep": slept, "method": method, "arguments": arguments})
        if self._may_wait:
            self._now = answer["now"]
        return answer["result"]

    def settle(self) -> None:
        """Tell the grader what it has not been told."""
        if self._slept is not None:
            self._ask("now")

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
        self._looks += 1
        if self._now is None or self._looks > _MOST_LOOKS:
            return float(self._ask("now"))
        return self._now if self._slept is None else self._now + self._slept

    def sleep(self, seconds: float) -> None:
        plain = type(seconds) in (int, float) and isfinite(seconds) and 0 <= seconds <= 1e9
        if self._may_wait and self._now is not None and self._slept is None and plain:
            self._slept = seconds
        else:
            self._ask("sleep", seconds=seconds)

    def url(self, node: str) -> str | None:
        return None

    def logs(self, node: str, lines: int = 20) -> list[str]:
        return []

    def close(self) -> None:
        """The grader's cluster is the grader's to close."""


def _answer(data: dict[str, Any]) -> Answer:
    return Answer(**{**data, "outcome": Outcome(data["outcome"])})
