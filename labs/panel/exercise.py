"""`ExercisePanel`: an exercise's checks, run from the notebook, with what each of them saw.

Law of this module: it joins the parts and decides nothing. The browser's messages become commands for two workers: one
runs checks (`checking`), one opens clusters, draws and searches (`views`). What they find goes through `marks` to the
board; the drawing is `frontend/src/exercise.ts`. Exceptions end as a sentence on the board, and in `errors`.
"""

from __future__ import annotations

import atexit
import threading
import weakref
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from labs.cluster.base import ClusterError
from labs.grading.errors import GraderError
from labs.grading.results import Report
from labs.lesson.exercises import BY_ID
from labs.panel.actions import BadCommand, CommandWorker, PanelCommand, doing
from labs.panel.background import Loop
from labs.panel.board import Board
from labs.panel.cells import CELLS
from labs.panel.checking import Checking, Ticket, checks_of
from labs.panel.exercise_commands import parse
from labs.panel.marks import Marks
from labs.panel.replays import CannotReplay
from labs.panel.searching import SearchProcess
from labs.panel.sources import Code, reference, sources_for
from labs.panel.stage import Open, ReplayView, why
from labs.panel.views import Views

LOOK_EVERY = 1.0
"""Seconds between two looks whether the student has saved the file."""
JOIN_TIMEOUT = 10.0
"""Seconds that closing waits for what has to end."""
CHECKING, STOPPING = "The checks are running: stop them first.", "What was running is being stopped."
SAVE_FIRST = "as last saved: save the notebook before you run"

_alive: weakref.WeakSet[ExercisePanel] = weakref.WeakSet()


