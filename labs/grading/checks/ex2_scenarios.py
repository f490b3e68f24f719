"""Directed situations of Exercise 2: those in which a session that remembers too little must show it.

Law of this module: a situation is made by what the cluster is told, never by what the session is expected to do; so it
is the same for every design.
"""

from __future__ import annotations

from collections.abc import Callable

from labs.cluster.simulated import SimulatedCluster
from labs.grading.check import StudentCode
from labs.grading.checks.ex2_session import KEYS, Scenario

STEPS = 60
FAR_BEHIND = 10_000
"""Milliseconds: longer than any of these situations."""


def played(
    number: int, delay: float, jitter: float, users: int = 1, steps: int = STEPS
) -> Callable[[StudentCode, int], Scenario]:
    def play(code: StudentCode, seed: int) -> Scenario:
        scenario = Scenario(code, seed, number, delay, jitter, users)
        scenario.play(steps)
        return scenario

    return play


def many_keys(code: StudentCode, seed: int) -> Scenario:
    """More keys than a memory that forgets the oldest would have room for."""
    scenario = Scenario(code, seed, 7, FAR_BEHIND)
    keys = [f"key {number}" for number in range(40)]
    for key in keys:
        scenario.put(key, "mine")
    for key in scenario.rng.sample(keys[:8], 4):
        scenario.get(key)
    return scenario


def one_is_behind_the_other(code: StudentCode, seed: int) -> Scenario:
    """One follower has another client's write, the other has not; the one that has it stops."""
    scenario = Scenario(code, seed, 4)
    cluster = scenario.cluster
    for key in KEYS[:2]:
        scenario.write_as_another(key, "first")
    cluster.sleep(0.3)
    for number, (fresh, behind) in enumerate((("node-2", "node-3"), ("node-3", "node-2")) * 2):
        key = KEYS[number // 2]
        cluster.cut("node-1", behind)
        scenario.write_as_another(key, f"theirs {number}")
        cluster.wait_for(_shows(fresh, key, f"theirs {number}"), 0.2)
        cluster.delay_replication(FAR_BEHIND)
        cluster.heal()
        for _ in range(3):
            scenario.get(key)
        cluster.kill(fresh)
        for _ in range(3):
            scenario.get(key)
        cluster.delay_replication(0)
        cluster.start(fresh)
        cluster.wait_for(_agrees(key))
        cluster.sleep(0.5)
    return scenario


def _shows(node: str, key: str, value: str) -> Callable[[SimulatedCluster], bool]:
    return lambda cluster: bool(cluster.peek(node, key).value == value)


def _agrees(key: str) -> Callable[[SimulatedCluster], bool]:
    return lambda cluster: len({cluster.peek(node, key).value for node in cluster.node_ids}) == 1


def between_two_writes(code: StudentCode, seed: int) -> Scenario:
    """Followers have neither the session's own write nor the one after it, another's or its own; then they have the
    first alone."""
    scenario = Scenario(code, seed, 5, 2000)
    for number, key in enumerate(KEYS):
        scenario.put(key, "mine")
        scenario.cluster.sleep(1.0)
        second = scenario.put if number == 1 else scenario.write_as_another
        second(key, "the next entry")
        scenario.get(key)
        scenario.cluster.sleep(1.15)
        for _ in range(3):
            scenario.get(key)
        scenario.cluster.sleep(2.5)
    return scenario


def a_branch_that_was_given_up(code: StudentCode, seed: int) -> Scenario:
    """The old leader comes back with writes that were lost: of an earlier term, and with higher indexes. They are more
    than a hundred, so that a term that weighs a hundred does not make up for them."""
    scenario = Scenario(code, seed, 6)
    cluster = scenario.cluster
    for key in KEYS:
        scenario.write_as_another(key, "first")
    cluster.sleep(0.3)
    cluster.delay_replication(FAR_BEHIND)
    for number in range(120):
        scenario.write_as_another(KEYS[number % 2], f"lost {number}")
    cluster.kill("node-1")
    cluster.delay_replication(0)
    cluster.wait_for(lambda c: c.leader() == "node-2")
    scenario.put("a", "mine")
    scenario.write_as_another("b", "theirs")
    cluster.sleep(0.3)
    for key in ("a", "b", "a", "b"):
        scenario.get(key)
    cluster.delay_replication(FAR_BEHIND)
    cluster.start("node-1")
    cluster.sleep(0.3)
    for key in ("a", "b") * 3:
        scenario.get(key)
    cluster.kill("node-3")
    for key in ("a", "b") * 2:
        scenario.get(key)
    return scenario


SITUATIONS: tuple[tuple[str, Callable[[StudentCode, int], Scenario]], ...] = (
    ("delay 100 ms", played(0, 100, 0)),
    ("delay 500 ms, two sessions", played(1, 500, 0, users=2)),
    ("delay 300 ms, jitter 400 ms", played(2, 300, 400)),
    ("no delay", played(3, 0, 0, steps=STEPS // 3)),
    ("forty keys", many_keys),
    ("one follower behind the other", one_is_behind_the_other),
    ("followers between two writes", between_two_writes),
    ("an old leader comes back with lost writes", a_branch_that_was_given_up),
)
