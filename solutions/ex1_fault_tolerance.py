"""Exercise 1, reference solution."""

from __future__ import annotations

from itertools import combinations
from typing import TypedDict

from labs import Cluster, ConditionTimeout

PATIENCE = 10
"""Election timeouts that a cluster without a leader is given."""


class Row(TypedDict):
    stopped: list[str]
    reads: bool
    writes: bool
    leader: str | None
    leaderless_seconds: float | None


class Verdict(TypedDict):
    survives: bool
    reason: str


# -- (a) -------------------------------------------------------------------------------------------------


def availability(cluster: Cluster) -> list[Row]:
    first = cluster.node_ids[:3]
    sets = [(), *((node,) for node in cluster.node_ids), *combinations(first, 2)]
    return [_row(cluster, stopped) for stopped in sets]


def _row(cluster: Cluster, stopped: tuple[str, ...]) -> Row:
    wait_for_leader(cluster)
    cluster.put("before", "the stop")
    _let_copy(cluster)
    for node in stopped:
        cluster.stop(node)
    begin = cluster.now()
    leaderless = cluster.now() - begin if wait_for_leader(cluster) else None
    _let_copy(cluster)  # a leader that lost its majority needs a moment to notice
    leader = cluster.leader()
    row = Row(
        stopped=list(stopped),
        reads=any(cluster.get("before", via=node).value == "the stop" for node in _running(cluster, stopped)),
        writes=cluster.put("during", "the stop").ok,
        leader=leader,
        leaderless_seconds=leaderless if leader else None,
    )
    for node in stopped:
        cluster.start(node)
    wait_for_leader(cluster)
    _let_copy(cluster)
    return row


def _running(cluster: Cluster, stopped: tuple[str, ...]) -> list[str]:
    return [node for node in cluster.node_ids if node not in stopped]


def wait_for_leader(cluster: Cluster) -> str | None:
    try:
        return cluster.wait_for(lambda c: c.leader(), timeout=PATIENCE * cluster.settings.election_timeout)
    except ConditionTimeout:
        return None


def _let_copy(cluster: Cluster) -> None:
    cluster.sleep(2 * cluster.settings.election_timeout)


# -- (b) -------------------------------------------------------------------------------------------------


class Broken(Exception):
    """The store did not keep a promise; the message says which."""


def survives(cluster: Cluster) -> Verdict:
    try:
        _exercise(cluster)
    except Broken as broken:
        return Verdict(survives=False, reason=str(broken))
    return Verdict(survives=True, reason="every acknowledged write was where it belongs, whichever node stopped")


def _exercise(cluster: Cluster) -> None:
    expected: dict[str, str | None] = {}
    _write_some(cluster, expected, "at first")
    for node in cluster.node_ids:
        cluster.stop(node)
        if wait_for_leader(cluster) is None:
            raise Broken(f"nobody led after {node} had stopped")
        _compare(cluster, expected, f"after {node} had stopped", [n for n in cluster.node_ids if n != node])
        _write_some(cluster, expected, f"without {node}")
        cluster.start(node)
        _let_copy(cluster)
        _one_leader(cluster)
        _compare(cluster, expected, f"after {node} had come back", list(cluster.node_ids))
        _write_some(cluster, expected, f"with {node} again")
    _restart_all(cluster, expected)


def _write_some(cluster: Cluster, expected: dict[str, str | None], when: str) -> None:
    for number in range(12):
        _write(cluster, expected, f"key{number}", f"{when} {number}")
    for number in (3, 7):
        if not cluster.delete(f"key{number}").ok:
            raise Broken(f"a delete was refused {when}")
        expected[f"key{number}"] = None
    _let_copy(cluster)
    _compare(cluster, expected, f"right after writing {when}", [cluster.leader() or cluster.node_ids[0]])


def _write(cluster: Cluster, expected: dict[str, str | None], key: str, value: str) -> None:
    if not cluster.put(key, value).ok:
        raise Broken(f"a write was refused: {value}")
    expected[key] = value


def _compare(cluster: Cluster, expected: dict[str, str | None], when: str, nodes: list[str]) -> None:
    for node in nodes:
        for key, value in expected.items():
            answer = cluster.get(key, via=node)
            if not answer.ok or answer.value != value:
                raise Broken(f"{when} {node} has {answer.value!r} for {key}, not {value!r}")


def _one_leader(cluster: Cluster) -> None:
    leaders = [status.node_id for status in cluster.status().values() if status.role == "leader"]
    if len(leaders) != 1:
        raise Broken(f"these nodes lead at the same time: {', '.join(leaders) or 'none'}")


def _restart_all(cluster: Cluster, expected: dict[str, str | None]) -> None:
    """What was acknowledged is on disk, so it is there when the power comes back."""
    for node in cluster.node_ids:
        cluster.stop(node)
    for node in cluster.node_ids:
        cluster.start(node)
    if wait_for_leader(cluster) is None:
        raise Broken("nobody led after all nodes had been restarted")
    _let_copy(cluster)
    _compare(cluster, expected, "after all nodes had been restarted", list(cluster.node_ids))
