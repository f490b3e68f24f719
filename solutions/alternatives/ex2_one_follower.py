"""Exercise 2 with a favourite follower: it is kept as long as it is new enough, and changed when it is not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from typing import Any, NamedTuple

from labs import Answer, Cluster


class Version(NamedTuple):
    term: int
    place: int

    @classmethod
    def of(cls, answer: Answer) -> Version | None:
        return cls(answer.body["term"], answer.body["index"]) if answer.code == 200 else None


NOTHING = Version(0, 0)


def watch(cluster: Cluster, followers: list[str], value: Any) -> Iterator[dict[str, Any]]:
    begin = cluster.now()
    first_round = True
    left = list(followers)
    while left:
        for node in followers:
            if node in left and cluster.get("watched", via=node).value == value:
                left.remove(node)
                yield {"node": node, "stale": not first_round, "seconds": 0.0 if first_round else cluster.now() - begin}
        first_round = False
        cluster.sleep(0.004)


def staleness(cluster: Cluster, delay_ms: float) -> list[dict[str, Any]]:
    cluster.wait_for(lambda c: c.leader())
    cluster.delay_replication(delay_ms)
    samples: list[dict[str, Any]] = []
    for number in range(10):
        answer = cluster.put("watched", f"value {number}")
        followers = [node for node in cluster.node_ids if node != answer.node]
        samples += watch(cluster, followers, f"value {number}")
    cluster.delay_replication(0)
    return samples


def stale_fraction(samples: list[dict[str, Any]]) -> float:
    flags = [bool(sample["stale"]) for sample in samples]
    return flags.count(True) / len(flags) if flags else 0.0


class Session:
    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.favourites = cycle(cluster.node_ids)
        self.favourite = next(self.favourites)
        self.newest: dict[str, Version] = {}

    def put(self, key: str, value: Any) -> bool:
        answer = self.cluster.put(key, value)
        if version := Version.of(answer):
            self.newest[key] = version
        return version is not None

    def get(self, key: str) -> Any:
        leader = self.cluster.leader()
        for _ in self.cluster.node_ids:
            if self.favourite != leader:
                answer = self.cluster.get(key, via=self.favourite)
                if answer.ok and self.acceptable(key, answer):
                    return self.accept(key, answer)
            self.favourite = next(self.favourites)
        return self.accept(key, self.cluster.get(key))

    def acceptable(self, key: str, answer: Answer) -> bool:
        return (Version.of(answer) or NOTHING) >= self.newest.get(key, NOTHING)

    def accept(self, key: str, answer: Answer) -> Any:
        version = Version.of(answer)
        if version is None:
            self.newest.pop(key, None)
        else:
            self.newest[key] = version
        return answer.value
