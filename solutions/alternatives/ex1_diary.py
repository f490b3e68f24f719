"""Exercise 1 in another way: crashes instead of orderly stops, writes instead of looking for the leader, and a diary of
what every key should be.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import combinations
from typing import Any

from labs import Cluster, ConditionTimeout

# -- (a) -------------------------------------------------------------------------------------------------


@contextmanager
def without(cluster: Cluster, nodes: tuple[str, ...]) -> Iterator[float]:
    """These nodes are dead inside; gives the time of their death, and lets everybody recover afterwards."""
    for node in nodes:
        cluster.kill(node)
    yield cluster.now()
    for node in nodes:
        cluster.start(node)
    with suppress(ConditionTimeout):
        cluster.wait_for(lambda c: c.leader() is not None)
    cluster.sleep(4 * cluster.settings.election_timeout)


def availability(cluster: Cluster) -> list[dict[str, Any]]:
    everybody = cluster.node_ids
    groups: list[tuple[str, ...]] = [(), *[(node,) for node in everybody], *combinations(everybody[:3], 2)]
    table = []
    for number, group in enumerate(groups):
        cluster.put("old", number)
        cluster.sleep(2 * cluster.settings.election_timeout)
        with without(cluster, group) as died:
            table.append(look(cluster, group, number, died))
    return table


def look(cluster: Cluster, group: tuple[str, ...], number: int, died: float) -> dict[str, Any]:
    alive = [node for node in cluster.node_ids if node not in group]
    found, limit = None, died + 10 * cluster.settings.election_timeout
    waited = 0.0
    while found is None and cluster.now() < limit:
        found = next((s.node_id for s in cluster.status().values() if s.role == "leader"), None)
        waited = cluster.now() - died
        if found is None:
            cluster.sleep(0.1)
    writes = any(cluster.put("new", number, via=node).ok for node in alive)
    cluster.sleep(max(0.0, died + 3 * cluster.settings.election_timeout - cluster.now()))
    leader = cluster.leader()
    return {
        "stopped": list(group),
        "reads": any(cluster.get("old", via=node).value == number for node in alive),
        "writes": writes,
        "leader": leader,
        "leaderless_seconds": None if leader is None else waited,
    }


# -- (b) -------------------------------------------------------------------------------------------------


class Diary:
    """What was acknowledged, and every complaint about what was not found."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.pages: dict[str, Any] = {}
        self.complaints: list[str] = []

    def write(self, prefix: str) -> None:
        for number in range(20):
            self.note(f"{prefix}{number}", self.cluster.put(f"{prefix}{number}", number).ok, number)
        for number in (0, 9, 19):
            self.note(f"{prefix}{number}", self.cluster.delete(f"{prefix}{number}").ok, None)
        self.cluster.sleep(3 * self.cluster.settings.election_timeout)

    def note(self, key: str, acknowledged: bool, value: Any) -> None:
        if acknowledged:
            self.pages[key] = value
        else:
            self.complaints.append(f"{key} could not be written")

    def compare(self, nodes: list[str]) -> None:
        for node in nodes:
            answers = {key: self.cluster.get(key, via=node) for key in self.pages}
            wrong = [key for key, answer in answers.items() if not answer.ok or answer.value != self.pages[key]]
            if wrong:
                self.complaints.append(f"{node} is wrong about {', '.join(wrong[:3])}")

    def one_leader(self) -> None:
        count = sum(status.role == "leader" for status in self.cluster.status().values())
        if count != 1:
            self.complaints.append(f"{count} leaders")


def survives(cluster: Cluster) -> dict[str, Any]:
    diary = Diary(cluster)
    diary.write("first")
    for step in (_lose_one_by_one, _lose_all):
        if not diary.complaints:
            step(cluster, diary)
    return {"survives": not diary.complaints, "reason": "; ".join(diary.complaints[:3]) or "nothing was wrong"}


def _lose_one_by_one(cluster: Cluster, diary: Diary) -> None:
    for node in reversed(cluster.node_ids):
        with without(cluster, (node,)):
            diary.write(f"without-{node}-")
            diary.compare([other for other in cluster.node_ids if other != node])
        diary.compare(list(cluster.node_ids))
        diary.one_leader()


def _lose_all(cluster: Cluster, diary: Diary) -> None:
    with without(cluster, cluster.node_ids):
        pass
    diary.compare(list(cluster.node_ids))
    diary.one_leader()
