"""`replab`: the lab from the command line. Each command is a module of `labs.cli` with `register(app)`."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec

import typer

from labs.cluster.base import ClusterError

COMMANDS = (
    "steps",
    "up",
    "status",
    "doctor",
    "down",
    "open",
    "handout",
    "check",
    "grade",
    "simulate",
    "linearizable",
)
"""In the order in which the help shows them."""

app = typer.Typer(
    name="replab",
    help="A teaching lab on replication and leader election.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

for _name in COMMANDS:
    if find_spec(f"labs.cli.{_name}") is not None:
        import_module(f"labs.cli.{_name}").register(app)


# Typer's own error shows a usage, a hint and a box; one line is enough. Depending on its version, typer brings
# click along or imports it, so the class is looked up where it is known to be.
UsageError: type[Exception] = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")


def main(arguments: list[str] | None = None) -> None:
    """Run one command. Exit code 1: what it found is wrong; 2: the command line is; each with one line on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console without ✓ and 👑 shows ? instead of failing
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    try:
        return app(args=arguments, prog_name="replab", standalone_mode=False) or 0
    except ClusterError as error:
        return _complain(str(error), 1)
    except UsageError as error:
        return _complain(error.format_message(), 2)  # type: ignore[attr-defined]
    except (KeyboardInterrupt, typer.Abort):
        return 130


def _complain(message: str, code: int) -> int:
    if message:  # without one, the help has been shown instead
        print(f"replab: {message}", file=sys.stderr)
    return code
