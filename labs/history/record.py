"""Recording what clients do to a cluster, on any backend.

Law of this module: an operation is in the history from the moment it is asked, because from then on it may take
effect; until its answer is there, its outcome is unknown. Every recorded moment is later than the one recorded
before it, so two moments never tie, however coarse (or virtual) the cluster's clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import Any

from labs.cluster.base import Answer, Cluster, Outcome
from labs.history.operations import Operation

_NOT_FOUND = 404


class Recorder:
    """Hands out clients of `cluster` and collects what they do. Clients may be used from different threads."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._operations: list[Operation] = []
        self._lock = Lock()
        self._latest = -math.inf

    @property
    def operations(self) -> list[Operation]:
        """Everything so far, by invocation; what is still under way is in it with outcome unknown."""
        with self._lock:
            return list(self._operations)

    def client(self, name: str) -> RecordingClient:
        return RecordingClient(self, self._cluster, name)

    def clients(self, count: int) -> list[RecordingClient]:
        """`client-1` to `client-<count>`."""
        return [self.client(f"client-{number}") for number in range(1, count + 1)]

    def began(self, operation: Operation) -> int:
        """Note the invocation; returns the ticket to complete it with."""
        with self._lock:
            self._operations.append(replace(operation, invoked=self._moment()))
            return len(self._operations) - 1

    def ended(self, ticket: int, answer: Answer) -> None:
        with self._lock:
            self._operations[ticket] = _answered(self._operations[ticket], answer, self._moment())

    def _moment(self) -> float:
        self._latest = max(self._cluster.now(), math.nextafter(self._latest, math.inf))
        return self._latest


class RecordingClient:
    """One user of the cluster, doing one thing at a time: the verbs are the cluster's, and so are the answers.

    If a call raises, its operation stays in the history with outcome unknown.
    """

    def __init__(self, recorder: Recorder, cluster: Cluster, name: str) -> None:
        self.name = name
        self._recorder = recorder
        self._cluster = cluster

    def put(self, key: str, value: Any, via: str | None = None, timeout: float | None = None) -> Answer:
        operation = Operation(self.name, "put", key, value, node=via)
        return self._record(operation, lambda: self._cluster.put(key, value, via=via, timeout=timeout))

    def get(self, key: str, via: str | None = None, linearizable: bool = False, timeout: float | None = None) -> Answer:
        operation = Operation(self.name, "get", key, node=via)
        return self._record(
            operation, lambda: self._cluster.get(key, via=via, linearizable=linearizable, timeout=timeout)
        )

    def delete(self, key: str, via: str | None = None, timeout: float | None = None) -> Answer:
        operation = Operation(self.name, "delete", key, node=via)
        return self._record(operation, lambda: self._cluster.delete(key, via=via, timeout=timeout))

    def _record(self, operation: Operation, ask: Callable[[], Answer]) -> Answer:
        ticket = self._recorder.began(operation)
        answer = ask()
        self._recorder.ended(ticket, answer)
        return answer


def _answered(operation: Operation, answer: Answer, now: float) -> Operation:
    if answer.outcome is Outcome.UNKNOWN:
        return replace(operation, node=answer.node)  # never completed: it may yet take effect
    known = replace(operation, node=answer.node, outcome=answer.outcome, completed=now)
    if not answer.ok:
        return known
    body = answer.body
    return replace(
        known,
        result=answer.value if operation.is_read else None,
        found=None if operation.kind == "put" else answer.code != _NOT_FOUND,
        term=body.get("term") if not operation.is_read else None,
        index=body.get("index") if not operation.is_read else None,
    )
