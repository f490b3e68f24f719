"""`replab linearizable FILE…`: is a recorded history linearizable?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labs.history import HistoryError, Operation, Verdict, check, is_linearizable, load
from labs.pictures.history import draw_violation

_VIOLATION, _UNREADABLE = 1, 2
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
    codes = {_judge(file, picture, explain) for file in files}
    raise typer.Exit(max(codes, default=0))


def _judge(file: str, picture: Path | None, explain: bool) -> int:
    """Judge one file; returns the exit code that it asks for."""
    try:
        operations = load(Path(file))
        ok, verdict = _verdict(operations, in_full=explain or picture is not None)
    except HistoryError as error:
        return _complain(f"{file}:{error.line}: {error}" if error.line else f"{file}: {error}")
    except OSError as error:
        return _complain(f"{file}: cannot be read: {error.strerror or error}")
    typer.echo(f"{file} {'linearizable' if ok else 'violation'}")
    if verdict is not None:
        return _report(file, verdict, picture, explain)
    return 0 if ok else _VIOLATION


def _verdict(operations: list[Operation], in_full: bool) -> tuple[bool, Verdict | None]:
    """Explaining takes longer than judging, so it is done only where somebody asked."""
    if not in_full:
        return is_linearizable(operations), None
    verdict = check(operations)
    return verdict.ok, verdict


def _report(file: str, verdict: Verdict, picture: Path | None, explain: bool) -> int:
    for number, violation in enumerate(verdict.violations, start=1):
        if explain:
            typer.echo(f"{file}: {violation.sentence}", err=True)
        if picture is not None:
            try:
                picture.mkdir(parents=True, exist_ok=True)
                (picture / f"{Path(file).name}-{number}.svg").write_text(draw_violation(violation), encoding="utf-8")
            except OSError as error:
                return _complain(f"{picture}: cannot write the picture: {error.strerror or error}")
    return 0 if verdict.ok else _VIOLATION


def _complain(message: str) -> int:
    typer.echo(message, err=True)
    return _UNREADABLE
