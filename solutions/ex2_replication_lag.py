"""Exercise 2, reference solution.

The two guarantees are from D. Terry et al., "Session Guarantees for Weakly Consistent Replicated Data", 1994, §3. The
versions compared are the term and index of the log entry that wrote the value.
"""

from __future__ import annotations

from typing import Any, TypedDict

from labs import Answer, Cluster

WRITES = 10


class Sample(TypedDict):
    node: str
    stale: bool
    seconds: float


# -- (a), (b) --------------------------------------------------------------------------------------------


def staleness(cluster: Cluster, delay_ms: float) -> list[Sample]:
    cluster.wait_for(lambda c: c.leader())
    cluster.delay_replication(delay_ms)
    try:
        return [sample for number in range(WRITES) for sample in _one_write(cluster, number)]
    finally:
        cluster.delay_replication(0)


def _one_write(cluster: Cluster, number: int) -> list[Sample]:
    leader = cluster.leader()
    value = f"{cluster.now()}/{number}"
    cluster.put("staleness", value)
    acknowledged = cluster.now()
    waiting = [node for node in cluster.node_ids if node != leader]
    first = {node: cluster.get("staleness", via=node).value != value for node in waiting}
    samples = [Sample(node=node, stale=False, seconds=0.0) for node in waiting if not first[node]]
    waiting = [node for node in waiting if first[node]]
    while waiting:
        cluster.sleep(0.005)
        for node in list(waiting):
            if cluster.get("staleness", via=node).value == value:
                waiting.remove(node)
                samples.append(Sample(node=node, stale=True, seconds=cluster.now() - acknowledged))
    return samples


def stale_fraction(samples: list[Sample]) -> float:
    return sum(sample["stale"] for sample in samples) / len(samples) if samples else 0.0


# -- (c) -------------------------------------------------------------------------------------------------

Version = tuple[int, int]


class Session:
    """Remembers the newest version it has seen of each key, and takes nothing older from a follower."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._seen: dict[str, Version] = {}
        self._turn = 0

    def put(self, key: str, value: Any) -> bool:
        answer = self.cluster.put(key, value)
        if answer.ok:
            self._seen[key] = _version(answer)
        return answer.ok

    def get(self, key: str) -> Any:
        for node in self._followers():
            answer = self.cluster.get(key, via=node)
            if answer.ok and self._new_enough(key, answer):
                return self._take(key, answer)
        # No follower has it yet. If the leader has an older version, then ours was lost in a fail-over.
        return self._take(key, self.cluster.get(key))

    def _followers(self) -> list[str]:
        """Beginning with another one each time, so that the reads are spread."""
        leader = self.cluster.leader()
        followers = [node for node in self.cluster.node_ids if node != leader]
        self._turn += 1
        start = self._turn % max(1, len(followers))
        return followers[start:] + followers[:start]

    def _new_enough(self, key: str, answer: Answer) -> bool:
        """A missing key has no version: it may be deleted, or not here yet. Only the leader can tell."""
        return key not in self._seen or (answer.code == 200 and _version(answer) >= self._seen[key])

    def _take(self, key: str, answer: Answer) -> Any:
        if answer.code == 200:
            self._seen[key] = _version(answer)
        elif answer.ok:
            self._seen.pop(key, None)
        return answer.value


def _version(answer: Answer) -> Version:
    return answer.body["term"], answer.body["index"]
