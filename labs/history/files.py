"""Histories from and to files, whatever their format."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from labs.history import jepsen, jsonl
from labs.history.operations import HistoryError, Operation


def _load_edn(text: str) -> list[Operation]:
    from labs.history.edn import load_edn  # its reader is a package that only such a file needs

    return load_edn(text)


_FORMATS = (
    (re.compile(r'\{:process \d+, :type :\w+, :f :\w+, :key "'), jepsen.load_text),
    (re.compile(r"(\[\s*)?(#[\w./]+\s*)?\{\s*(:|$)|\[\s*$"), _load_edn),
    (re.compile(r"\{"), jsonl.loads),
    (re.compile(r"(INFO|WARN|ERROR|DEBUG)\s"), jepsen.load_etcd),
)


def load(path: Path) -> list[Operation]:
    """Read a history; the first line that is not blank tells the format. Raises `HistoryError`, or `OSError`."""
    try:
        return parse(path.read_bytes().decode("utf-8").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise HistoryError("not UTF-8 text", line) from None


def parse(text: str) -> list[Operation]:
    """As `load`, from text. An empty text is no history."""
    number, first = next(((n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()), (1, ""))
    for pattern, loads in _FORMATS:
        if pattern.match(first.lstrip()):
            return loads(text)
    what = f"{first[:60]!r} is the start of no known format" if first else "there is no operation in it"
    known = "JSON lines, Jepsen's history.edn, a Jepsen register log or a key-value text"
    raise HistoryError(f"{what}: a history is {known}", number)


def save(path: Path, operations: Iterable[Operation]) -> None:
    """Write JSON lines."""
    path.write_text(jsonl.dumps(operations), encoding="utf-8")
