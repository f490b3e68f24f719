"""A class on one machine: how long grading takes with 1, 2 and 4 workers, and what five users of a JupyterHub need.

python -m benchmarks.bench_class [--quick] [--only grade|hub] [--out results.json]

Grading: the same hand-ins (the reference solution, each with a comment of its own) with so many processes, and with so
many workers of Dask, which may be more than there are cores. The hub: `tools/hub.py` says where it is looked for;
memory is each process's proportional share (PSS), so that what they have in common is counted once.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.processes import PROJECT
from benchmarks.report import console, describe, machine, save
from labs.lesson.exercises import BY_ID
from tools.hub import Hub, HubError, alive, descendants, kill, programs

WORKERS = (1, 2, 4)
USERS = ("ann", "bob", "cid", "dan", "eve")
CELL = """
from labs import open_cluster
cluster = open_cluster("process")
cluster.start()
cluster.wait_for(lambda c: c.leader())
"""


def grade(folder: Path, exercise: str, hand_ins: int, *how: str) -> float:
    """Seconds of a whole `replab grade`. Raises `RuntimeError` where not everybody has all points."""
    file = BY_ID[exercise].file_name
    shutil.rmtree(folder, ignore_errors=True)
    for number in range(hand_ins):
        (folder / "submitted" / f"s{number}").mkdir(parents=True)
        text = (PROJECT / "solutions" / file).read_text(encoding="utf-8") + f"# {number}\n"
        (folder / "submitted" / f"s{number}" / file).write_text(text, encoding="utf-8")
    words = ["grade", "submitted", "--student", "--only", exercise, *how]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "labs", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    took = time.monotonic() - began
    table = (folder / "grades" / "grades.csv").read_text(encoding="utf-8") if done.returncode == 0 else ""
    if table.count(",100,0,100,100") != hand_ins:
        raise RuntimeError(f"replab {' '.join(words)} ended with code {done.returncode}:\n{done.stdout}{done.stderr}")
    return took


@contextmanager
def dask(workers: int, folder: Path) -> Iterator[str]:
    """The address of a scheduler on this machine with so many workers."""
    import distributed

    made: Any = distributed  # it has no types
    kept = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None, "processes": True}
    with made.LocalCluster(**kept, host="127.0.0.1", local_directory=str(folder)) as cluster:
        with made.Client(cluster, set_as_default=False) as client:
            client.wait_for_workers(workers)
        yield str(cluster.scheduler_address)


def grading(exercise: str, hand_ins: int, rounds: int) -> list[dict[str, float]]:
    """For each round, seconds by kind and number of workers; all kinds in turn, so that they share what else runs."""
    found = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "class"
        for _ in range(rounds):
            seconds: dict[str, float] = {}
            for workers in WORKERS:
                seconds[f"-j {workers}"] = grade(folder, exercise, hand_ins, "-j", str(workers))
                with dask(workers, Path(place)) as address:
                    seconds[f"--dask, {workers}"] = grade(folder, exercise, hand_ins, "--dask", address)
                for how in (f"-j {workers}", f"--dask, {workers}"):
                    took, times = seconds[how], seconds["-j 1"] / seconds[how]
                    console.print(f"{hand_ins} hand-ins of {exercise}, {how}: {took:.1f} s, {times:.2f} times as fast")
            found.append(seconds)
    return found


def on_a_hub() -> dict[str, Any]:
    """Five users: seconds until two servers at once are ready, then the other three; MiB of each with a kernel and
    three nodes; seconds until nothing is left of one that was stopped, and of one whose server was killed."""
    with tempfile.TemporaryDirectory() as place, Hub(Path(place) / "hub") as hub:
        ready = hub.start(*USERS[:2]) | hub.start(*USERS[2:])
        memory = {}
        for user in USERS:
            hub.run(user, CELL)
            family = descendants(hub.process(user).pid)
            memory[user] = sum(process.memory_full_info().pss for process in family) / 2**20
        ends = {
            "stopped": _seconds_to_end(hub, USERS[0], lambda: hub.stop(USERS[0])),
            "killed": _seconds_to_end(hub, USERS[1], lambda: kill(hub.process(USERS[1]))),
        }
    return {"seconds to ready": ready, "MiB": memory, "seconds until nothing is left": ends}


def _seconds_to_end(hub: Hub, user: str, end: Callable[[], None]) -> float:
    family = descendants(hub.process(user).pid)
    began = time.monotonic()
    end()
    while left := alive(family):
        if time.monotonic() - began > 60:
            raise RuntimeError(f"of {user}'s server is left: {[process.cmdline() for process in left]}")
        time.sleep(0.05)
    return time.monotonic() - began


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_class", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="Exercise 2 alone, four hand-ins, one round")
    parser.add_argument("--only", choices=("grade", "hub"))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    about = machine()
    console.print(describe(about))
    results: dict[str, Any] = {"machine": about}
    try:
        if options.only != "hub":
            exercise, hand_ins, rounds = ("ex2", 4, 1) if options.quick else ("ex3", 8, 3)
            results["grading"] = grading(exercise, hand_ins, rounds)
        if options.only != "grade" and programs() is None:
            console.print("no JupyterHub: see tools/hub.py")
        elif options.only != "grade":
            results["hub"] = on_a_hub()
            for what, values in results["hub"].items():
                console.print(f"{what}: " + ", ".join(f"{who} {value:.1f}" for who, value in values.items()))
    except (RuntimeError, HubError) as error:
        console.print(f"stopped: {error}", style="red", markup=False)
        return 1
    save(options.out, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
