"""Does any check ever fail a right solution? `python -m tools.no_false_failures --seeds 1000 --jobs 2`

Runs the reference solutions and the alternatives through all checks, once for each seed, as an instructor's grading
would. Without a sandbox, to make a thousand seeds affordable; the runs are those of one (see `tools.direct`).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing import get_context

from labs.grading.settings import LEVELS
from tools.direct import lost


@dataclass(frozen=True)
class Subject:
    """A solution, and the checks that it may fail because it leaves something out."""

    exercise: str
    module: str
    omits: frozenset[str] = frozenset()


REFERENCES = (
    Subject("ex1", "solutions.ex1_fault_tolerance"),
    Subject("ex2", "solutions.ex2_replication_lag"),
    Subject("ex3", "solutions.ex3_election"),
)
ALTERNATIVES = (
    *(Subject("ex1", f"solutions.alternatives.ex1_{name}") for name in ("diary", "flat", "scenarios", "snapshots")),
    Subject("ex1", "solutions.alternatives.ex1_watcher"),
    *(Subject("ex2", f"solutions.alternatives.ex2_{name}") for name in ("token", "all_followers", "one_follower")),
    *(Subject("ex2", f"solutions.alternatives.ex2_{name}") for name in ("patient", "per_key")),
    Subject("ex3", "solutions.alternatives.ex3_one_message"),
    Subject("ex3", "solutions.alternatives.ex3_states"),
    Subject("ex3", "solutions.alternatives.ex3_polls"),
    Subject("ex3", "solutions.alternatives.ex3_ledger"),
    Subject("ex3", "solutions.alternatives.ex3_without_pre_vote", frozenset({"ex3.pre-vote"})),
)
CHUNK = 10
"""Seeds that a worker gets at a time."""


@dataclass
class Tally:
    seeds: int = 0
    seconds: float = 0.0
    failures: dict[int, dict[str, str]] = field(default_factory=dict)
    """What was said, by seed and check."""

    def add(self, other: Tally) -> None:
        self.seeds += other.seeds
        self.seconds += other.seconds
        self.failures |= other.failures


def try_seeds(subject: Subject, seeds: Sequence[int], level: str = "instructor") -> Tally:
    """Processor seconds, and every check that failed though it should not have."""
    module = import_module(subject.module)
    begun = time.process_time()
    tally = Tally(seeds=len(seeds))
    for seed in seeds:
        found = lost(subject.exercise, module, level, (seed,))
        if wrong := {name: message for name, message in found.items() if name not in subject.omits}:
            tally.failures[seed] = wrong
    tally.seconds = time.process_time() - begun
    return tally


def run(subject: Subject, seeds: range, jobs: int, level: str = "instructor") -> Tally:
    total = Tally()
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    for part in _in_parts(subject, chunks, jobs, level):
        total.add(part)
    return total


def _in_parts(subject: Subject, chunks: list[range], jobs: int, level: str) -> Iterator[Tally]:
    if jobs == 1:
        for chunk in chunks:
            yield try_seeds(subject, chunk, level)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(try_seeds, subject, chunk, level) for chunk in chunks]):
            yield future.result()


def describe(subject: Subject, tally: Tally) -> str:
    each = 1000 * tally.seconds / max(1, tally.seeds)
    line = f"{subject.module:45} {tally.seeds:5} seeds {len(tally.failures):4} failed  {each:5.0f} ms a seed"
    for seed, found in sorted(tally.failures.items())[:3]:
        line += "".join(f"\n    seed {seed}: {name}: {message}" for name, message in found.items())
    return line


def main() -> int:
    parser = argparse.ArgumentParser(description="Look for a seed with which a check fails a right solution.")
    parser.add_argument("--seeds", type=int, default=1000, help="how many (default 1000)")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first (default 0)")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="", help="solutions whose name contains this")
    parser.add_argument("--level", choices=LEVELS, default="instructor", help="a student's has fewer kinds of clusters")
    asked = parser.parse_args()
    failed = 0
    for subject in (*REFERENCES, *ALTERNATIVES):
        if asked.only in subject.module:
            tally = run(subject, range(asked.first, asked.first + asked.seeds), asked.jobs, asked.level)
            failed += len(tally.failures)
            print(describe(subject, tally), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
