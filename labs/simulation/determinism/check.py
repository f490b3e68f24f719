"""Determinism check: whether two runs of a schedule are the same; if not, where they part and which line did it.

Law of this module: the two runs differ in everything that a strategy must not depend on, and in nothing else. Each has
a process of its own with another order of sets (`PYTHONHASHSEED`), another state of the global `random`, and another
time of day. While they run, calls of the strategy's own code to clocks and to dice that it was not handed are noted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from labs.simulation.determinism.impure_calls import ImpureCall, Watch
from labs.simulation.determinism.set_iteration import set_iterations
from labs.simulation.schedule import Schedule, Strategy, carry_out
from labs.trace.events import Event
from replstore.settings import load_election

CHILD_TIMEOUT = 120.0


@dataclass(frozen=True)
class Difference:
    """The first event, counted from 1, that two runs do not share; None where a run had ended before."""

    number: int
    first: Event | None
    second: Event | None

    def __str__(self) -> str:
        same = f"The first {self.number - 1} events are the same. Then" if self.number > 1 else "From the start,"
        return f"{same} in one run {event_in_words(self.first)}, and in the other {event_in_words(self.second)}"


@dataclass(frozen=True)
class DeterminismReport:
    """What came of running a schedule several times. `uses`: forbidden sources that the strategy asked; `culprits`:
    other causes, in words."""

    election: str
    difference: Difference | None = None
    uses: tuple[ImpureCall, ...] = ()
    culprits: tuple[str, ...] = ()

    @property
    def repeatable(self) -> bool:
        return self.difference is None and not self.uses

    def __str__(self) -> str:
        if self.repeatable:
            return f"{self.election}: two runs are the same, event for event."
        lines = [f"{self.election} cannot be replayed."]
        if self.difference is not None:
            lines.append(f"{self.difference}.")
        return "\n".join([*lines, *map(str, self.uses), *self.culprits])


def check_twice(schedule: Schedule, election: str) -> DeterminismReport:
    """Run the schedule with `election` (`module:Class`, `lowest-id` or `bully`) in two processes, and compare.

    Raises `ValueError` where there is no such election, `RuntimeError` where a process could not do its work.
    """
    load_election(election)  # a wrong name is told here and now
    one, uses = _run_apart(schedule, election, hash_seed=1, dice=1)
    other, _ = _run_apart(schedule, election, hash_seed=2, dice=2)
    difference = first_difference(one, other)
    culprits: tuple[str, ...] = ()
    if difference is not None and not uses:
        again, _ = _run_apart(schedule, election, hash_seed=1, dice=3)
        culprits = _order_of_sets(election) if first_difference(one, again) is None else (_UNKNOWN,)
    return DeterminismReport(election, difference, uses, culprits)


def name_of(strategy: Strategy) -> str:
    """The name under which another process finds the strategy. Raises `ValueError` where it cannot."""
    name = f"{strategy.__module__}:{getattr(strategy, '__qualname__', '')}"
    if "<locals>" in name or strategy.__module__ == "__main__":
        raise ValueError(f"{name}: only a class in a module can be run in another process; put it into a file")
    return name


def first_difference(one: Sequence[Event], other: Sequence[Event]) -> Difference | None:
    for number, (first, second) in enumerate(zip_longest(one, other), 1):
        if first != second:
            return Difference(number, first, second)
    return None


def event_in_words(event: Event | None) -> str:
    if event is None:
        return "nothing more happens"
    details = " ".join(f"{name}={value}" for name, value in event.details.items())
    what = f"{event.kind}({details})"
    who = event.node or "the network"
    match event.event:
        case "sent":
            did = f"{who} sends {what} to {event.peer}"
        case "received":
            did = f"{who} receives {what} from {event.peer}"
        case "dropped":
            did = f"{what} from {who} to {event.peer} is lost"
        case "note":
            did = f"{who} notes {what}"
        case _:
            did = f"{event.event} {what} at {who}"
    return f"at {event.time:.6f} s {did}"


# --------------------------------------------------------------------------------------------------------
# What did it

_UNKNOWN = (
    "Nothing of that is the order of a set, the global `random` or a clock: look for id(), a Random() without a seed,"
    " files, threads, or attributes of the class that one run leaves to the next."
)


def _order_of_sets(election: str) -> tuple[str, ...]:
    """The runs differ with the hash seed alone, so the order of a set, or a hash itself, decides something."""
    places = set_iterations(load_election(election))
    named = tuple(f"{place}: the order of a set is another in every process; use sorted(…)" for place in places)
    return named or ("The order of a set (or hash() of a string) decides something: use sorted(…), or a list.",)


# --------------------------------------------------------------------------------------------------------
# A run in a process of its own


def _run_apart(
    schedule: Schedule, election: str, hash_seed: int, dice: int
) -> tuple[list[Event], tuple[ImpureCall, ...]]:
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    done = subprocess.run(
        [sys.executable, "-m", "labs.simulation.determinism.check"],
        input=json.dumps({"schedule": schedule.to_json(), "election": election, "dice": dice}),
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=CHILD_TIMEOUT,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the run with {election} ended with code {done.returncode}:\n{done.stderr[-2000:]}")
    answer = json.loads(done.stdout)
    return [Event(*event) for event in answer["trace"]], tuple(ImpureCall(*use) for use in answer["uses"])


def _child() -> None:
    """Standard output belongs to the answer; what a strategy prints goes to standard error."""
    out, sys.stdout = sys.stdout, sys.stderr
    job: dict[str, Any] = json.load(sys.stdin)
    watch = Watch(ours=("replstore", "labs"))
    watch.install(job["dice"])  # before the strategy's module imports `random` or `time`
    run = carry_out(Schedule.from_json(job["schedule"]), load_election(job["election"]))
    if run.failure is not None:
        print(run.failure, file=sys.stderr)
    uses = [[use.what, Path(use.file).name, use.line] for use in watch.uses]
    json.dump({"trace": [list(event) for event in run.trace], "uses": uses}, out)


if __name__ == "__main__":
    _child()
