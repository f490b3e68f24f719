"""Exercise 1 as a list of scenarios, each a generator that yields its complaints; the first complaint decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from labs import Cluster, ConditionTimeout

Scenario = Callable[[Cluster], Iterator[str]]


def pause(cluster: Cluster, timeouts: float = 2.0) -> None:
    cluster.sleep(timeouts * cluster.settings.election_timeout)


def a_leader(cluster: Cluster) -> str | None:
    try:
        return cluster.wait_for(lambda c: c.leader())
    except ConditionTimeout:
        return None


def values(cluster: Cluster, node: str, keys: list[str]) -> list[Any]:
    return [cluster.get(key, via=node).value for key in keys]


# -- (b) -------------------------------------------------------------------------------------------------


def every_write_is_kept(cluster: Cluster) -> Iterator[str]:
    keys = [f"kept{number}" for number in range(30)]
    for number, key in enumerate(keys):
        if not cluster.put(key, number).ok:
            yield f"{key} was not accepted"
    pause(cluster)
    for node in cluster.node_ids:
        if values(cluster, node, keys) != list(range(30)):
            yield f"{node} has not got all"


def deletes_reach_everybody(cluster: Cluster) -> Iterator[str]:
    cluster.put("deleted", "once")
    pause(cluster)
    if not cluster.delete("deleted").ok:
        yield "the delete was not accepted"
    pause(cluster)
    for node in cluster.node_ids:
        if cluster.get("deleted", via=node).code != 404:
            yield f"{node} still has what was deleted"


def any_node_may_stop(cluster: Cluster) -> Iterator[str]:
    for node in cluster.node_ids:
        cluster.put("before", node)
        pause(cluster)
        cluster.stop(node)
        if a_leader(cluster) is None:
            yield f"without {node} nobody leads"
        if cluster.get("before").value != node:
            yield f"without {node} a write is lost"
        for number in range(3):
            if not cluster.put(f"during{number}", [node, number]).ok:
                yield f"without {node} nothing can be written"
        if not cluster.delete("during2").ok:
            yield f"without {node} nothing can be deleted"
        pause(cluster)
        cluster.start(node)
        pause(cluster, 3)
        for name in cluster.node_ids:
            if values(cluster, name, ["before", "during0", "during1", "during2"]) != [node, [node, 0], [node, 1], None]:
                yield f"{name} is behind after {node} came back"
        roles = [status.role for status in cluster.status().values()]
        if roles.count("leader") != 1:
            yield f"{roles.count('leader')} leaders after {node} came back"


def the_power_fails(cluster: Cluster) -> Iterator[str]:
    keys = [f"power{number}" for number in range(10)]
    for key in keys:
        cluster.put(key, key)
    cluster.delete(keys[4])
    pause(cluster)
    for node in cluster.node_ids:
        cluster.stop(node)
    for node in reversed(cluster.node_ids):
        cluster.start(node)
    if a_leader(cluster) is None:
        yield "nobody leads after a restart"
    pause(cluster, 3)
    wanted = [None if key == keys[4] else key for key in keys]
    for node in cluster.node_ids:
        if values(cluster, node, keys) != wanted:
            yield f"{node} has forgotten something"


SCENARIOS: list[Scenario] = [every_write_is_kept, deletes_reach_everybody, any_node_may_stop, the_power_fails]


def survives(cluster: Cluster) -> dict[str, Any]:
    a_leader(cluster)
    for scenario in SCENARIOS:
        for complaint in scenario(cluster):
            return {"survives": False, "reason": f"{scenario.__name__}: {complaint}"}
    return {"survives": True, "reason": "no scenario found anything"}


# -- (a) -------------------------------------------------------------------------------------------------


def availability(cluster: Cluster) -> list[dict[str, Any]]:
    a, b, c = cluster.node_ids[:3]
    return [row(cluster, nodes) for nodes in [[], *([node] for node in cluster.node_ids), [a, b], [b, c], [c, a]]]


def row(cluster: Cluster, nodes: list[str]) -> dict[str, Any]:
    a_leader(cluster)
    cluster.put("old", nodes)
    pause(cluster)
    for node in nodes:
        cluster.stop(node)
    begin = cluster.now()
    a_leader(cluster)
    gap: float | None = cluster.now() - begin
    pause(cluster)
    leader = cluster.leader()
    running = [node for node, status in cluster.status().items() if status.state == "running"]
    answers = [cluster.get("old", via=node) for node in running]
    written = cluster.put("new", nodes)
    for node in nodes:
        cluster.start(node)
    pause(cluster, 5)
    return {
        "stopped": nodes,
        "reads": any(answer.code == 200 and answer.value == nodes for answer in answers),
        "writes": written.ok,
        "leader": leader,
        "leaderless_seconds": gap if leader is not None else None,
    }
