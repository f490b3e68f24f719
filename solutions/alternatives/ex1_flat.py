"""Exercise 1 as one long function each: no helpers, loops that ask for the leader, and a plain dictionary."""

from __future__ import annotations

from typing import Any

from labs import Cluster


def availability(cluster: Cluster) -> list[dict[str, Any]]:
    timeout = cluster.settings.election_timeout
    nodes = list(cluster.node_ids)
    sets: list[list[str]] = [[]]
    for node in nodes:
        sets.append([node])
    sets.append([nodes[0], nodes[1]])
    sets.append([nodes[0], nodes[2]])
    sets.append([nodes[1], nodes[2]])
    rows = []
    for stopped in sets:
        while cluster.leader() is None:
            cluster.sleep(0.1)
        key = "key-" + "-".join(stopped)
        cluster.put(key, 1)
        cluster.sleep(timeout * 2)
        for node in stopped:
            cluster.stop(node)
        start = cluster.now()
        found = None
        seconds = None
        while cluster.now() - start < 10 * timeout:
            found = cluster.leader()
            if found is not None:
                seconds = cluster.now() - start
                break
            cluster.sleep(0.05)
        cluster.sleep(timeout * 2)
        leader = cluster.leader()
        reads = False
        for node in nodes:
            if node not in stopped:
                answer = cluster.get(key, via=node)
                if answer.ok and answer.value == 1:
                    reads = True
        writes = cluster.put("probe", "x").ok
        if leader is None:
            seconds = None
        rows.append(
            {
                "stopped": stopped,
                "reads": reads,
                "writes": writes,
                "leader": leader,
                "leaderless_seconds": seconds,
            }
        )
        for node in stopped:
            cluster.start(node)
        cluster.sleep(timeout * 4)
    return rows


def survives(cluster: Cluster) -> dict[str, Any]:
    timeout = cluster.settings.election_timeout
    wanted: dict[str, int | None] = {}
    number = 0
    for node in cluster.node_ids:
        for _ in range(15):
            number += 1
            if not cluster.put(f"k{number}", number).ok:
                return {"survives": False, "reason": f"could not write k{number}"}
            wanted[f"k{number}"] = number
        if not cluster.delete(f"k{number}").ok:
            return {"survives": False, "reason": f"could not delete k{number}"}
        wanted[f"k{number}"] = None
        cluster.sleep(2 * timeout)
        cluster.stop(node)
        waited = 0.0
        while cluster.leader() is None:
            cluster.sleep(0.2)
            waited += 0.2
            if waited > 10 * timeout:
                return {"survives": False, "reason": f"no leader without {node}"}
        for key, value in wanted.items():
            answer = cluster.get(key)
            if not answer.ok or answer.value != value:
                return {"survives": False, "reason": f"{key} is {answer.value} without {node}"}
        number += 1
        if not cluster.put(f"k{number}", number).ok:
            return {"survives": False, "reason": f"could not write without {node}"}
        wanted[f"k{number}"] = number
        if not cluster.delete("k1").ok:
            return {"survives": False, "reason": f"could not delete without {node}"}
        wanted["k1"] = None
        cluster.sleep(2 * timeout)
        cluster.start(node)
        cluster.sleep(3 * timeout)
        leaders = []
        for name, status in cluster.status().items():
            if status.role == "leader":
                leaders.append(name)
        if len(leaders) != 1:
            return {"survives": False, "reason": f"leaders: {leaders}"}
        for name in cluster.node_ids:
            for key, value in wanted.items():
                if cluster.get(key, via=name).value != value:
                    return {"survives": False, "reason": f"{name} has another {key} after {node} came back"}
    for node in cluster.node_ids:
        cluster.stop(node)
    for node in cluster.node_ids:
        cluster.start(node)
    cluster.sleep(6 * timeout)
    for name in cluster.node_ids:
        for key, value in wanted.items():
            if cluster.get(key, via=name).value != value:
                return {"survives": False, "reason": f"{name} lost {key} when all were restarted"}
    return {"survives": True, "reason": "all is well"}
