"""JupyterLab under Playwright: a server of our own, and a notebook opened in it.

Two things learned the hard way are built in. A notebook is run only when its kernel is idle and connected (before that,
"run all" asks for a kernel and never returns). And what a cell shows is looked for in its *output*: text of the whole
notebook also contains the source, where everything is always found.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import nbformat
import psutil

CHROMIUM_FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
OVERRIDES = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    # With subshells a widget's callback may run on another thread; the lab is written for one, and sets this too.
    "@jupyterlab/apputils-extension:kernels-settings": {"commsOverSubshells": "disabled"},
}
NOTEBOOK = "[...jupyterapp.shell.widgets('main')].find(one => one.content?.model?.cells)"
"""Not JupyterLab's current widget: that can be what stands beside the notebook, and a window without focus, as a
headless Firefox has it, has none."""
KERNEL_READY = """() => {
  const session = window.jupyterapp && NOTEBOOK?.sessionContext?.session;
  return session?.kernel?.status === 'idle' && session.kernel.connectionStatus === 'connected';
}""".replace("NOTEBOOK", NOTEBOOK)
CELLS_RUN = """() => {
  const cells = [...NOTEBOOK.content.model.cells].filter(cell => cell.type === 'code');
  const outputs = cells.map(cell => cell.sharedModel.outputs);
  const errors = outputs.flat().filter(one => one.output_type === 'error').map(one => `${one.ename}: ${one.evalue}`);
  const kernel = NOTEBOOK.sessionContext.session.kernel.status;
  const rest = cells.filter(cell => cell.executionCount == null || cell.executionState === 'running');
  return errors.length || (kernel === 'idle' && !rest.length) ? { errors, cells: cells.length } : null;
}""".replace("NOTEBOOK", NOTEBOOK)
CELL_RUN = """([number, before]) => {
  const cell = NOTEBOOK.content.model.cells.get(number);
  if (cell.executionCount == null || cell.executionCount === before || cell.executionState === 'running') return null;
  const errors = cell.sharedModel.outputs.filter(one => one.output_type === 'error');
  return { errors: errors.map(one => `${one.ename}: ${one.evalue}`) };
}""".replace("NOTEBOOK", NOTEBOOK)
QUIET = ("favicon", "ResizeObserver loop", "ERR_NETWORK_CHANGED", "@jupyterlite/pyodide-kernel-extension")
"""Console errors that say nothing about us. ERR_NETWORK_CHANGED: somebody here made or removed a network. The
kernel extension: the tests' environment can also build the web edition, and that kernel fails outside its pages."""


