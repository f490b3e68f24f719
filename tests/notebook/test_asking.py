"""A prediction is kept, and confirmed only by what is seen; a quiz says what is wrong with an answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from labs.lesson.questions import PREDICTIONS, QUIZZES
from labs.notebook import asking, puzzles

LEADER = PREDICTIONS["first-leader"]


@pytest.fixture(autouse=True)
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    outputs: list[Any] = []
    monkeypatch.setattr(asking, "show", lambda what, **_: outputs.append(what))
    monkeypatch.setattr(puzzles, "show", lambda what, **_: outputs.append(what))
    asking._kept.clear()
    asking._open.clear()
    yield outputs
    asking._kept.clear()


def buttons(box: Any) -> list[Any]:
    return list(box.children[1].children)


def said(box: Any) -> str:
    return str(box.children[2].value)


def right_of(box: Any) -> Any:
    return next(button for button in buttons(box) if button.description == LEADER.right.text)


def test_a_click_keeps_a_prediction_and_says_nothing_about_it(shown: list[Any]) -> None:
    asking.predict("first-leader")
    (box,) = shown

    for button in buttons(box):
        button.click()
        assert said(box) == "Kept. Run the next cell: it shows what happens."
        assert [one.button_style for one in buttons(box)].count("info") == 1
        assert not any(one.button_style in ("success", "warning") for one in buttons(box))


@pytest.mark.parametrize("number", range(len(LEADER.options)))
def test_the_next_cell_compares_and_gives_the_reason_of_ones_own_mistake(number: int, shown: list[Any]) -> None:
    asking.predict("first-leader")
    buttons(shown[0])[number].click()

    asking.compare("first-leader")

    told, chosen = shown[1]["text/plain"], LEADER.options[number]
    assert f"You predicted: {chosen.text}." in told
    assert LEADER.right.why in told
    assert chosen.why in told
    assert ("✓" in told) == (chosen == LEADER.right)
    assert ("✗" in told) != (chosen == LEADER.right)


def test_after_that_it_cannot_be_changed(shown: list[Any]) -> None:
    asking.predict("first-leader")
    asking.compare("first-leader")

    assert all(button.disabled for button in buttons(shown[0]))


def test_who_predicted_nothing_is_told_what_happened(shown: list[Any]) -> None:
    asking.predict("first-leader")
    asking.compare("first-leader")

    assert "Nothing was predicted. It was: node-1, term 1." in shown[1]["text/plain"]


def test_what_did_not_happen_confirms_nothing(shown: list[Any]) -> None:
    asking.predict("first-leader")
    right_of(shown[0]).click()

    asking.compare("first-leader", happened=False)

    assert "something else" in shown[1]["text/plain"]
    assert "✓" not in shown[1]["text/plain"]


def test_a_prediction_outlives_a_second_run_of_its_cell(shown: list[Any]) -> None:
    asking.predict("first-leader")
    right_of(shown[0]).click()

    asking.predict("first-leader")

    assert right_of(shown[1]).button_style == "info"


@pytest.mark.parametrize("ask", [asking.predict, asking.compare, asking.quiz])
def test_an_unknown_name_is_refused_with_those_that_there_are(ask: Any) -> None:
    with pytest.raises(ValueError, match=r"'nothing'; there are \w+"):
        ask("nothing")


@pytest.mark.parametrize("question", QUIZZES["five"], ids=lambda question: question.id)
def test_a_wrong_answer_says_what_is_wrong_and_leaves_a_second_chance(question: Any) -> None:
    quiz = asking.Quiz([question])
    (one,) = quiz.asked
    wrong = [n for n, option in enumerate(question.options) if option != question.right]

    one.answer(wrong[0])
    assert said(one.box).startswith("Not that.")
    assert question.right.why not in said(one.box)
    assert not one.over

    one.answer(question.options.index(question.right))
    assert one.solved
    assert "0 right at once, 1 at the second try" in quiz.score.value


def test_after_two_wrong_answers_the_right_one_is_told() -> None:
    (one,) = asking.Quiz(QUIZZES["five"][:1]).asked
    for number, option in enumerate(one.question.options):
        if option != one.question.right:
            one.answer(number)

    assert one.over
    assert not one.solved
    assert f"It is: {one.question.right.text}." in said(one.box)


@pytest.mark.sample(2)
@pytest.mark.parametrize("number", range(1, 41))
def test_a_puzzle_is_the_same_each_time_and_its_answer_is_seen_in_the_picture(number: int) -> None:
    kind = puzzles.KINDS[number % len(puzzles.KINDS)]
    puzzle = kind(number)

    assert puzzle == kind(number)
    assert puzzle.picture.startswith("<svg")
    assert puzzle.question.right not in puzzle.question.wrong
    if puzzle.question.right == puzzles.LOST:
        assert ">lost k" in puzzle.picture
    if puzzle.question.right == puzzles.TWO:
        crowns = [text for text in puzzle.picture.split("<") if "leads term" in text]
        assert len(crowns) > len({text.partition(">")[2] for text in crowns})
    if puzzle.question.right == puzzles.FINE:
        assert ">lost k" not in puzzle.picture


def test_a_click_brings_another_picture_and_the_score_counts_first_answers(shown: list[Any]) -> None:
    puzzles.picture_quiz(first=2)
    (box,) = shown
    place, foot = box.children
    before = place.children[0].value
    for button in buttons(place.children[1]):
        button.click()

    assert "of 1 right at once" in foot.children[1].value
    foot.children[0].click()
    assert place.children[0].value != before
