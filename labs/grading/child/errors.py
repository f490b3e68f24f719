"""What went wrong in the student's code, as plain data: the exception, and the student's own lines of the traceback."""

from __future__ import annotations

import errno
import linecache
from types import TracebackType
from typing import Any

from labs.grading.child.values import BadValue

MAX_FRAMES = 6
_EXHAUSTED = (errno.ENOSPC, errno.EFBIG, errno.EMFILE, errno.EAGAIN, errno.EDQUOT if hasattr(errno, "EDQUOT") else -1)


class MissingName(Exception):
    """The student's file does not define what it should."""


def describe(error: BaseException, folder: str) -> dict[str, Any]:
    """`error` for the wire. `folder` holds the student's files: only frames from there are shown."""
    return {"kind": _kind(error), "type": type(error).__name__, "text": _text(error), "frames": _frames(error, folder)}


def _kind(error: BaseException) -> str:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _EXHAUSTED):
        return "resource"
    if isinstance(error, RuntimeError) and "can't start new thread" in _text(error):
        return "resource"
    if isinstance(error, NotImplementedError):
        return "not_attempted"
    if isinstance(error, MissingName):
        return "missing"
    return "invalid" if isinstance(error, BadValue) else "raised"


def _text(error: BaseException) -> str:
    try:
        # Half a surrogate pair cannot be written down; what stands for it can.
        return f"{error}"[:1000].encode("utf-8", "backslashreplace").decode()
    except BaseException as second:  # noqa: BLE001  # a student's __str__ may do anything
        return f"(its text cannot be shown: {type(second).__name__})"


def _frames(error: BaseException, folder: str) -> list[list[Any]]:
    if isinstance(error, SyntaxError):
        return [[error.filename, error.lineno or 0, "", (error.text or "").strip()[:200]]]
    frames: list[tuple[str, int, str]] = []
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename.startswith(folder):
            frames.append((code.co_filename, trace.tb_lineno, code.co_name))
        trace = trace.tb_next
    return [[*frame, linecache.getline(frame[0], frame[1]).strip()[:200]] for frame in frames[-MAX_FRAMES:]]
