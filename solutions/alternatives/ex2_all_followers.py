"""Exercise 2 asking all followers each time and taking the newest answer; the leader only where that is too old."""

from __future__ import annotations

from typing import Any

from labs import Cluster


def staleness(cluster: Cluster, delay_ms: float) -> list[dict[str, Any]]:
    try:
        return _measure(cluster, delay_ms)
    finally:
        cluster.delay_replication(0)


def _measure(cluster: Cluster, delay_ms: float) -> list[dict[str, Any]]:
    table: list[dict[str, Any]] = []
    for number in range(10):
        cluster.delay_replication(delay_ms)
        key = f"lag{number}"
        written = cluster.put(key, "new")
        acknowledged = cluster.now()
        pending = {node: True for node in cluster.node_ids if node != written.node}
        for node in list(pending):
            if cluster.get(key, via=node).value == "new":
                del pending[node]
                table.append({"node": node, "stale": False, "seconds": 0})
        while pending:
            cluster.sleep(0.001)
            for node in list(pending):
                if cluster.get(key, via=node).value == "new":
                    del pending[node]
                    table.append({"node": node, "stale": True, "seconds": cluster.now() - acknowledged})
    return table


def stale_fraction(samples: list[dict[str, Any]]) -> float:
    total = len(samples)
    return len([None for s in samples if s["stale"]]) / total if total > 0 else 0


class Session:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.floor: dict[str, tuple[int, int]] = {}

    def put(self, key: str, value: Any) -> bool:
        answer = self.cluster.put(key, value)
        if answer.ok:
            self.floor[key] = (answer.body["term"], answer.body["index"])
            return True
        return False

    def get(self, key: str) -> Any:
        leader = self.cluster.leader()
        answers = [self.cluster.get(key, via=node) for node in self.cluster.node_ids if node != leader]
        found = [answer for answer in answers if answer.code == 200]
        if found:
            best = max(found, key=lambda answer: (answer.body["term"], answer.body["index"]))
            version = (best.body["term"], best.body["index"])
            if version >= self.floor.get(key, (0, 0)):
                self.floor[key] = version
                return best.value
        elif key not in self.floor and any(answer.ok for answer in answers):
            return None
        last = self.cluster.get(key)
        if last.code == 200:
            self.floor[key] = (last.body["term"], last.body["index"])
        elif last.code == 404:
            self.floor.pop(key, None)
        return last.value
