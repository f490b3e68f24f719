"""`PageExercisePanel`: the exercise panel of a web page, where checks run in a web worker of their own.

Law of this module: the same rows, checks and points as `ExercisePanel`; only who runs them is another, and it says that
its marks are unofficial.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from labs.grading.check import CheckOutcome
from labs.grading.errors import GraderError
from labs.grading.results import CheckResult, Report, Status
from labs.lesson.exercises import BY_ID
from labs.page.checker import scene_from_json
from labs.page.worker import CheckingWorker, wait_for
from labs.panel.checking import Ticket
from labs.panel.exercise import JOIN_TIMEOUT, ExercisePanel
from labs.panel.sources import Code

UNOFFICIAL = "Unofficial: checked in your own browser. What counts is what your instructor's grading says."
STOPPED = "Stopped. What had come so far stays."


class Download(anywidget.AnyWidget):
    """A link that saves `text` as a file; empty: there is nothing to save."""

    _esm = """
    function render({ model, el }) {
      const link = document.createElement("a");
      link.download = model.get("name");
      link.textContent = `Download ${link.download}`;
      const rest = document.createElement("span");
      const show = () => {
        URL.revokeObjectURL(link.href);
        link.href = URL.createObjectURL(new Blob([model.get("text")], { type: "text/x-python" }));
        link.hidden = !model.get("text");
        rest.textContent = link.hidden ? "" : " to hand it in. ";
      };
      model.on("change:text", show);
      show();
      el.append(link, rest, "Your files are kept in this browser only.");
      return () => URL.revokeObjectURL(link.href);
    }
    export default { render };
    """
    name: Any = traitlets.Unicode().tag(sync=True)
    text: Any = traitlets.Unicode().tag(sync=True)

    def __init__(self, name: str) -> None:
        super().__init__(name=name, text="")


class PageExercisePanel(ExercisePanel):
    """As `ExercisePanel`; `wait` does not wait where the browser cannot do that (it then returns None)."""

    def __init__(self, exercise: str, *, file: Path | str | None = None, code: str | None = None) -> None:
        self._worker: CheckingWorker | None = None
        self._done = asyncio.Event()
        self._download = Download(BY_ID[exercise].file_name)
        super().__init__(exercise, file=file, code=code)
        title = f"{self.exercise.title} (unofficial)"
        self.board.about = {**self.board.about, "title": title, "election": False}
        self._offer(self._read())
        self.children = (self.board, self._download)

    # -- instead of a worker's thread ---------------------------------------------------------------------------

    def _run(self, ticket: Ticket) -> None:
        self.board.forget("work")
        code = self._read()
        self._offer(code)
        if code is None:
            self._end_of(ticket, trouble=self._why_not[self._source.kind])
            return
        mark = code.fingerprint(self.exercise)
        self._judged[mark] = code.text(self.exercise) or ""
        self.marks.begin(ticket.only, mark)
        self._done.clear()
        request = {
            "sources": code.submission.sources, "problems": code.submission.problems,
            "only": list(ticket.only or (self.exercise.id,)),
        }  # fmt: skip
        self._worker = CheckingWorker(request, lambda message: self._heard_of(ticket, message))
        self._publish()

    def _heard_of(self, ticket: Ticket, message: dict[str, Any]) -> None:
        if "result" in message:
            result = CheckResult.from_json(message["result"])
            scene = scene_from_json(message["scene"])
            self.marks.take(result, CheckOutcome(result.status is Status.PASSED, scene=scene))
            self._publish()
        elif "report" in message:
            report = Report.from_json(message["report"])
            self.errors.extend(GraderError(traceback) for traceback in report.run.errors.values())
            self._end_of(ticket, report)
        else:
            self._end_of(ticket, trouble=message["trouble"])

    def _end_of(self, ticket: Ticket, report: Report | None = None, trouble: str = "") -> None:
        ticket.report = report
        if report is not None:
            self.marks.finish(report)
            self.marks.notes += (UNOFFICIAL,)
        else:
            self.marks.stop(trouble)
        ticket.over.set()
        ticket.compared.set()
        self._done.set()
        self._publish()

    def stop(self) -> None:
        """End the checks at once, whatever the code does."""
        if self._worker is not None:
            self._worker.end()
        if self._ticket is not None and not self._ticket.over.is_set():
            self._ticket.stop.set()
            self._end_of(self._ticket, trouble=STOPPED)
        self._publish()

    def wait(self, timeout: float = 300.0) -> Report | None:
        """As `ExercisePanel.wait`, where this browser can wait; elsewhere None while the checks are running."""
        if self._ticket is None:
            self.run()
        wait_for(self._done, timeout)
        return self._ticket.report if self._ticket is not None else None

    def rest(self, timeout: float = JOIN_TIMEOUT) -> None:
        """End what is open. Checks that are still being run go on: nobody could wait for them."""
        if not self._closed:
            self._stage.leave()

    # -- the student's file ---------------------------------------------------------------------------------------

    def _read(self) -> Code | None:
        code = super()._read()
        self._offer(code)
        return code

    def _offer(self, code: Code | None) -> None:
        """A link that saves the code as it is now, under the name by which `replab grade` knows it."""
        self._download.text = (code.text(self.exercise) if code is not None else None) or ""

    def _staged(self, opened: Any) -> None:
        super()._staged(opened)
        self.children = (*self.children, self._download)
