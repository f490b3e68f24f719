"""How fast the simulator, the rules and the search are. All of it is computing, so it depends on the processor alone.

python -m benchmarks.bench_simulator [--quick] [--out results.json]

Figures of different machines can be compared through the calibration: how long this Python takes for ten million
additions. On a machine that is busy with something else, read the figures with the calibration taken beside them. What
runs in this process alone is measured in processor time, which suffers least; harsh runs and the search in real time.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from benchmarks.report import console, describe, machine, save
from labs.rules import Claims, check_run
from labs.simulation.explorer.search import Bound, Search
from labs.simulation.schedule import Strategy, carry_out, random_schedule
from labs.simulation.simulator import Simulator
from replstore.core.lowest_id import LowestId
from solutions.ex3_election import MyElection

CLAIMS = Claims(votes=True, steps_down=True, pre_vote=True)
STATES = 200_000


def calibration() -> float:
    """Seconds for ten million additions."""
    began = process_time()
    total = 0
    for number in range(10_000_000):
        total += number
    return process_time() - began


def virtual_speed(election: Strategy, seconds: float) -> float:
    """Virtual seconds per second: five nodes at rest, a heartbeat every 100 ms."""
    simulator = Simulator(5, election, heartbeat=0.1, timeout=0.4)
    simulator.start()
    simulator.run_for(2)  # until a leader is elected
    began = process_time()
    simulator.run_for(seconds)
    return seconds / (process_time() - began)


def harsh_runs(count: int, processes: int = 2) -> float:
    """Seconds for so many harsh schedules of ten virtual seconds (and six of calm), all rules checked."""
    began = perf_counter()
    with get_context("spawn").Pool(processes) as pool:
        violations = sum(pool.imap_unordered(_violations, range(count), chunksize=5))
    if violations:
        raise RuntimeError(f"the reference election broke rules {violations} times: the figure means nothing")
    return perf_counter() - began


def _violations(seed: int) -> int:
    return len(check_run(carry_out(random_schedule(seed), MyElection), CLAIMS))


def search_speed(states: int) -> float:
    """Different states a second, three nodes with the reference election."""
    return Search(MyElection, 3, Bound(depth=20, states=states)).run().states_per_second


def measure(quick: bool) -> dict[str, dict[str, Any]]:
    """Each figure with the calibration beside it."""
    share = 0.1 if quick else 1.0
    runs = round(500 * share)
    figures: dict[str, Callable[[], float]] = {
        "virtual seconds per second, majority election": lambda: virtual_speed(MyElection, 200 * share),
        "virtual seconds per second, lowest-id": lambda: virtual_speed(LowestId, 100 * share),
        f"seconds for {runs} harsh runs with all rules, 2 processes": lambda: harsh_runs(runs),
        "states searched per second": lambda: search_speed(round(STATES * share)),
    }
    return {name: {"calibration": calibration(), "value": measured()} for name, measured in figures.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_simulator", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    about = machine()
    console.print(describe(about))
    found = measure(options.quick)
    for name, figure in found.items():
        console.print(f"{name}: {figure['value']:,.1f} (ten million additions: {figure['calibration']:.2f} s)")
    save(options.out, {"machine": about, "figures": found})
    return 0


if __name__ == "__main__":
    sys.exit(main())
