"""What was handed in, as up to three texts: one for each exercise, or the reason why there is none.

Law of this module: only the exercises' own file names count. Everything else that a submission contains (`conftest.py`,
a `random.py`, a forged report) is named in a note and goes no further.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from labs.grading.errors import SubmissionRefused
from labs.grading.submission.archive import Found, Listing, Unreadable, list_files
from labs.grading.submission.notebook import Extract, NotANotebook, extract
from labs.lesson.exercises import BY_FILE, EXERCISES, Exercise
from replstore.core.messages import natural_order

_NOTEBOOKS = frozenset(f"{exercise.module}.ipynb" for exercise in EXERCISES)


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


def find_submissions(path: Path) -> list[Path]:
    """`path` itself, or, if it is a folder of submissions, those. In natural order."""
    if not path.is_dir() or _is_one(path):
        return [path]
    children = [child for child in path.iterdir() if not child.name.startswith((".", "__")) and _may_be_one(child)]
    return sorted(children, key=lambda child: natural_order(child.name)) or [path]


def _is_one(folder: Path) -> bool:
    names = {child.name for place in (folder, folder / "exercises") if place.is_dir() for child in place.iterdir()}
    return bool(names & (BY_FILE.keys() | _NOTEBOOKS))


def _may_be_one(path: Path) -> bool:
    return not path.is_symlink() and (path.is_dir() or path.suffix.lower() in (".zip", ".ipynb", ".py"))


def open_submission(path: Path, name: str | None = None) -> Submission:
    """Read one submission. Whatever is wrong with it is said in the result."""
    name = name or _clean_name(path)
    try:
        listing = list_files(path, _wanted)
    except SubmissionRefused as refusal:
        return Submission(name, {}, {exercise.id: str(refusal) for exercise in EXERCISES}, (str(refusal),))
    return _Reader(name, path, listing).read()


def _clean_name(path: Path) -> str:
    return (path.resolve().name if path.is_dir() else path.stem) or "submission"


def _wanted(file_name: str) -> bool:
    return file_name in BY_FILE or file_name.endswith(".ipynb")


class _Reader:
    """Builds one `Submission`."""

    def __init__(self, name: str, path: Path, listing: Listing) -> None:
        self._name = name
        self._path = path
        self._files = listing.files
        self._notes = listing.notes
        self._sources: dict[str, str] = {}
        self._problems: dict[str, str] = {}

    def read(self) -> Submission:
        self._rename_single_file()
        for exercise in EXERCISES:
            self._read_file(exercise)
        self._read_notebooks()
        return Submission(self._name, self._sources, self._problems, tuple(self._notes))

    def _rename_single_file(self) -> None:
        """A learning platform puts the student's name in front of the file's: accept that where only one file came."""
        if len(self._files) != 1 or self._path.suffix != ".py" or self._path.name in BY_FILE:
            return
        matches = [exercise for exercise in EXERCISES if exercise.module in self._path.stem]
        if len(matches) == 1:
            self._files = [Found(PurePosixPath(matches[0].file_name), self._files[0].read)]
            self._notes.append(f"{self._path.name} was taken for {matches[0].file_name}")

    def _read_file(self, exercise: Exercise) -> None:
        found = [file for file in self._files if file.path.name == exercise.file_name]
        if not found:
            return
        try:
            self._sources[exercise.id] = read_text(_nearest(found).read())
        except Unreadable as problem:
            self._problems[exercise.id] = f"{exercise.file_name} {problem}"

    def _read_notebooks(self) -> None:
        missing = [one for one in EXERCISES if one.id not in self._sources and one.id not in self._problems]
        found = [file for file in self._files if file.path.suffix == ".ipynb"]
        if not missing:
            self._notes += [f"not used, for the .py files are there: {file.path}" for file in found]
            return
        extracts = {file.path: one for file in found if (one := self._extract(file)) is not None}
        for exercise in missing:
            self._read_from_notebooks(exercise, extracts)

    def _extract(self, file: Found) -> Extract | None:
        try:
            taken = extract(file.read())
        except (Unreadable, NotANotebook) as problem:
            self._notes.append(f"{file.path}: {problem}")
            return None
        self._notes += [f"{file.path}: {note}" for note in taken.notes]
        return taken

    def _read_from_notebooks(self, exercise: Exercise, extracts: dict[PurePosixPath, Extract]) -> None:
        texts = {path: text for path, one in extracts.items() if (text := one.source(exercise.names)) is not None}
        named = {path: text for path, text in texts.items() if path.stem == exercise.module}
        choice = named or texts
        if len(choice) > 1:
            self._problems[exercise.id] = f"several notebooks define it: {', '.join(map(str, sorted(choice)))}"
        for path, text in choice.items():
            if len(choice) == 1:
                self._sources[exercise.id] = text
                self._notes.append(f"{exercise.file_name} was taken from {path}")


def _nearest(found: Sequence[Found]) -> Found:
    """The one that lies least deep. Raises `Unreadable` if that is not one."""
    depth = min(len(file.path.parts) for file in found)
    nearest = [file for file in found if len(file.path.parts) == depth]
    if len(nearest) > 1:
        raise Unreadable(f"is there more than once: {', '.join(sorted(str(file.path) for file in nearest))}")
    return nearest[0]


def read_text(data: bytes) -> str:
    """A Python file's text. Raises `Unreadable`: not UTF-8, NUL bytes, or empty."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"is not UTF-8 (line {line}): save it as UTF-8") from None
    if "\0" in text:
        raise Unreadable(f"contains NUL bytes (line {text.count(chr(10), 0, text.index(chr(0))) + 1})")
    if not text.strip():
        raise Unreadable("is empty")
    return text
