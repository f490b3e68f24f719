"""Exercise 1's checks: each mistake costs what it is about and nothing else. (Right designs get everything: see
`test_banks`, and with sandboxes `test_exercises_marks`.)"""

from __future__ import annotations

import pytest

from labs.grading.checks.broken_stores import FAULTS
from tools.direct import lost, outcome, planted, the_checks

BROKEN = {f"ex1.broken.{fault.name.replace(' ', '-')}" for fault in FAULTS}
VERDICT = "def survives(cluster: Cluster) -> Verdict:\n"


# --------------------------------------------------------------------------------------------------------
# survives

MISTAKES: dict[str, tuple[set[str], list[tuple[str, str]]]] = {
    "always says yes": (BROKEN, [(VERDICT, f"{VERDICT}    return Verdict(survives=True, reason='looks fine')\n")]),
    "always says no": ({"ex1.good"}, [(VERDICT, f"{VERDICT}    return Verdict(survives=False, reason='no')\n")]),
    "says nothing": ({"ex1.good"}, [(VERDICT, f"{VERDICT}    return None  # type: ignore\n")]),
    "gives its verdict as a text": ({"ex1.good"}, [("survives=True, ", 'survives="yes", ')]),
    "lets its own finding escape as an exception": (
        {"ex1.broken.drops-deletes", "ex1.broken.stays-stale", "ex1.broken.loses-some", "ex1.broken.two-leaders"}
        | {"ex1.broken.forgets-on-restart", "ex1.broken.acknowledges-first", "ex1.broken.stands-still"},
        [("    except Broken as broken:\n        return", "    except ZeroDivisionError as broken:\n        return")],
    ),
    "does not look whether deletes were carried out": (
        {"ex1.broken.drops-deletes"},
        [('expected[f"key{number}"] = None', 'expected.pop(f"key{number}")')],
    ),
    "does not try a restart": (
        {"ex1.broken.forgets-on-restart", "ex1.broken.drops-deletes"},
        [("    _restart_all(cluster, expected)\n\n\n", "\n\n")],
    ),
    "stops one node alone and asks nobody but the leader": (
        {"ex1.broken.stays-stale", "ex1.broken.two-leaders", "ex1.broken.forgets-on-restart"}
        | {"ex1.broken.stands-still", "ex1.broken.drops-deletes"},
        [
            (
                "    for node in cluster.node_ids:\n        cluster.stop(node)\n        if",
                "    for node in cluster.node_ids[:1]:\n        cluster.stop(node)\n        if",
            ),
            ("    for node in nodes:\n", "    for node in [cluster.leader() or nodes[0]]:\n"),
            ("        _one_leader(cluster)\n", ""),
            ("    _restart_all(cluster, expected)\n\n\n", "\n\n"),
        ],
    ),
    "writes too little to meet what happens now and then": (
        {"ex1.broken.loses-some"},
        [("range(12)", "range(2)"), ("for number in (3, 7)", "for number in (0,)")],
    ),
    "waits until even a lazy store has caught up": (
        {"ex1.broken.acknowledges-first"},
        [("cluster.sleep(2 * cluster", "cluster.sleep(32 * cluster")],
    ),
    "expects the old leader to lead again": (
        {"ex1.good"},
        [("    if len(leaders) != 1:", '    if leaders != ["node-1"]:')],
    ),
    "expects a new leader at once": (
        {"ex1.good"},
        [
            (
                'if wait_for_leader(cluster) is None:\n            raise Broken(f"nobody',
                'if cluster.leader() is None:\n            raise Broken(f"nobody',
            )
        ],
    ),
}


@pytest.mark.sample(5)
@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_test_of_the_store_that(mistake: str) -> None:
    intended, changes = MISTAKES[mistake]

    assert lost("ex1", planted("ex1", *changes)).keys() == intended


# --------------------------------------------------------------------------------------------------------
# availability

TABLE_MISTAKES: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "has no pairs": ("stopped node-1, node-2: there is no such row", [(", *combinations(first, 2)]", "]")]),
    "says who leads before that is settled": (
        "stopped node-1: leader: you say 'node-1', it was 'node-2'",
        [("        leader=leader,\n", "        leader='node-1',\n")],
    ),
    "asks one node for the write": (
        "stopped node-1: writes: you say False, it was True",
        [('writes=cluster.put("during", "the stop")', 'writes=cluster.put("during", "the stop", via="node-1")')],
    ),
    "asks one node for the read": (
        "stopped node-1: reads: you say False, it was True",
        [("for node in _running(cluster, stopped)),", "for node in ['node-1']),")],
    ),
    "counts the settling as time without a leader": (
        "stopped node-1: leaderless_seconds: you say",
        [("leaderless_seconds=leaderless if leader", "leaderless_seconds=cluster.now() - begin if leader")],
    ),
    "gives the times in milliseconds": (
        "stopped node-1: leaderless_seconds: you say",
        [("leaderless_seconds=leaderless if leader", "leaderless_seconds=1000 * (leaderless or 0) if leader")],
    ),
    "believes that everything works always": (
        "3 nodes, LowestId, quorum, stopped node-1, node-2: writes: you say True, it was False",
        [('writes=cluster.put("during", "the stop").ok', 'writes=bool(cluster.put("during", "the stop"))')],
    ),
    "was made without stopping a node": (
        "stopped node-1: these nodes were never down together",
        [("        cluster.stop(node)\n    begin", "        cluster.get('before')\n    begin")],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("mistake", TABLE_MISTAKES)
def test_a_table_that(mistake: str) -> None:
    """The other checks call `survives` alone, which none of these changes touches."""
    evidence, changes = TABLE_MISTAKES[mistake]

    found = outcome(the_checks("ex1")["ex1.availability"], planted("ex1", *changes))

    assert not found.passed
    assert evidence in found.evidence[0]
    assert 0 < found.share < 1, "the other rows are right"


@pytest.mark.slow
def test_a_table_of_something_else_is_refused_in_one_sentence() -> None:
    no_list = planted("ex1", ("    return [_row(cluster, stopped) for stopped in sets]", "    return 7"))
    odd_row = planted("ex1", ("        stopped=list(stopped),\n", "        stopped=3,\n"))

    table = the_checks("ex1")["ex1.availability"]

    assert outcome(table, no_list).message.startswith("availability must return a list of dicts with leader,")
    assert outcome(table, odd_row).message.startswith("“stopped” must be a list of node ids, not 3")
