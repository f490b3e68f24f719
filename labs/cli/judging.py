"""The verdicts that `replab linearizable` prints.

Law of this module: no option parser is imported. To judge a list of files takes less time than to import one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from labs.history import HistoryError, Operation, Verdict, check, is_linearizable, load

_VIOLATION, _UNREADABLE = 1, 2


def plain(words: list[str]) -> Callable[[], int] | None:
    """What a command line without options asks for; None where there are any, or no files."""
    if not words or any(word.startswith("-") for word in words):
        return None
    return partial(judge, words)


def judge(files: Iterable[str], picture: Path | None = None, explain: bool = False) -> int:
    """A line for each file; the exit code. `picture`: the folder for pictures of violations."""
    return max((_judge(file, picture, explain) for file in files), default=0)


def _judge(file: str, picture: Path | None, explain: bool) -> int:
    """Judge one file; returns the exit code that it asks for."""
    try:
        operations = load(Path(file))
        ok, verdict = _verdict(operations, in_full=explain or picture is not None)
    except HistoryError as error:
        return _complain(f"{file}:{error.line}: {error}" if error.line else f"{file}: {error}")
    except OSError as error:
        return _complain(f"{file}: cannot be read: {error.strerror or error}")
    print(f"{file} {'linearizable' if ok else 'violation'}", flush=True)
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
            print(f"{file}: {violation.sentence}", file=sys.stderr)
        if picture is not None:
            from labs.pictures.history import draw_violation  # who wants no picture does not wait for it

            try:
                picture.mkdir(parents=True, exist_ok=True)
                (picture / f"{Path(file).name}-{number}.svg").write_text(draw_violation(violation), encoding="utf-8")
            except OSError as error:
                return _complain(f"{picture}: cannot write the picture: {error.strerror or error}")
    return 0 if verdict.ok else _VIOLATION


def _complain(message: str) -> int:
    print(message, file=sys.stderr)
    return _UNREADABLE
