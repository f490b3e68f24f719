"""Compiles what a page imports when the site is built, so that no visitor's browser has to, at each visit.

Law of this module: the very Python that runs in the page compiles (in Node.js), and a wheel keeps its sources: people
and tracebacks read them.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

from labs.site.parts import FETCHING, CannotBuild

SCRIPT = Path(__file__).with_name("pages") / "compile.mjs"
IMPORTED = (
    *("pyodide_kernel", "ipykernel", "ipywidgets", "anywidget", "piplite"),
    *("labs.notebook", "labs.panel.standalone", "labs.panel.page_exercise", "labs.page.worker"),
)
"""What a kernel, a notebook's first cell, the panel's page and an exercise's check import."""
LIBRARY = "python_stdlib.zip"
"""The standard library, as Pyodide brings it."""
OLDEST = (1980, 1, 1, 0, 0, 0)
"""The time of every compiled file: the same lab gives the same wheels."""


def add_compiled(runtime: Path) -> None:
    """Put the compiled modules into the wheels and the standard library in `runtime`, a folder with Pyodide and its
    list of packages; the list has to be written anew afterwards. Raises `CannotBuild`."""
    node = shutil.which("node")
    if node is None:
        raise CannotBuild("What a page imports is compiled with Node.js, which is not here: install it (20 or newer).")
    with tempfile.TemporaryDirectory(prefix="replab-compiled-") as scratch:
        command = [node, str(SCRIPT), str(runtime), scratch, *IMPORTED]
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCHING, check=False)
        wheels, library = _found(Path(scratch) / "wheels"), _found(Path(scratch) / "stdlib")
        if done.returncode or not wheels or not library:
            raise CannotBuild(f"what a page imports cannot be compiled:\n{done.stderr[-2000:]}")
        for wheel in sorted(runtime.glob("*.whl")):
            _add(wheel, wheels)
        with zipfile.ZipFile(runtime / LIBRARY, "a", zipfile.ZIP_DEFLATED) as packed:
            for place, path in library.items():  # Python looks for `x.pyc` in a zip before `x.py`
                packed.writestr(zipfile.ZipInfo(place, OLDEST), path.read_bytes(), zipfile.ZIP_DEFLATED)


def _found(folder: Path) -> dict[str, Path]:
    """The compiled modules below `folder`, by their place in it."""
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*.pyc"))}


def _add(wheel: Path, compiled: dict[str, Path]) -> None:
    """Those that belong to a source in this wheel."""
    with zipfile.ZipFile(wheel, "a", zipfile.ZIP_DEFLATED) as packed:
        sources = set(packed.namelist())
        for place, path in compiled.items():
            folder, _, name = place.rpartition("__pycache__/")
            if f"{folder}{name.partition('.')[0]}.py" in sources and place not in sources:
                packed.writestr(zipfile.ZipInfo(place, OLDEST), path.read_bytes(), zipfile.ZIP_DEFLATED)
