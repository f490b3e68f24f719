"""Exercise 2: are the measurements true, and does the session keep its guarantees while it reads from followers?"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from labs.cluster.base import Answer, ConditionTimeout
from labs.cluster.simulated import SimulatedCluster
from labs.grading.check import Check, CheckOutcome, Scene, StudentCode, failed, passed
from labs.grading.checks.clusters import applied_at, make, scene
from labs.grading.checks.ex2_session import KIND, EntryVersion, Scenario, version_of
from labs.grading.cluster_gateway import ClusterGateway

DELAYS = (0, 100, 500)
UNSEEN_DELAYS = (0, 150, 400, 700)
"""An instructor's, so that nothing can be guessed."""
WRITES = 10
MOST_WRITES = 100
"""More than anybody needs for ten samples; with many thousands the comparison would take hours."""
TOLERANCE = 0.15
"""Seconds: how finely a client that asks again and again can be expected to look."""
AT_ONCE = 0.06
"""Seconds that the first reads after a write may take: what is behind for longer has to be found stale."""


def checks(level: str) -> list[Check]:
    return [
        Check(
            "ex2.staleness",
            "ex2",
            "Measures how far followers are behind",
            25,
            _staleness,
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
            lambda code: _guarantee(code, "own"),
            rule="After an acknowledged put(key, value), get(key) gives that value or a newer one (Terry et al. 1994).",
            hint="Remember term and index of what you wrote; take no older answer from a follower.",
        ),
        Check(
            "ex2.monotonic-reads",
            "ex2",
            "A session never goes back in time",
            20,
            lambda code: _guarantee(code, "seen"),
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


# -- measuring -------------------------------------------------------------------------------------------


def _staleness(code: StudentCode) -> CheckOutcome:
    wrong: list[str] = []
    where: Scene | None = None
    delays = DELAYS if code.level == "student" else UNSEEN_DELAYS
    for delay in delays:
        with make(KIND, code.seeds[-1] + delay) as cluster:
            gateway = ClusterGateway(cluster)
            samples = code.call("staleness", gateway, delay)
            problem = _malformed(samples) or _differences(samples, delay, gateway, cluster) or _left_over(cluster)
            if problem:
                wrong.append(f"delay {delay} ms: {problem}")
                where = where or scene(cluster)
    if not wrong:
        return passed()
    share = 1 - len(wrong) / len(delays)
    return failed("the samples are not what happened", evidence=tuple(wrong), share=share, scene=where)


def _left_over(cluster: SimulatedCluster) -> str | None:
    left = cluster.simulator.faults.replication_delay_ms
    return f"replication is still delayed by {left:g} ms afterwards" if left else None


def _malformed(samples: Any) -> str | None:
    if type(samples) is not list:
        return "staleness must return a list"
    for sample in samples:
        fine = type(sample) is dict and sample.keys() >= {"node", "stale", "seconds"}
        if not fine or type(sample["stale"]) is not bool or type(sample["seconds"]) not in (int, float):
            return f"not a sample: {sample!r:.100}"
    return None


def _differences(
    samples: list[dict[str, Any]], delay: float, gateway: ClusterGateway, cluster: SimulatedCluster
) -> str | None:
    writes = _acknowledged(gateway, delay)
    if len(writes) > MOST_WRITES:
        return f"{len(writes)} acknowledged writes; {WRITES} were asked for"
    for node, lags in _true_lags(writes, cluster).items():
        mine = [sample for sample in samples if sample["node"] == node]
        if len(mine) < WRITES or len(lags) < len(mine):
            return (
                f"{len(mine)} samples of {node}, and {len(lags)} acknowledged writes while the delay was {delay:g} ms;"
                f" {WRITES} were asked for"
            )
        # Before or after the ten that count there may be others, to begin with or to clear up.
        problems = [_differ(mine, lags[i : i + len(mine)]) for i in range(len(lags) - len(mine) + 1)]
        if None not in problems:
            return f"{node}: {problems[-1]}"
    return None


def _differ(mine: list[dict[str, Any]], lags: list[float]) -> str | None:
    for sample, lag in zip(sorted(mine, key=lambda s: s["seconds"]), sorted(lags), strict=True):
        if abs(sample["seconds"] - lag) > TOLERANCE:
            return f"you say it took {sample['seconds']:.3f} s, it took {lag:.3f} s"
    least, most = sum(lag > AT_ONCE for lag in lags), sum(lag > 0.001 for lag in lags)
    stale = sum(sample["stale"] for sample in mine)
    if least <= stale <= max(least, most):
        return None
    return f"you say {stale} of {len(mine)} first reads were stale, {least} were"


def _acknowledged(gateway: ClusterGateway, delay: float) -> list[tuple[float, EntryVersion]]:
    """When the writes were acknowledged that the student's code made while replication was delayed as asked."""
    writes, in_force = [], 0.0
    for call in gateway.calls:
        if call.method == "delay_replication":
            in_force = call.arguments["ms"]
        elif call.method == "put" and in_force == delay and isinstance(call.result, Answer) and call.result.ok:
            writes.append((call.ended, version_of(call.result)))
    return writes


def _true_lags(writes: list[tuple[float, EntryVersion]], cluster: SimulatedCluster) -> dict[str, list[float]]:
    """For each follower, how long after each acknowledgement it had applied the write."""
    events = cluster.events()
    followers = [node for node in cluster.node_ids if node != "node-1"]
    lags: dict[str, list[float]] = {node: [] for node in followers}
    for acknowledged, (term, index) in writes:
        for node in followers:
            moment = applied_at(events, node, index, term)
            lags[node].append(max(0.0, (cluster.now() if moment is None else moment) - acknowledged))
    return lags


def _fraction(code: StudentCode) -> CheckOutcome:
    rng = Random(f"fraction/{code.seeds[-1]}")
    cases = [[], [True], [False], *([rng.random() < 0.5 for _ in range(rng.randint(2, 40))] for _ in range(8))]
    for flags in cases:
        samples = [{"node": "node-2", "stale": flag, "seconds": 0.1 if flag else 0.0} for flag in flags]
        expected = sum(flags) / len(flags) if flags else 0.0
        answer = code.call("stale_fraction", samples)
        if type(answer) not in (int, float) or abs(answer - expected) > 1e-9:
            return failed(f"{sum(flags)} stale of {len(flags)}: you say {answer!r}, it is {expected:.3f}")
    return passed()


# -- sessions --------------------------------------------------------------------------------------------


NETWORK_CONDITIONS = ((100, 0), (500, 0), (300, 400), (0, 0))
STEPS = 60


def _guarantee(code: StudentCode, which: str) -> CheckOutcome:
    bad: list[str] = []
    first: CheckOutcome | None = None
    for number, (delay, jitter) in enumerate(NETWORK_CONDITIONS):
        scenario = Scenario(code, code.seeds[-1 - number % len(code.seeds)], number, delay, jitter)
        scenario.play(STEPS)
        if which in scenario.problems:
            bad.append(f"delay {delay} ms, jitter {jitter} ms: {scenario.problems[which]}")
            check = "read-your-writes" if which == "own" else "monotonic-reads"
            first = first or scenario.failed(check, "the guarantee was broken")
    if first is None:
        return passed(f"{len(NETWORK_CONDITIONS)} sessions of {STEPS} steps")
    return replace(first, evidence=tuple(bad))


def _reads_followers(code: StudentCode) -> CheckOutcome:
    """Followers that are not behind can answer everything; the leader need not be asked for a key but now and then."""
    scenario = Scenario(code, code.seeds[-1], 7, 5, 0)
    for key in ("a", "b", "c"):  # who asks the leader about a key that a follower does not have is only careful
        scenario.write_as_another(key, "theirs")
    scenario.cluster.sleep(0.2)
    for _ in range(40):
        scenario.get(scenario.rng.choice(["a", "b", "c"]))
        scenario.cluster.sleep(0.05)
        if scenario.rng.random() < 0.2:
            scenario.put("a", f"mine {len(scenario.versions)}")
            scenario.cluster.sleep(0.2)
    asked = sum(bool(leader) for leader, _ in scenario.gets)
    share = asked / len(scenario.gets)
    if share <= 0.5:
        return passed(f"the leader was asked in {asked} of {len(scenario.gets)} reads")
    message = f"the leader was asked in {asked} of {len(scenario.gets)} reads, though the followers were up to date"
    return scenario.failed("reads-followers", message, share=max(0.0, 2 * (1 - share)))


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
        if scenario.problems or value != "new":
            message = f"after the fail-over the session wrote 'new' and then read {value!r}"
            return scenario.failed("fail-over", message)
        for node in cluster.node_ids:
            cluster.kill(node)
        if (acknowledged := scenario.try_to_put("a", "never")[0]) is not False:
            message = f"put returned {acknowledged!r}, though all nodes were down"
            return scenario.failed("fail-over", message)
    return passed()
