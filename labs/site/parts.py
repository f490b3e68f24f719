"""What a site is made of that is not ours: Pyodide and the wheels that it loads, fetched once and kept.

Law of this module: every file is named by its version and checked by its hash, from the two package indexes that the
lab is installed from anyway. Nothing that a visitor's browser loads comes from another place than the site itself.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from labs.cluster.base import ClusterError

PYODIDE = "314.0.6"
PYTHON = "3.14"
"""Pyodide's version says which Python it is: of 3.14."""
PYODIDE_DIGEST = "sha512-BKDTJyIqFxC4BExLqeRS3f5xvXZIjOt8C3zGLN/Cc7tFxSwvKVhVkchQQ2AGLOtR4YrVOIFxbV8poyDOOmWwxQ=="
PYODIDE_FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
WHEELS = Path(__file__).with_name("wheels.txt")
NEEDED = {
    "jupyterlite_core": "jupyterlite-core", "jupyterlite_pyodide_kernel": "jupyterlite-pyodide-kernel",
    "jupyter_server": "jupyter_server", "pip": "pip",
}  # fmt: skip
FETCHING = 600.0
"""Seconds that a download may take."""


class CannotBuild(ClusterError):
    """Something that a site is built with is missing; the message says what to do."""


def require_tools() -> None:
    """Raises `CannotBuild` with one sentence where something that building needs is not installed."""
    missing = [package for module, package in NEEDED.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise CannotBuild(
            f"the web edition is built with packages that are not installed ({', '.join(missing)}):"
            " pip install 'replication-lab[site]'"
        )


def fetch_pyodide(cache: Path) -> Path:
    """A folder with the `PYODIDE_FILES`. Raises `CannotBuild`."""
    folder = cache / f"pyodide-{PYODIDE}"
    if not all((folder / name).is_file() for name in PYODIDE_FILES):
        with tempfile.TemporaryDirectory(dir=_made(cache)) as scratch:
            archive = _packed(Path(scratch))
            _check(archive)
            _unpack(archive, Path(scratch) / "files")
            shutil.rmtree(folder, ignore_errors=True)
            (Path(scratch) / "files").rename(folder)
    return folder


def _packed(folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise CannotBuild("Pyodide is fetched with npm, which is not here: install Node.js (20 or newer).")
    _run([npm, "pack", "--silent", f"pyodide@{PYODIDE}"], folder, "Pyodide cannot be fetched")
    return folder / f"pyodide-{PYODIDE}.tgz"


def _check(archive: Path) -> None:
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != PYODIDE_DIGEST:
        raise CannotBuild(f"the package pyodide {PYODIDE} is not what it was: its digest is {found}")


def _unpack(archive: Path, folder: Path) -> None:
    folder.mkdir()
    with tarfile.open(archive) as packed:
        for name in PYODIDE_FILES:
            member = packed.extractfile(f"package/{name}")
            assert member is not None, f"pyodide {PYODIDE} has a {name}"
            (folder / name).write_bytes(member.read())


def fetch_wheels(cache: Path) -> list[Path]:
    """The wheels in `wheels.txt`. Raises `CannotBuild`."""
    mark = hashlib.sha256(WHEELS.read_bytes()).hexdigest()[:16]
    folder = cache / f"wheels-{mark}"
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=_made(cache)) as scratch:
            found = Path(scratch) / "found"
            command = [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"),
                *("--only-binary=:all:", "--platform", "any", "--python-version", PYTHON, "--implementation", "py"),
                *("--dest", str(found), "--requirement", str(WHEELS), "--disable-pip-version-check"),
            ]
            _run(command, Path(scratch), "the wheels of the web edition cannot be fetched")
            found.rename(folder)
    return sorted(folder.glob("*.whl"))


def kernel_wheels() -> list[Path]:
    """What stands in for ipykernel in a page: comes with the kernel's own package."""
    folder = labextension("@jupyterlite/pyodide-kernel-extension") / "static" / "pypi"
    return [path for path in sorted(folder.glob("*.whl")) if not path.name.startswith("widgetsnbextension-3")]


EXTENSIONS = ("@jupyterlite/pyodide-kernel-extension", "@jupyter-widgets/jupyterlab-manager", "anywidget")


def labextension(name: str) -> Path:
    """The installed extension of JupyterLab with this name. Raises `CannotBuild`."""
    for prefix in (sys.prefix, sys.base_prefix):
        folder = Path(prefix) / "share" / "jupyter" / "labextensions" / name
        if folder.is_dir():
            return folder
    raise CannotBuild(f"the JupyterLab extension {name} is not installed: pip install 'replication-lab[site]'")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _run(command: list[str], folder: Path, otherwise: str) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=FETCHING, check=False)
    except subprocess.TimeoutExpired:
        raise CannotBuild(f"{otherwise}: no answer within {FETCHING:g} s") from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise CannotBuild(f"{otherwise}: {' / '.join(last)}")
