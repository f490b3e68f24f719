"""How long a student waits: the start of three nodes until all answer, and the eight steps from one command.

python -m benchmarks.bench_start [--quick] [--out results.json]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import PROJECT
from benchmarks.report import console, describe, machine, save, spread
from labs.cluster.base import FAST, ClusterError
from labs.cluster.process import ProcessCluster

STEPS_TIMEOUT = 120.0


def start_times(trials: int) -> dict[str, list[float]]:
    """Seconds from `start` to all three answering, and to a leader that all three know; one of each for each trial."""
    answering, led = [], []
    for _ in range(trials):
        with ProcessCluster(FAST) as cluster:
            began = time.monotonic()
            cluster.start()
            answering.append(time.monotonic() - began)
            cluster.wait_for(lambda c: all(status.leader_id for status in c.status().values()), 30.0)
            led.append(time.monotonic() - began)
    return {"start of 3 processes to all answering": answering, "… to a leader that all know": led}


def steps_time() -> float:
    """Seconds that `replab steps` takes with short timings; raises `ClusterError` where a step went wrong."""
    command = [sys.executable, "-m", "labs", "steps", "--backend", "process", "--fast"]
    began = time.monotonic()
    try:
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=STEPS_TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise ClusterError(f"`replab steps` was not through after {STEPS_TIMEOUT:g} s") from None
    if done.returncode != 0:
        raise ClusterError(f"`replab steps` ended with code {done.returncode}:\n{(done.stderr or done.stdout)[-2000:]}")
    return time.monotonic() - began


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_start", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three starts, the steps once")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    about = machine()
    console.print(describe(about))
    try:
        times = start_times(3 if options.quick else 10)
        times["replab steps, short timings"] = [steps_time() for _ in range(1 if options.quick else 3)]
    except ClusterError as error:
        console.print(f"stopped: {error}", style="red", markup=False)
        return 1
    found = {name: spread(values) for name, values in times.items()}
    for name, values in found.items():
        console.print(f"{name}: " + ", ".join(f"{which} {seconds:.2f} s" for which, seconds in values.items()))
    save(options.out, {"machine": about, "spread": found, "seconds": times})
    return 0


if __name__ == "__main__":
    sys.exit(main())
