"""The student's working copy: notebooks and exercises, made once and never overwritten.

Law of this module: a file of the student's is not touched. Where the package has a newer version of one, that version
is put beside it, and somebody is told.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import exercises
import labs
from labs.grading.exercises import BY_FILE

FOLDER = "replication-lab"
START = Path("labs/notebooks/00_start_here.ipynb")


@dataclass
class Workspace:
    """`root` is where Jupyter begins; `offered`: newer versions that were put beside a student's own files."""

    root: Path
    made: list[Path] = field(default_factory=list)
    offered: list[Path] = field(default_factory=list)


def find_or_make(here: Path) -> Workspace:
    """A checkout is its own working copy; elsewhere one is made in `here`/replication-lab, or brought up to date."""
    checkout = Path(labs.__file__).parents[1]
    if (checkout / "pyproject.toml").is_file() and here.resolve().is_relative_to(checkout):
        return Workspace(checkout)
    root = here if here.name == FOLDER else here / FOLDER
    workspace = Workspace(root)
    for source, place in _contents():
        _bring(source, root / place, workspace)
    return workspace


def exercises_folder(here: Path) -> Path | None:
    """The folder with the exercises' files: `here`, in `exercises`, in a working copy, or further up."""
    places = (here, here / "exercises", here / FOLDER / "exercises", *(up / "exercises" for up in here.parents))
    return next((one for one in places if any((one / name).is_file() for name in BY_FILE)), None)


def _contents() -> Iterator[tuple[Path, Path]]:
    """Every file of the package that belongs into a working copy, and where. The folders are those of the checkout, so
    that links between them hold."""
    for path in sorted((Path(labs.__file__).parent / "notebooks").glob("*.ipynb")):
        yield path, Path("labs/notebooks") / path.name
    for path in sorted(Path(exercises.__file__).parent.glob("*.py")):
        yield path, Path("exercises") / path.name


def _bring(source: Path, target: Path, workspace: Workspace) -> None:
    content = source.read_bytes()
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        workspace.made.append(target)
    elif target.read_bytes() != content:
        newer = target.with_name(f"{target.stem}.new{target.suffix}")
        if not newer.exists() or newer.read_bytes() != content:
            newer.write_bytes(content)
            workspace.offered.append(newer)
