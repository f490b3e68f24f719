"""A check of a node: one sentence of the lesson, and a function that finds out whether it holds.

Law of this module: values only. A check returns where its sentence holds, and raises one of the exceptions below where
it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

LEVELS = {
    "wire": "What a node answers to clients",
    "steps": "Steps 1–8 of the lesson",
    "faults": "Crashes, pauses, cuts, and a bad network",
    "durable": "What survives a crash of all nodes",
    "peers": "The lab's own peer protocol",
}
"""The levels in their order, with titles."""

OPTIONAL = ("durable", "peers")
"""Levels that the lesson does not ask for. A node that does not try one of them is not wrong."""


class NotAsSaid(Exception):
    """The sentence does not hold: the message says what was seen instead."""

    picture: str | None = None
    """An SVG that shows it better than the messages between the nodes would."""


class TooLate(NotAsSaid):
    """Something did not happen in the time that it has. A check that ends like this is repeated once."""


class CannotAsk(Exception):
    """What the check needs is not there: the message says what. It is skipped."""


class NotTried(Exception):
    """The node does not offer what the check asks, and the lesson does not demand it."""


@dataclass(frozen=True)
class NodeCheck:
    """`says` is the sentence of the lesson. `needs`: ids of the checks without which this one cannot be asked."""

    id: str
    level: str
    says: str
    points: float
    run: Callable[[Any], None] = field(compare=False, repr=False)
    needs: tuple[str, ...] = ()
    hint: str = ""

    def to_json(self) -> dict[str, Any]:
        """As the reports of `labs.grading` take a check."""
        return {
            "id": self.id,
            "exercise": self.level,
            "title": self.says,
            "points": self.points,
            "rule": "",
            "hint": self.hint,
            "depends_on": list(self.needs),
            "hidden": False,
        }


Body = Callable[[Any], None]
"""Is given a `Scene`."""


class Level:
    """Collects the checks of a level: use `check` as a decorator. A check is named after its function."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.checks: list[NodeCheck] = []

    def check(
        self, says: str, points: float = 1, needs: tuple[str, ...] = (), hint: str = ""
    ) -> Callable[[Body], Body]:
        def add(run: Body) -> Body:
            self.add(run.__name__.replace("_", "-"), says, run, points, needs, hint)
            return run

        return add

    def add(
        self, name: str, says: str, run: Body, points: float = 1, needs: tuple[str, ...] = (), hint: str = ""
    ) -> None:
        whole = tuple(need if "." in need else f"{self.name}.{need}" for need in needs)
        self.checks.append(NodeCheck(f"{self.name}.{name}", self.name, says, points, run, whole, hint))
