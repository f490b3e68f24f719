"""Where a student's code comes from: the exercise's file, this notebook's own cells, or a text.

Law of this module: it reads at the moment when it is asked to, and reads as `replab check` does, so that the marks are
the same. What cannot be read becomes a problem of the submission or a sentence, never an exception.
"""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from labs.grading.submission.reading import open_exercise, open_submission
from labs.grading.submission.submission import Submission
from labs.lesson.exercises import Exercise
from labs.lesson.workspace import exercises_folder


@dataclass(frozen=True)
class Code:
    """What was read: `label` names the place, `detail` says how fresh it is."""

    submission: Submission
    label: str
    detail: str = ""

    def text(self, exercise: Exercise) -> str | None:
        return self.submission.sources.get(exercise.id)

    def fingerprint(self, exercise: Exercise) -> str:
        """Changes with the code of this exercise and with nothing else."""
        return fingerprint(self.text(exercise) or self.submission.problems.get(exercise.id, ""))


def fingerprint(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


class Source(Protocol):
    """A place for code. `kind` and `label` are for the panel's choice."""

    kind: str
    label: str

    def why_not(self) -> str:
        """Why nothing can be read here, in a sentence; empty if it can."""
        ...

    def stamp(self) -> float:
        """Changes when the code may have; costs next to nothing."""
        ...

    def read(self) -> Code: ...


class TextSource:
    """Code that was handed over."""

    kind = "text"
    label = "code given to the panel"

    def __init__(self, exercise: Exercise, text: str) -> None:
        self._submission = Submission("given", {exercise.id: text}, {})

    def why_not(self) -> str:
        return ""

    def stamp(self) -> float:
        return 0.0

    def read(self) -> Code:
        return Code(self._submission, self.label)


class FileSource:
    """A file, or a folder with the exercises' files in it, or whatever else `replab check --file` takes."""

    kind = "file"

    def __init__(self, exercise: Exercise, path: Path) -> None:
        self._exercise = exercise
        self.path = path
        self.label = f"{path.name}/{exercise.file_name}" if path.is_dir() else path.name

    @property
    def _file(self) -> Path:
        inside = self.path / self._exercise.file_name
        return inside if self.path.is_dir() and inside.exists() else self.path

    def why_not(self) -> str:
        return "" if self._file.exists() else f"There is no {self.path}."

    def stamp(self) -> float:
        try:
            return self._file.stat().st_mtime
        except OSError:
            return 0.0

    def read(self) -> Code:
        return Code(open_exercise(self.path, self._exercise), self.label, _saved(self.stamp()))


class NotebookSource:
    """The cells tagged `exercise` of the notebook that this kernel belongs to, as last saved."""

    kind = "cells"
    label = "this notebook's cells"

    def __init__(self, exercise: Exercise, path: Path | None) -> None:
        self._exercise = exercise
        self.path = path

    def why_not(self) -> str:
        if self.path is None:
            return "Jupyter does not tell which notebook this is; give its path: ExercisePanel(…, file='….ipynb')."
        if self._exercise.id not in (found := open_submission(self.path)).sources | found.problems:
            names = " or ".join(self._exercise.names)
            return f"No cell of {self.path.name} with the tag “exercise” defines {names} (as last saved)."
        return ""

    def stamp(self) -> float:
        try:
            return self.path.stat().st_mtime if self.path is not None else 0.0
        except OSError:
            return 0.0

    def read(self) -> Code:
        assert self.path is not None, "why_not() would have said so"
        return Code(open_submission(self.path), f"cells of {self.path.name}", _saved(self.stamp()))


class MissingSource:
    """In place of a file where none was found."""

    kind = "file"

    def __init__(self, exercise: Exercise, here: Path) -> None:
        self._exercise = exercise
        self.label = f"exercises/{exercise.file_name}"
        self._why = (
            f"There is no exercises/{exercise.file_name} in or above {here};"
            f' name a file: ExercisePanel("{exercise.id}", file="…").'
        )

    def why_not(self) -> str:
        return self._why

    def stamp(self) -> float:
        return 0.0

    def read(self) -> Code:
        return Code(Submission("missing", {}, {self._exercise.id: self._why}), self.label)


def sources_for(exercise: Exercise, file: Path | None, code: str | None) -> list[Source]:
    """What was asked for; otherwise the working copy's file, and this notebook."""
    if code is not None:
        return [TextSource(exercise, code)]
    if file is not None:
        return [FileSource(exercise, file)]
    here = Path.cwd()
    folder = exercises_folder(here)
    found = FileSource(exercise, folder) if folder is not None else MissingSource(exercise, here)
    return [found, NotebookSource(exercise, this_notebook())]


def this_notebook() -> Path | None:
    """The file of the notebook that this kernel runs, where Jupyter tells it."""
    name = os.environ.get("JPY_SESSION_NAME", "")
    return Path(name) if name.endswith(".ipynb") and Path(name).is_file() else None


def reference(exercise: Exercise) -> Code | None:
    """The reference solution; None where there are no solutions, as in a handout."""
    spec = importlib.util.find_spec("solutions")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder) / exercise.file_name
        if path.is_file():
            return Code(Submission("reference", {exercise.id: path.read_text(encoding="utf-8")}, {}), "reference")
    return None


def _saved(moment: float) -> str:
    return f"saved {datetime.fromtimestamp(moment):%H:%M:%S}" if moment else ""
