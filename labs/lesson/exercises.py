"""The three exercises: their files, and how to recognize them in a notebook."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Exercise:
    id: str
    file_name: str
    title: str
    names: tuple[str, ...]
    """Top-level names that only this exercise's solution defines."""

    @property
    def module(self) -> str:
        return self.file_name.removesuffix(".py")


EXERCISES = (
    Exercise("ex1", "ex1_fault_tolerance.py", "Fault tolerance", ("availability", "survives")),
    Exercise("ex2", "ex2_replication_lag.py", "Replication lag", ("staleness", "stale_fraction", "Session")),
    Exercise("ex3", "ex3_election.py", "Leader election", ("MyElection",)),
)

BY_ID = {exercise.id: exercise for exercise in EXERCISES}
BY_FILE = {exercise.file_name: exercise for exercise in EXERCISES}
