"""Exercise 2 with a small record for each key, followers asked twice, and a wait before the leader is asked."""

from __future__ import annotations

from typing import Any

from labs import Answer, Cluster


def staleness(cluster: Cluster, delay_ms: float) -> list[dict[str, Any]]:
    leader = cluster.leader()
    while leader is None:
        cluster.sleep(0.1)
        leader = cluster.leader()
    followers = []
    for node in cluster.node_ids:
        if node != leader:
            followers.append(node)
    cluster.delay_replication(delay_ms)
    samples: list[dict[str, Any]] = []
    for i in range(10):
        answer = cluster.put("counter", i)
        t0 = cluster.now()
        results: dict[str, dict[str, Any]] = {}
        for node in followers:
            fresh = cluster.get("counter", via=node).value == i
            results[node] = {"node": node, "stale": not fresh, "seconds": 0.0 if fresh else None}
        while any(result["seconds"] is None for result in results.values()):
            for node in followers:
                if results[node]["seconds"] is None and cluster.get("counter", via=node).value == i:
                    results[node]["seconds"] = cluster.now() - t0
            cluster.sleep(0.01)
        if answer.ok:
            samples.extend(results.values())
    cluster.delay_replication(0)
    return samples


def stale_fraction(samples: list[dict[str, Any]]) -> float:
    if len(samples) == 0:
        return 0.0
    count = 0
    for sample in samples:
        if sample["stale"]:
            count += 1
    return count / len(samples)


class Memory:
    def __init__(self) -> None:
        self.term = 0
        self.index = 0

    def is_behind(self, answer: Answer) -> bool:
        if answer.code != 200:
            return False
        if answer.body["term"] != self.term:
            return bool(answer.body["term"] > self.term)
        return bool(answer.body["index"] >= self.index)

    def take(self, answer: Answer) -> None:
        self.term = answer.body["term"]
        self.index = answer.body["index"]


class Session:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.memory: dict[str, Memory] = {}

    def put(self, key: str, value: Any) -> bool:
        answer = self.cluster.put(key, value)
        if not answer.ok:
            return False
        self.memory.setdefault(key, Memory()).take(answer)
        return True

    def get(self, key: str) -> Any:
        leader = self.cluster.leader()
        known = self.memory.get(key)
        for _ in range(2):
            for node in self.cluster.node_ids:
                if node == leader:
                    continue
                answer = self.cluster.get(key, via=node)
                if not answer.ok:
                    continue
                if known is None:
                    if answer.code == 200:
                        self.memory.setdefault(key, Memory()).take(answer)
                    return answer.value
                if known.is_behind(answer):
                    known.take(answer)
                    return answer.value
            self.cluster.sleep(0.02)
        answer = self.cluster.get(key)
        if answer.code == 200:
            self.memory.setdefault(key, Memory()).take(answer)
        return answer.value
