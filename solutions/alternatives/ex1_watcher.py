"""Exercise 1 with a watcher: leaders are looked up in short steps all through an outage; the table is made of that."""

from __future__ import annotations

from typing import Any

from labs import Cluster

STEP = 0.05


class Watcher:
    """Seconds without a leader, and who led in the end."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.without = 0.0
        self.leader = cluster.leader()

    def watch(self, seconds: float) -> None:
        end = self.cluster.now() + seconds
        while self.cluster.now() < end:
            self.leader = self.cluster.leader()
            before = self.cluster.now()
            self.cluster.sleep(STEP)
            if self.leader is None:
                self.without += self.cluster.now() - before
        self.leader = self.cluster.leader()

    def watch_until_led(self, seconds: float) -> None:
        end = self.cluster.now() + seconds
        while self.leader is None and self.cluster.now() < end:
            self.watch(STEP)


def sets_of(nodes: tuple[str, ...]) -> list[tuple[str, ...]]:
    pairs = [(nodes[i], nodes[j]) for i in range(3) for j in range(i + 1, 3)]
    return [(), *[(node,) for node in nodes], *pairs]


def availability(cluster: Cluster) -> list[dict[str, Any]]:
    second = cluster.settings.election_timeout
    table = []
    for count, stopped in enumerate(sets_of(cluster.node_ids)):
        Watcher(cluster).watch_until_led(10 * second)
        cluster.put(f"old{count}", count)
        cluster.sleep(2 * second)
        for node in stopped:
            cluster.kill(node)
        watcher = Watcher(cluster)
        watcher.watch_until_led(10 * second)
        watcher.watch(2 * second)
        alive = [node for node in cluster.node_ids if node not in stopped]
        table.append(
            {
                "stopped": list(stopped),
                "reads": any(cluster.get(f"old{count}", via=node).value == count for node in alive),
                "writes": cluster.put(f"new{count}", count, timeout=3 * second).ok,
                "leader": watcher.leader,
                "leaderless_seconds": watcher.without if watcher.leader else None,
            }
        )
        for node in stopped:
            cluster.restart(node)
        Watcher(cluster).watch_until_led(10 * second)
        cluster.sleep(2 * second)
    return table


def survives(cluster: Cluster) -> dict[str, Any]:
    why = first_fault(cluster)
    return {"survives": why is None, "reason": why or "nothing was lost and somebody always led"}


def first_fault(cluster: Cluster) -> str | None:
    second = cluster.settings.election_timeout
    kept: dict[str, str | None] = {}

    def wrong(nodes: list[str]) -> str | None:
        for key, value in kept.items():
            for node in nodes:
                answer = cluster.get(key, via=node)
                if not answer.ok or (answer.code == 404) != (value is None) or answer.value != value:
                    return f"{key} at {node}: {answer.value}"
        return None

    def write(prefix: str) -> str | None:
        for letter in "abcdefghijklmnop":
            if not cluster.put(prefix + letter, letter).ok:
                return f"{prefix}{letter} refused"
            kept[prefix + letter] = letter
        for letter in "bj":
            if not cluster.delete(prefix + letter).ok:
                return f"deleting {prefix}{letter} refused"
            kept[prefix + letter] = None
        cluster.sleep(2 * second)
        return None

    everybody = list(cluster.node_ids)
    fault = write("start-")
    # The leader first, whoever that is; then the others, one after the other.
    for turn in range(len(everybody)):
        if fault:
            return fault
        leader = cluster.leader()
        victim = leader if turn == 0 and leader else everybody[turn]
        rest = [node for node in everybody if node != victim]
        cluster.stop(victim)
        watcher = Watcher(cluster)
        watcher.watch_until_led(10 * second)
        if watcher.leader is None:
            return f"no leader without {victim}"
        fault = wrong(rest) or write(f"{turn}-") or wrong(rest)
        cluster.start(victim)
        cluster.sleep(3 * second)
        fault = fault or wrong(everybody)
        if sum(status.role == "leader" for status in cluster.status().values()) != 1:
            return "not one leader"
    for node in everybody:
        cluster.stop(node)
    for node in everybody:
        cluster.start(node)
    Watcher(cluster).watch_until_led(10 * second)
    cluster.sleep(2 * second)
    return fault or wrong(everybody)
