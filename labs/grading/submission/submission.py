"""What was handed in, as up to three texts: one for each exercise, or the reason why there is none.

Law of this module: only files that are named as an exercise count (`names.exercise_of`). Everything else that a
submission contains (`conftest.py`, a `random.py`, a forged report) is named in a note and goes no further.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from labs.grading.errors import SubmissionRefused
from labs.grading.submission.archive import MAX_FILE, Unreadable, archive_ending
from labs.grading.submission.listing import FoundFile, Listing, at_most, list_files
from labs.grading.submission.names import exercise_of, is_exact
from labs.grading.submission.notebook import Extract, NotANotebook, extract
from labs.lesson.exercises import EXERCISES, Exercise


@dataclass(frozen=True)
class Submission:
    """`sources`: each exercise's text. `problems`: why an exercise that is there cannot be graded. By exercise id."""

    name: str
    sources: dict[str, str]
    problems: dict[str, str]
    notes: tuple[str, ...] = ()

    @property
    def files(self) -> dict[str, str]:
        """What goes into the sandbox, by file name."""
        return {exercise.file_name: self.sources[exercise.id] for exercise in EXERCISES if exercise.id in self.sources}

    @property
    def fingerprint(self) -> str:
        """The same for the same content."""
        content = [self.sources, self.problems, self.notes]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_submission(path: Path, name: str) -> Submission:
    """Read one submission, here and now; `reading.open_submission` does it within limits."""
    try:
        return _Reader(name, list_files(path, _wanted)).read()
    except SubmissionRefused as refusal:
        return refused(name, str(refusal))


def refused(name: str, why: str) -> Submission:
    """A submission of which nothing can be read."""
    return Submission(name, {}, {exercise.id: why for exercise in EXERCISES}, (why,))


def submission_name(path: Path) -> str:
    """A file's name without its ending (`ann.tar.gz` is `ann`), or the folder's."""
    if path.is_dir():
        return path.resolve().name or "submission"
    return path.name.removesuffix(path.name[-len(archive_ending(path.name) or path.suffix) :]) or path.name


def _wanted(file_name: str) -> bool:
    return exercise_of(file_name) is not None or file_name.lower().endswith(".ipynb")


class _Reader:
    """Builds one `Submission`."""

    def __init__(self, name: str, listing: Listing) -> None:
        self._name = name
        self._files = listing.files
        self._notes = listing.notes
        self._sources: dict[str, str] = {}
        self._problems: dict[str, str] = {}
        self._broken: list[str] = []
        """Notebooks that cannot be read, and why."""

    def read(self) -> Submission:
        for exercise in EXERCISES:
            self._read_file(exercise)
        self._read_notebooks()
        return Submission(self._name, self._sources, self._problems, tuple(at_most(self._notes)))

    def _read_file(self, exercise: Exercise) -> None:
        found = [file for file in self._files if _is_python(file) and exercise_of(file.path.name) is exercise]
        if not found:
            return
        try:
            chosen = _choose(found)
            self._sources[exercise.id] = read_text(chosen.read())
        except Unreadable as problem:
            self._problems[exercise.id] = f"{exercise.file_name} {problem}"
            return
        if chosen.path.name != exercise.file_name:
            self._notes.append(f"{chosen.path.name} was taken for {exercise.file_name}")
        self._notes += [f"not used, for {chosen.path} is there: {one.path}" for one in found if one is not chosen]

    def _read_notebooks(self) -> None:
        missing = [one for one in EXERCISES if one.id not in self._sources and one.id not in self._problems]
        found = [file for file in self._files if not _is_python(file)]
        if not missing:
            self._notes += [f"not used, for the .py files are there: {file.path}" for file in found]
            return
        extracts = {file.path: one for file in found if (one := self._extract(file)) is not None}
        for exercise in missing:
            self._read_from_notebooks(exercise, extracts)

    def _extract(self, file: FoundFile) -> Extract | None:
        try:
            taken = extract(file.read())
        except (Unreadable, NotANotebook) as problem:
            self._notes.append(f"{file.path}: {problem}")
            self._broken.append(f"{file.path}: {problem}")
            return None
        self._notes += [f"{file.path}: {note}" for note in taken.notes]
        if taken.tagged and all(taken.file_of(exercise) is None for exercise in EXERCISES):
            what = "none of its cells with the tag defines what an exercise asks for"
            self._notes.append(f"{file.path}: nothing in it was graded: {what}")
        return taken

    def _read_from_notebooks(self, exercise: Exercise, extracts: dict[PurePosixPath, Extract]) -> None:
        texts = {path: text for path, one in extracts.items() if (text := one.file_of(exercise)) is not None}
        named = {path: text for path, text in texts.items() if exercise_of(path.name) is exercise}
        choice = named or texts
        if not choice and self._broken:
            self._problems[exercise.id] = "; ".join(self._broken[:3])
        if len(choice) > 1:
            self._problems[exercise.id] = f"several notebooks define it: {', '.join(map(str, sorted(choice)))}"
        for path, text in choice.items():
            if len(text) > MAX_FILE:
                self._problems[exercise.id] = f"its cells in {path} are larger than {MAX_FILE // 1024:,} KiB"
            elif not text.strip():
                self._problems[exercise.id] = f"{exercise.file_name} is empty in {path}"
            elif len(choice) == 1:
                self._sources[exercise.id] = text
                self._notes.append(f"{exercise.file_name} was taken from {path}")


def _is_python(file: FoundFile) -> bool:
    return file.path.suffix.lower() == ".py"


def _choose(found: Sequence[FoundFile]) -> FoundFile:
    """The one with the exercise's own name, and of these the one that lies least deep. Raises `Unreadable` if that is
    not clear: then nobody may guess which one counts."""
    candidates = [file for file in found if is_exact(file.path.name)] or list(found)
    depth = min(len(file.path.parts) for file in candidates)
    nearest = [file for file in candidates if len(file.path.parts) == depth]
    if len(nearest) > 1 and len({file.read() for file in nearest}) > 1:
        names = ", ".join(sorted(str(file.path) for file in nearest)[:10])
        raise Unreadable(f"is there more than once: {names}: hand in one")
    return nearest[0]


def read_text(data: bytes) -> str:
    """A Python file's text, its lines ended by `\\n`. Raises `Unreadable`: not UTF-8, NUL bytes, or empty."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"is not UTF-8 (line {line}): save it as UTF-8") from None
    if "\0" in text:
        raise Unreadable(f"contains NUL bytes (line {text.count(chr(10), 0, text.index(chr(0))) + 1})")
    if not text.strip():
        raise Unreadable("is empty")
    return text.replace("\r\n", "\n").replace("\r", "\n")
