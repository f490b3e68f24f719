"""Memory and journal of each node when a few keys have been written many times.

    python -m benchmarks.bench_memory [--quick] [--out results.json]

Memory, journal and time for a write are meant to follow the live data, not the number of writes so far. So the same
keys are overwritten again and again, and after every tenth of the writes each node is weighed: the figures must level
off.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from rich.table import Table

from benchmarks.load import LoadError, fill
from benchmarks.report import console, describe, machine, save
from labs.cluster.base import Cluster, ClusterError, Settings
from labs.cluster.process import ProcessCluster

SETTLE = 120.0
STAGES = 10
MB = 1e6


@dataclass(frozen=True)
class Weight:
    """One node after `writes` writes. Sizes in MB; `rate`: writes a second in the tenth that just ended."""

    node: str
    writes: int
    resident: float
    journal: float
    log_length: int
    rate: float


def run(keys: int, writes: int, mode: str, durable: bool) -> Iterator[Weight]:
    settings = Settings(mode=mode, durable=durable, heartbeat_ms=500, election_timeout_ms=5000)
    with ProcessCluster(settings) as cluster:
        cluster.start()
        url = cluster.url(cluster.wait_for(lambda c: c.leader() or "", SETTLE)) or ""
        rate = fill(url, keys)
        yield from _weigh_all(cluster, keys, rate.per_second)
        for stage in range(1, STAGES + 1):
            rate = fill(url, keys, writes // STAGES)
            yield from _weigh_all(cluster, keys + stage * (writes // STAGES), rate.per_second)


def _weigh_all(cluster: ProcessCluster, writes: int, rate: float) -> Iterator[Weight]:
    cluster.wait_for(_all_equal, SETTLE)
    for node, status in cluster.status().items():
        process = psutil.Process(cluster.pid(node))
        log_length = int(status.raw["log_length"])
        yield Weight(node, writes, process.memory_info().rss / MB, _journal(process) / MB, log_length, rate)


def _all_equal(cluster: Cluster) -> bool:
    return len({status.raw.get("commit_index", node) for node, status in cluster.status().items()}) == 1


def _journal(process: psutil.Process) -> int:
    """Bytes of all files in the node's DATA_DIR."""
    folder = process.environ().get("DATA_DIR")
    return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file()) if folder else 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_memory", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the writes")
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--writes", type=int, default=1_000_000)
    parser.add_argument("--mode", choices=("async", "quorum", "sync"), default="quorum")
    parser.add_argument("--memory-only", action="store_true", help="nodes without a journal")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    about = machine()
    console.print(describe(about))
    writes = options.writes // 10 if options.quick else options.writes
    weights = []
    try:
        for weight in run(options.keys, writes, options.mode, not options.memory_only):
            weights.append(weight)
            console.print(
                f"  {weight.writes:,} writes, {weight.node}: {weight.resident:.0f} MB, {weight.journal:.0f} MB"
            )
    except (LoadError, ClusterError) as error:
        console.print(f"stopped: {error}", style="red", markup=False)
        return 1
    console.print(_table(weights, options.keys))
    save(options.out, {"machine": about, "keys": options.keys, "weights": [asdict(weight) for weight in weights]})
    return 0


def _table(weights: Sequence[Weight], keys: int) -> Table:
    drawn = Table(title=f"{keys:,} small keys: each node's greatest figures, by the number of writes")
    for heading in ("writes", "resident MB", "journal MB", "log entries", "writes/s"):
        drawn.add_column(heading, justify="right")
    for writes in dict.fromkeys(weight.writes for weight in weights):
        same = [weight for weight in weights if weight.writes == writes]
        drawn.add_row(
            f"{writes:,}",
            f"{max(w.resident for w in same):.0f}",
            f"{max(w.journal for w in same):.0f}",
            f"{max(w.log_length for w in same):,}",
            f"{same[0].rate:,.0f}",
        )
    return drawn


if __name__ == "__main__":
    sys.exit(main())
