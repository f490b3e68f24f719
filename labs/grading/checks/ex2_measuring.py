"""Exercise 2's measurement: what the samples say is compared with what each follower did.

Law of this module: the truth is read from the run: when a follower applied an entry, and what the first read gave.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import replace
from typing import Any, NamedTuple

from labs.cluster.base import Answer
from labs.cluster.simulated import SimulatedCluster
from labs.grading.check import CheckOutcome, Scene, StudentCode, failed, passed
from labs.grading.checks.clusters import applied_at, make, scene
from labs.grading.checks.ex2_session import KIND, EntryVersion, version_of
from labs.grading.cluster_gateway import ClusterGateway
from labs.trace.prose import counted

DELAYS = (0, 100, 500)
UNSEEN_DELAYS = (0, 10, 150, 400, 700)
"""An instructor's, so that nothing can be guessed."""
COMPARED = 2
"""Delays with which the second run makes sure that the answers do not change."""
WRITES = 10
MOST_WRITES = 100
"""More than anybody needs for ten samples; with many thousands the comparison would take hours."""
LARGE = replace(KIND, nodes=5)
"""One of the clusters has more followers than the others."""
TOLERANCE = 0.15
"""Seconds: how finely a client that asks again and again can be expected to look."""
AT_ONCE = 0.06
"""Seconds that the first reads after a write may take: what is behind for longer has to be found stale."""


def measured_truly(code: StudentCode) -> CheckOutcome:
    wrong: list[str] = []
    where: Scene | None = None
    delays = DELAYS if code.level == "student" else UNSEEN_DELAYS
    for number, delay in code.cases(enumerate(delays), COMPARED):
        kind = LARGE if number == 1 else KIND
        with make(kind, code.seeds[-1] + delay, cluster_class=IrregularCluster, dice=code.dice) as cluster:
            if number % 2:
                _let_another_lead(cluster)
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


class IrregularCluster(SimulatedCluster):
    """Copies that are held back come at irregular times, as on real networks: the delay is not the lag."""

    JITTER = 600
    """Milliseconds. Small delays get as much as they are: then some followers are behind at the first read only."""

    def delay_replication(self, ms: float, jitter_ms: float = 0) -> None:
        super().delay_replication(ms, jitter_ms + (self.JITTER if ms >= 50 else ms))


def _let_another_lead(cluster: SimulatedCluster) -> None:
    cluster.kill("node-1")
    cluster.wait_for(lambda c: c.leader() not in (None, "node-1"))
    cluster.start("node-1")
    cluster.sleep(3 * cluster.settings.election_timeout)


def _left_over(cluster: SimulatedCluster) -> str | None:
    left = cluster.simulator.faults.replication_delay_ms
    return f"replication is still delayed by {left:g} ms afterwards" if left else None


def _malformed(samples: Any) -> str | None:
    if type(samples) is not list:
        return "staleness must return a list"
    for sample in samples:
        fine = type(sample) is dict and sample.keys() >= {"node", "stale", "seconds"} and type(sample["node"]) is str
        if not fine or type(sample["stale"]) is not bool or type(sample["seconds"]) not in (int, float):
            return f"not a sample: {sample!r:.100}"
    return None


def _differences(
    samples: list[dict[str, Any]], delay: float, gateway: ClusterGateway, cluster: SimulatedCluster
) -> str | None:
    writes = _acknowledged(gateway, delay)
    if len(writes) > MOST_WRITES:
        return f"{len(writes)} acknowledged writes; {WRITES} were asked for"
    truth = _true_lags(writes, gateway, cluster)
    for sample in samples:
        if sample["node"] not in truth:
            return f"a sample of {sample['node']!r:.40}, which is no follower; these are {', '.join(truth)}"
    for node, lags in truth.items():
        mine = [sample for sample in samples if sample["node"] == node]
        if len(mine) < WRITES or len(lags) < len(mine):
            acknowledged = counted(len(lags), "acknowledged write")
            return (
                f"{counted(len(mine), 'sample')} of {node}, and {acknowledged} while the delay was {delay:g} ms;"
                f" {WRITES} of each were asked for"
            )
        # Before or after the ten that count there may be others, to begin with or to clear up.
        problems = [_differ(mine, lags[i : i + len(mine)]) for i in range(len(lags) - len(mine) + 1)]
        if None not in problems:
            return f"{node}: {problems[-1]}"
    return None


class Lag(NamedTuple):
    """How far a follower was behind one write."""

    seconds: float
    """From the acknowledgement until the follower had applied it."""
    first_stale: bool | None
    """Whether the first read of the key there did not give it; None: nobody read it there."""


def _differ(mine: list[dict[str, Any]], lags: list[Lag]) -> str | None:
    in_order = sorted(lag.seconds for lag in lags)
    for sample, lag in zip(sorted(mine, key=lambda s: s["seconds"]), in_order, strict=True):
        if not abs(sample["seconds"] - lag) <= TOLERANCE:
            return f"you say it took {sample['seconds']:.3f} s, it took {lag:.3f} s"
    least, most = sum(lag > AT_ONCE for lag in in_order), sum(lag > 0.001 for lag in in_order)
    if all(lag.first_stale is not None for lag in lags):
        read = sum(bool(lag.first_stale) for lag in lags)
        least, most = max(least, read), min(max(least, most), read)
    stale = sum(sample["stale"] for sample in mine)
    most = max(least, most)
    if least <= stale <= most:
        return None
    truth = f"{least} were" if least == most else f"at least {least} and at most {most} were"
    return f"you say {stale} of {len(mine)} first reads were stale, {truth}"


class Write(NamedTuple):
    """One that was acknowledged while replication was delayed as asked."""

    acknowledged: float
    version: EntryVersion
    leader: str
    key: str
    value: Any


def _acknowledged(gateway: ClusterGateway, delay: float) -> list[Write]:
    writes, in_force = [], 0.0
    for call in gateway.calls:
        if call.method == "delay_replication":
            in_force = call.arguments["ms"]
        elif call.method == "put" and in_force == delay and isinstance(call.result, Answer) and call.result.ok:
            asked = call.arguments
            written = Write(call.ended, version_of(call.result), call.result.node, asked["key"], asked["value"])
            writes.append(written)
    return writes


def _true_lags(writes: list[Write], gateway: ClusterGateway, cluster: SimulatedCluster) -> dict[str, list[Lag]]:
    """For each follower, how long after each acknowledgement it had applied the write."""
    events = cluster.events()
    reads = _reads(gateway)
    leaders = {write.leader for write in writes}
    lags: dict[str, list[Lag]] = {node: [] for node in cluster.node_ids if node not in leaders}
    for write in writes:
        for node, found in lags.items():
            moment = applied_at(events, node, write.version[1], write.version[0])
            seconds = max(0.0, (cluster.now() if moment is None else moment) - write.acknowledged)
            found.append(Lag(seconds, _first_read_stale(reads[write.key, node], write)))
    return lags


def _reads(gateway: ClusterGateway) -> dict[tuple[str, str], list[tuple[float, Any]]]:
    """When each key was asked for at each node, and what that gave."""
    found: dict[tuple[str, str], list[tuple[float, Any]]] = defaultdict(list)
    for call in gateway.calls:
        if call.method == "get" and call.arguments["via"] and isinstance(call.result, Answer):
            found[call.arguments["key"], call.arguments["via"]].append((call.began, call.result.value))
    return found


def _first_read_stale(reads: list[tuple[float, Any]], write: Write) -> bool | None:
    place = bisect_left(reads, write.acknowledged, key=lambda read: read[0])
    return None if place == len(reads) else bool(reads[place][1] != write.value)