class ExercisePanel(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Runs the checks of `ex1`, `ex2` or `ex3` as `replab check` does, and opens what they saw.

    * `file`: a Python file, folder, zip or notebook (default: `exercises/` here or above, or this notebook's own cells
      with the tag `exercise`; the panel lets one choose)
    * `code`: the code itself, instead of a file

    `run()` starts the checks and returns at once, `wait()` waits for them and gives their report, `stop()` ends them.
    What the panel started ends with `close()`, and when the cell that made it is run again.
    """

    _closed = True  # until there is something to close

    def __init__(self, exercise: str, *, file: Path | str | None = None, code: str | None = None) -> None:
        if exercise not in BY_ID:
            raise ValueError(f"there is no exercise {exercise!r}; there are {', '.join(BY_ID)}")
        self.exercise = BY_ID[exercise]
        self.errors: deque[BaseException] = deque(maxlen=50)
        self._lock = threading.RLock()
        self._ticket: Ticket | None = None
        self._comparing = False
        self._opening = ""
        self._reference = reference(self.exercise)
        self._sources = sources_for(self.exercise, None if file is None else Path(file), code)
        self._source = next((one for one in self._sources if not one.why_not()), self._sources[0])
        self._why_not = {one.kind: one.why_not() for one in self._sources}
        self._stamps = {one.kind: one.stamp() for one in self._sources}
        self._detail = ""
        self._judged: dict[str, str] = {}  # texts that checks were run on, by their fingerprint
        self.marks = Marks(self.exercise, checks_of(self.exercise))
        self._checking = Checking(self.exercise, self.marks, self._reference, self._lock, self._publish)
        self._stage = ReplayView(self._staged)
        self._search = SearchProcess()
        self._read()
        about = {
            "id": exercise, "title": self.exercise.title, "file": self.exercise.file_name,
            "election": exercise == "ex3", "reference": self._reference is not None,
        }  # fmt: skip
        self.board = Board(about=about, **self._present(), stage={"kind": ""})
        self._views = Views(
            self.exercise, self.board, self.marks, self._stage, self._search, self._reference, self._judged, self._text,
            self._lock,
        )  # fmt: skip
        super().__init__(children=(self.board,), layout=widgets.Layout(grid_gap="10px"))
        self.board.on_msg(self._heard)
        self._checks = CommandWorker("exercise-checks", self._carry_out, self._failed)
        self._hands = CommandWorker("exercise-hands", self._carry_out, self._failed)
        self._watch = Loop("exercise-file", "Looking at the file", self._look, self._report)
        self._watch.begin()
        self._closed = False
        CELLS.enter(self)
        _alive.add(self)

    # -- for notebooks and tests ----------------------------------------------------------------------------

    def run(self, *only: str) -> ExercisePanel:
        """Start all checks, or only these (`ex3.votes`). Does nothing but say so where checks are running already."""
        unknown = [name for name in only if name not in self.marks.rows]
        if unknown:
            raise ValueError(f"there is no check {unknown[0]!r}; there are {', '.join(self.marks.rows)}")
        with self._lock:
            if self._closed or self.checking:
                self.board.tell("run", "The panel has been closed." if self._closed else CHECKING)
                return self
            if self._ticket is not None:
                self._ticket.stop.set()  # its comparison with the reference
            self.board.forget("run")
            ticket = self._ticket = Ticket(only)
            self._publish()
        self._checks.submit(PanelCommand("run", {"ticket": ticket}))
        return self

    def wait(self, timeout: float = 300.0) -> Report | None:
        """Wait for the student's checks, which are started if they have never been. The report is that of `replab
        check`; None if they were stopped or could not be run. Raises `TimeoutError`."""
        if self._ticket is None:
            self.run()
        ticket = self._ticket
        assert ticket is not None or self._closed
        if ticket is not None and not ticket.over.wait(timeout):
            raise TimeoutError(f"the checks of {self.exercise.id} are not over after {timeout:g} s")
        return ticket.report if ticket is not None else None

    def stop(self) -> None:
        """End the checks that are being run, the reference's included, and a search. What had come so far stays."""
        self._search.stop()
        with self._lock:
            if self._ticket is not None:
                self._ticket.stop.set()
            self._publish()

    def rest(self, timeout: float = JOIN_TIMEOUT) -> None:
        """End all that works or is open. The marks stay on the screen, and everything can be started again."""
        if self._closed:
            return
        self.stop()
        left = threading.Event()
        self._hands.submit(PanelCommand("leave", {"then": left.set}))
        left.wait(timeout)
        if self._ticket is not None:
            self._ticket.compared.wait(timeout)

    @property
    def opened(self) -> Open | None:
        """What is open below the checks."""
        return self._stage.open

    @property
    def alive(self) -> bool:
        """Whether any of the panel's threads runs."""
        return self._watch.alive or self._checks.alive or self._hands.alive

    def close(self) -> None:
        """End everything the panel started and take it from the screen. Safe to call twice."""
        if not self._closed:
            with self._lock:
                self._closed = True
            self.stop()
            self._watch.end(JOIN_TIMEOUT)
            self._checks.end()
            self._hands.submit(PanelCommand("leave"))
            self._hands.end(JOIN_TIMEOUT)
            self._checks.end(JOIN_TIMEOUT)
            self.board.close()
        super().close()

    # -- out ------------------------------------------------------------------------------------------------

    @property
    def checking(self) -> bool:
        """Whether the student's code is being checked."""
        return self._ticket is not None and not self._ticket.over.is_set()

    def _present(self) -> dict[str, Any]:
        return {**self.marks.picture(), "source": self._told_source(), "activity": self._activity()}

    def _publish(self) -> None:
        """Send what has changed; traits compare before they send."""
        with self._lock, self.board.hold_sync():
            for name, value in self._present().items():
                setattr(self.board, name, value)

    def _activity(self) -> dict[str, Any]:
        checking = self.checking
        ending = self._ticket is not None and self._ticket.stop.is_set() and (checking or self._comparing)
        busy = f"{self._opening} …" if self._opening else ""
        stoppable = checking or self._comparing or self._search.running
        stop = STOPPING if ending else "" if stoppable else "Nothing is being run."
        election = busy or self._why_no_election()
        return {
            "checking": checking, "comparing": self._comparing, "opening": self._opening,
            "why": {
                "run": STOPPING if checking and ending else CHECKING if checking else self._why_not[self._source.kind],
                "stop": stop, "open": busy, "real": election, "search": election,
                "leave": "" if self._stage.open is not None else "Nothing is open.",
            },
        }  # fmt: skip

    def _why_no_election(self) -> str:
        """Why this code cannot be run as an election, as far as that is known."""
        done = [row for row in self.marks.done if row.code == self.marks.code]
        if done and all(row.state == "not_attempted" for row in done):
            return "There is no election to run yet: the checks say that it is not attempted."
        return self._why_not[self._source.kind]

    def _told_source(self) -> dict[str, Any]:
        rows = [row for row in self.marks.rows.values() if row.result is not None]
        choices = [{"kind": one.kind, "label": one.label, "why": self._why_not[one.kind]} for one in self._sources]
        return {
            "kind": self._source.kind, "label": self._source.label, "detail": self._detail,
            "changed": any(row.code != self.marks.code for row in rows), "choices": choices,
            "why": self._why_not[self._source.kind],
        }  # fmt: skip

    def _staged(self, opened: Open | None) -> None:
        """Something else is open now. On the hands' thread."""
        text = {"kind": ""} if opened is None else {
            "kind": opened.kind, "title": opened.title, "text": opened.text, "warning": opened.warning,
        }  # fmt: skip
        with self._lock:
            self.board.stage = text
            below = () if opened is None or opened.panel is None else (opened.panel,)
            self.children = (self.board, *below)

    # -- the student's code -----------------------------------------------------------------------------------

    def _read(self) -> Code | None:
        """The code as it is now; None where it cannot be read (the panel then says why)."""
        source = self._source
        stamp, why_not = source.stamp(), source.why_not()
        code = None if why_not else source.read()
        with self._lock:
            self._stamps[source.kind], self._why_not[source.kind] = stamp, why_not
            if code is not None:
                self.marks.code = code.fingerprint(self.exercise)
                self._detail = code.detail + (f", {SAVE_FIRST}" if source.kind == "cells" else "")
        return code

    def _look(self) -> float:
        """Whether the student has saved something new."""
        stamps = {one.kind: one.stamp() for one in self._sources}
        if stamps != self._stamps and not self.checking:
            self._stamps = stamps
            self._why_not = {one.kind: one.why_not() for one in self._sources}
            self._read()
            self._publish()
        self._checking.tick(self._ticket)
        return LOOK_EVERY

    def _text(self) -> str:
        code = self._read()
        text = code.text(self.exercise) if code is not None else None
        if code is None or text is None:
            problem = code.submission.problems.get(self.exercise.id) if code is not None else ""
            raise CannotReplay(problem or self._why_not[self._source.kind] or "there is no code of this exercise")
        return text

    # -- from the browser -------------------------------------------------------------------------------------

    def _heard(self, _: Any, message: Mapping[str, Any], __: Any) -> None:
        """A message from a view. Runs on a kernel thread: it may only note and enqueue."""
        self.board.send({"type": "heard", "id": message.get("id")})
        try:
            command = parse(message, self.marks.rows)
        except BadCommand as wrong:
            self.board.tell("command", str(wrong))
            return
        self.board.forget("command")
        if command.verb == "run":
            self.run(*command.arguments["only"])
        elif command.verb == "stop":
            self.stop()
        elif command.verb == "source":
            self._choose(command.arguments["kind"])
        else:
            if command.verb == "search":
                self._search.ask()
            self._hands.submit(command)

    def _choose(self, kind: str) -> None:
        chosen = next((one for one in self._sources if one.kind == kind), None)
        if chosen is None:
            self.board.tell("command", f"There is no code of the kind {kind!r} here.")
            return
        self._source = chosen
        self._read()
        self._publish()

    # -- at work ----------------------------------------------------------------------------------------------

    def _carry_out(self, command: PanelCommand) -> None:
        """On a worker's thread."""
        if command.verb == "run":
            self._run(command.arguments["ticket"])
        else:
            self._open(command)

    def _run(self, ticket: Ticket) -> None:
        self.board.forget("work")
        try:
            self._check(ticket)
            self._comparing = True
            ticket.over.set()
            self._checking.compare(ticket)
        finally:
            self._comparing = False
            ticket.over.set()
            ticket.compared.set()
            self._publish()

    def _check(self, ticket: Ticket) -> None:
        code = self._read()
        if code is None:
            with self._lock:
                self.marks.stop(self._why_not[self._source.kind])
            return
        self._judged[code.fingerprint(self.exercise)] = code.text(self.exercise) or ""
        try:
            self._checking.check(ticket, code)
        except Exception as error:
            with self._lock:
                self.marks.stop(f"The checks could not be run: {why(error)}")
            raise
        if ticket.report is not None:
            self.errors.extend(GraderError(traceback) for traceback in ticket.report.run.errors.values())

    def _open(self, command: PanelCommand) -> None:
        self.board.forget("work")
        self._opening = doing(command)
        self._publish()
        try:
            self._views.carry_out(command)
        finally:
            self._opening = ""
            self._publish()

    # -- what goes wrong --------------------------------------------------------------------------------------

    def _failed(self, doing: str, error: BaseException) -> None:
        """A worker's trouble. What is the student's to put right is no error of ours."""
        if not isinstance(error, ClusterError):
            self.errors.append(error)
        self.board.tell("work", f"{doing}: {why(error)}")

    def _report(self, doing: str, error: BaseException | None) -> None:
        if error is None:
            self.board.forget(doing)
            return
        self.errors.append(error)
        self.board.tell(doing, f"{doing}: {why(error)}")


@atexit.register
def close_all() -> None:
    for panel in list(_alive):
        panel.close()
