"""Exercise 1 with whole copies: what each node holds is read into a dictionary and compared with the model's."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain, combinations
from typing import Any

from labs import Cluster, ConditionTimeout


@dataclass
class Model:
    """The store as it should be."""

    cluster: Cluster
    data: dict[str, Any] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def put(self, key: str, value: Any) -> None:
        if self.cluster.put(key, value).ok:
            self.data[key] = value
            self.gone.discard(key)
        else:
            self.faults.append(f"put {key} was not acknowledged")

    def delete(self, key: str) -> None:
        if self.cluster.delete(key).ok:
            self.data.pop(key, None)
            self.gone.add(key)
        else:
            self.faults.append(f"delete {key} was not acknowledged")

    def copy_of(self, node: str) -> dict[str, Any]:
        answers = {key: self.cluster.get(key, via=node) for key in chain(self.data, sorted(self.gone))}
        return {key: answer.value for key, answer in answers.items() if answer.code != 404}

    def compare(self, *nodes: str) -> None:
        self.faults += [f"{node} holds something else" for node in nodes if self.copy_of(node) != self.data]

    def has_leader(self) -> bool:
        try:
            self.cluster.wait_for(Cluster.leader)
        except ConditionTimeout:
            self.faults.append("there is no leader")
            return False
        return True

    def work(self, round_number: int) -> None:
        for number in range(20):
            self.put(f"item/{number}", [round_number, number])
        self.put(f"round/{round_number}", {"done": True})
        self.delete("item/5")
        self.delete("item/11")

    def settle(self) -> None:
        self.cluster.sleep(2.5 * self.cluster.settings.election_timeout)


def survives(cluster: Cluster) -> dict[str, Any]:
    model = Model(cluster)
    model.work(0)
    model.settle()
    for number, victim in enumerate(cluster.node_ids, 1):
        others = [node for node in cluster.node_ids if node != victim]
        cluster.kill(victim)
        if not model.has_leader():
            break
        model.compare(*others)
        model.work(number)
        model.settle()
        model.compare(*others)
        cluster.start(victim)
        model.settle()
        model.compare(*cluster.node_ids)
        leading = [status for status in cluster.status().values() if status.role == "leader"]
        if len(leading) > 1:
            model.faults.append("two leaders")
        if model.faults:
            break
    if not model.faults:
        for node in cluster.node_ids:
            cluster.kill(node)
        cluster.start()
        model.has_leader()
        model.settle()
        model.compare(*cluster.node_ids)
    return {"survives": not model.faults, "reason": model.faults[0] if model.faults else "kept all that it promised"}


# -- the table -------------------------------------------------------------------------------------------


def availability(cluster: Cluster) -> list[dict[str, Any]]:
    nodes = cluster.node_ids
    groups = [(), *combinations(nodes, 1), *combinations(nodes[:3], 2)]
    return [Trial(cluster, group).run() for group in groups]


class Trial:
    def __init__(self, cluster: Cluster, group: tuple[str, ...]) -> None:
        self.cluster, self.group = cluster, group
        self.timeout = cluster.settings.election_timeout
        self.alive = [node for node in cluster.node_ids if node not in group]

    def run(self) -> dict[str, Any]:
        self.recover()
        self.cluster.put("written-before", self.cluster.now())
        self.cluster.sleep(2 * self.timeout)
        kept = self.cluster.get("written-before").value
        led_before = self.cluster.leader()
        for node in self.group:
            self.cluster.stop(node)
        row: dict[str, Any] = {"stopped": sorted(self.group), "leaderless_seconds": self.gap(led_before)}
        self.cluster.sleep(2 * self.timeout)
        row["leader"] = self.cluster.leader()
        if row["leader"] is None:
            row["leaderless_seconds"] = None
        row["reads"] = any(self.cluster.get("written-before", via=node).value == kept for node in self.alive)
        row["writes"] = self.cluster.put("written-during", 1).ok
        for node in self.group:
            self.cluster.start(node)
        return row

    def gap(self, led_before: str | None) -> float | None:
        """Time until somebody else leads; none where the leader is still up."""
        if led_before in self.alive:
            return 0.0
        begin = self.cluster.now()
        while self.cluster.now() < begin + 10 * self.timeout:
            if self.cluster.leader():
                return self.cluster.now() - begin
            self.cluster.sleep(self.timeout / 50)
        return None

    def recover(self) -> None:
        self.cluster.start()
        try:
            self.cluster.wait_for(lambda c: c.leader())
        except ConditionTimeout:
            pass
        self.cluster.sleep(4 * self.timeout)
