"""Reads and writes a second against a live cluster of three, beside the baseline and the ceiling.

    python -m benchmarks.bench_store [--quick] [--out results.json]

All rows come from one run on one machine; only their ratios travel to another. Reads and writes go to the leader, over
one and over eight kept-alive connections, one request at a time on each. "0 keys" is an empty store, to which the
benchmark adds the single key that it writes and reads.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psutil
from rich.table import Table

from benchmarks import processes
from benchmarks.baseline import copy_to
from benchmarks.load import LoadError, Rate, Workload, default_generator, fill, measure
from benchmarks.report import console, describe, machine, save
from labs.cluster.base import Cluster, ClusterError, Settings
from labs.cluster.process import ProcessCluster

SETTLE = 120.0
"""Seconds that followers may take to catch up with what was written before the next figure is taken."""


@dataclass(frozen=True)
class Plan:
    """What to measure. `seconds` is the length of each single figure."""

    keys: tuple[int, ...] = (0, 1_000, 10_000, 100_000)
    connections: tuple[int, ...] = (1, 8)
    modes: tuple[str, ...] = ("async", "quorum", "sync")
    durable: tuple[bool, ...] = (False, True)
    seconds: float = 3.0
    generator: str = "auto"


QUICK = Plan(keys=(0, 10_000), seconds=1.0)


@dataclass(frozen=True)
class Figure:
    """One measured rate and what it is the rate of. `mode` and `durable` concern the store only.

    * `cpu_us`: microseconds of processor time that the node asked spent on one answer. Unlike the rate it hardly
      depends on what else the machine is doing
    * `behind`: entries that the slowest follower had still to get when a run of writes ended
    """

    node: str
    operation: str
    connections: int
    keys: int
    rate: Rate
    cpu_us: float
    mode: str = ""
    durable: bool = False
    behind: int | None = None

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "per_second": round(self.rate.per_second, 1), "clean": self.rate.clean}


# --------------------------------------------------------------------------------------------------------
# Measuring


def run(plan: Plan) -> Iterator[Figure]:
    yield from run_ceiling(plan)
    yield from run_baseline(plan)
    for mode, durable in itertools.product(plan.modes, plan.durable):
        yield from run_store(plan, mode, durable)


def run_ceiling(plan: Plan) -> Iterator[Figure]:
    with processes.ceiling() as served:
        for connections in plan.connections:
            yield Figure("ceiling", "read", connections, 1, *_rate(plan, served, "GET", 1, connections))


def run_baseline(plan: Plan) -> Iterator[Figure]:
    with processes.baseline() as nodes:
        for keys in plan.keys:
            # Key by key it would take hours, each write being a copy of all before it.
            whole = json.dumps({f"key-{number}": f"value-{number}" for number in range(keys)}).encode()
            for node in nodes:
                copy_to(node.url, whole)
            yield from _both("baseline", plan, nodes[0], keys)


def run_store(plan: Plan, mode: str, durable: bool) -> Iterator[Figure]:
    # Patient timings: with three nodes and the generator on few cores, a heartbeat can be late without anybody dead.
    settings = Settings(mode=mode, durable=durable, heartbeat_ms=500, election_timeout_ms=5000)
    with ProcessCluster(settings) as cluster:
        cluster.start()
        leader = cluster.wait_for(lambda c: c.leader() or "", SETTLE)
        served = processes.Served(cluster.url(leader) or "", cluster.pid(leader) or 0)
        for keys in plan.keys:
            if keys:
                fill(served.url, keys)
            _settle(cluster)
            for figure in _both("replstore", plan, served, keys):
                behind = _behind(cluster, leader) if figure.operation == "write" else None
                yield replace(figure, mode=mode, durable=durable, behind=behind)
                _settle(cluster)


def _both(node: str, plan: Plan, served: processes.Served, keys: int) -> Iterator[Figure]:
    """Writes before reads: where there were no keys, the writes make the one that is read."""
    for (operation, method), connections in itertools.product((("write", "PUT"), ("read", "GET")), plan.connections):
        found = _rate(plan, served, method, max(1, keys), connections)
        yield Figure(node, operation, connections, keys, *found)


def _rate(plan: Plan, served: processes.Served, method: str, keys: int, connections: int) -> tuple[Rate, float]:
    """The rate, and the node's processor time for each answer in microseconds."""
    before = _cpu(served.pid)
    rate = measure(served.url, Workload(method, keys), connections, plan.seconds, plan.generator)
    return rate, round(1e6 * (_cpu(served.pid) - before) / max(1, rate.requests), 1)


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def _behind(cluster: Cluster, leader: str) -> int:
    lags = cluster.status()[leader].raw.get("lag", {})
    return max((lag for lag in lags.values() if lag is not None), default=0)


def _settle(cluster: Cluster) -> None:
    """Wait until every node has applied everything, so that one figure does not pay for the one before."""

    def all_have_everything(c: Cluster) -> bool:
        seen = [status.raw for status in c.status().values()]
        return len({raw.get("last_index", -1) for raw in seen} | {raw.get("commit_index", -2) for raw in seen}) == 1

    cluster.wait_for(all_have_everything, SETTLE)


# --------------------------------------------------------------------------------------------------------
# Telling


