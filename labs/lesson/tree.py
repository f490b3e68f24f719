"""The lab as a tree of files that can be installed: a checkout, or what a wheel holds, put together again.

Law of this module: it imports the standard library only, and nothing of the lab, because `setup.py` runs it before
anything is installed.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

PACKAGES = ("replstore", "labs", "exercises")
BESIDE = (
    *("examples", "docs", "container", "benchmarks"),
    *("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "CHANGELOG.md", "LICENSE"),
    *("Dockerfile", "docker-compose.yml", ".dockerignore", ".gitignore"),
)
"""What belongs to the lab and is no package. A wheel carries it in `ARCHIVE`."""
ARCHIVE = "labs/beside.zip"
SOLUTIONS = "solutions"
INSTRUCTOR_ONLY = (
    *("labs/grading/checks/instructor", "labs/grading/checks/instructor.py"),
    # Answers to Exercise 3 in other languages, and what tests one of them:
    *("examples/node-typescript-full/src/majority.ts", "examples/node-typescript-full/tests"),
    "examples/node-java-full/src/Majority.java",
)
"""No student's version has these, nor `SOLUTIONS`; nobody's has `tests`."""
LEFT_OUT = frozenset(
    ("__pycache__", "node_modules", "dist", ".ipynb_checkpoints", ".mypy_cache", ".pytest_cache", Path(ARCHIVE).name)
)


class NoSourceTree(Exception):
    """Here is not what was asked for; the message says what is missing and what to do."""


def copy_lab(root: Path, target: Path, *, withhold: bool) -> None:
    """Copy the lab that is in `root`; `withhold` the instructor's checks, and the solutions that they compare with.

    Raises `NoSourceTree` where `root` has not got all of it.
    """
    checkout = (root / "pyproject.toml").is_file()
    if not (root / "exercises").is_dir() or not (checkout or (root / ARCHIVE).is_file()):
        raise NoSourceTree(f"{root} has no exercises or no pyproject.toml: run this from a checkout of the lab")
    if not withhold:
        require_solutions(root)
    target.mkdir(parents=True, exist_ok=True)
    for name in (*PACKAGES, *(BESIDE if checkout else ()), *(() if withhold else (SOLUTIONS,))):
        for path, place in _files(root, name):
            if not (withhold and _belongs_to(place, INSTRUCTOR_ONLY)):
                (target / place).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target / place)
    if not checkout:
        _unpack(root / ARCHIVE, target)


def require_solutions(root: Path) -> None:
    """Raises `NoSourceTree` where there are none."""
    if not (root / SOLUTIONS).is_dir():
        raise NoSourceTree(
            f"{root} has no folder {SOLUTIONS}/, which an autograder needs:"
            " work in a checkout of the lab, installed with `pip install -e .`"
        )


def pack(root: Path, archive: Path) -> None:
    """Put what lies beside the packages into `archive`."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in BESIDE:
            for path, place in _files(root, name):
                if not _belongs_to(place, INSTRUCTOR_ONLY):
                    packed.write(path, str(place))


def _unpack(archive: Path, target: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        for entry in packed.infolist():
            made = Path(packed.extract(entry, target))
            if mode := entry.external_attr >> 16:  # scripts stay executable
                made.chmod(mode & 0o777)


def _files(root: Path, name: str) -> Iterator[tuple[Path, PurePosixPath]]:
    """All files below `name`, or the file of this name, and where each belongs. In order."""
    start = root / name
    if start.is_file():
        yield start, PurePosixPath(name)
    elif start.is_dir():
        for path in sorted(start.iterdir()):
            if path.name not in LEFT_OUT:
                yield from _files(root, f"{name}/{path.name}")


def _belongs_to(place: PurePosixPath, names: tuple[str, ...]) -> bool:
    return any(str(place) == name or str(place).startswith(f"{name}/") for name in names)
