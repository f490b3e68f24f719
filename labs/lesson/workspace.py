"""The student's working copy: notebooks and exercises, made once and never overwritten.

Law of this module: a file that the student changed is not touched. Where the package has a newer version of one than
the student began with, that version is put beside it, and somebody is told. What each file was like when it was given
out is remembered in `.given.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import labs
from labs.lesson.exercises import BY_FILE

FOLDER = "replication-lab"
FIRST = "00_start_here.ipynb"
GIVEN = ".given.json"
SWITCH = ".backend"


@dataclass
class Workspace:
    """`root` is where Jupyter begins. Of its files, those that were `made` now, those that were `updated` because the
    student had not touched them, and newer versions `offered` beside a student's own."""

    root: Path
    notebooks: Path = Path("notebooks")
    """Within `root`. Not in a folder `labs`: on Python's path that would hide the package of this name."""
    made: list[Path] = field(default_factory=list)
    updated: list[Path] = field(default_factory=list)
    offered: list[Path] = field(default_factory=list)

    @property
    def start(self) -> Path:
        """The first notebook, within `root`."""
        return self.notebooks / FIRST


def find_or_make(here: Path) -> Workspace:
    """A handout is its own working copy. Elsewhere one is made in `here`/replication-lab, or brought up to date; in a
    checkout of the project at its top, so that nobody works in files under version control."""
    source = Path(labs.__file__).parents[1]
    in_source = (source / "pyproject.toml").is_file() and here.resolve().is_relative_to(source)
    if in_source and not (source / "solutions").is_dir():
        return Workspace(source, Path("labs/notebooks"))
    if in_source:
        here = source
    root = here if here.name == FOLDER else here / FOLDER
    workspace = Workspace(root)
    given = _given(root / GIVEN)
    for place, content in contents():
        _bring(content, root / place, given.get(place.as_posix()), workspace)
        given[place.as_posix()] = _fingerprint(content)
    (root / GIVEN).write_text(json.dumps(given, indent=1) + "\n", encoding="utf-8")
    return workspace


def exercises_folder(here: Path) -> Path | None:
    """The folder with the exercises' files: `here`, in a working copy, in `exercises`, or further up."""
    places = (here, here / FOLDER / "exercises", here / "exercises", *(up / "exercises" for up in here.parents))
    return next((one for one in places if any((one / name).is_file() for name in BY_FILE)), None)


def switch_of(here: Path) -> Path:
    """The file in which the working copy around `here` keeps what its notebooks' nodes are. It need not be there."""
    exercises = exercises_folder(here)
    return (exercises.parent if exercises else here) / SWITCH


def contents() -> Iterator[tuple[Path, bytes]]:
    """Every file that belongs into a working copy: where, and what is in it."""
    package = Path(labs.__file__).parents[1]
    for path in sorted((package / "labs" / "notebooks").glob("*.ipynb")):
        # Their links lead from labs/notebooks to the exercises, and here there is one folder less between them.
        yield Path("notebooks") / path.name, path.read_bytes().replace(b"](../../exercises/", b"](../exercises/")
    # (Found beside the package, not by importing `exercises`: inside a working copy that would be the student's.)
    for path in sorted([*(package / "exercises").glob("*.py"), *(package / "exercises").glob("*.ini")]):
        yield Path("exercises") / path.name, path.read_bytes()


def _bring(content: bytes, target: Path, given: str | None, workspace: Workspace) -> None:
    """`given`: the fingerprint of what the student got last time, None where nobody remembers."""
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        workspace.made.append(target)
        return
    mine, newest = _fingerprint(target.read_bytes()), _fingerprint(content)
    if newest in (mine, given):
        return
    if mine == given:
        target.write_bytes(content)
        workspace.updated.append(target)
        return
    newer = target.with_name(f"{target.stem}.new{target.suffix}")
    newer.write_bytes(content)
    workspace.offered.append(newer)


def _given(path: Path) -> dict[str, str]:
    """What was given out, by place in the working copy; empty for a new one, or where the file was damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(place): str(mark) for place, mark in found.items()} if isinstance(found, dict) else {}


def _fingerprint(content: bytes) -> str:
    return sha256(content).hexdigest()
