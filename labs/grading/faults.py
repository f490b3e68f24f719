"""Whose fault it is: the student's, which costs points, or the grader's, which costs nobody points but the grade."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labs.grading.results import Scene


class GraderFault(Exception):
    """The grader itself failed: no mark may come of it. The message says what to do."""


class Stopped(BaseException):
    """Somebody does not want the result any more. No `Exception`, as `KeyboardInterrupt` is none: nobody may take it
    for a failure and go on."""


class SubmissionRefused(Exception):
    """This submission cannot be opened at all; the message says why."""


class FaultKind(Enum):
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


class StudentFault(Exception):
    """The student's code broke off a check. `frames` are the student's own lines of the traceback, `scene` is where it
    happened, if that can be opened."""

    scene: Scene | None = None

    def __init__(self, kind: FaultKind, message: str, frames: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.frames = tuple(frames)
