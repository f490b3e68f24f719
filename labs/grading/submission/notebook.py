"""Exercises out of a notebook: the cells tagged `exercise` as one Python file, or the file that a cell writes.

Law of this module: the notebook is read as data, and no cell is run. Of tagged cells, definitions and assignments are
kept, in the order of the notebook; magics, and calls that a student made to try something, are left out, with a note.
The lines of a dropped statement are blanked, so that the rest stands where it stood. A cell `%%writefile
ex1_fault_tolerance.py`, as in the notebooks for nbgrader and Otter, is that file, as it stands.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from labs.grading.submission.archive import MAX_FILE
from labs.lesson.exercises import BY_FILE, Exercise
from labs.trace.prose import counted

TAG = "exercise"
MAX_CELLS = 2000
_MOST_DROPPED = 10
AVAILABLE = frozenset(("replstore", "exercises", "labs"))
"""What a student's file can import, beside the standard library."""
_TIMED = re.compile(r"%%(time|timeit|capture)\b")
_WRITES = ("%%writefile", "%%file")
_MAGIC = re.compile(r"^\s*([%!]|\?)|\?\s*$")
_PARSE_ERRORS = (SyntaxError, ValueError, MemoryError, RecursionError)


class NotANotebook(Exception):
    """The message says what is wrong with it."""


@dataclass
class Extract:
    """`tagged`: how many code cells have the tag. `cells`: what was taken, cell by cell. `broken`: tagged cells that
    are no Python, by cell number. `written`: the exercises' files that cells write, by file name."""

    tagged: int = 0
    cells: dict[int, str] = field(default_factory=dict)
    broken: dict[int, str] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    futures: set[str] = field(default_factory=set)
    """What cells import from `__future__`: it has to stand before everything else."""

    def file_of(self, exercise: Exercise) -> str | None:
        """The exercise's file: what a cell writes into it, else what tagged cells define; None if nothing is there."""
        written = self.written.get(exercise.file_name)
        return self.source(exercise.names) if written is None else written

    def source(self, names: tuple[str, ...]) -> str | None:
        """The file for the exercise that defines `names`, out of tagged cells; None if nothing of it is there.

        A broken cell goes in if it seems to define one of them, so that its error is shown where it belongs.
        """
        pattern = re.compile(rf"^[ \t]*(def|class)[ \t]+({'|'.join(map(re.escape, names))})\b", re.MULTILINE)
        broken = {number: text for number, text in self.broken.items() if pattern.search(text)}
        if not broken and not self.names & set(names):
            return None
        parts = sorted({**self.cells, **broken}.items())
        first = f"from __future__ import {', '.join(sorted(self.futures))}\n" if self.futures else ""
        return first + "\n".join(f"# cell {number}\n{text.rstrip()}\n" for number, text in parts)


def extract(data: bytes) -> Extract:
    """Raises `NotANotebook`."""
    found = Extract()
    untagged = 0
    for number, cell in enumerate(_cells(data), 1):
        if cell.get("cell_type") != "code":
            continue
        text = _text(cell.get("source"))
        if len(text) > MAX_FILE:
            found.notes.append(f"cell {number}: left out, for it is larger than {MAX_FILE // 1024:,} KiB")
            continue
        if (file := _file_written(text)) is not None:
            _take_file(found, *file)
        elif TAG in _tags(cell):
            found.tagged += 1
            _take(found, number, text)
        elif text.strip():
            untagged += 1
            _take_imports(found, number, text)
    if not (found.tagged or found.written):
        found.notes.append(f"nothing in it was graded: no code cell has the tag {TAG!r} or writes an exercise's file")
    elif untagged and not found.written:
        found.notes.append(f"{counted(untagged, 'code cell')} without the tag {TAG!r} not graded (imports were kept)")
    return found


def _cells(data: bytes) -> list[dict[str, Any]]:
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise NotANotebook(f"it is not JSON: {error}") from None
    cells = notebook.get("cells") if type(notebook) is dict else None
    if type(cells) is not list:
        raise NotANotebook("it has no cells; notebooks of format 4 are needed")
    if len(cells) > MAX_CELLS:
        raise NotANotebook(f"it has {len(cells):,} cells, more than {MAX_CELLS:,}")
    return [cell for cell in cells if type(cell) is dict]


def _tags(cell: dict[str, Any]) -> list[Any]:
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if type(metadata) is dict else None
    return tags if type(tags) is list else []


def _text(source: Any) -> str:
    lines = source if type(source) is list else [source]
    text = "".join(line for line in lines if type(line) is str)
    return text.encode("utf-8", "replace").decode()  # JSON can spell half a character


# --------------------------------------------------------------------------------------------------------
# One cell


