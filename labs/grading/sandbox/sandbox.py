"""One sandboxed process with a student's files in it, and the conversation with it.

Law of this module: the process is asked, never believed. A reply counts only if it answers the question that is open,
is JSON of exact types within the caps, and comes in time; anything else is a `StudentError`. When the conversation
breaks, or is over, everything that the process started is ended and its folder removed.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from math import inf
from pathlib import Path
from typing import Any, NoReturn

import psutil

from labs.grading.errors import ErrorKind, GraderError, Stopped, StudentError
from labs.grading.sandbox import processes
from labs.grading.sandbox.channel import Broken, Channel, Closed, Late, TooMuch, open_channel
from labs.grading.sandbox.family import FamilyWatch
from labs.grading.sandbox.isolation import Isolation, candidates, command, readable
from labs.grading.sandbox.leftovers import bytes_in, remove_files_of
from labs.grading.sandbox.limits import DEFAULT, START_TIMEOUT, SandboxLimits
from labs.grading.sandbox.processes import (
    MARK,
    descendants,
    end_namespace,
    end_tree,
    family,
    next_uid,
    tasks_of_my_uid,
    worker_pid,
)
from labs.grading.sandbox.question_clock import QuestionClock
from labs.grading.sandbox.replies import Poison, read_reply, without_addresses
from labs.grading.sandbox.reported_error import read_error
from labs.grading.sandbox.runtime_files import library_copy
from labs.grading.sandbox.starvation import Starvation

Serve = Callable[[int, str, Any], dict[str, Any]]
"""Answers a request of the student's code: `(cluster number, method, arguments)` to `{"ok": …}` or `{"raise": …}`."""

_to_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode


