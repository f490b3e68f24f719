"""Predictions and quizzes. The questions themselves are in `labs.lesson.questions`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import ipywidgets as widgets

from labs.lesson.questions import PREDICTIONS, QUIZZES, Option, Question
from labs.notebook.telling import show

SAID = "Nothing was predicted."
_kept: dict[str, Option] = {}
"""What was predicted, by question."""
_open: dict[str, list[Prediction]] = {}
"""The predictions on the screen that are not settled yet."""


def predict(name: str) -> None:
    """Ask for the prediction of this name. It is kept, and `compare` tells what came of it."""
    asked = Prediction(_question(name))
    _open.setdefault(name, []).append(asked)
    show(asked.box)


def compare(name: str, happened: bool = True) -> None:
    """What was predicted beside what the cell has just shown, with the reason. `happened`: whether it was what it
    should be; on a machine that is very busy it can be something else."""
    question = _question(name)
    choice = _kept.get(name)
    for asked in _open.pop(name, []):
        asked.settle()
    if not happened:
        text = "This time it was something else: see above. (The machine was busy, perhaps.) Run the cell again."
        show({"text/html": f"<p>{escape(text)}</p>", "text/plain": text}, raw=True)
        return
    right = choice is not None and choice == question.right
    lines = [SAID if choice is None else f"You predicted: {choice.text}. " + ("So it was." if right else "It was not.")]
    if not right:
        lines.append(f"It was: {question.right.text}.")
    if choice is not None and not right:
        lines.append(choice.why)
    lines.append(question.right.why)
    mark = "" if choice is None else "✓ " if right else "✗ "
    rest = " ".join(lines[1:])
    page = f"<p><i>{escape(question.text)}</i><br><b>{mark}{escape(lines[0])}</b> {escape(rest)}</p>"
    show({"text/html": page, "text/plain": f"{question.text}\n{mark}{lines[0]} {rest}"}, raw=True)


def quiz(name: str) -> None:
    """The questions of this name, with a second chance. The score stays in this notebook and goes nowhere."""
    if name not in QUIZZES:
        raise ValueError(f"there is no quiz {name!r}; there are {', '.join(QUIZZES)}")
    show(Quiz(QUIZZES[name]).box)


def _question(name: str) -> Question:
    if name not in PREDICTIONS:
        raise ValueError(f"there is no prediction {name!r}; there are {', '.join(PREDICTIONS)}")
    return PREDICTIONS[name]


class Prediction:
    """A prediction on the screen. It can be changed until what happens has been shown."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._buttons = _buttons(question, self.choose)
        self._said = widgets.HTML()
        self.box = _box(question.text, self._buttons, self._said)
        if question.id in _kept:
            self.choose(question.options.index(_kept[question.id]))

    def choose(self, number: int) -> None:
        """Somebody chose the option `number`."""
        option = self._question.options[number]
        _kept[self._question.id] = option
        for place, button in enumerate(self._buttons):
            button.button_style = "info" if place == number else ""
            button.icon = "thumb-tack" if place == number else ""
        self._said.value = "Kept. Run the next cell: it shows what happens."

    def settle(self) -> None:
        """It is known what happens: no more changes."""
        for button in self._buttons:
            button.disabled = True
        self._said.value = "The next cell has shown it."


class Quiz:
    """Several questions, and the score below them."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self.asked = [QuizQuestion(question, self._count, f"{n}. ") for n, question in enumerate(questions, 1)]
        self.score = widgets.HTML()
        self.box = widgets.VBox([*(one.box for one in self.asked), self.score])
        self._count()

    def _count(self) -> None:
        done = sum(one.over for one in self.asked)
        first = sum(one.solved and one.tries == 1 for one in self.asked)
        second = sum(one.solved and one.tries > 1 for one in self.asked)
        self.score.value = (
            f"<b>{done} of {len(self.asked)} answered: {first} right at once, {second} at the second try.</b>"
        )


class QuizQuestion:
    """One question on the screen. A wrong answer says what is wrong with it and leaves a second chance; after that the
    right one is told."""

    def __init__(self, question: Question, answered: Callable[[], None], number: str = "") -> None:
        self.question = question
        self.tries = 0
        self.solved = False
        self._answered = answered
        self._said = widgets.HTML()
        self._buttons = _buttons(question, self.answer)
        self.box = _box(number + question.text, self._buttons, self._said)

    @property
    def over(self) -> bool:
        return self.solved or self.tries >= 2

    def answer(self, number: int) -> None:
        """Somebody chose the option `number`."""
        option = self.question.options[number]
        if self.over:
            return
        self.tries += 1
        self.solved = option == self.question.right
        self._buttons[number].icon = "check" if self.solved else "times"
        self._buttons[number].button_style = "success" if self.solved else "warning"
        self._buttons[number].disabled = True
        said = f"Right. {option.why}" if self.solved else f"Not that. {option.why}"
        if not self.solved and (self.tries == 2 or len(self._buttons) == 2):
            self.tries = 2
            said += f" It is: {self.question.right.text}. {self.question.right.why}"
        elif not self.solved:
            said += " Choose again."
        self._said.value = escape(said)
        self._answered()


def _buttons(question: Question, chosen: Callable[[int], None]) -> list[widgets.Button]:
    made = []
    for number, option in enumerate(question.options):
        button = widgets.Button(description=option.text, tooltip=option.text, layout=widgets.Layout(width="auto"))
        button.on_click(lambda _, n=number: chosen(n))
        made.append(button)
    return made


def _box(text: str, buttons: Sequence[widgets.Button], said: widgets.HTML) -> widgets.VBox:
    choices = widgets.HBox(list(buttons), layout=widgets.Layout(flex_flow="row wrap"))
    heading = widgets.HTML(f"<b>{escape(text)}</b>")
    return widgets.VBox([heading, choices, said], layout=widgets.Layout(margin="0 0 12px 0"))
