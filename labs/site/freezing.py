"""Freezes a Python that has imported all that a page uses, when the site is built, so that no visitor's browser has to
start one, unpack its packages and import them, at each visit.

Law of this module: the very Python that runs in the page imports (in Node.js), what it has not imported it still finds
as a file, and every file of a package is there as its source: people and tracebacks read them.
"""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from pathlib import Path

from labs.site.parts import FETCHING, CannotBuild

PAGES = Path(__file__).with_name("pages")
SCRIPT = PAGES / "freeze.mjs"
STARTER, KERNEL = "python.mjs", "kernel.mjs"
LOADER = "loader.mjs"
"""Pyodide's own `pyodide.mjs` in a site; under that name the kernel finds the site's, which starts this one."""
WASM = "pyodide.asm.wasm"
IMPORTED = (
    *("IPython.core.application", "IPython.core.shellapp", "IPython.core.completerlib", "IPython.core.payload"),
    *("IPython.extensions.storemagic", "ipywidgets", "anywidget", "getpass", "calendar", "_strptime"),
    *("labs.notebook", "labs.panel.standalone", "labs.panel.page_exercise", "labs.page.worker", "labs.page.checker"),
    "labs.page.kernel",
)
"""What a kernel, a notebook's first cell, the panel's page and an exercise's check import. Not the kernel itself: it
changes the Python that it starts in, and the checks' Python has none."""


def freeze(runtime: Path, packages: Path) -> None:
    """Make `runtime`, a folder with Pyodide, what a page starts Python from: its memory and its `packages`, packed.

    Raises `CannotBuild`.
    """
    node = shutil.which("node")
    if node is None:
        raise CannotBuild("What a page imports is imported with Node.js, which is not here: install it (20 or newer).")
    shutil.copyfile(PAGES / STARTER, runtime / STARTER)
    _forget_packages(runtime / "pyodide-lock.json")
    command = [node, str(SCRIPT), str(runtime), str(packages), str(runtime), *IMPORTED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=FETCHING, check=False)
    if done.returncode or not (runtime / "memory.bin").is_file() or not (runtime / "files.bin").is_file():
        raise CannotBuild(f"what a page imports cannot be imported:\n{done.stderr[-2000:]}")
    (runtime / "pyodide.mjs").rename(runtime / LOADER)
    shutil.copyfile(PAGES / KERNEL, runtime / "pyodide.mjs")
    wasm = (runtime / WASM).read_bytes()
    (runtime / f"{WASM}.bin").write_bytes(gzip.compress(wasm, 9, mtime=0))
    (runtime / WASM).unlink()


def _forget_packages(lock: Path) -> None:
    """Pyodide's list of packages names what could be loaded from elsewhere: a page has all of its packages."""
    content = json.loads(lock.read_text(encoding="utf-8"))
    lock.write_text(json.dumps(content | {"packages": {}}, indent=1), encoding="utf-8")