class Sandbox:
    """`files`: the submission's texts by file name. `hash_seed` decides the order of sets of strings. `stop` is asked
    during long waits; when it says yes, `Stopped` is raised.

    A context manager. `digest` is one of all that the process answered.
    """

    def __init__(
        self,
        files: Mapping[str, str],
        limits: SandboxLimits = DEFAULT,
        isolation: Isolation | None = None,
        hash_seed: int = 0,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._stop = stop
        self.limits = limits
        self.isolation = isolation or best_isolation()
        self.digest = hashlib.sha256()
        self._waited = self._own_delay = self._charged = 0.0
        self._asked_at = 0.0
        self._traffic = 0
        self._family: FamilyWatch | None = None
        self._starvation: Starvation | None = None
        self._hash_seed = hash_seed
        self._question = 0
        self._uid = next_uid() if self.isolation.kind != "plain" else None
        self._mark = processes.mark_prefix + secrets.token_hex(16)
        self._root = Path(tempfile.mkdtemp(prefix="replab-grade-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self.last_output = b""
        self.fences: dict[str, Any] = {}
        try:
            self._write(files)
            self._start()
        except BaseException:
            self.close()
            raise

    # -- coming up ------------------------------------------------------------------------------------

    def _write(self, files: Mapping[str, str]) -> None:
        self._root.chmod(0o711)
        folder, scratch = self._root / "exercises", self._root / "tmp"
        for one in (folder, scratch):
            one.mkdir(mode=0o755)
        (folder / "__init__.py").touch()
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
        if self._uid is not None:
            os.chown(scratch, self._uid, self._uid)

    def _start(self) -> None:
        library = library_copy(self._root)
        environment = self._environment()
        words = command(self.isolation, self._root, library, environment, self.limits.disk_bytes)
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment if self.isolation.kind != "bubblewrap" else {"PATH": os.environ.get("PATH", os.defpath)},
            cwd=self._root / "tmp",
            start_new_session=True,
        )
        self._channel = open_channel(
            self._process,
            line_limit=self.limits.reply_bytes,
            output_limit=self.limits.output_bytes,
            kept=self.limits.output_kept,
            watch=self._watch,
        )
        try:
            self.fences = self.ask("start", self._fences(library), START_TIMEOUT)
        except (StudentError, Broken) as fault:
            raise GraderError(f"the sandbox ({self.isolation.kind}) did not come up: {fault}\n{self.output}") from None
        self._channel.forget_output()
        self.digest = hashlib.sha256()
        self._waited = self._own_delay = self._charged = 0.0
        self._family = FamilyWatch(self._members, self.limits.memory)
        self._starvation = Starvation(worker_pid(self._process))

    def _environment(self) -> dict[str, str]:
        """The same for visible and hidden checks, and nothing of the grader's own."""
        scratch = "/tmp" if self.isolation.kind == "bubblewrap" else str(self._root / "tmp")
        kept = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
        marked = {MARK: self._mark} if self.isolation.kind != "bubblewrap" else {}
        fixed = {"PATH": "/usr/bin:/bin", "HOME": scratch, "TMPDIR": scratch, "LANG": "C.UTF-8", "TZ": "UTC"}
        return kept | marked | fixed | {"PYTHONHASHSEED": str(self._hash_seed)}

    def _fences(self, library: Path) -> dict[str, Any]:
        limits = self.limits
        shared = 0 if self._uid is not None else tasks_of_my_uid()
        return {
            "uid": self._uid,
            "cut_network": self.isolation.kind == "uid",
            "landlock": readable(self.isolation, self._root, library),
            "limits": {
                "AS": limits.memory,
                # In a user namespace the kernel counts from zero, before Linux 5.14 and outside of one it does not.
                "NPROC": limits.processes + shared,
                "NOFILE": limits.open_files,
                "FSIZE": limits.file_bytes,
                "CPU": int(limits.exercise) + 10,
                "CORE": 0,
            },
        }

    # -- talking --------------------------------------------------------------------------------------

    def ask(
        self,
        do: str,
        question: Mapping[str, Any],
        seconds: float,
        serve: Serve | None = None,
        late: str = "",
        wall: float = inf,
    ) -> Any:
        """Put one question and return the answer, unchecked but for being JSON. Raises `StudentError`.

        `serve` answers what the student's code asks meanwhile; that time is the grader's own. `late` is what to say
        when the `seconds` are over. `wall`: the most that may pass by the wall clock, whatever is charged.
        """
        channel = self._open_channel()
        if channel.pending:
            self._break(ErrorKind.INVALID_REPLY, "the process said something without having been asked")
        self._question += 1
        clock = QuestionClock(seconds, self._charge(), wall)
        line = {"id": self._question, "do": do, **question}
        try:
            while True:
                reply = self._parse(self._exchange(channel, line, clock))
                if "call" not in reply:
                    return self._result(reply)
                begun = time.monotonic()
                line = self._answer(serve, reply)
                clock.postpone(time.monotonic() - begun)
        except Broken as broken:
            self._break(*self._explain(broken, late or f"no answer within {seconds:g} s"))

    def _exchange(self, channel: Channel, line: dict[str, Any], clock: QuestionClock) -> bytes:
        text = _to_json(line).encode()
        self._asked_at, delay = time.monotonic(), self._delay_of_ours()
        try:
            channel.send(text, clock.last)
            while True:
                try:
                    reply = channel.receive(clock.deadline)
                    break
                except Late:
                    clock.extend(self._charge())
        finally:
            self._waited += time.monotonic() - self._asked_at
            self._asked_at = 0.0
            self._own_delay += self._delay_of_ours() - delay
        self._traffic += len(text) + len(reply)
        if self._traffic > self.limits.traffic_bytes:
            raise TooMuch(f"more than {self.limits.traffic_bytes:,} bytes asked and answered")
        return reply

    def _delay_of_ours(self) -> float:
        return self._starvation.own_seconds() if self._starvation is not None else 0.0

    def _charge(self) -> float:
        """Seconds that are charged so far; they never fall.

        What its own processes took from each other is not given back: their processor time is charged at least.
        """
        waited = self._waited + (time.monotonic() - self._asked_at if self._asked_at else 0.0)
        delayed = self._own_delay + (self._starvation.seconds() if self._starvation is not None else 0.0)
        used = self._family.seconds if self._family is not None else 0.0
        self._charged = max(self._charged, waited - delayed, used)
        return self._charged

    @property
    def seconds(self) -> float:
        """What is charged for this process."""
        return self._charge()

    def _members(self) -> list[psutil.Process]:
        if self._process is None:
            return []
        if self.isolation.kind == "bubblewrap":
            return descendants(self._process)
        return family(self._process, self._uid, None)

    def _answer(self, serve: Serve | None, request: dict[str, Any]) -> dict[str, Any]:
        if serve is None:
            self._break(ErrorKind.INVALID_REPLY, "the process asked for a cluster where there is none")
        cluster, method = request.get("cluster"), request.get("method")
        if type(cluster) is not int or type(method) is not str:
            self._break(ErrorKind.INVALID_REPLY, "a request that the grader cannot read")
        try:
            return serve(cluster, method, request.get("arguments"))
        except BaseException:  # the process still waits for its answer, and will not get one
            self._end()
            raise

    def _parse(self, line: bytes) -> dict[str, Any]:
        try:
            reply = read_reply(line)
        except Poison as poison:
            self._break(ErrorKind.INVALID_REPLY, str(poison))
        except (ValueError, RecursionError):
            self._break(ErrorKind.INVALID_REPLY, "the reply is not JSON, or nested too deeply")
        if type(reply) is not dict or type(reply.get("id")) is not int or reply["id"] != self._question:
            self._break(ErrorKind.INVALID_REPLY, "the reply is no answer to the question")
        self.digest.update(without_addresses(line))
        return reply

    def _result(self, reply: dict[str, Any]) -> Any:
        if reply.keys() == {"id", "ok"}:
            return reply["ok"]
        if reply.keys() != {"id", "error"}:
            self._break(ErrorKind.INVALID_REPLY, "the reply is no answer to the question")
        raise read_error(reply["error"])

    def _break(self, kind: ErrorKind, message: str) -> NoReturn:
        """End the process: after this it cannot be asked again."""
        self._end()
        raise StudentError(kind, message)

    def _explain(self, broken: Broken, late: str) -> tuple[ErrorKind, str]:
        if isinstance(broken, Late):
            return ErrorKind.TIME_LIMIT, late
        if isinstance(broken, TooMuch):
            return ErrorKind.RESOURCE_LIMIT, str(broken)
        assert isinstance(broken, Closed)
        if self._family is not None and self._family.excess is not None:
            return ErrorKind.RESOURCE_LIMIT, self._family.excess
        return ErrorKind.ENDED, f"the process ended before it answered ({self._exit()})"

    def _exit(self) -> str:
        assert self._process is not None
        try:
            code = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            return "it closed its connection to the grader"
        number = -code if code < 0 else code - 128  # bubblewrap reports a signal as a shell does
        if code < 0 or (code > 128 and number in set(signal.Signals)):
            return f"signal {signal.Signals(number).name}"
        return f"exit status {code}"

    def _open_channel(self) -> Channel:
        if self._channel is None:
            raise StudentError(ErrorKind.ENDED, "the process has ended")
        return self._channel

    def _watch(self) -> None:
        """Whether it is still wanted; and what no limit of the system's bounds without bubblewrap: the sum of many
        files."""
        if self._stop():
            raise Stopped
        if self.isolation.kind == "bubblewrap":
            return
        if bytes_in(self._root / "tmp") > self.limits.disk_bytes:
            raise TooMuch(f"more than {self.limits.disk_bytes:,} bytes written to disk")

    @property
    def output(self) -> str:
        """What the student's code printed, as far as it is kept; complete when the sandbox is closed."""
        printed = self.last_output if self._channel is None else bytes(self._channel.output)
        return printed.decode(errors="replace")

    # -- going down -----------------------------------------------------------------------------------

    def _end(self) -> None:
        if self._family is not None:
            self._family.look()
            self._family.close()
        if self._starvation is not None:
            self._charge()
            self._starvation.close()
            self._starvation = None
        if self._process is not None:
            if self.isolation.kind == "bubblewrap":
                end_namespace(self._process)
            else:
                end_tree(self._process, uid=self._uid, mark=self._mark)
            self._process = None
        if self._channel is not None:
            self._channel.drain()
            self.last_output = bytes(self._channel.output)
            self._channel.close()
            self._channel = None

    def close(self) -> None:
        """End everything and remove the folder. Safe to call twice."""
        try:
            self._end()
        finally:
            shutil.rmtree(self._root, ignore_errors=True)
            if self.isolation.kind == "uid" and self._uid is not None and not self.fences.get("landlock"):
                remove_files_of(self._uid)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# --------------------------------------------------------------------------------------------------------
# Which isolation works here


@cache
def best_isolation(kind: str | None = None) -> Isolation:
    """The best isolation that works on this machine, or the one named by `kind`. Raises `GraderError`."""
    reasons = []
    for candidate in candidates():
        if kind is not None and candidate.kind != kind:
            continue
        try:
            return _try(candidate)
        except (GraderError, OSError) as error:
            reasons.append(f"{candidate.kind}: {error}")
    raise GraderError("no sandbox works on this machine" + "".join(f"\n  {reason}" for reason in reasons))


_PROBE = "import colorsys, csv, zipfile\nready = bool\n"
"""A student's file must be found, and be able to import what nothing has imported yet."""


def _try(isolation: Isolation) -> Isolation:
    with Sandbox({"probe.py": _PROBE}, isolation=isolation) as sandbox:
        landlock, cut = sandbox.fences.get("landlock", 0), sandbox.fences.get("network") is True
        try:
            sandbox.ask("load", {"module": "probe"}, START_TIMEOUT)
        except StudentError as fault:
            raise GraderError(f"a sandboxed Python does not work with {isolation.python}: {fault.message}") from None
    if isolation.kind == "bubblewrap":
        return replace(isolation, hides_files=True, cuts_network="all")
    return replace(
        isolation,
        hides_files=landlock > 0,
        cuts_network="all" if cut else "TCP only" if landlock >= 4 else "no",
    )
