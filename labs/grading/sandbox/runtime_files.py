"""Our own code in the sandbox: what the student's file may import, and what asks it. No test, no solution, no check."""

from __future__ import annotations

import atexit
import compileall
import shutil
import tempfile
from functools import cache
from pathlib import Path

import labs
import replstore

COPIED = {
    "replstore": ("__init__", "messages", "election", "codec", "json_text", "deep", "lowest_id", "bully"),
    "labs": ("__init__", "events"),
    "labs/trace": ("__init__", "events"),
    "labs/cluster": ("__init__", "base"),
    "labs/grading": ("__init__",),
    "labs/grading/child": ("__init__", "cluster", "elections", "errors", "fence", "main", "values", "wire"),
}
"""All of our own code that a sandbox contains."""


@cache
def shared_library() -> Path:
    """One copy for all sandboxes of this process, compiled, and out of their reach."""
    folder = Path(tempfile.mkdtemp(prefix="replab-grade-library-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    roots = {"replstore": Path(replstore.__path__[0]), "labs": Path(labs.__path__[0])}
    for package, modules in COPIED.items():
        top, _, rest = package.partition("/")
        (folder / package).mkdir(parents=True, exist_ok=True)
        for module in modules:
            shutil.copyfile(roots[top] / rest / f"{module}.py", folder / package / f"{module}.py")
    compileall.compile_dir(folder, quiet=2)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def library_copy(root: Path) -> Path:
    """Under one user id a submission could change what the next one runs, so each has its own copy."""
    return Path(shutil.copytree(shared_library(), root / "library"))
