"""Do the checks find what is wrong? `python -m tools.mutate --exercise ex3 --limit 100 --seeds 2 --workers 2`

Makes mutants of the right designs in `solutions/` by their syntax tree (`tools.mutation`) and judges each twice: by the
graded checks, at the instructor's level, once for each of `--seeds` seeds; and, if these find nothing, by something
longer: for elections the directed runs and hundreds of random ones of `tools.mutants` and the systematic search, for
the other exercises the checks with other seeds. A mutant that only the longer one finds is a schedule that is missing;
one that nothing finds is a survivor, to be read: equivalent, or a mistake that no check knows.

It can be interrupted, and goes on from its file of results. `--write docs/grading.md` puts the summary there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

from labs.rules import Claims, check_run
from labs.simulation.explorer.search import Bound, Search
from labs.simulation.explorer.snapshot import CannotSnapshot
from labs.simulation.loading import election_from_source
from labs.simulation.schedule import carry_out
from tools.direct import changed_source, from_source, lost
from tools.mutant_work import TooLong, as_they_come, processor_limit
from tools.mutants import schedules
from tools.mutation import Mutant, mutants

DESIGNS: dict[str, tuple[str, ...]] = {
    "ex1": (
        "ex1_fault_tolerance",
        *(f"alternatives.ex1_{n}" for n in ("diary", "flat", "scenarios", "snapshots", "watcher")),
    ),
    "ex2": (
        "ex2_replication_lag",
        *(f"alternatives.ex2_{n}" for n in ("token", "all_followers", "one_follower", "patient", "per_key")),
    ),
    "ex3": (
        "ex3_election",
        *(f"alternatives.ex3_{n}" for n in ("one_message", "states", "polls", "ledger", "without_pre_vote")),
    ),
}
OMITS = {"alternatives.ex3_without_pre_vote": "ex3.pre-vote"}
SECONDS = {"ex1": 240, "ex2": 60, "ex3": 15}
"""Of processor time for one look: what takes longer never ends. A slow right design of Exercise 1 takes 25 s a seed."""
ENDLESS = "never ends"
LONG_RUNS = 60
BEGIN, END = "<!-- mutation: begin -->", "<!-- mutation: end -->"

FOUND, SOMETIMES, MISSED, SURVIVED = "found", "found with some seeds", "found by the longer look alone", "survived"


@dataclass(frozen=True)
class Task:
    exercise: str
    design: str
    kind: str
    line: int
    place: str
    source: str
    seeds: int

    @property
    def key(self) -> str:
        return hashlib.sha256(f"{self.design}\n{self.source}\n{self.seeds}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Result:
    key: str
    exercise: str
    design: str
    kind: str
    line: int
    place: str
    outcome: str
    by: list[str]
    """The checks that it lost, or what the longer look saw."""


def tasks(exercise: str, limit: int, seeds: int, sample: int) -> list[Task]:
    """A sample of all mutants of all designs, the same for the same numbers, a larger one containing a smaller one."""
    all_of_them = []
    for design in DESIGNS[exercise]:
        for one in mutants_of(design):
            all_of_them.append(Task(exercise, design, one.kind, one.line, one.place, one.source, seeds))
    Random(f"mutate/{sample}").shuffle(all_of_them)
    return all_of_them[:limit]


def count(exercise: str) -> int:
    return sum(len(mutants_of(design)) for design in DESIGNS[exercise])


@cache
def mutants_of(design: str) -> list[Mutant]:
    return list(mutants(changed_source(design)))


# -- judging one -----------------------------------------------------------------------------------------


def judge(task: Task) -> Result:
    by: dict[str, str] = {}
    found = 0
    for seed in range(task.seeds):
        lost_now = _in_time(task, partial(_lost, task, seed))
        found += bool(lost_now)
        by |= lost_now
        if ENDLESS in lost_now:
            found = task.seeds
            break
    if found:
        outcome = FOUND if found == task.seeds else SOMETIMES
    else:
        by = _in_time(task, partial(_longer, task))
        outcome = MISSED if by else SURVIVED
    return Result(task.key, task.exercise, task.design, task.kind, task.line, task.place, outcome, sorted(by))


def _in_time(task: Task, look: Callable[[], dict[str, str]]) -> dict[str, str]:
    try:
        with processor_limit(SECONDS[task.exercise]):
            return look()
    except TooLong:
        return {ENDLESS: ""}


def _lost(task: Task, seed: int) -> dict[str, str]:
    try:
        module = _module(task)
    except Exception as error:  # noqa: BLE001  # a mutant may not even be importable
        return {f"not importable: {type(error).__name__}": ""}
    found = lost(task.exercise, module, "instructor", seeds=(1000 + seed,))
    found.pop(OMITS.get(task.design, ""), None)
    return found


def _module(task: Task) -> Any:
    if task.exercise == "ex3":
        return SimpleNamespace(MyElection=election_from_source(task.source))
    return from_source(f"mutant_{task.exercise}", task.source)


def _longer(task: Task) -> dict[str, str]:
    if task.exercise != "ex3":
        for seed in range(8):
            if found := _lost(task, 100 + seed):
                return found
        return {}
    strategy = election_from_source(task.source)
    claims = Claims(votes=True, steps_down=True, pre_vote=task.design not in OMITS, by_messages=True)
    for schedule in islice(schedules(5), LONG_RUNS):
        run = carry_out(schedule, strategy)
        if run.error is not None:
            return {f"raises {type(run.error).__name__}": ""}
        if violations := check_run(run, claims):
            return {violation.rule: violation.text for violation in violations}
    try:
        report = Search(strategy, 3, Bound(depth=9, states=60_000, terms=1, crashes=1, duplicates=True)).run()
    except CannotSnapshot:  # not every election can be searched: it may keep a generator, for instance
        return {}
    return {f"search: {trace.problem}": str(trace) for trace in report.traces if "leaders" in trace.problem}


# -- all of them -----------------------------------------------------------------------------------------


def known(path: Path) -> dict[str, Result]:
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return {one["key"]: Result(**one) for one in map(json.loads, lines)}


def work(wanted: list[Task], path: Path, workers: int) -> Iterator[Result]:
    """Those that are not in the file yet; each is added to it as soon as it is there."""
    done = known(path)
    left = [task for task in wanted if task.key not in done]
    with path.open("a", encoding="utf-8") as file:
        for result in as_they_come(judge, ((task,) for task in left), workers):
            file.write(json.dumps(asdict(result)) + "\n")
            file.flush()
            yield result


def summary(results: list[Result]) -> str:
    """A table of figures, one row for each exercise, and the survivors."""
    lines = [
        "| exercise | designs | possible mutants | run | found with every seed | with some | by the longer look alone |"
        " survived | score |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for exercise in sorted({result.exercise for result in results}):
        own = [result for result in results if result.exercise == exercise]
        counted = Counter(result.outcome for result in own)
        caught = counted[FOUND] + counted[SOMETIMES]
        lines.append(
            f"| {exercise} | {len(DESIGNS[exercise])} | {count(exercise)} | {len(own)} | {counted[FOUND]} |"
            f" {counted[SOMETIMES]} | {counted[MISSED]} | {counted[SURVIVED]} | {caught / len(own):.0%} |"
        )
    return "\n".join(lines)


def remaining(results: list[Result]) -> str:
    """Everything that the checks did not find with every seed, a line each."""
    left = [result for result in results if result.outcome != FOUND]
    left.sort(key=lambda one: (one.exercise, one.outcome, one.design, one.line))
    return "\n".join(
        f"{one.exercise} {one.outcome}: {one.design}:{one.line} {one.kind}: {one.place} {', '.join(one.by)}".rstrip()
        for one in left
    )


def insert(text: str, table: str) -> str:
    """`text` with `table` between its markers. Raises `ValueError` where these are not there."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no lines {BEGIN} and {END}")
    return f"{before}{begin}\n{table}\n{end}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutants of right designs, and which of them the checks find.")
    parser.add_argument("--exercise", choices=sorted(DESIGNS), action="append", help="default: all")
    parser.add_argument("--limit", type=int, default=100, help="mutants of each exercise (default 100)")
    parser.add_argument("--seeds", type=int, default=2, help="seeds that each is graded with (default 2)")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--sample", type=int, default=0, help="another number: other mutants")
    parser.add_argument("--results", type=Path, default=Path("mutation-results.jsonl"), metavar="FILE")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the summary between the markers in this file")
    asked = parser.parse_args()
    wanted = [
        task
        for exercise in asked.exercise or sorted(DESIGNS)
        for task in tasks(exercise, asked.limit, asked.seeds, asked.sample)
    ]
    began = time.monotonic()
    try:
        for number, result in enumerate(work(wanted, asked.results, asked.workers), 1):
            print(f"{number:4} {time.monotonic() - began:5.0f} s  {result.outcome:32} {result.kind}", flush=True)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
    results = [result for result in known(asked.results).values() if result.key in {task.key for task in wanted}]
    if not results:
        return 1
    print(summary(results), remaining(results), sep="\n\n")
    if asked.write is not None:
        text = asked.write.read_text(encoding="utf-8")
        asked.write.write_text(insert(text, summary(results)), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
