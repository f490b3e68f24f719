"""`replab singleuser`: a student's server on a JupyterHub, in place of `jupyterhub-singleuser`.

Law of this module: the hub's word counts. What it or the teacher says about the server is passed on as it is; the
lab says only what nobody else has said. The server takes the place of this process, so that the hub stops the server
itself.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from labs.cli import serving
from labs.cli.errors import BadRequest
from labs.lesson import workspace

OF_THE_HUB = "JUPYTERHUB_API_TOKEN"
"""The environment variable that every hub gives to a server that it starts."""


def register(app: typer.Typer) -> None:
    app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(singleuser)


def singleuser(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Option(help="Where the working copy is, or is to be made. Default: the user's home.")
    ] = None,
) -> None:
    """Serve the lab to one user of a JupyterHub, which starts it.

    In its configuration: c.Spawner.cmd = ["replab", "singleuser"]. Other options go to the server.
    """
    if OF_THE_HUB not in os.environ:
        raise BadRequest("singleuser is for a JupyterHub, which starts it. To work here: replab open")
    if not has_jupyterhub():
        raise BadRequest(
            f"the environment of {sys.executable} has no jupyterhub: pip install 'replication-lab[hub]' there,"
            " in the version that the hub has"
        )
    where = folder or Path.home()
    try:
        space = workspace.find_or_make(where)
    except OSError as problem:
        raise BadRequest(f"no working copy can be made in {where}: {problem.strerror or problem}") from None
    words = command(space, context.args)
    os.execve(words[0], words, serving.environment(space.root))


def has_jupyterhub() -> bool:
    """Whether this environment has it."""
    return importlib.util.find_spec("jupyterhub") is not None


def command(space: workspace.Workspace, others: Sequence[str]) -> list[str]:
    """The server's command line. `others`: what the hub and the teacher say."""
    root, wanted = os.environ.get("JUPYTERHUB_ROOT_DIR", ""), os.environ.get("JUPYTERHUB_DEFAULT_URL", "")
    ours = [f"--LabApp.app_settings_dir={serving.SETTINGS}"]
    if not root:
        ours.append(f"--ServerApp.root_dir={space.root}")
    top = Path(root).expanduser() if root else space.root
    first = (space.root / space.start).resolve()
    if not wanted and first.is_relative_to(top.resolve()):
        ours.append(f"--ServerApp.default_url=/lab/tree/{first.relative_to(top.resolve()).as_posix()}")
    said = {word.partition("=")[0] for word in others}
    return [
        *(sys.executable, "-m", "jupyterhub.singleuser"),
        *(word for word in (*ours, *serving.rights()) if word.partition("=")[0] not in said),
        *others,
    ]