def chromium() -> str | None:
    """Where Chromium is; None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def await_end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a program that has been told to end; it is killed if it does not."""
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Lab:
    """A JupyterLab server with private folders, on a free port, for one test session.

    `python` is the interpreter of the environment in which it is installed.
    """

    module, application, address = "jupyterlab", "LabApp", "lab/tree"

    def __init__(self, home: Path, python: str = sys.executable) -> None:
        self.notebooks = home / "notebooks"
        self.notebooks.mkdir(parents=True)
        settings = home / "settings"
        settings.mkdir()
        (settings / "overrides.json").write_text(json.dumps(OVERRIDES))
        self.token = secrets.token_hex(8)
        self.port = _free_port()
        self._log = (home / "lab.log").open("wb")
        self._process = subprocess.Popen(
            [
                python, "-m", self.module, "--no-browser", "--ServerApp.ip=127.0.0.1",
                f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={self.token}",
                f"--{self.application}.expose_app_in_browser=True",
                f"--{self.application}.app_settings_dir={settings}", "--allow-root",
                f"--ServerApp.root_dir={self.notebooks}",
            ],
            env={**os.environ, **_private_folders(home)}, stdout=self._log, stderr=self._log, cwd=home,
        )  # fmt: skip
        self._await_answer(home / "lab.log")

    def url(self, notebook: str) -> str:
        return f"http://127.0.0.1:{self.port}/{self.address}/{notebook}?token={self.token}&reset"

    def close(self) -> None:
        self._process.terminate()
        await_end(self._process)
        self._log.close()

    def _await_answer(self, log: Path) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                address = f"http://127.0.0.1:{self.port}/api/status?token={self.token}"
                with urllib.request.urlopen(address, timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        self.close()
        raise RuntimeError(f"{self.module} did not start:\n{log.read_text(errors='replace')[-2000:]}")


class Notebook7(Lab):
    """The same with Jupyter Notebook 7, which shows one notebook a page."""

    module, application, address = "notebook", "JupyterNotebookApp", "notebooks"


class OpenedLab:
    """What `replab open` starts for somebody who installed the lab: its own server on a fresh working copy in `home`.

    `began` is when the command was called (`time.monotonic()`), `first` the address that it printed.
    """

    def __init__(self, home: Path) -> None:
        config = home / "config"
        config.mkdir(parents=True)
        # The one thing that a student's JupyterLab has not: its commands, for the tests to call.
        (config / "jupyter_lab_config.json").write_text(json.dumps({"LabApp": {"expose_app_in_browser": True}}))
        self.notebooks = home / "replication-lab" / "notebooks"
        self._log = (home / "open.log").open("wb")
        self.began = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "labs", "open", "--no-browser", "--folder", str(home)],
            env={**os.environ, **_private_folders(home), "PYTHONUNBUFFERED": "1"},
            stdout=self._log, stderr=self._log, cwd=home,
        )  # fmt: skip
        self.first = self._await_address(home / "open.log")

    @property
    def pid(self) -> int:
        """JupyterLab's process, which the command has started."""
        return int(next(iter(psutil.Process(self._process.pid).children())).pid)

    def url(self, notebook: str) -> str:
        return f"{self.first.replace('00_start_here.ipynb', notebook)}&reset"

    def close(self) -> None:
        """Ctrl-C, as in the terminal."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(30)
        finally:
            self._process.kill()  # nothing happens where it has ended
            self._process.wait()
            self._log.close()

    def _await_address(self, log: Path) -> str:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            said = log.read_text(errors="replace")
            found = re.search(r"http://127\.0\.0\.1:\S+", said)
            if found and "The lab is open." in said:
                return found.group()
            time.sleep(0.05)
        self.close()
        raise RuntimeError(f"replab open did not start:\n{log.read_text(errors='replace')[-2000:]}")


class Notebook:
    """One notebook in one browser page. `page` is Playwright's."""

    def __init__(self, page: Any, name: str) -> None:
        self.page = page
        self.name = name
        self.errors: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(f"page error: {error}"))

    def _console(self, message: Any) -> None:
        if message.type == "error" and not any(word in message.text + message.location["url"] for word in QUIET):
            self.errors.append(f"{message.text} ({message.location['url']})")

    def open(self, lab: Lab | OpenedLab, theme: str = "light") -> None:
        self.page.goto(lab.url(self.name))
        self.page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden)", timeout=60_000)
        self.page.wait_for_function(KERNEL_READY, timeout=60_000)
        self.set_theme(theme)
        self.command("application:toggle-left-area", when="!jupyterapp.shell.leftCollapsed")

    def set_theme(self, theme: str) -> None:
        """`light` or `dark`."""
        name = f"JupyterLab {theme.capitalize()}"
        self.page.evaluate(
            "name => { jupyterapp.commands.execute('apputils:change-theme', {theme: name}); return true; }", name
        )
        self.page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)

    def command(self, name: str, when: str = "true") -> None:
        """Start one of JupyterLab's commands. Its promise is not awaited: some never resolve."""
        self.page.evaluate(f"() => {{ if ({when}) jupyterapp.commands.execute('{name}'); return true; }}")

    def run_all(self) -> None:
        """Start all cells; wait for what they show, not for this."""
        self.command("notebook:run-all-cells")

    def finish(self, timeout: float = 120.0) -> int:
        """Wait until every cell has run and the kernel rests; fails if one raised. Returns how many code cells ran."""
        done = self.page.wait_for_function(CELLS_RUN, timeout=timeout * 1000).json_value()
        assert done["errors"] == [], done["errors"]
        return int(done["cells"])

    def run_cell(self, number: int) -> None:
        """Run one cell (the first is 0)."""
        self.page.evaluate(
            """number => {
                const notebook = NOTEBOOK.content;
                notebook.activeCellIndex = number;
                notebook.deselectAll();
                jupyterapp.commands.execute('notebook:run-cell');
                return true;
            }""".replace("NOTEBOOK", NOTEBOOK),
            number,
        )

    def complete_cell(self, number: int) -> None:
        """Run one cell to its end; fails if it raises."""
        count = f"{NOTEBOOK}.content.model.cells.get(number).executionCount"
        before = self.page.evaluate(f"number => {count}", number)
        self.run_cell(number)
        done = self.page.wait_for_function(CELL_RUN, arg=[number, before], timeout=60_000).json_value()
        assert done["errors"] == []

    @property
    def outputs(self) -> Any:
        """All that the cells show (not their source)."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea-output")

    @property
    def panel(self) -> Any:
        """The first cluster panel."""
        return self.page.locator(".rl-panel").first


def write_notebook(path: Path, cells: list[str]) -> None:
    """A notebook of these code cells."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)


def _private_folders(home: Path) -> dict[str, str]:
    names = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
    more = {"JUPYTERLAB_SETTINGS_DIR": "user", "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "IPYTHONDIR": "ipython"}
    return {name: str(home / folder) for name, folder in (names | more).items()}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
