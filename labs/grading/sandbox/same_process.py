"""A student's code in this very interpreter, for where there are no processes: a web worker of the student's own page.

Law of this module: it talks as `Sandbox` does, through the same JSON, so that the checks and their points are the
same. It protects nobody: what it cannot interrupt must be ended from outside with the whole interpreter, and what runs
here can change the grader. Its marks are therefore unofficial.
"""

from __future__ import annotations

import contextlib
import dis
import hashlib
import io
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from math import inf
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from labs.cluster.base import ClusterError
from labs.grading.child.errors import describe
from labs.grading.child.main import Worker
from labs.grading.child.wire import ERRORS
from labs.grading.errors import ErrorKind, Stopped, StudentError
from labs.grading.sandbox.limits import DEFAULT, SandboxLimits
from labs.grading.sandbox.replies import read_reply, without_addresses
from labs.grading.sandbox.reported_error import read_error

Serve = Callable[[int, str, Any], dict[str, Any]]
"""As `Sandbox`'s."""
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class _Ended(BaseException):
    """Unwinds the student's code; why stands in the conversation."""


@lru_cache(maxsize=1000)
def _jumps_to_itself(code: CodeType) -> bool:
    """Is there a loop of one single instruction, as in `while True: pass` on one line? Python tells a tracer of a new
    line and of every jump backward, but not of a jump from an instruction to itself."""
    jumps = {*dis.hasjrel, *dis.hasjabs}
    return any(step.opcode in jumps and step.argval == step.offset for step in dis.get_instructions(code))


class SameProcess:
    """As `Sandbox`, without a process of its own."""

    def __init__(
        self,
        files: Mapping[str, str],
        limits: SandboxLimits = DEFAULT,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.limits = limits
        self.digest = hashlib.sha256()
        self.seconds = 0.0
        self._stop = stop
        self._question = 0
        self._serve: Serve | None = None
        self._fault: BaseException | None = None
        self._printed = _Printed(limits)
        self._deadline = inf
        self._served = 0.0
        self._closed = False
        self._root = Path(tempfile.mkdtemp(prefix="replab-check-"))
        self._folder = self._root / "exercises"
        self._folder.mkdir()
        (self._folder / "__init__.py").touch()
        for name, text in files.items():
            (self._folder / name).write_text(text, encoding="utf-8", newline="\n")
        _forget_modules()
        sys.path.insert(0, str(self._root))
        self._worker = Worker(self, str(self._root))

    @property
    def output(self) -> str:
        """What the student's code printed, in part."""
        return self._printed.kept

    def ask(
        self,
        do: str,
        question: Mapping[str, Any],
        seconds: float,
        serve: Serve | None = None,
        late: str = "",
        wall: float = inf,
    ) -> Any:
        """As `Sandbox.ask`."""
        if self._closed:
            raise StudentError(ErrorKind.ENDED, "the student's code has been ended")
        if self._stop():
            raise Stopped
        self._question += 1
        self._serve, self._fault, self._served = serve, None, 0.0
        line = json.loads(_encode({"id": self._question, "do": do, **question}))
        begun = time.monotonic()
        self._deadline = begun + min(seconds, wall)
        try:
            text = self._answer(line)
        finally:
            self.seconds += time.monotonic() - begun - self._served
        if self._fault is not None:
            self.close()
            if isinstance(self._fault, TimeoutError):
                raise StudentError(ErrorKind.TIME_LIMIT, late or f"no answer within {seconds:g} s")
            raise self._fault
        return self._result(text)

    def _answer(self, line: dict[str, Any]) -> str:
        nobody = io.StringIO("")
        before, sys.stdin = sys.stdin, nobody  # input() meets the end of file at once
        try:
            with contextlib.redirect_stdout(self._printed), contextlib.redirect_stderr(self._printed), self._watched():
                answer = self._worker.answer(line)
        finally:
            sys.stdin = before
        try:
            return _encode(answer)
        except (ValueError, TypeError, RecursionError) as error:  # something in the answer that JSON does not have
            return _encode({"id": line["id"], "error": {**describe(error, str(self._root)), "kind": "invalid"}})

    def _result(self, text: str) -> Any:
        if len(text) > self.limits.reply_bytes:
            raise StudentError(ErrorKind.RESOURCE_LIMIT, f"a reply of more than {self.limits.reply_bytes:,} bytes")
        if self._printed.count > self.limits.output_bytes:
            raise self._flood()
        try:
            reply = read_reply(text.encode())
        except (ValueError, RecursionError):
            raise StudentError(ErrorKind.INVALID_REPLY, "the reply is not JSON, or nested too deeply") from None
        self.digest.update(without_addresses(text.encode()))
        if "error" in reply:
            raise read_error(reply["error"])
        return reply["ok"]

    def _flood(self) -> StudentError:
        return StudentError(ErrorKind.RESOURCE_LIMIT, f"more than {self.limits.output_bytes:,} bytes printed")

    # -- the wire of `child.main.Worker` ------------------------------------------------------------------

    question = 0

    def request(self, cluster: int, method: str, arguments: dict[str, Any]) -> Any:
        """Answer what the student's code asks of a cluster; that time is not the student's."""
        if self._serve is None:
            raise self._end(StudentError(ErrorKind.INVALID_REPLY, "a request for a cluster where there is none"))
        begun, trace = time.monotonic(), sys.gettrace()
        sys.settrace(None)
        try:
            answer = self._serve(cluster, method, json.loads(_encode(arguments)))
        except BaseException as fault:  # noqa: BLE001 - raised again by `ask`, when the student's code has been left
            raise self._end(fault) from None
        finally:
            taken = time.monotonic() - begun
            self._served += taken
            self._deadline += taken
            sys.settrace(trace)
        if "raise" in answer:
            name, text = answer["raise"]
            raise ERRORS.get(name, ClusterError)(text)
        return json.loads(_encode(answer["ok"]))

    def _end(self, fault: BaseException) -> _Ended:
        self._fault = self._fault or fault
        return _Ended()

    # -- the time limit -------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _watched(self) -> Any:
        """The student's own lines are looked at as they run: a loop without an end is left when the time is over."""
        before, folder = sys.gettrace(), str(self._root)

        def enter(frame: FrameType, event: str, argument: Any) -> Any:
            if not frame.f_code.co_filename.startswith(folder):
                return None
            frame.f_trace_opcodes = _jumps_to_itself(frame.f_code)
            return look

        def look(frame: FrameType, event: str, argument: Any) -> Any:
            if time.monotonic() > self._deadline:
                raise self._end(TimeoutError())
            if self._printed.count > self.limits.output_bytes:
                raise self._end(self._flood())
            return look

        sys.settrace(enter)
        try:
            yield
        finally:
            sys.settrace(before)

    # -- going down -------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Forget the student's modules and remove the folder. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(ValueError):
            sys.path.remove(str(self._root))
        _forget_modules()
        shutil.rmtree(self._root, ignore_errors=True)


def _forget_modules() -> None:
    for name in [name for name in sys.modules if name == "exercises" or name.startswith("exercises.")]:
        del sys.modules[name]


class _Printed(io.TextIOBase):
    """Takes what is printed, and keeps the beginning."""

    def __init__(self, limits: SandboxLimits) -> None:
        self._limit = limits.output_kept
        self.kept = ""
        self.count = 0

    def write(self, text: str) -> int:
        self.count += len(text)
        self.kept += text[: max(0, self._limit - len(self.kept))]
        return len(text)
