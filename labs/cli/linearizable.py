"""`replab linearizable FILE…`: is a recorded history linearizable?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labs.cli.judging import judge

_FILES = "Histories: JSON lines, Jepsen's history.edn, Jepsen register logs, key-value texts."


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("linearizable")(linearizable)


def linearizable(
    files: Annotated[list[str], typer.Argument(help=_FILES)],
    picture: Annotated[Path | None, typer.Option(help="Folder for an SVG of each violation found.")] = None,
    explain: Annotated[bool, typer.Option(help="Say on stderr what is wrong with each violating key.")] = False,
) -> None:
    """Print a verdict a line: FILE linearizable, or FILE violation.

    Exit code 1 if there is any violation, 2 if a file cannot be read (the others are still judged).
    """
    raise typer.Exit(judge(files, picture, explain))
