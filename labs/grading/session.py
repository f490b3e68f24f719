"""What a check is given: a student's file that can be asked.

Law of this module: a check never touches student code. It asks through a `Session`, which holds the limits, starts the
sandbox when it is first needed, and lets a `StudentFault` end the check.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Mapping
from typing import Any

from labs.grading.child.values import MARK, BadValue, decode, encode
from labs.grading.cluster_gateway import ClusterDesk
from labs.grading.election_gateway import ElectionHost
from labs.grading.faults import FaultKind, Stopped, StudentFault
from labs.grading.sandbox.isolation import Isolation
from labs.grading.sandbox.limits import DEFAULT, Limits
from labs.grading.sandbox.sandbox import Sandbox
from labs.lesson.exercises import Exercise


class Budget:
    """The seconds of student time that are left for an exercise."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds


class Session:
    """One run of one check.

    `seeds` are the check's to use: the same for every submission, and more of them for an instructor. `level` is
    `student` or `instructor`. As soon as `stop()` is true, questions raise `Stopped`. A context manager.
    """

    def __init__(
        self,
        exercise: Exercise,
        files: Mapping[str, str],
        *,
        seeds: tuple[int, ...] = (0,),
        level: str = "student",
        limits: Limits = DEFAULT,
        isolation: Isolation | None = None,
        hash_seed: int = 0,
        budget: Budget | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._stop = stop
        self.seeds = seeds
        self.level = level
        self.limits = limits
        self._exercise = exercise
        self._files = files
        self._isolation = isolation
        self._hash_seed = hash_seed
        self._budget = budget or Budget(limits.exercise)
        self._left = limits.check
        self._numbers = itertools.count(1)
        self._desks: dict[int, ClusterDesk] = {}
        self._sandbox: Sandbox | None = None
        self._hosts: list[ElectionHost] = []
        self._digests = hashlib.sha256()
        self.settled: list[str] = []
        """The digest of all answers at each `settle`."""
        self._output = ""
        self.seconds = 0.0

    # -- for checks -----------------------------------------------------------------------------------

    def load(self) -> None:
        """Import the student's file, if that has not been done. Raises `StudentFault`."""
        self._open()

    def call(self, name: str, *arguments: Any, seconds: float | None = None) -> Any:
        """Call the function `name` of the student's file and return its result as plain values (`child.values`).

        An argument is a plain value or a `ClusterDesk`. Raises `StudentFault`.
        """
        return self._call(None, name, arguments, None, seconds)

    def create(self, name: str, *arguments: Any, seconds: float | None = None) -> StudentObject:
        """Call the class or function `name`, and keep the result in the sandbox, to call its methods."""
        keep = self.next_number()
        self._call(None, name, arguments, keep, seconds)
        return StudentObject(self, keep)

    def elections(self, class_name: str = "MyElection") -> ElectionHost:
        """The factory of strategies for one simulated run; that of the run before is closed by it."""
        old = [place for host in self._hosts[-1:] for place in host.places] if self._sandbox else []
        host = ElectionHost(self, class_name, old)
        self._hosts.append(host)
        return host

    def restart(self) -> None:
        """Go on in a new process: nothing that the student's code left behind in memory or in files remains."""
        if self._sandbox is not None:
            sandbox, self._sandbox = self._sandbox, None
            sandbox.close()
            self._digests.update(sandbox.digest.digest())
            self._output += sandbox.output

    def settle(self) -> None:
        """For a check that goes from seed to seed: one is done. Up to here a second run can be compared."""
        so_far = self._digests.copy()
        if self._sandbox is not None:
            so_far.update(self._sandbox.digest.digest())
        self.settled.append(so_far.hexdigest())

    # -- for the proxies and the runner ---------------------------------------------------------------

    @property
    def fault(self) -> StudentFault | None:
        """What went wrong in an election, even if the simulator went on without that node."""
        return next((host.fault for host in self._hosts if host.fault is not None), None)

    @property
    def digest(self) -> str:
        """Of all answers in this session: two runs of deterministic code have the same."""
        self.restart()
        return self._digests.hexdigest()

    @property
    def output(self) -> str:
        """What was printed, in part."""
        self.restart()
        return self._output[: self.limits.output_kept]

    def next_number(self) -> int:
        return next(self._numbers)

    def ask(self, do: str, question: Mapping[str, Any], limit: float) -> Any:
        """Put a question to the sandbox, within this question's limit and what is left for the check."""
        return self._ask(self._open(), do, question, limit)

    # -- asking ---------------------------------------------------------------------------------------

    def _call(
        self, target: int | None, name: str, arguments: tuple[Any, ...], keep: int | None, seconds: float | None
    ) -> Any:
        packed = [self._pack(argument) for argument in arguments]
        question = {"object": target, "name": name, "arguments": packed, "keep": keep}
        result = self.ask("call", question, seconds or self.limits.call)
        try:
            return decode(result)
        except BadValue as error:
            raise StudentFault(FaultKind.INVALID_REPLY, str(error)) from None

    def _pack(self, argument: Any) -> Any:
        if not isinstance(argument, ClusterDesk):
            return encode(argument)
        number = next((n for n, desk in self._desks.items() if desk is argument), None)
        if number is None:
            number = self.next_number()
            self._desks[number] = argument
            argument.limits = self.limits
        return {MARK: "cluster", "v": number, **argument.introduce()}

    def _serve(self, cluster: int, method: str, arguments: Any) -> dict[str, Any]:
        desk = self._desks.get(cluster)
        if desk is None:
            raise StudentFault(FaultKind.INVALID_REPLY, "a request for a cluster that does not exist")
        return desk.serve(method, arguments)

    def _ask(self, sandbox: Sandbox, do: str, question: Mapping[str, Any], limit: float) -> Any:
        if self._stop():
            raise Stopped
        limits = self.limits
        left, late = min(
            (limit, f"no answer within {limit:g} s"),
            (self._left, f"the {limits.check:g} s for one check are used up"),
            (self._budget.left, f"the {limits.exercise:g} s for this exercise are used up"),
            key=lambda pair: pair[0],
        )
        if left <= 0:
            raise StudentFault(FaultKind.TIME_LIMIT, late)
        before = sandbox.seconds
        try:
            return sandbox.ask(do, question, left, self._serve, late)
        finally:
            self._spend(sandbox.seconds - before)

    def _spend(self, seconds: float) -> None:
        self.seconds += seconds
        self._left -= seconds
        self._budget.left -= seconds

    def _open(self) -> Sandbox:
        if self._sandbox is None:
            self._sandbox = Sandbox(self._files, self.limits, self._isolation, self._hash_seed, self._stop)
            try:
                self._ask(self._sandbox, "load", {"module": self._exercise.module}, self.limits.load)
            except StudentFault as fault:
                self.restart()
                raise _at_load(fault) from None
        return self._sandbox

    def close(self) -> None:
        self.restart()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class StudentObject:
    """An object that lives in the sandbox."""

    def __init__(self, session: Session, number: int) -> None:
        self._session = session
        self._number = number

    def call(self, name: str, *arguments: Any, seconds: float | None = None) -> Any:
        """Call its method `name`; as `Session.call`."""
        return self._session._call(self._number, name, arguments, None, seconds)


def _at_load(fault: StudentFault) -> StudentFault:
    """The same fault, but said to have happened while the file was imported."""
    if fault.kind in (FaultKind.RAISED, FaultKind.MISSING):
        return StudentFault(FaultKind.UNREADABLE, f"the file cannot be imported: {fault.message}", fault.frames)
    if fault.kind is FaultKind.NOT_ATTEMPTED:
        return fault
    return StudentFault(fault.kind, f"while the file was imported: {fault.message}", fault.frames)
