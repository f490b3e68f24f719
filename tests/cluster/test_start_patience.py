"""How long a cluster waits for a node that starts: as long as the node says that it goes on reading its journal."""

from __future__ import annotations

import time

import pytest

from labs.cluster import FAST, StartFailed
from labs.cluster.http_cluster import READING, RUNNING
from labs.cluster.process import ProcessCluster


class Reader(ProcessCluster):
    """Nodes that never answer before the journal is read; `speed`: hundredths of it in a second."""

    def __init__(self, speed: float) -> None:
        super().__init__(FAST)
        self.begun = time.monotonic()
        self.speed = speed

    @property
    def percent(self) -> int:
        return min(100, int(self.speed * (time.monotonic() - self.begun)))

    def _state(self, node: str) -> str:
        return RUNNING

    def _answers(self, node: str) -> bool:
        return self.percent == 100

    def logs(self, node: str, lines: int = 20) -> list[str]:
        return [f"[{node}] {READING}{self.percent} %"]


def test_a_node_that_reads_on_is_waited_for() -> None:
    with Reader(speed=200) as cluster:
        cluster._await_answers(["node-1", "node-2"], timeout=0.1)

        assert cluster.percent == 100


def test_a_node_that_reads_no_further_is_not() -> None:
    with Reader(speed=0) as cluster, pytest.raises(StartFailed, match=r"node-1 did not answer within 0\.1 s"):
        cluster._await_answers(["node-1", "node-2"], timeout=0.1)
