"""`replab`: the lab from the command line. Each command is a module of `labs.cli` with `register(app)`.

Law of this module: only what a command needs is imported for it; the help needs nothing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from labs.cli.errors import BadRequest
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


PLAIN = {"check": "labs.cli.checking", "linearizable": "labs.cli.judging"}
"""Commands that can be had without an option parser, by the modules that know when (`plain`)."""


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
    sys.exit(_run(words))


def _run(words: list[str]) -> int:
    from labs.cluster.base import ClusterError

    try:
        plain = _without_options(words)
        return _with_options(words) if plain is None else plain()
    except ClusterError as error:
        return _complain(str(error), 1)
    except BadRequest as wrong:
        return _complain(str(wrong), 2)
    except KeyboardInterrupt:
        return 130


def _without_options(words: list[str]) -> Callable[[], int] | None:
    """What the command does, where that needs no option parser: to import one takes longer than to judge a short
    history, and a third of the wait for a check's first result. None where it needs one."""
    command, *rest = words
    module = PLAIN.get(command)
    asked: Callable[[], int] | None = None if module is None else import_module(module).plain(rest)
    return asked


def _with_options(words: list[str]) -> int:
    import typer

    # Typer's own error shows a usage, a hint and a box; one line is enough. Depending on its version, typer brings
    # click along (then the package `click` is another one) or imports it, so its class is looked up where it is known.
    usage_error: type[Exception] = next(one for one in typer.BadParameter.__mro__ if one.__name__ == "ClickException")
    app = build([words[0]] if words[0] in COMMANDS else COMMANDS)
    try:
        return app(args=words, prog_name="replab", standalone_mode=False) or 0
    except usage_error as error:
        return _complain(plainly(error.format_message()), 2)  # type: ignore[attr-defined]
    except typer.Abort:
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
