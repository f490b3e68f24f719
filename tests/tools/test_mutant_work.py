"""What the tools that run mutants share."""

from __future__ import annotations

import time
from contextlib import suppress
from multiprocessing import active_children
from pathlib import Path

import pytest

from tools.mutant_work import TooLong, as_they_come, processor_limit


def _note(path: Path, number: int) -> int:
    with path.open("a") as file:
        file.write(f"{number}\n")
    time.sleep(0.01)
    return number


def test_all_results_come_also_of_several_processes(tmp_path: Path) -> None:
    jobs = [(tmp_path / "done", number) for number in range(10)]

    assert sorted(as_they_come(_note, jobs, 2)) == list(range(10))


def test_what_is_not_begun_is_given_up_when_nobody_wants_it_any_more(tmp_path: Path) -> None:
    results = as_they_come(_note, [(tmp_path / "done", number) for number in range(200)], 1)

    next(results)
    results.close()  # type: ignore[attr-defined]  # a generator
    for worker in active_children():
        worker.join(30)

    assert len((tmp_path / "done").read_text().split()) < 100


def test_what_takes_more_of_the_processor_is_ended_whatever_it_catches() -> None:
    def never_ends() -> None:
        while True:
            with suppress(Exception):  # as a mutant might
                sum(range(1000))

    with pytest.raises(TooLong), processor_limit(0.05):
        never_ends()
