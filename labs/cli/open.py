"""`replab open`: JupyterLab on the first notebook."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
import threading
import time
import urllib.request
import webbrowser
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.console import Console

from labs.cli import serving
from labs.cli.options import Backend
from labs.cluster import ports
from labs.cluster.opening import BACKEND_VARIABLE, why_no_docker
from labs.lesson import workspace

HARMLESS = (b"Kernel is running over TCP without encryption", b"received signal 15, stopping")
"""The kernels talk to nobody but this machine; and it is this command that sends signal 15."""
START_TIMEOUT = 60.0
"""Seconds that the server may take to answer."""


def register(app: typer.Typer) -> None:
    app.command("open")(open_lab)


def open_lab(
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in the browser.")] = True,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: a free one.")] = 0,
    folder: Annotated[Path, typer.Option(help="Where the working copy is, or is to be made.")] = Path(),
    backend: Annotated[
        Backend | None,
        typer.Option(
            "--backend", help="What the notebooks' nodes are. Default: what was chosen before, else processes."
        ),
    ] = None,
    prepare: Annotated[bool, typer.Option("--prepare", help="Only make or update the working copy.")] = False,
) -> None:
    """Open the lab's notebooks. Ctrl-C ends it."""
    console = Console()
    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is no folder")
    if backend is Backend.docker and (why_not := why_no_docker()) is not None:
        raise typer.BadParameter(f"containers are no choice here: {why_not}")
    chosen = _checked(port) if port else ports.choose(1)[0]
    space = workspace.find_or_make(folder)
    if space.made:
        console.print(f"Working copy: {space.root.resolve()}", soft_wrap=True)
    for path in space.offered:
        text = f"There is a newer version of a file that you changed; it is beside yours: {path}"
        console.print(text, soft_wrap=True)
    if backend is not None:
        workspace.switch_of(space.root).unlink(missing_ok=True)
    if prepare:
        return
    token = secrets.token_hex(16)
    # In a session of its own, Ctrl-C reaches only this command, and JupyterLab does not ask whether it is meant.
    command = _command(space.root, chosen, token)
    environment = serving.environment(space.root)
    if backend is not None:
        environment[BACKEND_VARIABLE] = backend.value
    server = subprocess.Popen(command, env=environment, start_new_session=True, stderr=subprocess.PIPE)
    threading.Thread(target=_pass_on, args=(server.stderr,), daemon=True).start()
    _end_like_ctrl_c("SIGTERM", "SIGHUP")
    try:
        url = f"http://127.0.0.1:{chosen}/lab/tree/{space.start.as_posix()}?token={token}"
        console.print(f"JupyterLab is starting, at {url}", soft_wrap=True)
        _wait(server, chosen, token)
        console.print("The lab is open. Ctrl-C here ends it.")
        if browser and not webbrowser.open(url):
            console.print("No browser could be opened here; go to this address yourself.")
        server.wait()
    except KeyboardInterrupt:
        console.print("Closing the lab.")
    finally:
        server.terminate()
        server.wait()


def _command(root: Path, port: int, token: str) -> list[str]:
    return [
        *(sys.executable, "-m", "jupyterlab", "--no-browser"),
        *("--ServerApp.log_level=ERROR", "--LabApp.log_level=ERROR"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={root}"),
        f"--LabApp.app_settings_dir={serving.SETTINGS}",
        *serving.rights(),
    ]


def _pass_on(messages: IO[bytes]) -> None:
    """JupyterLab's messages and its kernels', but for those that would only frighten."""
    for line in messages:
        if not any(words in line for words in HARMLESS):
            sys.stderr.write(line.decode(errors="replace"))


def _end_like_ctrl_c(*names: str) -> None:
    """Whoever ends this command, also by closing its terminal, ends JupyterLab with it. (Windows has no SIGHUP.)"""
    for name in names:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)


def _checked(port: int) -> int:
    if not ports.is_free(port):
        raise typer.BadParameter(f"port {port} is in use{ports.holder(port)}: choose another, or leave --port away")
    return port


def _wait(server: subprocess.Popen[bytes], port: int, token: str) -> None:
    """Until it answers. Raises `typer.Exit` with a reason if it ends before that."""
    deadline = time.monotonic() + START_TIMEOUT
    address = f"http://127.0.0.1:{port}/api/status"
    # A proxy of the campus is for the world, not for this machine.
    asking = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        if server.poll() is not None:
            typer.echo(f"replab: JupyterLab ended with exit code {server.returncode}; its message is above.", err=True)
            raise typer.Exit(1)
        try:
            with asking.open(f"{address}?token={token}", timeout=1):
                return
        except OSError:  # not listening yet, or not yet answering
            time.sleep(0.1)
    typer.echo(f"replab: JupyterLab did not answer within {START_TIMEOUT:g} s.", err=True)
    raise typer.Exit(1)
