"""Errors as the sandboxed process describes them: `child.faults` wrote that, and anything may be wrong with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from labs.grading.faults import FaultKind, StudentFault

_KINDS = {
    "resource": FaultKind.RESOURCE_LIMIT,
    "not_attempted": FaultKind.NOT_ATTEMPTED,
    "missing": FaultKind.MISSING,
    "invalid": FaultKind.INVALID_REPLY,
    "raised": FaultKind.RAISED,
}
_HINTS = {
    "EOFError": " (input() has nobody to answer it)",
    "SystemExit": " (the code called exit)",
    "PermissionError": " (files and the network are closed off while grading)",
}


def read_error(data: Any) -> StudentFault:
    """The fault that `child.faults.describe` wrote down; tampering with it can only change its words."""
    if type(data) is not dict or not all(type(data.get(key)) is str for key in ("kind", "type", "text")):
        return StudentFault(FaultKind.INVALID_REPLY, "the process reported an error that cannot be read")
    kind = _KINDS.get(data["kind"], FaultKind.RAISED)
    text = re.sub(r"0x[0-9a-fA-F]{6,}", "0x…", data["text"][:1000])
    if kind is FaultKind.NOT_ATTEMPTED:
        return StudentFault(kind, text or "not attempted")
    if kind is FaultKind.MISSING:
        return StudentFault(kind, f"the file does not define {text}")
    if kind is FaultKind.INVALID_REPLY:
        return StudentFault(kind, text)
    name = data["type"][:100]
    message = f"{name}: {text}" if text else name
    return StudentFault(kind, message + _HINTS.get(name, ""), _frames(data.get("frames")))


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
