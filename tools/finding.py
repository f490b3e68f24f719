"""Which run finds which mistake? `python -m tools.finding --mutants 120 --seeds 6 --workers 2`

Exercise 3's graded runs, each with so many seeds, against known mistakes: those of the bank (`tools.banks.ex3`) and
mutants by machine of six right designs (`tools.mutate`). Tells for each mistake with how many seeds anything shows it,
and for each run how many mistakes it shows, of how many it is one of the last three that always do, and of how many the
only one. So a run that nothing needs can go, and one that needs luck (`Part.lucky`) is made with more seeds.

It can be interrupted, and goes on from its file of results.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from labs.grading.checks.ex3 import PARTS
from labs.rules import RULES, Claims, check_run
from labs.simulation.loading import election_from_source
from labs.simulation.schedule import Schedule, carry_out
from replstore.core.election import Election
from tools.banks import bank
from tools.mutant_work import TooLong, as_they_come, processor_limit
from tools.mutate import tasks

FIRST_SEED = 1000
ALL_CLAIMS = Claims(votes=True, steps_down=True, pre_vote=True, by_messages=True)
SECONDS = 4.0
"""Of processor time for one run: what takes longer never ends."""
ENDLESS, ERROR = "never ends", "error"
ANYWHERE = {rule for part in PARTS for rule in part.always}
FEW = 3

Found = dict[str, list[int]]
"""By run (`terms 2`): the seeds with which it shows a mistake."""


def look(source: str, seeds: range) -> Found:
    """What the graded runs show of an election. One that cannot be imported, or never ends, is found by everything."""
    try:
        strategy = election_from_source(source)
    except ValueError:
        return {"import": list(seeds)}
    found: Found = {}
    for seed in seeds:
        for part in PARTS:
            for number, schedule in enumerate(part.schedules(seed)):
                seen = _seen(replace(schedule, dice="finding"), strategy)
                if ENDLESS in seen:
                    return {ENDLESS: list(seeds)}
                if ERROR in seen or seen & (ANYWHERE | set(part.rules)):
                    found.setdefault(f"{part.id} {number}", []).append(seed)
    return found


def _seen(schedule: Schedule, strategy: type[Election]) -> set[str]:
    """The rules that this run breaks."""
    try:
        with processor_limit(SECONDS):
            run = carry_out(schedule, strategy)
            return {ERROR} if run.error is not None else {found.rule for found in check_run(run, ALL_CLAIMS, RULES)}
    except TooLong:
        return {ENDLESS}


def subjects(mutants: int) -> dict[str, str]:
    """The sources of the mistakes, by name."""
    found = {f"bank: {name}": entry.source for name, entry in bank("ex3")[0].items()}
    for one in tasks("ex3", mutants, 1, 0):
        found[f"{one.design}:{one.line} {one.kind}: {one.place}"] = one.source
    return found


def _look(name: str, source: str, seeds: range) -> tuple[str, Found]:
    return name, look(source, seeds)


def work(wanted: dict[str, str], seeds: range, workers: int, path: Path) -> Iterator[tuple[str, Found]]:
    known = dict(map(json.loads, path.read_text(encoding="utf-8").splitlines())) if path.exists() else {}
    yield from ((name, known[name]) for name in wanted if name in known)
    left = ((name, source, seeds) for name, source in wanted.items() if name not in known)
    with path.open("a", encoding="utf-8") as file:
        for name, found in as_they_come(_look, left, workers):
            file.write(json.dumps([name, found]) + "\n")
            file.flush()
            yield name, found


def tell(results: dict[str, Found], seeds: range) -> str:
    with_so_many = {name: len({seed for found in by.values() for seed in found}) for name, by in results.items()}
    counted = Counter(with_so_many.values())
    lines = [
        f"{len(results)} mistakes: {counted[len(seeds)]} shown with each of {len(seeds)} seeds, {counted[0]} with none",
        *(
            f"with {shown} of {len(seeds)} seeds: {name}: {', '.join(f'{run} ×{len(f)}' for run, f in by.items())}"
            for name, by in results.items()
            if 0 < (shown := with_so_many[name]) < len(seeds)
        ),
        "| run | shows | one of the last three that always do | the only one |",
        "|---|---|---|---|",
    ]
    shows, needed, alone = Counter[str](), Counter[str](), Counter[str]()
    for by in results.values():
        always = [run for run, found in by.items() if len(found) == len(seeds)]
        shows.update(by.keys())
        needed.update(always if len(always) <= FEW else [])
        alone.update(always if len(always) == 1 else [])
    names = [f"{part.id} {number}" for part in PARTS for number, _ in enumerate(part.schedules(seeds[0]))]
    lines += [f"| {name} | {shows[name]} | {needed[name]} | {alone[name]} |" for name in names]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Which of Exercise 3's graded runs find which mistakes.")
    parser.add_argument("--mutants", type=int, default=120, help="beside the bank's mistakes (default 120)")
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--results", type=Path, default=Path("finding-results.jsonl"), metavar="FILE")
    asked = parser.parse_args()
    seeds = range(FIRST_SEED, FIRST_SEED + asked.seeds)
    results: dict[str, Found] = {}
    try:
        for name, found in work(subjects(asked.mutants), seeds, asked.workers, asked.results):
            results[name] = found
            print(f"{len(results):4} {len(found):3} runs  {name[:100]}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
    print(tell(results, seeds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
