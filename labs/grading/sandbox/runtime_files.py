"""Our own code in the sandbox: what the student's file may import, and what asks it. No test, no solution, no check.

Law of this module: a sandbox contains what `ROOTS` import, and nothing else of ours.
"""

from __future__ import annotations

import ast
import atexit
import importlib.util
import marshal
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import labs
import replstore

ROOTS = (
    "labs.grading.child.main",  # what asks the student's file
    *("labs.cluster", "labs.cluster.base", "labs.events"),  # what that file may import
    *("replstore", "replstore.election", "replstore.messages", "replstore.lowest_id", "replstore.bully"),
    *dict.fromkeys(replstore.MODULE_OF.values()),  # what `replstore` loads when it is named
)
CLOSED = "labs.grading"
"""Of this package only `child` may be in a sandbox."""
LIBRARY = "library.zip"
_LONG_AGO = (10**9, 10**9)

_TOP = {"replstore": Path(replstore.__path__[0]), "labs": Path(labs.__path__[0])}


def runtime_modules() -> dict[str, Path]:
    """The modules that a sandbox contains, each with its file: `ROOTS` and all that they import."""
    found: dict[str, Path] = {}
    wanted = list(ROOTS)
    while wanted:
        name = wanted.pop()
        file = _file_of(name)
        if name in found or file is None:
            continue
        if name.startswith(f"{CLOSED}.") and not f"{name}.".startswith(f"{CLOSED}.child."):
            raise RuntimeError(f"{name} must not be in a sandbox: which of {', '.join(ROOTS)} imports it?")
        found[name] = file
        parts = name.split(".")
        wanted += [".".join(parts[:count]) for count in range(1, len(parts))]  # its packages
        wanted += _imports(ast.parse(file.read_text(encoding="utf-8")))
    return found


def _file_of(name: str) -> Path | None:
    """None for a module that is not ours, and for a name inside a module."""
    top, *rest = name.split(".")
    if top not in _TOP:
        return None
    place = _TOP[top].joinpath(*rest)
    return next((file for file in (place / "__init__.py", place.with_suffix(".py")) if file.is_file()), None)


def _imports(node: ast.AST) -> Iterator[str]:
    """Names that may be modules; imports for type checkers left out."""
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from _imports(child)


@cache
def compiled_library() -> Path:
    """What all sandboxes of this process get a copy of: a zip archive, from which Python imports. To copy a folder of a
    hundred files took longer than to start Python. Without the sources: at each start Python
    reads the archive's whole list."""
    folder = Path(tempfile.mkdtemp(prefix="replab-grade-library-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    archive = folder / LIBRARY
    with ZipFile(archive, "w") as library:
        for name, file in sorted(runtime_modules().items()):
            top = _TOP[name.partition(".")[0]]
            inside = f"{top.name}/{file.relative_to(top).as_posix()}"
            library.writestr(ZipInfo(f"{inside}c"), _compiled(file.read_bytes(), inside))
    return archive


def _compiled(source: bytes, name: str) -> bytes:
    """What a `.pyc` file holds, of the kind that is never compared with its source (PEP 552). Compiled here under
    `name`: what Python keeps beside our own files tells where those are."""
    code = marshal.dumps(compile(source, name, "exec", dont_inherit=True))
    unchecked = (0b01).to_bytes(4, "little")
    return importlib.util.MAGIC_NUMBER + unchecked + importlib.util.source_hash(source) + code


def library_copy(root: Path) -> Path:
    """Each sandbox has its own: under one user id a submission could change what the next one runs, and the age of a
    common one would tell how long ago the grading began, and so which check this is."""
    copy = root / LIBRARY
    shutil.copyfile(compiled_library(), copy)
    copy.chmod(0o644)
    os.utime(copy, _LONG_AGO)
    return copy
