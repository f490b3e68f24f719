"""For tests of exercise panels: `make` makes them, and sees to it that nothing of them is left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from labs.panel import ExercisePanel
from tests.panel.described import hold_traits
from tests.panel.exercise_panels import Make, Watched


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes panels. After the test they are closed, and no process of theirs is left."""
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    made: list[Watched] = []

    def make_one(name: str = "ex3", **where: Any) -> Watched:
        made.append(Watched(ExercisePanel(name, **where)))
        return made[-1]

    yield make_one
    for one in made:
        hold_traits("BoardTraits", one.panel.board)
        one.panel.close()
    assert {process.pid for process in psutil.Process().children(recursive=True)} <= before
