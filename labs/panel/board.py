"""The drawn part of an exercise panel: what is synchronised with the browser.

Law of this module: it shows what it is told; `ExercisePanel` decides what.
"""

from __future__ import annotations

import threading
from typing import Any

import anywidget
import traitlets

from labs.panel import assets


class Board(anywidget.AnyWidget):
    """The drawn part of an `ExercisePanel`."""

    _esm = assets.script("exercise.js")
    _css = assets.style("exercise.css")

    about: Any = traitlets.Dict().tag(sync=True)
    """`{id, title, file, election, reference}`; `election`: it is one that can be searched, and real nodes can run;
    `reference`: it is at hand."""
    rows: Any = traitlets.List().tag(sync=True)
    """The checks: see `marks`."""
    total: Any = traitlets.Dict().tag(sync=True)
    source: Any = traitlets.Dict().tag(sync=True)
    """Where the code comes from: `{kind, label, detail, changed, choices: [{kind, label, why}]}`."""
    activity: Any = traitlets.Dict().tag(sync=True)
    """`{checking, comparing, opening, why: {run, stop, open, real, search, leave}}`; `opening`: what is being
    opened."""
    stage: Any = traitlets.Dict().tag(sync=True)
    """What is open below: `{kind, title, text, warning}`; `kind` is empty where nothing is."""
    problems: Any = traitlets.List().tag(sync=True)
    """Sentences about what went wrong: `{id, text}`."""

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._problems_lock = threading.Lock()

    def tell(self, name: str, text: str) -> None:
        """Show a problem; a new one of the same name takes the place of the old."""
        with self._problems_lock:
            others = [problem for problem in self.problems if problem["id"] != name]
            self.problems = [*others, {"id": name, "text": text}][-4:]

    def forget(self, name: str) -> None:
        with self._problems_lock:
            self.problems = [problem for problem in self.problems if problem["id"] != name]
