"""Errors as the sandboxed process describes them: `child.errors` wrote that, and anything may be wrong with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from labs.grading.errors import ErrorKind, StudentError

_KINDS = {
    "resource": ErrorKind.RESOURCE_LIMIT,
    "not_attempted": ErrorKind.NOT_ATTEMPTED,
    "missing": ErrorKind.MISSING,
    "invalid": ErrorKind.INVALID_REPLY,
    "raised": ErrorKind.RAISED,
}
_HINTS = {
    "EOFError": " (input() has nobody to answer it)",
    "SystemExit": " (the code called exit)",
    "PermissionError": " (files and the network are closed off while grading)",
}


def read_error(data: Any) -> StudentError:
    """The fault that `child.errors.describe` wrote down; tampering with it can only change its words."""
    if type(data) is not dict or not all(type(data.get(key)) is str for key in ("kind", "type", "text")):
        return StudentError(ErrorKind.INVALID_REPLY, "the process reported an error that cannot be read")
    kind = _KINDS.get(data["kind"], ErrorKind.RAISED)
    text = re.sub(r"0x[0-9a-fA-F]{6,}", "0x…", data["text"][:1000])
    if kind is ErrorKind.NOT_ATTEMPTED:
        return StudentError(kind, text or "not attempted")
    if kind is ErrorKind.MISSING:
        return StudentError(kind, f"the file does not define {text}")
    if kind is ErrorKind.INVALID_REPLY:
        return StudentError(kind, text)
    name = data["type"][:100]
    message = f"{name}: {text}" if text else name
    return StudentError(kind, message + _HINTS.get(name, ""), _frames(data.get("frames")))


def _frames(data: Any) -> list[str]:
    if type(data) is not list:
        return []
    return [line for frame in data[:6] if (line := _frame(frame))]


def _frame(data: Any) -> str:
    if type(data) is not list or [type(part) for part in data] != [str, int, str, str]:
        return ""
    path, line, function, source = data
    place = f"{Path(path).name[:100]}, line {line}" + (f", in {function[:100]}" if function else "")
    return f"{place}: {source[:200]}"
