"""Exercise 2 with patience: followers are asked again for a while before the leader is."""

from __future__ import annotations

from typing import Any

from labs import Answer, Cluster

PATIENCE = 0.3
STEP = 0.03


def measure(cluster: Cluster, number: int) -> list[dict[str, Any]]:
    answer = cluster.put("p", {"write": number})
    start = cluster.now()
    nodes = [n for n in cluster.node_ids if n != answer.node]
    rounds = 0
    seen: dict[str, tuple[int, float]] = {}
    while len(seen) != len(nodes):
        for node in nodes:
            if node not in seen and cluster.get("p", via=node).value == {"write": number}:
                seen[node] = (rounds, cluster.now() - start)
        rounds += 1
        cluster.sleep(0.005)
    return [
        {"node": node, "stale": rounds > 0, "seconds": after if rounds else 0.0}
        for node, (rounds, after) in sorted(seen.items())
    ]


def staleness(cluster: Cluster, delay_ms: float) -> list[dict[str, Any]]:
    cluster.wait_for(lambda c: c.leader())
    cluster.delay_replication(ms=delay_ms)
    samples = []
    for number in range(1, 11):
        samples += measure(cluster, number)
    cluster.delay_replication(ms=0)
    return samples


def stale_fraction(samples: list[dict[str, Any]]) -> float:
    try:
        return sum(1.0 for sample in samples if sample["stale"]) / len(samples)
    except ZeroDivisionError:
        return 0.0


class Session:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.marks: dict[str, tuple[int, int]] = {}
        self.next = 0

    def put(self, key: str, value: Any) -> bool:
        answer = self.cluster.put(key, value)
        if answer.ok:
            self.marks[key] = self.mark(answer)
        return answer.ok

    def get(self, key: str) -> Any:
        give_up = self.cluster.now() + PATIENCE
        while self.cluster.now() < give_up:
            followers = [s.node_id for s in self.cluster.status().values() if s.role == "follower"]
            if not followers:
                break
            self.next += 1
            answer = self.cluster.get(key, via=followers[self.next % len(followers)])
            if answer.ok and (key not in self.marks or self.mark(answer) >= self.marks[key]):
                return self.remember(key, answer)
            self.cluster.sleep(STEP)
        return self.remember(key, self.cluster.get(key))

    def remember(self, key: str, answer: Answer) -> Any:
        if answer.code == 200:
            self.marks[key] = self.mark(answer)
        elif answer.ok:
            self.marks.pop(key, None)
        return answer.value

    @staticmethod
    def mark(answer: Answer) -> tuple[int, int]:
        """(0, 0) where the key is missing: older than anything."""
        return answer.body.get("term", 0), answer.body.get("index", 0)
