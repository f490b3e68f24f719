"""How long nobody answers a write after the leader was killed, in units of the election timeout T.

    python -m benchmarks.bench_failover [--quick] [--out results.json]

Each trial: kill the leader at a random moment between two of its heartbeats, ask the survivors in turn to write until
one of them has, note how long that took; then start the dead node again and wait until all agree. The strategy is the
default, `LowestId`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from random import Random

import psutil
import requests
from rich.table import Table

from benchmarks.report import console, describe, machine, save, spread
from labs.cluster.base import Cluster, ClusterError, Settings
from labs.cluster.process import ProcessCluster

PAUSE = 0.005
"""Seconds between two questions: the resolution of the measurement."""
GIVE_UP = 20
"""In units of T."""


@dataclass(frozen=True)
class Trial:
    """`seconds`: from the kill to the first answered write. `refused`: questions until then."""

    killed: str
    successor: str
    seconds: float
    timeouts: float
    refused: int


def run(settings: Settings, trials: int, seed: int) -> Iterator[Trial]:
    rng = Random(seed)
    with ProcessCluster(settings) as cluster:
        cluster.start()
        for number in range(trials):
            leader = cluster.wait_for(agreed_leader, 30.0)
            time.sleep(rng.uniform(0, settings.heartbeat_ms / 1000))  # any moment between two heartbeats is as good
            yield _trial(cluster, leader, number)
            cluster.start(leader)


def agreed_leader(cluster: Cluster) -> str:
    """Whom all nodes take for the leader, all being up and holding equally long logs; empty where there is none."""
    seen = cluster.status().values()
    leaders = {status.leader_id for status in seen}
    logs = {status.raw.get("last_index", -1) for status in seen}
    return (leaders.pop() or "") if all(s.answers for s in seen) and len(leaders) == len(logs) == 1 else ""


def _trial(cluster: ProcessCluster, leader: str, number: int) -> Trial:
    survivors = [node for node in cluster.node_ids if node != leader]
    timeout = cluster.settings.election_timeout
    # Not `cluster.kill`: before it kills, it collects the node's events, and that time is not the fail-over's.
    process = psutil.Process(cluster.pid(leader))
    began = time.monotonic()
    process.kill()
    with requests.Session() as client:
        for refused, node in enumerate(cycle(survivors)):
            if _writes(client, f"{cluster.url(node)}/key/trial-{number}", timeout):
                seconds = time.monotonic() - began
                return Trial(leader, node, seconds, seconds / timeout, refused)
            if time.monotonic() - began > GIVE_UP * timeout:
                break
            time.sleep(PAUSE)
    raise ClusterError(f"no write was answered within {GIVE_UP} T after {leader} was killed")


def _writes(client: requests.Session, url: str, timeout: float) -> bool:
    try:
        return client.put(url, json="x", timeout=timeout).status_code == 200
    except (requests.ConnectionError, requests.Timeout):
        return False


def histogram(values: Sequence[float], width: float = 0.1) -> Table:
    """Trials by time, in classes of `width` T."""
    classes = [int(value / width) for value in values]
    drawn = Table(title="first answered write after the kill")
    drawn.add_column("T")
    drawn.add_column("trials", justify="right")
    drawn.add_column("")
    for number in range(min(classes), max(classes) + 1):
        count = classes.count(number)
        drawn.add_row(f"{number * width:.1f} – {(number + 1) * width:.1f}", str(count), "█" * count)
    return drawn


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_failover", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="five trials")
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--mode", choices=("async", "quorum", "sync"), default="async")
    parser.add_argument("--heartbeat", type=int, default=100, help="milliseconds")
    parser.add_argument("--timeout", type=int, default=400, help="T, the election timeout, in milliseconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    settings = Settings(mode=options.mode, heartbeat_ms=options.heartbeat, election_timeout_ms=options.timeout)
    about = machine()
    console.print(describe(about))
    try:
        trials = list(run(settings, 5 if options.quick else options.trials, options.seed))
    except ClusterError as error:
        console.print(f"stopped: {error}", style="red", markup=False)
        return 1
    times = [trial.timeouts for trial in trials]
    found = spread(times)
    console.print(histogram(times))
    console.print(
        f"T = {options.timeout} ms, {len(times)} trials: " + ", ".join(f"{k} {v:.2f} T" for k, v in found.items())
    )
    rows = [asdict(trial) for trial in trials]
    save(
        options.out,
        {"machine": about, "mode": options.mode, "timeout_ms": options.timeout, "spread": found, "trials": rows},
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
