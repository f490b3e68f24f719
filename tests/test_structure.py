"""The order of the rooms: imports point down, there is no circle, and no file is too long to be read in one sitting."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import labs

PROJECT = Path(labs.__path__[0]).parent
FOLDERS = ("replstore", "labs", "exercises", "solutions", "tests", "tools", "benchmarks", "container", "docs")

ROOMS = (
    ("labs.__main__",),
    ("labs.cli",),
    ("labs.site",),
    ("labs.panel", "labs.notebook"),
    ("labs.page",),
    ("labs.grading", "labs.conform"),
    ("labs.lesson",),
    ("labs.pictures",),
    ("labs.history", "labs.rules"),
    ("labs.cluster",),
    ("labs.simulation",),
    ("labs.events",),  # a name for submissions
    ("labs.trace",),
)
"""From the top down. A room may import those below it, and those beside it as long as that makes no circle."""

IN_GRADING = (
    ("batch", "marks", "source_notebooks"),
    ("elsewhere", "reports", "runner", "workers"),
    ("attempt",),
    ("checks", "settings"),
    ("session",),
    ("cluster_gateway", "election_gateway", "check", "results"),
    ("lane", "rehearsal", "look_ahead", "forbidden_dice", "submission", "sandbox"),
    ("child", "dice", "errors", "pulse"),
)
MOST_LINES = {**dict.fromkeys(FOLDERS, 400), "replstore/core": 250}


def python_files(folder: str) -> list[Path]:
    return sorted((PROJECT / folder).rglob("*.py"))


def module_of(path: Path) -> str:
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in python_files("labs")}


def imports_of(module: str) -> Iterator[str]:
    """The modules of `labs` that this one names in an import, also one inside a function or for type checkers only."""
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in names)


@cache
def arrows_of(module: str) -> tuple[str, ...]:
    return tuple(sorted(set(imports_of(module)) - {module}))


def floor_of(module: str, floors: tuple[tuple[str, ...], ...], prefix: str = "") -> int:
    """0 is the top."""
    for number, rooms in enumerate(floors):
        if any(f"{module}.".startswith(f"{prefix}{room}.") for room in rooms):
            return number
    raise AssertionError(f"{module} belongs to no room: name its place in this test")


@pytest.mark.parametrize("module", [module for module in MODULES if module != "labs"])
def test_no_room_imports_one_above_it(module: str) -> None:
    here = floor_of(module, ROOMS)

    assert [other for other in arrows_of(module) if other != "labs" and floor_of(other, ROOMS) < here] == []


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("labs.grading.")])
def test_inside_grading_imports_point_down_too(module: str) -> None:
    here = floor_of(module, IN_GRADING, "labs.grading.")
    others = [other for other in arrows_of(module) if other.startswith("labs.grading.")]

    assert [other for other in others if floor_of(other, IN_GRADING, "labs.grading.") < here] == []


def circles(arrows: dict[str, list[str]]) -> list[list[str]]:
    """Modules that reach themselves, each circle once (Tarjan's strongly connected components)."""
    found, order, low, stack = [], dict[str, int](), dict[str, int](), list[str]()

    def visit(module: str) -> None:
        order[module] = low[module] = len(order)
        stack.append(module)
        for other in arrows[module]:
            if other not in order:
                visit(other)
            if other in stack:
                low[module] = min(low[module], low[other])
        if low[module] == order[module]:
            circle = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(circle) > 1:
                found.append(sorted(circle))

    for module in arrows:
        if module not in order:
            visit(module)
    return found


def test_no_modules_import_each_other_in_a_circle() -> None:
    # (A package's `__init__` only hands names on: importing it is importing what it names.)
    faces = {m for m, path in MODULES.items() if path.name == "__init__.py"}
    arrows = {m: [o for o in arrows_of(m) if o not in faces] for m in MODULES if m not in faces}

    assert circles(arrows) == []


def test_a_circle_would_be_found() -> None:
    assert circles({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}) == [["a", "b", "c"]]


def test_no_rooms_import_each_other_in_a_circle() -> None:
    rooms = [room for floor in ROOMS for room in floor]

    def room_of(module: str) -> str:
        return next(room for room in rooms if f"{module}.".startswith(f"{room}."))

    arrows: dict[str, list[str]] = {room: [] for room in rooms}
    for module in MODULES:
        if module != "labs":
            here = room_of(module)
            others = (room_of(other) for other in arrows_of(module) if other != "labs")
            arrows[here] += [other for other in others if other != here]

    assert circles(arrows) == []


@pytest.mark.parametrize(("folder", "most"), MOST_LINES.items())
def test_no_python_file_is_too_long(folder: str, most: int) -> None:
    files = {str(path.relative_to(PROJECT)): path.read_text(encoding="utf-8") for path in python_files(folder)}
    lengths = {name: len(text.splitlines()) for name, text in files.items()}

    assert {name: length for name, length in lengths.items() if length > most} == {}
