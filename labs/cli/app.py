"""`replab`: the lab from the command line. Each command is a module of `labs.cli` with `register(app)`."""

from __future__ import annotations

import sys

import typer

from labs.cli import (
    check,
    conform,
    doctor,
    down,
    explore,
    grade,
    handout,
    linearizable,
    open,
    replay,
    simulate,
    site,
    status,
    steps,
    up,
)
from labs.cluster.base import ClusterError

app = typer.Typer(
    name="replab",
    help="A teaching lab on replication and leader election.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

# In the order in which the help shows them.
_COMMANDS = (
    *(steps, up, conform, status, doctor, down, open, site, handout, check, grade),
    *(simulate, replay, explore, linearizable),
)
for _command in _COMMANDS:
    _command.register(app)

# Typer's own error shows a usage, a hint and a box; one line is enough. Depending on its version, typer brings click
# along (then the package `click` is another one) or imports it, so the class is looked up where it is known to be.
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
