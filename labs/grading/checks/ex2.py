"""Exercise 2: are the measurements true, and does the session keep its guarantees while it reads from followers?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from random import Random
from typing import Any

from labs.cluster.base import ConditionTimeout
from labs.cluster.simulated import SimulatedCluster
from labs.grading.check import Check, CheckOutcome, StudentCode, failed, passed
from labs.grading.checks.ex2_measuring import measured_truly
from labs.grading.checks.ex2_scenarios import FAR_BEHIND, SITUATIONS
from labs.grading.checks.ex2_session import CHECKS, KEYS, OWN, SEEN, Scenario
from labs.grading.dice import mixed


def checks(level: str) -> list[Check]:
    return [
        Check(
            "ex2.staleness",
            "ex2",
            "Measures how far followers are behind",
            25,
            measured_truly,
            rule="Each sample is what the follower did: stale at the first read or not, fresh after that long.",
            hint="Read from all followers first, before you wait for any of them; the time begins when put returns.",
        ),
        Check(
            "ex2.fraction",
            "ex2",
            "Computes the stale fraction",
            10,
            _fraction,
            rule="stale_fraction is the share of samples whose first read was stale; 0 without samples.",
            hint="Return 0 for an empty list.",
        ),
        Check(
            "ex2.read-your-writes",
            "ex2",
            "A session reads its own writes",
            20,
            lambda code: _guarantee(code, OWN),
            rule="After an acknowledged put(key, value), get(key) gives that value or a newer one (Terry et al. 1994).",
            hint="Remember term and index of what you wrote; take no older answer from a follower.",
        ),
        Check(
            "ex2.monotonic-reads",
            "ex2",
            "A session never goes back in time",
            20,
            lambda code: _guarantee(code, SEEN),
            rule="What get(key) gave once, a later get(key) never goes behind (Terry et al. 1994).",
            hint="Remember term and index of what you read, too. A missing key has no version: ask the leader then.",
        ),
        Check(
            "ex2.reads-followers",
            "ex2",
            "It reads from followers when it may",
            10,
            _reads_followers,
            rule="Where a follower's answer is new enough, the leader is not asked for the key.",
            hint="Ask a follower first; go to the leader only if none has what you need.",
            depends_on=("ex2.read-your-writes", "ex2.monotonic-reads"),
        ),
        Check(
            "ex2.deletes",
            "ex2",
            "It sees that a key was deleted",
            5,
            _deletes,
            rule="When another client has deleted a key and everybody knows, get gives None.",
            hint="If not even the leader has the key any more, it is gone: forget what you remember of it.",
            depends_on=("ex2.read-your-writes",),
        ),
        Check(
            "ex2.fail-over",
            "ex2",
            "It goes on after a fail-over that lost a write",
            10,
            _fail_over,
            rule="If even the leader does not have a write any more, get gives what the leader has, and goes on.",
            hint="Do not wait for a version that nobody has.",
            depends_on=("ex2.read-your-writes",),
        ),
    ]


# -- the stale fraction ------------------------------------------------------------------------------


def _fraction(code: StudentCode) -> CheckOutcome:
    rng = Random(mixed(f"fraction/{code.seeds[-1]}", code.dice))
    cases = [[], [True], [False], *([rng.random() < 0.5 for _ in range(rng.randint(2, 40))] for _ in range(8))]
    for flags in cases:
        # However short, what counts is the first read; and of nodes with unequal numbers of samples, each sample.
        samples = [
            {
                "node": f"node-{rng.choice((2, 2, 2, 3) if flag else (2, 3, 3, 3))}",
                "stale": flag,
                "seconds": rng.choice([0.002, 0.1]) if flag else 0.0,
            }
            for flag in flags
        ]
        expected = sum(flags) / len(flags) if flags else 0.0
        answer = code.call("stale_fraction", samples)
        if type(answer) not in (int, float) or abs(answer - expected) > 1e-9:
            return failed(f"{sum(flags)} stale of {len(flags)}: you say {answer!r}, it is {expected:.3f}")
    return passed()


COMPARED = 2
"""Situations in which the second run of a check makes sure that the answers do not change."""

# -- sessions --------------------------------------------------------------------------------------------


def _guarantee(code: StudentCode, which: str) -> CheckOutcome:
    bad: list[str] = []
    first: CheckOutcome | None = None
    for number, (name, situation) in code.cases(enumerate(SITUATIONS), COMPARED):
        scenario = situation(code, code.seeds[-1 - number % len(code.seeds)])
        if problem := scenario.problem(which):
            bad.append(f"{name}: {problem}")
            first = first or scenario.failed(CHECKS[which], "the guarantee was broken")
    if first is None:
        return passed(f"{len(SITUATIONS)} situations")
    return replace(first, evidence=tuple(bad))


ENOUGH = 0.5
"""The share of reads that followers alone must answer where they could answer all."""


def _reads_followers(code: StudentCode) -> CheckOutcome:
    """Followers that are not behind can answer everything; the leader need not be asked for a key but now and then:
    neither for what the session has written itself, nor for what others write all the time. Each node leads once.

    What one session knows is no other session's business: one of two has written, and the other, who has not seen it,
    may be shown what was there before; and the last one's cluster is younger than those of the others.
    """
    for number, situation in code.cases(enumerate((_its_own, _two_readers, _others_write)), 1):
        scenario = Scenario(code, code.seeds[-1], 7 + number, 5, users=2)
        if unseen := situation(scenario):
            return scenario.failed("reads-followers", unseen)
        share = sum(follower and not leader for follower, leader in scenario.asked) / len(scenario.asked)
        if share < ENOUGH:
            leader = sum(leader for _, leader in scenario.asked)
            message = (
                f"in {leader} of {len(scenario.asked)} reads the leader was asked, in"
                f" {sum(follower for follower, _ in scenario.asked)} a follower, though the followers were new enough"
            )
            return scenario.failed("reads-followers", message, share=share / ENOUGH)
    return passed()


def _two_readers(scenario: Scenario) -> str | None:
    cluster = scenario.cluster
    for node in ("node-1", "node-2"):
        cluster.kill(node)
    cluster.wait_for(lambda c: c.leader() == "node-3")
    for node in ("node-1", "node-2"):
        cluster.start(node)
    cluster.sleep(3 * cluster.settings.election_timeout)
    for key in KEYS:
        scenario.write_as_another(key, "known to both")
    cluster.sleep(0.5)
    for key in KEYS * 2:
        scenario.get(key, 0)
        scenario.get(key, 1)
    cluster.delay_replication(FAR_BEHIND)
    for key in KEYS:
        scenario.put(key, "mine", 0)
    scenario.asked.clear()
    for _ in range(20):
        scenario.get(scenario.rng.choice(KEYS), 1)
    return None


def _its_own(scenario: Scenario) -> str | None:
    """Most of what it reads it has written."""
    return _reads(scenario, 30, 0.3, scenario.put)


def _others_write(scenario: Scenario) -> str | None:
    """Nothing that it reads it has seen before. What it knows was lost with an earlier leader: it is of an earlier
    term, and has higher indexes."""
    cluster = scenario.cluster
    cluster.delay_replication(FAR_BEHIND)
    for key in KEYS[:2]:
        scenario.put(key, "mine")
    for number in range(20):
        scenario.write_as_another(KEYS[number % 2], f"lost {number}")
    for key in KEYS[:2]:
        scenario.get(key)
    cluster.kill("node-1")
    cluster.delay_replication(0)
    cluster.wait_for(lambda c: c.leader() == "node-2")
    scenario.asked.clear()
    return _reads(scenario, 16, 1.0, scenario.write_as_another)


def _reads(scenario: Scenario, steps: int, share: float, write: Callable[[str, Any], None]) -> str | None:
    """`steps` reads of keys that every node has; before this share of them, on average, somebody writes. Returns what
    a read did not see. The values are a text, then numbers that fall to 0 and below: newer is not greater."""
    newest: dict[str, Any] = {}
    keys = KEYS[:2]
    for key in keys:  # who asks the leader about a key that a follower does not have is only careful
        newest[key] = "first"
        write(key, newest[key])
    scenario.cluster.sleep(0.2)
    number = 3
    for step in range(steps):
        key = scenario.rng.choice(keys)
        if step and scenario.rng.random() < share:
            newest[key] = number
            number -= 1
            write(key, newest[key])
            scenario.cluster.sleep(0.2)
        value = scenario.get(key)
        if value != newest[key]:
            return f"every running node had {newest[key]!r} for the key, but get gave {value!r:.100}"
        scenario.cluster.sleep(0.05)
    return None


def _deletes(code: StudentCode) -> CheckOutcome:
    for number, (delay, jitter) in code.cases(enumerate(((0, 0), (300, 200))), 1):
        scenario = Scenario(code, code.seeds[-1], number, delay, jitter)
        scenario.put("a", "mine")
        scenario.write_as_another("b", "theirs")
        scenario.cluster.sleep(1.5)
        for key in ("a", "b"):
            scenario.get(key)
            scenario.cluster.delete(key)
        for _ in range(8):
            scenario.user.call("get", "a")
            scenario.cluster.sleep(0.1)
        try:
            scenario.cluster.wait_for(_everybody_knows)
        except ConditionTimeout:
            message = "a key that another client had deleted came back: get must not write"
            return scenario.failed("deletes", message)
        for key in ("a", "b"):
            value = scenario.user.call("get", key)
            if value is not None:
                message = f"the key had been deleted by another client, as every node knew, but get gave {value!r:.100}"
                return scenario.failed("deletes", message)
        scenario.put("a", "again")
        if (value := scenario.user.call("get", "a")) != "again":
            message = f"the session wrote 'again' after the deletion, and read {value!r:.100}"
            return scenario.failed("deletes", message)
    return passed()


def _everybody_knows(cluster: SimulatedCluster) -> bool:
    return all(cluster.peek(node, key).code == 404 for node in cluster.node_ids for key in ("a", "b"))


def _fail_over(code: StudentCode) -> CheckOutcome:
    """What is lost: a write of the session, and one that it has read, after one of its own. Another session, which
    knows of nothing, reads the same: a node that is down does not tell it that a key has no value."""
    for seed in code.cases(code.seeds[-3:], 1):
        scenario = Scenario(code, seed, 8, 500, 0, users=2)
        cluster = scenario.cluster
        for key in KEYS:
            scenario.put(key, "kept")
        cluster.sleep(1.5)
        scenario.put("b", "mine")
        scenario.write_as_another("b", "lost, too")
        scenario.get("b")
        scenario.put("a", "lost")
        cluster.kill("node-1")
        for user in scenario.users:
            value = user.call("get", "c")
            if value != "kept":
                had = "the leader had stopped, and both followers had 'kept' for the key"
                return scenario.failed("fail-over", f"{had}, but get gave {value!r:.100}")
        cluster.wait_for(lambda c: c.leader() not in (None, "node-1"))
        for user, key in product(scenario.users, ("a", "b")):
            value = user.call("get", key)
            kept = cluster.get(key).value
            if value != kept:
                message = f"after the fail-over the leader has {kept!r} for the key, but get gave {value!r:.100}"
                return scenario.failed("fail-over", message)
        acknowledged, written = scenario.try_to_put("a", "new")
        value = scenario.user.call("get", "a")
        if not written or acknowledged is not True:
            writes = f"{len(written)} of its writes were acknowledged"
            message = f"after the fail-over put returned {acknowledged!r:.100}, and {writes}"
            return scenario.failed("fail-over", message)
        if value != "new":
            message = f"after the fail-over the session wrote 'new' and then read {value!r:.100}"
            return scenario.failed("fail-over", message)
        for node in cluster.node_ids:
            cluster.kill(node)
        if (acknowledged := scenario.try_to_put("a", "never")[0]) is not False:
            message = f"put returned {acknowledged!r}, though all nodes were down"
            return scenario.failed("fail-over", message)
    return passed()
