"""Judges entries of the banks by all checks.

Law of this module: a process of a pool imports it, which it cannot do with a package's `__main__`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tools.banks import bank
from tools.direct import lost


@dataclass(frozen=True)
class Judged:
    exercise: str
    name: str
    seed: int
    is_mistake: bool
    lost: dict[str, str]
    fine: bool

    def __str__(self) -> str:
        verdict = "ok   " if self.fine else "WRONG"
        loses = ", ".join(name.partition(".")[2] for name in self.lost) or "nothing"
        kind = "wrong" if self.is_mistake else "right"
        return f"{verdict} {self.exercise} {kind} seed {self.seed}: {self.name}: {loses}"


def judge(exercise: str, name: str, seed: int, is_mistake: bool) -> Judged:
    wrong, right = bank(exercise)
    entry = (wrong if is_mistake else right)[name]
    found = lost(exercise, entry.module(), "instructor", (seed,))
    return Judged(exercise, name, seed, is_mistake, found, entry.is_caught(found) if is_mistake else not found)


def tasks(exercises: list[str], seeds: list[int], only: str = "") -> Iterator[tuple[str, str, int, bool]]:
    for exercise in exercises:
        for entries, is_mistake in zip(bank(exercise), (True, False), strict=True):
            yield from ((exercise, name, seed, is_mistake) for name in entries if only in name for seed in seeds)
