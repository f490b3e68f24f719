"""Puts a site together: JupyterLite, Pyodide, the wheels, the notebooks and exercises.

Law of this module: each site is built from nothing, in a folder of its own, and moved to its place when it is whole.
(A second build over a first one would keep settings of the first.)
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labs.lesson.workspace import contents
from labs.panel import assets
from labs.site.freezing import PAGES, freeze
from labs.site.offline import keep_offline
from labs.site.packages import unpack
from labs.site.parts import (
    EXTENSIONS,
    PYODIDE_FILES,
    CannotBuild,
    fetch_pyodide,
    fetch_wheels,
    kernel_wheels,
    labextension,
    require_tools,
)
from labs.site.wheel import build_wheel
from replstore import __version__

MARK = "replication-lab.json"
"""Tells a site of the lab from any other folder, which is never replaced."""
FIRST = "notebooks/00_start_here.ipynb"
KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"
WHAT_IS_REAL = (
    "**The web edition.** The nodes here are real, their network and their disks are not: the same node code that runs"
    " as processes elsewhere runs in your browser, in a simulated network with simulated time. Nothing is installed and"
    " nothing leaves this page; what you change is kept in this browser. Marks given here are unofficial."
)
KERNEL_PACKAGES = ("ipykernel", "comm", "pyodide-kernel", "jedi", "ipython")
"""What JupyterLite's kernel would install if it were not told that the page's Python has it."""
NOT_SERVED = ("**/*.map", "rspack.config*", "build/fa-*.svg", "build/fa-*.eot", "build/fa-*.ttf")
"""Source maps, and icons in formats for browsers that could not run the site."""
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}


def build_site(target: Path, cache: Path, solutions: bool = False, say: Callable[[str], None] = print) -> Path:
    """Write the lab's site into `target`, a folder that is new, empty, or an older site of the lab, and return it.

    `cache`: where downloads are kept. `solutions`: with the reference solutions. Raises `CannotBuild`.
    """
    require_tools()
    _may_be_replaced(target)
    say("Fetching Pyodide and the wheels (kept for the next time).")
    pyodide, wheels = fetch_pyodide(cache), fetch_wheels(cache)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".replab-site-", dir=target.parent) as scratch:
        made = Path(scratch) / "site"
        project = _project(Path(scratch) / "project", pyodide, wheels, solutions)
        say("Building the site.")
        _lite(project, made)
        _finish(made)
        keep_offline(made)
        if target.exists():
            shutil.rmtree(target)
        made.rename(target)
    return target


def _may_be_replaced(target: Path) -> None:
    if target.exists() and not (target / MARK).is_file() and (not target.is_dir() or any(target.iterdir())):
        raise CannotBuild(f"{target} is not empty and no site of the lab: name a new folder")


# -- what JupyterLite builds from --------------------------------------------------------------------------


def _project(folder: Path, pyodide: Path, wheels: list[Path], solutions: bool) -> Path:
    runtime = folder / "static" / "pyodide"
    runtime.mkdir(parents=True)
    for name in PYODIDE_FILES:
        shutil.copyfile(pyodide / name, runtime / name)
    own = build_wheel(folder, solutions)
    unpack([*wheels, *kernel_wheels(), own], folder / "packages")
    own.unlink()
    freeze(runtime, folder / "packages")
    _write(folder / "jupyter-lite.json", _configuration())
    _write(folder / "overrides.json", SETTINGS)
    for place, content in contents():
        target = folder / "contents" / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(with_notice(content) if place.suffix == ".ipynb" else content)
    return folder


def _configuration() -> dict[str, Any]:
    kernel = {
        "pyodideUrl": "./static/pyodide/pyodide.mjs",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"packages": ["micropip", "piplite", *KERNEL_PACKAGES]},
    }
    data = {
        "appName": "Replication lab",
        "appVersion": __version__,
        "enableServiceWorkerCache": True,
        "exposeAppInBrowser": True,
        "litePluginSettings": {KERNEL: kernel},
    }
    return {"jupyter-lite-schema-version": 0, "jupyter-config-data": data}


def with_notice(notebook: bytes) -> bytes:
    """The notebook with what is real and what is simulated in front."""
    content = json.loads(notebook)
    cell = {"cell_type": "markdown", "id": "web-edition", "metadata": {"editable": False}, "source": [WHAT_IS_REAL]}
    content["cells"].insert(0, cell)
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


# -- building ----------------------------------------------------------------------------------------------


def _lite(project: Path, made: Path) -> None:
    config = {
        "LiteBuildConfig": {
            "ignore_sys_prefix": ["federated_extensions"],
            "federated_extensions": [str(labextension(name)) for name in EXTENSIONS],
            "apps": ["lab"],
            "contents": [str(project / "contents")],
            "settings_overrides": [str(project / "overrides.json")],
            "no_sourcemaps": True,
            "no_unused_shared_packages": True,
        }
    }
    _write(project / "jupyter_lite_config.json", config)
    command = [
        *(sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", str(project), "--output-dir", str(made)),
        *("--config", str(project / "jupyter_lite_config.json")),
    ]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotBuild(f"JupyterLite could not be built:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _finish(made: Path) -> None:
    for path in {path for pattern in NOT_SERVED for path in made.glob(pattern)}:
        path.unlink()
    shutil.rmtree(made / "extensions" / "@jupyterlite" / "pyodide-kernel-extension" / "static" / "pypi")
    shutil.copyfile(made / "icon-120x120.png", made / "lab" / "favicon.ico")  # the other one has 300 kB
    lab = made / "lab" / "index.html"
    icon = '<link rel="icon" href="./favicon.ico">'  # without it a browser looks for one at the server's root
    lab.write_text(lab.read_text(encoding="utf-8").replace("<head>", f"<head>\n    {icon}", 1), encoding="utf-8")
    for name in ("index.html", "panel.html"):
        shutil.copyfile(PAGES / name, made / name)
    for name in ("checker.mjs", "panel-worker.mjs"):
        shutil.copyfile(PAGES / name, made / "static" / name)
    for name in ("panel.js", "panel.css"):
        shutil.copyfile(assets.STATIC / name, made / "static" / name)
    _write(made / MARK, {"version": __version__})
    settings = json.loads((made / "jupyter-lite.json").read_text(encoding="utf-8"))
    named = settings["jupyter-config-data"]["litePluginSettings"][KERNEL]["pyodideUrl"]
    if not named.endswith("/pyodide.mjs"):  # with another name the kernel never answers, and says nothing
        raise CannotBuild(f"JupyterLite was built for {named}, not for pyodide.mjs")
