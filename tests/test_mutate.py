"""Mutants by machine: what kinds of mistakes are made, and that judging them goes on where it stopped."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tools import mutate
from tools.direct import changed_source
from tools.mutation import mutants

SOURCE = """
class Voter:
    def receive(self, message, other):
        if message.term > self.term and self.ready:
            self.term, self.vote = message.term, None
            self.send(message, other)
        else:
            return max(self.term, 1)
"""


def changes(kind: str) -> list[str]:
    return [one.place for one in mutants(SOURCE) if one.kind == kind]


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("boundary", "if message.term > self.term and self.ready: → if message.term >= self.term and self.ready:"),
        ("condition dropped", "if message.term > self.term and self.ready: → if self.ready:"),
        ("state not kept or not reset", "self.term, self.vote = (message.term, None) → self.term, = (message.term,)"),
        ("arguments swapped", "self.send(message, other) → self.send(other, message)"),
        ("wrong variable", "self.send(message, other) → self.send(other, other)"),
        ("wrong owner", "return max(self.term, 1) → return max(message.term, 1)"),
        ("off by one", "return max(self.term, 1) → return max(self.term, 2)"),
        ("the opposite function", "return max(self.term, 1) → return min(self.term, 1)"),
    ],
)
def test_a_mistake_of_each_kind_is_made(kind: str, change: str) -> None:
    def plain(text: str) -> str:
        return text.replace("(", "").replace(")", "").replace(",", "")

    assert plain(change) in map(plain, changes(kind))


@pytest.fixture(autouse=True)
def one_design_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them take long."""
    monkeypatch.setattr(mutate, "DESIGNS", {"ex2": ("alternatives.ex2_token",)})


@pytest.mark.slow
@pytest.mark.parametrize("design", ["alternatives.ex2_patient", "alternatives.ex3_polls"])
def test_every_mutant_is_a_program_of_its_own(design: str) -> None:
    sources = [one.source for one in mutants(changed_source(design))]

    assert len(set(sources)) == len(sources) > 50
    for source in sources[::25]:
        ast.parse(source)


@pytest.mark.slow
def test_a_larger_sample_contains_the_smaller_one() -> None:
    small, large = (mutate.tasks("ex2", limit, seeds=1, sample=0) for limit in (5, 20))

    assert large[:5] == small


def test_judging_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutate, "_lost", lambda task, seed: {"ex2.staleness": ""} if seed % 2 else {})
    wanted, file = mutate.tasks("ex2", 4, seeds=1, sample=3), tmp_path / "results.jsonl"

    first = list(mutate.work(wanted[:2], file, workers=1))
    again = [result.key for result in mutate.work(wanted, file, workers=1)]

    assert {one.key for one in first} == {task.key for task in wanted[:2]}
    assert set(again) == {task.key for task in wanted[2:]}
    assert mutate.known(file).keys() == {task.key for task in wanted}
    assert {one.outcome for one in mutate.known(file).values()} == {mutate.MISSED}, "found by another seed alone"
