"""`replab`: the lab from the command line. Each command is a module of `labs.cli` with `register(app)`.

Law of this module: only what a command needs is imported for it; the help needs nothing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from labs.cli.overview import COMMANDS, PURPOSE, overview

if TYPE_CHECKING:
    import typer

PLAINLY = (
    (r"^Invalid value for '?([^':]+)'?: ", r"\1: "),
    (r"^Invalid value: ", ""),
    (r"Value error, ", ""),
    (r"Input should be greater than or equal to (\S+)", r"it must be at least \1"),
    (r"Input should be less than or equal to (\S+)", r"it must be at most \1"),
    (r"Input should be a valid integer.*", "it must be a whole number"),
    (r"Input should be a valid number.*", "it must be a number"),
    (r"\[Errno \d+\] ([^:]+)(: '[^']*')?", lambda found: found.group(1)[:1].lower() + found.group(1)[1:]),
)
"""How messages of the libraries are put into a user's words."""


def build(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """The application with these commands."""
    import typer

    app = typer.Typer(
        name="replab", help=PURPOSE, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )

    @app.callback()
    def replab() -> None:
        """There is always a command to be named, also where only one has been loaded."""

    replab.__doc__ = PURPOSE
    for name in names:
        import_module(f"labs.cli.{name}").register(app)
    return app


def __getattr__(name: str) -> Any:
    """`app`: the application with all its commands."""
    if name == "app":
        return build()
    raise AttributeError(name)


def main(arguments: list[str] | None = None) -> None:
    """Run one command. Exit code 1: what it found is wrong; 2: the command line is; each with one line on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console without ✓ and 👑 shows ? instead of failing
    words = sys.argv[1:] if arguments is None else arguments
    if not words or words == ["--help"]:
        print(overview())
        sys.exit(0 if words else 2)
    command, *rest = words
    if command == "linearizable" and rest and not any(word.startswith("-") for word in rest):
        sys.exit(_judge(rest))
    if command == "check" and (code := _check(rest)) is not None:
        sys.exit(code)
    sys.exit(_run(words))


def _judge(files: list[str]) -> int:
    """The command that other programs call for many short histories: to import what reads options takes longer than
    what it does, so without options it is done here."""
    from labs.cli.judging import judge

    try:
        return judge(files)
    except KeyboardInterrupt:
        return 130


def _check(words: list[str]) -> int | None:
    """Likewise: a student waits for the first result, and this saves a third of the wait. None: there are options."""
    from labs.cli.checking import BadRequest, plainly_asked, run
    from labs.cluster.base import ClusterError

    request = plainly_asked(words)
    if request is None:
        return None
    try:
        return run(request)
    except ClusterError as error:
        return _complain(str(error), 1)
    except BadRequest as wrong:
        return _complain(str(wrong), 2)
    except KeyboardInterrupt:
        return 130


def _run(words: list[str]) -> int:
    import typer

    from labs.cluster.base import ClusterError

    # Typer's own error shows a usage, a hint and a box; one line is enough. Depending on its version, typer brings
    # click along (then the package `click` is another one) or imports it, so its class is looked up where it is known.
    usage_error: type[Exception] = next(one for one in typer.BadParameter.__mro__ if one.__name__ == "ClickException")
    app = build([words[0]] if words[0] in COMMANDS else COMMANDS)
    try:
        return app(args=words, prog_name="replab", standalone_mode=False) or 0
    except ClusterError as error:
        return _complain(str(error), 1)
    except usage_error as error:
        return _complain(plainly(error.format_message()), 2)  # type: ignore[attr-defined]
    except (KeyboardInterrupt, typer.Abort):
        return 130


def plainly(message: str) -> str:
    """A library's message without what only its authors know."""
    for pattern, words in PLAINLY:
        message = re.sub(pattern, words, message)
    return message


def _complain(message: str, code: int) -> int:
    if message:  # without one, the help has been shown instead
        print(f"replab: {message}", file=sys.stderr)
    return code
