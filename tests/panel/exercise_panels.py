"""Exercise panels without a browser, and files of students to open them with."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

import exercises
import solutions
from labs.grading.checks import SUITE
from labs.grading.results import CheckResult
from labs.grading.runner import grade
from labs.grading.settings import GradingSettings
from labs.grading.submission.submission import Submission
from labs.panel import ExercisePanel
from tests.panel.described import hold

EX3 = "ex3_election.py"
STARTER = (Path(exercises.__file__).parent / EX3).read_text(encoding="utf-8")
REFERENCE = (Path(solutions.__path__[0]) / EX3).read_text(encoding="utf-8")
FREE = "free = self.vote in (None, sender) and self.leader is None"
WRONG = REFERENCE.replace(FREE, "free = True")
assert WRONG != REFERENCE
ENDLESS = REFERENCE.replace("if not self.deadline:", "while True: pass\n        if not self.deadline:")
assert ENDLESS != REFERENCE
NAIVE = """\
def availability(cluster):
    raise NotImplementedError

def survives(cluster):
    cluster.put("k", 1)
    cluster.kill("node-1")
    cluster.sleep(2)
    return {"survives": True, "reason": "it seems fine"}
"""


class Watched:
    """A panel, and what its board sent to the browser."""

    def __init__(self, panel: ExercisePanel) -> None:
        self.panel = panel
        self.sent: list[dict[str, Any]] = []
        panel.board.send = self._send

    def _send(self, content: dict[str, Any], buffers: Any = None) -> None:
        hold("BoardMessage", content)
        self.sent.append(content)

    def ask(self, verb: str, **message: Any) -> None:
        self.panel._heard(None, {"do": verb, "id": 1, **message}, [])

    def until(self, condition: Callable[[], Any], timeout: float = 60.0) -> Any:
        deadline = time.monotonic() + timeout
        while not (found := condition()):
            assert time.monotonic() < deadline, f"never came true; problems: {self.panel.board.problems}"
            time.sleep(0.01)
        return found

    def message(self, kind: str) -> dict[str, Any]:
        found: dict[str, Any] = self.until(lambda: next((one for one in self.sent if one["type"] == kind), None))
        return found

    def row(self, check: str) -> dict[str, Any]:
        return next(dict(row) for row in self.panel.board.rows if row["id"] == check)

    @property
    def why(self) -> dict[str, str]:
        return dict(self.panel.board.activity["why"])

    def problem(self) -> str:
        return str(self.until(lambda: self.panel.board.problems)[-1]["text"])


def children_with(word: str) -> list[psutil.Process]:
    """The processes below this one that have `word` in their command and still run."""

    def has(process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended (a zombie is none that runs)
            return word in " ".join(process.cmdline())
        return False

    return [process for process in psutil.Process().children(recursive=True) if has(process)]


Make = Callable[..., Watched]


def graded(text: str, *only: str) -> tuple[CheckResult, ...]:
    exercise_id = only[0].partition(".")[0]
    return grade(Submission("x", {exercise_id: text}, {}), SUITE, GradingSettings(only=only)).checks