def table(figures: Sequence[Figure], title: str, cell: Callable[[Figure], str]) -> Table:
    """One row for each node, mode and number of keys; one column for each operation and number of connections."""
    columns = sorted({(f.operation, f.connections) for f in figures})
    rows = list(dict.fromkeys((f.node, f.mode, f.durable, f.keys) for f in figures))
    drawn = Table(title=title)
    for heading in ("node", "keys"):
        drawn.add_column(heading, no_wrap=True)
    for operation, connections in columns:
        drawn.add_column(f"{operation}s, {connections} conn.", justify="right")
    cells = {(f.node, f.mode, f.durable, f.keys, f.operation, f.connections): f for f in figures}
    for row in rows:
        found = [cells.get((*row, *column)) for column in columns]
        drawn.add_row(_name(*row[:3]), f"{row[3]:,}", *(cell(figure) if figure else "" for figure in found))
    return drawn


def _name(node: str, mode: str, durable: bool) -> str:
    return f"{mode}, journal" if durable else mode or node


def _rate_cell(figure: Figure) -> str:
    return f"{figure.rate.per_second:,.0f}" + ("" if figure.rate.clean else " !")


def _cpu_cell(figure: Figure) -> str:
    return f"{figure.cpu_us:,.0f}"


@dataclass(frozen=True)
class Ratio:
    """`rate`: one rate divided by the other. `cpu`: likewise the processor time for one answer, which stays meaningful
    when the machine was busy with other things during one of the two and not during the other."""

    rate: float
    cpu: float


def ratios(figures: Sequence[Figure]) -> dict[str, Ratio]:
    """The figures that can be compared between machines; only those whose parts were measured."""
    of = {
        (f.node, f.mode, f.durable, f.operation, f.connections, f.keys): f
        for f in figures
        if f.rate.per_second > 0 and f.cpu_us > 0
    }
    few = min((f.keys for f in figures if f.node == "replstore"), default=0)
    reads = ("replstore", "async", False, "read", 8, few)
    writes = ("replstore", "async", False, "write", 1, few)
    wanted = {
        "local reads, 8 connections / ceiling": (reads, ("ceiling", "", False, "read", 8, 1)),
        "local reads, 8 connections / baseline": (reads, ("baseline", "", False, "read", 8, few)),
        "async writes, 1 connection / baseline": (writes, ("baseline", "", False, "write", 1, few)),
        "async writes, 8 connections / ceiling's reads": (
            ("replstore", "async", False, "write", 8, few),
            ("ceiling", "", False, "read", 8, 1),
        ),
        "quorum writes / async writes, 8 connections": (
            ("replstore", "quorum", False, "write", 8, few),
            ("replstore", "async", False, "write", 8, few),
        ),
    }
    for keys in sorted({f.keys for f in figures if f.keys > few}):
        for node, mode in (("replstore", "async"), ("baseline", "")):
            many, base = ((node, mode, False, "write", 1, number) for number in (keys, few))
            wanted[f"{node}: writes at {keys:,} keys / at {few:,} keys, 1 connection"] = (many, base)
    found = {name: (of[one], of[other]) for name, (one, other) in wanted.items() if one in of and other in of}
    return {name: _ratio(one, other) for name, (one, other) in found.items()}


def _ratio(one: Figure, other: Figure) -> Ratio:
    return Ratio(round(one.rate.per_second / other.rate.per_second, 3), round(one.cpu_us / other.cpu_us, 3))


def _ratio_table(found: dict[str, Ratio]) -> Table:
    drawn = Table(title="ratios within this run")
    drawn.add_column("what")
    drawn.add_column("rates", justify="right")
    drawn.add_column("processor time", justify="right")
    for name, ratio in found.items():
        drawn.add_row(name, f"{ratio.rate:g}", f"{ratio.cpu:g}")
    return drawn


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    plan = QUICK if options.quick else Plan()
    changes = {"seconds": options.seconds, "keys": options.keys, "modes": options.modes, "generator": options.generator}
    plan = replace(plan, **{name: value for name, value in changes.items() if value})
    about = machine()
    console.print(
        f"{describe(about)}\ngenerator: {default_generator() if plan.generator == 'auto' else plan.generator}"
    )
    figures = []
    try:
        for figure in run(plan):
            figures.append(figure)
            name = f"{_name(figure.node, figure.mode, figure.durable)}, {figure.keys:,} keys"
            console.print(f"  {name}, {figure.connections} conn.: {figure.operation}s {_rate_cell(figure)}/s")
    except (LoadError, ClusterError, processes.StartError) as error:
        console.print(f"stopped: {error}", style="red", markup=False)
        return 1
    found = ratios(figures)
    console.print(table(figures, "answers per second", _rate_cell))
    console.print(table(figures, "processor time of the node asked, µs for each answer", _cpu_cell))
    console.print(_ratio_table(found))
    rows = [figure.to_json() for figure in figures]
    compared = {name: asdict(ratio) for name, ratio in found.items()}
    save(options.out, {"machine": about, "plan": asdict(plan), "figures": rows, "ratios": compared})
    unclean = sum(not figure.rate.clean for figure in figures)
    if unclean:
        console.print(
            f"{unclean} figures (marked !) had refused or unanswered requests: do not trust them", style="red"
        )
    return 1 if unclean else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_store", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer sizes, one second each: about two minutes")
    parser.add_argument("--out", type=Path, help="write everything to this JSON file")
    parser.add_argument("--seconds", type=float, help="length of each single figure")
    parser.add_argument("--keys", type=int, nargs="+", help="numbers of keys in the store")
    parser.add_argument("--modes", nargs="+", choices=("async", "quorum", "sync"))
    parser.add_argument("--generator", choices=("auto", "wrk", "asyncio"))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
