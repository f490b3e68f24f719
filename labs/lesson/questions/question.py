"""A question with its right option and the mistakes that students make, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Option:
    """`why`: for the right one, why it is right; for another, what is wrong with the idea behind it."""

    text: str
    why: str


@dataclass(frozen=True)
class Question:
    """`id` also is the seed of the options' order, so that it is the same each time and follows no pattern."""

    id: str
    text: str
    right: Option
    wrong: tuple[Option, ...]

    @property
    def options(self) -> tuple[Option, ...]:
        """All of them, as they are shown."""
        mixed = [self.right, *self.wrong]
        Random(self.id).shuffle(mixed)
        return tuple(mixed)


def ask(id: str, text: str, right: tuple[str, str], *wrong: tuple[str, str]) -> Question:
    """A question from pairs of text and reason."""
    return Question(id, text, Option(*right), tuple(Option(*one) for one in wrong))
