"""The notebooks' questions: mixed once and for all, each answer with its reason, and none given away in a cell."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import labs
from labs.lesson.questions import PREDICTIONS, QUIZZES, Question

ALL = [*PREDICTIONS.values(), *(question for quiz in QUIZZES.values() for question in quiz)]
NOTEBOOKS = sorted((Path(labs.__file__).parent / "notebooks").glob("*.ipynb"))


def cells(path: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def test_no_two_questions_have_the_same_name() -> None:
    assert len({question.id for question in ALL}) == len(ALL)


@pytest.mark.parametrize("question", ALL, ids=lambda question: question.id)
def test_every_option_has_its_reason_and_is_plain_text(question: Question) -> None:
    assert question.wrong
    assert len({option.text for option in question.options}) == len(question.wrong) + 1
    assert all(option.why.endswith((".", "?")) for option in question.options)
    assert not any(mark in text for option in question.options for text in (option.text, option.why, question.text)
                   for mark in "*`<>")  # fmt: skip


def test_the_order_is_the_same_each_time_and_gives_nothing_away() -> None:
    assert [question.options for question in ALL] == [question.options for question in ALL]
    of_three = [question for question in ALL if len(question.options) == 3]
    places = [question.options.index(question.right) for question in of_three]
    assert all(places.count(place) <= len(places) / 2 for place in range(3))
    longest = [max(q.options, key=lambda option: len(option.text)) is q.right for q in ALL]
    assert sum(longest) <= 0.55 * len(longest)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_prediction_is_compared_with_what_a_later_cell_shows(path: Path) -> None:
    asked: list[tuple[int, str]] = []
    compared: list[tuple[int, str]] = []
    for number, source in enumerate(cells(path)):
        asked += [(number, name) for name in re.findall(r'lab\.predict\("([\w-]+)"\)', source)]
        compared += [(number, name) for name in re.findall(r'lab\.compare\("([\w-]+)"', source)]

    assert sorted(name for _, name in asked) == sorted(name for _, name in compared)
    where = {name: number for number, name in asked}
    assert all(number > where[name] for number, name in compared)
    assert {name for _, name in asked} <= set(PREDICTIONS)


def test_every_prediction_is_asked_somewhere() -> None:
    source = "".join(text for path in NOTEBOOKS for text in cells(path))

    assert [name for name in PREDICTIONS if f'lab.predict("{name}")' not in source] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_cell_gives_an_answer_away(path: Path) -> None:
    source = "\n".join(cells(path))

    assert [question.right.why for question in ALL if question.right.why in source] == []
