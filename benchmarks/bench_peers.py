"""The store beside etcd and Redis: writes that a quorum has on disk, linearizable reads and local reads.

    python -m benchmarks.bench_peers [--quick] [--beside OTHER_CHECKOUT] [--out peers.json]

Three nodes of each, all with fsync, all up at once, asked in turn by one generator; see `peers` for what each of them
promises. Each round asks every system for the same; what counts is the median of the rounds, and the median of each
round's ratio to etcd.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.table import Table

from benchmarks import closed_loop, peers
from benchmarks.load import LoadError, Rate
from benchmarks.peers import OPERATIONS, Peer
from benchmarks.processes import StartError
from benchmarks.report import console, describe, machine, save
from labs.cluster.base import ClusterError

OURS, OTHER = "replstore", "other checkout"


@dataclass(frozen=True)
class Plan:
    """`seconds` is the length of each single figure."""

    connections: tuple[int, ...] = (1, 8, 64)
    operations: tuple[str, ...] = OPERATIONS
    rounds: int = 7
    seconds: float = 1.5


QUICK = {"rounds": 3, "seconds": 0.5}


@dataclass(frozen=True)
class Figure:
    system: str
    operation: str
    connections: int
    rates: tuple[Rate, ...]
    """One for each round."""

    @property
    def per_second(self) -> float:
        return median(rate.per_second for rate in self.rates)

    @property
    def clean(self) -> bool:
        return all(rate.clean for rate in self.rates)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "per_second": round(self.per_second, 1), "clean": self.clean}


def run(systems: Sequence[Peer], plan: Plan, tell: Callable[[Figure], None]) -> list[Figure]:
    for system in systems:  # a key that is read must be there
        closed_loop.run(system.port, system.dialogues[peers.WRITE], 8, 1.0)
    figures = []
    for operation in plan.operations:
        able = [system for system in systems if operation in system.dialogues]
        for connections in plan.connections:
            found: dict[str, list[Rate]] = {system.name: [] for system in able}
            for number in range(plan.rounds):
                # Nobody always comes first: what one leaves behind (a busy disk) shall not always meet the same.
                for system in able[number % len(able) :] + able[: number % len(able)]:
                    dialogue = system.dialogues[operation]
                    found[system.name].append(closed_loop.run(system.port, dialogue, connections, plan.seconds))
            for system in able:
                figures.append(Figure(system.name, operation, connections, tuple(found[system.name])))
                tell(figures[-1])
    return figures


def ratio(one: Figure, other: Figure) -> float:
    """The median of the rounds' ratios: the two were measured one after the other in each."""
    pairs = zip(one.rates, other.rates, strict=True)
    return median(ours.per_second / max(theirs.per_second, 1e-9) for ours, theirs in pairs)


def table(figures: Sequence[Figure], yardstick: str) -> Table:
    """One row for each operation and number of connections; `yardstick` is what ratios are taken to."""
    names = list(dict.fromkeys(figure.system for figure in figures))
    of = {(f.system, f.operation, f.connections): f for f in figures}
    drawn = Table(title="answers per second, median of the rounds (median latency in ms)")
    drawn.add_column("operation, connections", no_wrap=True)
    for name in names:
        drawn.add_column(name, justify="right")
    compared = [name for name in names if name != yardstick] if yardstick in names else []
    for name in compared:
        drawn.add_column(f"{name} / {yardstick}", justify="right")
    for operation, connections in dict.fromkeys((f.operation, f.connections) for f in figures):
        row = {name: of.get((name, operation, connections)) for name in names}
        base = row.get(yardstick)
        cells = [_cell(figure) if figure else "" for figure in row.values()]
        for name in compared:
            figure = row[name]
            cells.append(f"{ratio(figure, base):.2f} ×" if figure and base else "")
        drawn.add_row(f"{operation}, {connections}", *cells)
    return drawn


def _cell(figure: Figure) -> str:
    p50 = median(rate.p50_ms for rate in figure.rates)
    return f"{figure.per_second:,.0f} ({p50:.2f})" + ("" if figure.clean else " !")


def _tell(figure: Figure) -> None:
    console.print(f"  {figure.system}, {figure.operation}, {figure.connections} conn.: {_cell(figure)}")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    changes: dict[str, Any] = dict(QUICK) if options.quick else {}
    asked = {"seconds": options.seconds, "rounds": options.rounds, "connections": options.connections}
    asked["operations"] = options.operations
    plan = Plan(**{**changes, **{name: value for name, value in asked.items() if value}})
    about = machine()
    console.print(describe(about), highlight=False)
    try:
        with ExitStack() as stack:
            systems = [stack.enter_context(start) for start in _starts(options)]
            figures = run(systems, plan, _tell)
    except (LoadError, ClusterError, StartError) as error:
        console.print(f"stopped: {error}", style="red", markup=False)
        return 1
    names = [system.name for system in systems]
    console.print(table(figures, next((name for name in ("etcd", OTHER, "redis") if name in names), OURS)))
    if OTHER in names and "etcd" in names:
        console.print(table([f for f in figures if f.system in (OURS, OTHER)], OTHER))
    save(options.out, {"machine": about, "plan": asdict(plan), "figures": [figure.to_json() for figure in figures]})
    unclean = sum(not figure.clean for figure in figures)
    if unclean:
        console.print(f"{unclean} figures (marked !) had refused or unanswered requests", style="red")
    return 1 if unclean else 0


def _starts(options: argparse.Namespace) -> list[AbstractContextManager[Peer]]:
    starts: list[AbstractContextManager[Peer]] = [peers.store(OURS)]
    if options.beside:
        starts.append(peers.store(OTHER, options.beside.resolve()))
    found = peers.installed()
    for name, package in peers.PACKAGES.items():
        if name not in options.systems:
            continue
        if name in found:
            starts.append(found[name]())
        else:
            console.print(f"{name} is not installed (on Debian: apt install {package}): measured without it")
    return starts


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_peers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three rounds of half a second")
    parser.add_argument("--beside", type=Path, metavar="FOLDER", help="another checkout of the store, to compare with")
    parser.add_argument("--systems", nargs="*", choices=tuple(peers.PACKAGES), default=tuple(peers.PACKAGES))
    parser.add_argument("--operations", nargs="+", choices=OPERATIONS)
    parser.add_argument("--connections", type=int, nargs="+")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="length of each single figure")
    parser.add_argument("--out", type=Path, help="write everything to this JSON file")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