def _take(found: Extract, number: int, text: str) -> None:
    plain = _without_magics(found, number, text)
    tree = _parse(plain)
    if tree is None:
        found.broken[number] = plain
        return
    dropped = [statement for statement in tree.body if not _keeps(statement)]
    for statement in dropped[:_MOST_DROPPED]:
        found.notes.append(
            f"cell {number}, line {statement.lineno}: left out, for it defines nothing that can be graded"
        )
    if len(dropped) > _MOST_DROPPED:
        found.notes.append(f"cell {number}: and {len(dropped) - _MOST_DROPPED:,} statements more")
    found.names |= {name for statement in tree.body if _keeps(statement) for name in _defined(statement)}
    futures = [statement for statement in tree.body if _is_future(statement)]
    found.futures |= {alias.name for statement in futures for alias in statement.names}
    found.cells[number] = _blank(plain, sorted([*dropped, *futures], key=lambda statement: statement.lineno))


def _file_written(text: str) -> tuple[str, str, bool] | None:
    """The exercise's file that this cell writes, what it writes, and whether behind what is there; None if none."""
    first, _, rest = text.lstrip("\n").partition("\n")
    magic, *words = first.split() or [""]
    paths = [word.strip("\"'") for word in words if not word.startswith("-")]
    name = re.split(r"[/\\]", paths[0])[-1] if len(paths) == 1 else ""
    return (name, rest, len(words) > 1) if magic in _WRITES and name in BY_FILE else None  # its one option: append


def _take_file(found: Extract, name: str, text: str, behind: bool) -> None:
    """Of several cells that write the same file the last one counts, as where the notebook is run."""
    before = found.written.get(name, "") if behind else ""
    found.written[name] = f"{before}{text}" + ("" if text.endswith("\n") else "\n")


def _take_imports(found: Extract, number: int, text: str) -> None:
    tree = _parse("\n".join(line for line in text.splitlines() if not _MAGIC.search(line)))
    if tree is None:
        return
    imports = [
        one
        for one in tree.body
        if isinstance(one, ast.Import | ast.ImportFrom) and _importable(one) and not _is_future(one)
    ]
    if imports:
        found.cells[number] = "\n".join(map(ast.unparse, imports))


def _without_magics(found: Extract, number: int, text: str) -> str:
    if _parse(text) is not None:
        return text  # then a line that looks like one is part of a string
    if text.lstrip().startswith("%%") and not _TIMED.match(text.lstrip()):
        found.notes.append(f"cell {number}: left out, for it is a {text.split()[0][:40]} cell")
        return ""
    lines = text.split("\n")
    magics = [line for line in lines if _MAGIC.search(line)]
    if magics:
        found.notes.append(f"cell {number}: magics left out: {', '.join(line.strip()[:40] for line in magics[:5])}")
    return "\n".join("" if _MAGIC.search(line) else line for line in lines)


def _parse(text: str) -> ast.Module | None:
    try:
        tree = compile(text, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except _PARSE_ERRORS:
        return None
    assert isinstance(tree, ast.Module)
    return tree


def _keeps(statement: ast.stmt) -> bool:
    """Whether this statement of a tagged cell belongs to the solution."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return _importable(statement)
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return True
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.If | ast.Try):
        return not any(isinstance(node, ast.Await) for node in ast.walk(statement))
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)  # a docstring, or “...”


def _is_future(statement: ast.stmt) -> TypeGuard[ast.ImportFrom]:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _importable(statement: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(statement, ast.ImportFrom):
        return statement.level == 0 and _available(statement.module or "")
    return all(_available(alias.name) for alias in statement.names)


def _available(module: str) -> bool:
    top = module.partition(".")[0]
    if top == "labs":
        return module in ("labs", "labs.cluster", "labs.cluster.base", "labs.events")
    return top in AVAILABLE or top in sys.stdlib_module_names


def _defined(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        return [target.id for target in statement.targets if isinstance(target, ast.Name)]
    return []


def _blank(text: str, statements: list[ast.stmt]) -> str:
    """`text` with these statements replaced by `pass` and empty lines. They come in the order of the text."""
    lines = [line.encode() for line in text.split("\n")]  # `ast` counts columns in bytes
    kept: list[bytes] = []
    row = column = 0
    for statement in statements:
        first, last = statement.lineno - 1, (statement.end_lineno or statement.lineno) - 1
        kept += _between(lines, row, column, first, statement.col_offset)
        kept += [b"pass", b"\n" * (last - first)]
        row, column = last, statement.end_col_offset or 0
    kept += _between(lines, row, column, len(lines) - 1, len(lines[-1]))
    return b"".join(kept).decode()


def _between(lines: list[bytes], row: int, column: int, last: int, end: int) -> list[bytes]:
    """The text from one place to another."""
    if row == last:
        return [lines[row][column:end]]
    return [b"\n".join([lines[row][column:], *lines[row + 1 : last], lines[last][:end]])]
