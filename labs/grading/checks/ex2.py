"""Exercise 2: are the measurements true, and does the session keep its guarantees while it reads from followers?"""

from __future__ import annotations

from dataclasses import replace
from random import Random

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
        # However short: what counts is the first read.
        samples = [
            {"node": "node-2", "stale": flag, "seconds": rng.choice([0.002, 0.1]) if flag else 0.0} for flag in flags
        ]
        expected = sum(flags) / len(flags) if flags else 0.0
        answer = code.call("stale_fraction", samples)
        if type(answer) not in (int, float) or abs(answer - expected) > 1e-9:
            return failed(f"{sum(flags)} stale of {len(flags)}: you say {answer!r}, it is {expected:.3f}")
    return passed()


# -- sessions --------------------------------------------------------------------------------------------


def _guarantee(code: StudentCode, which: str) -> CheckOutcome:
    bad: list[str] = []
    first: CheckOutcome | None = None
    for number, (name, situation) in enumerate(SITUATIONS):
        scenario = situation(code, code.seeds[-1 - number % len(code.seeds)])
        if problem := scenario.problem(which):
            bad.append(f"{name}: {problem}")
            first = first or scenario.failed(CHECKS[which], "the guarantee was broken")
    if first is None:
        return passed(f"{len(SITUATIONS)} situations")
    return replace(first, evidence=tuple(bad))


ENOUGH = 0.5
"""The share of reads that followers alone must answer where they could answer all."""


MANY_KEYS = tuple("abcdef")


def _reads_followers(code: StudentCode) -> CheckOutcome:
    """Followers that are not behind can answer everything; the leader need not be asked for a key but now and then.

    What one session knows is no other session's business: one of two has written, and the other, who has not seen it,
    may be shown what was there before; and the last one's cluster is younger than those of the others, and node-2 leads
    in it.
    """
    for number, situation in enumerate((_one_reader, _two_readers, _without_node_1)):
        scenario = Scenario(code, code.seeds[-1], 7 + number, 5, users=2)
        unseen = situation(scenario, 40 // (number + 1))
        if unseen:
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


def _two_readers(scenario: Scenario, reads: int) -> str | None:
    cluster = scenario.cluster
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
    for _ in range(reads):
        scenario.get(scenario.rng.choice(KEYS), 1)
    return None


def _without_node_1(scenario: Scenario, reads: int) -> str | None:
    scenario.cluster.kill("node-1")
    scenario.cluster.wait_for(lambda c: c.leader() == "node-2")
    return _one_reader(scenario, reads)


def _one_reader(scenario: Scenario, steps: int) -> str | None:
    """What a read did not see though every node had it."""
    newest: dict[str, str] = {}
    for key in MANY_KEYS:  # who asks the leader about a key that a follower does not have is only careful
        newest[key] = "theirs"
        scenario.write_as_another(key, newest[key])
    scenario.cluster.sleep(0.2)
    for step in range(steps):
        key = scenario.rng.choice(MANY_KEYS)
        value = scenario.get(key)
        if value != newest[key]:
            return f"every node had {newest[key]!r} for the key, but get gave {value!r:.100}"
        scenario.cluster.sleep(0.05)
        if scenario.rng.random() < 0.3:
            key = scenario.rng.choice(MANY_KEYS)
            newest[key] = f"new {step}"
            if scenario.rng.random() < 0.5:
                scenario.put(key, newest[key])
            else:
                scenario.write_as_another(key, newest[key])
            scenario.cluster.sleep(0.2)
    return None


def _deletes(code: StudentCode) -> CheckOutcome:
    for number, (delay, jitter) in enumerate(((0, 0), (300, 200))):
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
    for seed in code.seeds[-3:]:
        scenario = Scenario(code, seed, 8, 500, 0)
        cluster = scenario.cluster
        scenario.put("a", "kept")
        cluster.sleep(1.5)
        scenario.put("a", "lost")
        cluster.kill("node-1")
        cluster.wait_for(lambda c: c.leader() not in (None, "node-1"))
        value = scenario.user.call("get", "a")
        kept = cluster.get("a").value
        if value != kept:
            message = f"after the fail-over the leader has {kept!r} for the key, but get gave {value!r}"
            return scenario.failed("fail-over", message)
        scenario.put("a", "new")
        value = scenario.user.call("get", "a")
        if scenario.answers or value != "new":
            message = f"after the fail-over the session wrote 'new' and then read {value!r}"
            return scenario.failed("fail-over", message)
        for node in cluster.node_ids:
            cluster.kill(node)
        if (acknowledged := scenario.try_to_put("a", "never")[0]) is not False:
            message = f"put returned {acknowledged!r}, though all nodes were down"
            return scenario.failed("fail-over", message)
    return passed()
