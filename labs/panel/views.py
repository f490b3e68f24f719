"""What an exercise panel opens at a wish: a diagram, a replayed run, real nodes, a search.

Law of this module: it carries out one wish at a time, on its caller's thread, and may take its time. What cannot be
opened is a `CannotReplay` with a sentence.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from labs.lesson.exercises import Exercise
from labs.panel.actions import PanelCommand
from labs.panel.board import Board
from labs.panel.checking import NO_SOLUTIONS
from labs.panel.marks import Marks
from labs.panel.replays import CannotReplay, draw, strategy_of
from labs.panel.searching import SearchProcess
from labs.panel.sources import Code
from labs.panel.stage import FailedCheck, ReplayView
from labs.simulation.schedule import carry_out


class Views:
    """`text()` gives the student's code as it is now, `judged` the texts that checks were run on, by fingerprint.
    `lock` guards `marks`."""

    def __init__(
        self,
        exercise: Exercise,
        board: Board,
        marks: Marks,
        stage: ReplayView,
        search: SearchProcess,
        reference: Code | None,
        judged: Mapping[str, str],
        text: Callable[[], str],
        lock: threading.RLock,
    ) -> None:
        self._exercise = exercise
        self._board = board
        self._marks = marks
        self._stage = stage
        self._process = search
        self._reference = reference
        self._judged = judged
        self._text = text
        self._lock = lock

    def carry_out(self, command: PanelCommand) -> None:
        verbs: dict[str, Callable[..., None]] = {
            "diagram": self._draw, "open": self._replay, "real": self._real, "search": self._search,
            "leave": self._leave,
        }  # fmt: skip
        verbs[command.verb](**command.arguments)

    def _draw(self, check: str, whose: str, whole: bool, width: float) -> None:
        failed = self._failure(check)
        run = failed.scene.run
        if run is None:
            raise CannotReplay("there is nothing to draw: the check did not fail in a run of an election")
        if whose == "reference":
            run = carry_out(run.schedule, strategy_of(self._reference_text()))
        svg, text = draw(failed.scene, run, width, whole, proof=whose == "yours")
        self._board.send(
            {
                "type": "diagram", "check": check, "whose": whose, "whole": whole, "svg": svg, "story": text,
                "moment": failed.scene.moment,
            }
        )  # fmt: skip

    def _replay(self, check: str, whose: str) -> None:
        failed = self._failure(check)
        if failed.scene.run is None:
            self._stage.left(failed.title, failed.scene)
            return
        text = self._reference_text() if whose == "reference" else failed.text
        self._stage.replay(failed.title, failed.scene, text, whose)

    def _failure(self, check: str) -> FailedCheck:
        """As it is now: the next run of the checks may begin at any moment, and clears what it will find anew."""
        with self._lock:
            row = self._marks.rows[check]
            if row.scene is None:
                raise CannotReplay("there is nothing to open: this check did not fail in the simulator")
            return FailedCheck(row.check.title, row.scene, self._judged[row.code])

    def _reference_text(self) -> str:
        text = self._reference.text(self._exercise) if self._reference is not None else None
        if text is None:
            raise CannotReplay(NO_SOLUTIONS)
        return text

    def _real(self) -> None:
        self._stage.real(self._text())

    def _search(self) -> None:
        self._stage.leave()
        self._stage.searched(self._process.run(self._text))

    def _leave(self, then: Callable[[], None] = lambda: None) -> None:
        try:
            self._stage.leave()
        finally:
            then()
