"""Reading a hand-in in a process of its own, with limits of time and memory.

Law of this module: whatever an archive or a notebook does while it is read (unfolds, crashes the parser, never ends)
concerns that submission alone, and ends with a sentence about it. Folders and files of plain Python are read at once:
that takes no decoder, and is bounded by the bytes that are read.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labs.grading.errors import Stopped, SubmissionRefused
from labs.grading.submission.archive import Unreadable, is_archive
from labs.grading.submission.listing import names_in
from labs.grading.submission.submission import Submission, read_submission, read_text, refused, submission_name
from labs.lesson.exercises import BY_FILE, Exercise

CPU_SECONDS = 20
WALL_SECONDS = 90.0
MEMORY = 1024 * 1024 * 1024
_OUT_OF_MEMORY = 3
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from labs.grading.submission.reading import main; main()"
)


def open_exercise(path: Path, exercise: Exercise) -> Submission:
    """As `open_submission`; a single Python file may have any name, for it is known which exercise it is."""
    if path.suffix != ".py" or path.name in BY_FILE:
        return open_submission(path)
    try:
        return Submission(path.stem, {exercise.id: read_text(path.read_bytes())}, {})
    except (Unreadable, OSError) as problem:
        return Submission(path.stem, {}, {exercise.id: f"{path.name} {problem}"})


def open_submission(path: Path, name: str | None = None, stop: Callable[[], bool] = lambda: False) -> Submission:
    """Read one submission. Whatever is wrong with it is said in the result. Raises `Stopped` when `stop()` is true."""
    name = name or submission_name(path)
    try:
        if _is_plain(path):
            return read_submission(path, name)
        return _read_elsewhere(path, name, stop)
    except (SubmissionRefused, OSError) as refusal:
        return refused(name, str(refusal))


def _is_plain(path: Path) -> bool:
    names = names_in(path) if path.is_dir() else [path.name]
    return not any(is_archive(one) or one.lower().endswith(".ipynb") for one in names)


def _read_elsewhere(path: Path, name: str, stop: Callable[[], bool]) -> Submission:
    words = [sys.executable, "-c", _BOOT, json.dumps(sys.path), os.path.abspath(path), name]
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        answer = _wait(process, stop)
    finally:
        process.kill()
        process.communicate()
    if process.returncode == 0:
        data: dict[str, Any] = json.loads(answer)
        return Submission(name, data["sources"], data["problems"], tuple(data["notes"]))
    raise SubmissionRefused(f"{_why(process.returncode)}: hand in the exercises only")


def _wait(process: subprocess.Popen[bytes], stop: Callable[[], bool]) -> bytes:
    deadline = time.monotonic() + WALL_SECONDS
    while True:
        try:
            return process.communicate(timeout=0.25)[0]
        except subprocess.TimeoutExpired:
            if stop():
                raise Stopped from None
            if time.monotonic() > deadline:
                raise SubmissionRefused(f"reading it takes more than {WALL_SECONDS:g} s") from None


def _why(code: int) -> str:
    if code == _OUT_OF_MEMORY:
        return f"reading it takes more than {MEMORY // 2**20:,} MiB of memory"
    if os.name == "posix" and -code in (signal.SIGXCPU, signal.SIGKILL):
        return f"reading it takes more than {CPU_SECONDS} s of processor time"
    return f"reading it ended the reader (exit status {code})"


# --------------------------------------------------------------------------------------------------------
# In the other process


def main() -> None:
    """Read what the command line names, and print it as JSON."""
    _limit()
    try:
        found = read_submission(Path(sys.argv[2]), sys.argv[3])
        text = json.dumps({"sources": found.sources, "problems": found.problems, "notes": found.notes})
    except MemoryError:
        os._exit(_OUT_OF_MEMORY)
    sys.stdout.write(text)


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows has none; there the wall clock is the limit
        return
    for which, value in ((resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(which)
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(which, (most, hard))
        except (ValueError, OSError) as error:  # macOS refuses some
            print(f"limit {which} not set: {error}", file=sys.stderr)
