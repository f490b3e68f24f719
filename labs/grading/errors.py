"""What can go wrong while grading: an error of the student's code costs points, one of the grader leaves no mark.

Law of this module: no name of another module. Everybody in this folder may raise or catch these.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum


class GraderError(Exception):
    """The grader itself failed: no mark may come of it. The message says what to do."""


class Stopped(BaseException):
    """The result is not wanted any more. Like `KeyboardInterrupt` no `Exception`: no code may take it for a failure and
    go on."""


class SubmissionRefused(Exception):
    """This submission cannot be opened at all; the message says why."""


class ErrorKind(Enum):
    """What was wrong with a submission's code, beyond a wrong answer."""

    MISSING = "missing"
    """The file, or a function or class in it, is not there."""
    UNREADABLE = "unreadable"
    """Not Python: not UTF-8, empty, a syntax error, or it cannot be imported."""
    NOT_ATTEMPTED = "not attempted"
    """`NotImplementedError`, as in the starter file."""
    RAISED = "raised"
    INVALID_REPLY = "invalid reply"
    TIME_LIMIT = "time limit"
    RESOURCE_LIMIT = "resource limit"
    ENDED = "process ended"


class StudentError(Exception):
    """The student's code cannot go on, so the check ends. `frames` are the student's own lines of the traceback."""

    def __init__(self, kind: ErrorKind, message: str, frames: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.frames = tuple(frames)
