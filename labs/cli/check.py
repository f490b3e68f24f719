"""The options of `replab check`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from labs.cli.checking import Request, run
from labs.cli.errors import BadRequest


class What(StrEnum):
    everything = "all"
    ex1 = "ex1"
    ex2 = "ex2"
    ex3 = "ex3"


def register(app: typer.Typer) -> None:
    app.command()(check)


def check(
    what: Annotated[What, typer.Argument(metavar="[ex1|ex2|ex3|all]", help="Default: all.")] = What.everything,
    only: Annotated[list[str] | None, typer.Option(metavar="CHECK", help="As ex3.votes; may be repeated.")] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Runs with this seed alone: what a result says under “See it again”.")
    ] = None,
    dice: Annotated[
        str, typer.Option(metavar="TEXT", help="Of a graded run: what its report says under “See it again”.")
    ] = "",
    file: Annotated[
        Path | None, typer.Option(help="A file, folder, zip or notebook instead of the folder exercises/.")
    ] = None,
    picture: Annotated[Path, typer.Option(metavar="DIR", help="Where pictures of failed runs go.")] = Path("pictures"),
) -> None:
    """Check the exercises as they will be graded. Exit code 1 if anything is missing yet."""
    try:
        code = run(Request(what.value, tuple(only or ()), seed, dice, file, picture))
    except BadRequest as wrong:
        raise typer.BadParameter(str(wrong), param_hint=wrong.option or None) from None
    if code:
        raise typer.Exit(code)
