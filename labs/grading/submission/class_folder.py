"""Which entries of a folder are submissions, if it is not one submission itself.

Law of this module: nobody vanishes. Every entry of a class folder becomes a submission or a line that says why it is
none; and where a folder may be either one submission or a class, nobody guesses.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from labs.grading.errors import GraderError
from labs.grading.submission.archive import archive_ending
from labs.grading.submission.listing import TAKEN, is_hidden
from labs.grading.submission.names import exercise_of, is_exact
from replstore.core.messages import natural_order

_OWN = "exercises"
"""The folder in which the lab keeps them, in a student's copy, too."""
_DEPTH, _ENTRIES = 4, 2000


@dataclass
class ClassFolder:
    """`passed_over`: for each entry that is no submission, its name and why."""

    submissions: list[Path] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)


def find_submissions(path: Path, results: Path | None = None) -> ClassFolder:
    """`path` itself, or, if it is a folder of submissions, those, in natural order. `results`: where the grader writes.

    Raises `GraderError` if it cannot be told which of the two it is.
    """
    if not path.is_dir():
        return ClassFolder([path])
    children = sorted(path.iterdir(), key=lambda child: natural_order(child.name))
    own = [child for child in children if _is_own(child)]
    others = [child for child in children if child not in own and _may_be_one(child, results)]
    filled = [child for child in others if _has_exercises(child)] if own else others
    if not filled:
        return ClassFolder([path])
    if own and len(filled) == 1:
        raise GraderError(
            f"{path} has exercises of its own ({own[0].name}) and {filled[0].name} beside them: give --single if all "
            f"of it is one submission; if it is a class, take {own[0].name} out of it"
        )
    passed_over = [f"{child.name}: {_reason(child, own, results)}" for child in children if child not in others]
    return ClassFolder(others, passed_over)


def _is_own(path: Path) -> bool:
    """Whether it makes the folder that it lies in a submission: an exercise under its own name, or `exercises/`."""
    if path.is_symlink():
        return False
    if path.is_dir():
        return path.name.lower() == _OWN and _has_exercises(path)
    return exercise_of(path.name) is not None and is_exact(path.name)


def _may_be_one(path: Path, results: Path | None) -> bool:
    if path.is_symlink() or is_hidden(PurePosixPath(path.name)):
        return False
    if path.is_dir():
        return results is None or path.resolve() != results.resolve()
    return path.is_file() and (path.suffix.lower() in (".py", ".ipynb") or archive_ending(path.name) is not None)


def _reason(path: Path, own: list[Path], results: Path | None) -> str:
    if path.is_symlink():
        return "a link, which is not followed"
    if path in own:
        return "exercises that belong to none of the students beside them"
    if path.is_dir() and results is not None and path.resolve() == results.resolve():
        return "the results' own folder"
    if is_hidden(PurePosixPath(path.name)):
        return "hidden, or made by a system"
    return f"no submission: that is {TAKEN}" if path.is_file() else "neither a file nor a folder"


def _has_exercises(path: Path) -> bool:
    """Whether an exercise may be in it. An archive is not looked into here."""
    if not path.is_dir():
        return archive_ending(path.name) is not None or exercise_of(path.name) is not None
    return any(exercise_of(name) is not None or archive_ending(name) is not None for name in _names(path))


def _names(folder: Path) -> Iterator[str]:
    seen = 0
    for place, folders, files in os.walk(folder):
        deep = len(Path(place).relative_to(folder).parts) >= _DEPTH
        folders[:] = [] if deep else [name for name in folders if not is_hidden(PurePosixPath(name))]
        seen += len(files) + len(folders)
        if seen > _ENTRIES:
            return
        yield from files
