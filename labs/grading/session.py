"""The student's code in a sandbox, as a check uses it (`check.StudentCode`).

Law of this module: a check never touches student code. It asks through a `Session`, which keeps the limits, starts the
sandbox when it is first needed, and raises `StudentError` where the student's code cannot go on.
"""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple, Self, TypeVar

from labs.grading.child.values import MARK, BadValue, decode, encode
from labs.grading.cluster_gateway import ClusterGateway
from labs.grading.election_gateway import RemoteElections
from labs.grading.errors import ErrorKind, GraderError, Stopped, StudentError
from labs.grading.look_ahead import LookAheadSimulator
from labs.grading.pulse import Pulse
from labs.grading.sandbox.isolation import Isolation
from labs.grading.sandbox.limits import DEFAULT, SandboxLimits
from labs.grading.sandbox.opening import Conversation, open_sandbox
from labs.lesson.exercises import Exercise
from labs.simulation.repeating import schedules_of
from labs.simulation.schedule import Run, Schedule, carry_out

T = TypeVar("T")


class Budget:
    """The seconds of student time that are left for an exercise."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds


_processor_time = getattr(time, "thread_time", time.process_time)
"""Of this thread; in a web page, which cannot tell it apart, of the whole worker."""
_OWN_PART = 0.2
"""Of the limit by the wall clock. Right solutions take half of that: 5 s of their own, and 20 s of the grader's."""


class Spent(NamedTuple):
    """What a submission has taken: `charged` is its own part, `processor` the grader's processor time. `begun` is on
    `time.monotonic()`."""

    begun: float
    charged: float
    processor: float

    def since(self, earlier: Spent) -> Spent:
        return Spent(self.begun, self.charged - earlier.charged, self.processor - earlier.processor)


class SubmissionTime:
    """What one submission as a whole may take: of the wall clock, and of the grader's processor time.

    `charged` is the student's own part of it; the grader's processor time is the student's doing, too. On a machine so
    loaded that little was the student's, it is the grader that fails: no mark rather than a wrong one.
    """

    def __init__(self, limits: SandboxLimits) -> None:
        self._limits = limits
        self._begun, self._processor = time.monotonic(), _processor_time()
        self.charged = 0.0

    @property
    def left(self) -> float:
        return self._limits.submission - (time.monotonic() - self._begun)

    @property
    def spent(self) -> Spent:
        return Spent(self._begun, self.charged, _processor_time() - self._processor)

    def go_on_from(self, spent: Spent) -> None:
        """In another process than the one that has counted so far."""
        self._begun, self.charged, self._processor = spent.begun, spent.charged, _processor_time() - spent.processor

    def add(self, elsewhere: Spent) -> None:
        """What was taken in another process."""
        self.charged += elsewhere.charged
        self._processor -= elsewhere.processor

    def look(self) -> None:
        """Raises `StudentError` if it is used up, or `GraderError` if that is not the student's doing."""
        limits = self._limits
        ours = self.spent.processor
        if ours > limits.grader:
            text = f"grading it took more than {limits.grader:g} s of the grader's processor time"
            raise StudentError(ErrorKind.TIME_LIMIT, text)
        if self.left > 0:
            return
        if self.charged + ours >= limits.submission * _OWN_PART:
            raise StudentError(ErrorKind.TIME_LIMIT, f"the {limits.submission:g} s for one submission are used up")
        raise GraderError(
            f"the machine was too loaded: {limits.submission:g} s have passed, only {self.charged:.0f} s for the "
            "submission; grade it again with fewer workers"
        )


class Session:
    """One run of one check.

    `seeds` are the check's to use: the same for every submission, and more of them for an instructor; `dice` are mixed
    into each. `level` is `student` or `instructor`. As soon as `stop()` is true, questions raise `Stopped`; a `Pulse`
    is told of each question. A context manager.
    """

    def __init__(
        self,
        exercise: Exercise,
        files: Mapping[str, str],
        *,
        seeds: tuple[int, ...] = (0,),
        seeds_before: int = 0,
        level: str = "student",
        dice: str = "",
        limits: SandboxLimits = DEFAULT,
        isolation: Isolation | None = None,
        hash_seed: int = 0,
        budget: Budget | None = None,
        whole: SubmissionTime | None = None,
        stop: Callable[[], bool] = lambda: False,
        runs: dict[Schedule, Run] | None = None,
        suspects: dict[str, tuple[Schedule, ...]] | None = None,
        searches: bool = True,
    ) -> None:
        """`runs`: those of earlier checks of the same exercise, which are not made again; new ones are added. So with
        `suspects`, by the name of the class. `searches`: False where another session of the same check does."""
        self._stop = stop
        self._pulse = stop if isinstance(stop, Pulse) else Pulse()
        self._runs = {} if runs is None else runs
        self._suspects = {} if suspects is None else suspects
        self.seeds, self.seeds_before = seeds, seeds_before
        self.level = level
        self.dice = dice
        self.limits = limits
        self._exercise = exercise
        self._files = files
        self._isolation = isolation
        self._hash_seed = hash_seed
        self._searches = searches and not hash_seed
        self._budget = budget or Budget(limits.exercise)
        self._whole = whole or SubmissionTime(limits)
        self._left = limits.check
        self._of_sandbox = 0.0
        """What the present sandbox has been charged so far."""
        self._numbers = itertools.count(1)
        self._gateways: dict[int, ClusterGateway] = {}
        self._sandbox: Conversation | None = None
        self._elections: RemoteElections | None = None
        self._digests = hashlib.sha256()
        self.settled: list[str] = []
        """The digest of all answers at each `settle`."""
        self.through = False
        """Whether the check has gone through all of its `cases`."""
        self._output = ""
        self.seconds = 0.0

    # -- for checks -----------------------------------------------------------------------------------

    def load(self) -> None:
        """Import the student's file, if that has not been done. Raises `StudentError`."""
        self._open()

    def call(self, name: str, *arguments: Any, seconds: float | None = None) -> Any:
        """Call the function `name` of the student's file and return its result as plain values (`child.values`).

        An argument is a plain value or a `ClusterGateway`. Raises `StudentError`.
        """
        return self._call(None, name, arguments, None, seconds)

    def create(self, name: str, *arguments: Any, seconds: float | None = None) -> SandboxedObject:
        """Call the class or function `name`, and keep the result in the sandbox, to call its methods."""
        keep = self.next_number()
        self._call(None, name, arguments, keep, seconds)
        return SandboxedObject(self, keep)

    def elections(self, class_name: str = "MyElection") -> RemoteElections:
        """The factory of strategies for one simulated run. Those of the run before are given up."""
        given_up = self._elections.places if self._elections is not None and self._sandbox else []
        self._elections = RemoteElections(self, class_name, given_up)
        return self._elections

    def simulate(self, schedule: Schedule) -> Run:
        """Carry the schedule out with the student's election. An exception of the election is in `Run.error`.

        A run that is known already counts in the digest like a new one, so that it does not matter who made it.
        """
        self._whole.look()  # to judge runs takes time, too, and more where a strategy has done much in them
        schedule = replace(schedule, dice=self.dice)
        run = self._runs.get(schedule)
        if run is None:
            sandbox = self._open()
            before = sandbox.digest.copy()
            run = carry_out(schedule, self.elections(), simulator_class=LookAheadSimulator)
            sandbox.digest = before
            if run.error is None:
                self._runs[schedule] = run
        self._digests.update(run.digest)
        return run

    def suspects(self, class_name: str = "MyElection") -> tuple[Schedule, ...]:
        """What a search in a process of its own says are runs that break a promise. It is believed only as far as
        `simulate` shows it: one that says nothing, says nonsense, fails or takes too long has none.

        The second run of a check, which compares answers, has none either.
        """
        if not self._searches:
            return ()
        if class_name not in self._suspects:
            self.restart()  # there may be one process only
            self._suspects[class_name] = schedules_of(self._searched(class_name))
        return self._suspects[class_name]

    def _searched(self, class_name: str) -> Any:
        limits = self.limits
        with Session(
            self._exercise,
            self._files,
            limits=replace(limits, check=limits.search),
            isolation=self._isolation,
            whole=self._whole,
            stop=self._stop,
        ) as session:
            try:
                return session.ask("search", {"class": class_name}, limits.search)
            except StudentError:
                self._whole.look()
                return None

    def restart(self) -> None:
        """Go on in a new process: nothing that the student's code left behind in memory or in files remains."""
        if self._sandbox is not None:
            sandbox, self._sandbox = self._sandbox, None
            sandbox.close()
            self._spend(sandbox)
            self._of_sandbox = 0.0
            # Numbers go to the process, and would tell a new one how many there were before.
            self._numbers, self._gateways, self._elections = itertools.count(1), {}, None
            self._digests.update(_told(sandbox))
            self._output += sandbox.output

    def settle(self) -> None:
        """For a check that goes from seed to seed: one is done. Up to here a second run can be compared."""
        so_far = self._digests.copy()
        if self._sandbox is not None:
            so_far.update(_told(self._sandbox))
        self.settled.append(so_far.hexdigest())

    def cases(self, cases: Iterable[T], compared: int) -> Iterator[T]:
        """These, each settled when it is done; in a check's second run the first `compared` of them."""
        for case in islice(cases, compared) if self._hash_seed else cases:
            yield case
            self.settle()
        self.through = True

    # -- for the proxies and the runner ---------------------------------------------------------------

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
            raise StudentError(ErrorKind.INVALID_REPLY, str(error)) from None

    def _pack(self, argument: Any) -> Any:
        if not isinstance(argument, ClusterGateway):
            return encode(argument)
        number = next((n for n, gateway in self._gateways.items() if gateway is argument), None)
        if number is None:
            number = self.next_number()
            self._gateways[number] = argument
            argument.limits = self.limits
        return {MARK: "cluster", "v": number, **argument.describe()}

    def _serve(self, cluster: int, method: str, arguments: Any) -> dict[str, Any]:
        self._whole.look()
        self._pulse.touched()
        gateway = self._gateways.get(cluster)
        if gateway is None:
            raise StudentError(ErrorKind.INVALID_REPLY, "a request for a cluster that does not exist")
        return gateway.serve(method, arguments)

    def _ask(self, sandbox: Conversation, do: str, question: Mapping[str, Any], limit: float) -> Any:
        if self._stop():
            raise Stopped
        self._whole.look()
        limits = self.limits
        left = min(limit, self._left, self._budget.left)
        if left == limit:
            late = f"no answer within {limit:g} s"
        elif left == self._left:
            late = f"the {limits.check:g} s for one check are used up"
        else:
            late = f"the {limits.exercise:g} s for this exercise are used up"
        if left <= 0:
            raise StudentError(ErrorKind.TIME_LIMIT, late)
        self._pulse.asked()
        try:
            return sandbox.ask(do, question, left, self._serve, late, self._whole.left)
        except StudentError as error:
            self._spend(sandbox)
            if error.kind is ErrorKind.TIME_LIMIT:
                self._whole.look()  # the whole submission's time may be what was over
            raise
        finally:
            self._pulse.answered()
            self._spend(sandbox)

    def _spend(self, sandbox: Conversation) -> None:
        """Charge what it has taken since the last time, between questions, too."""
        total = sandbox.seconds
        seconds, self._of_sandbox = total - self._of_sandbox, total
        self.seconds += seconds
        self._left -= seconds
        self._whole.charged += seconds
        self._budget.left -= seconds

    def _open(self) -> Conversation:
        if self._sandbox is None:
            self._sandbox = open_sandbox(self._files, self.limits, self._isolation, self._hash_seed, self._stop)
            try:
                self._ask(self._sandbox, "load", {"module": self._exercise.module}, self.limits.load)
            except StudentError as error:
                self.restart()
                raise _at_load(error) from None
            self._sandbox.digest = hashlib.sha256()
        return self._sandbox

    def close(self) -> None:
        self.restart()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SandboxedObject:
    """An object that lives in the sandbox."""

    def __init__(self, session: Session, number: int) -> None:
        self._session = session
        self._number = number

    def call(self, name: str, *arguments: Any, seconds: float | None = None) -> Any:
        """Call its method `name`; as `Session.call`."""
        return self._session._call(self._number, name, arguments, None, seconds)


def _told(sandbox: Conversation) -> bytes:
    """The digest of what it has answered; nothing for one that was only loaded, or asked for runs, which have digests
    of their own: whether they were made here or were known does not count."""
    digest: bytes = sandbox.digest.digest()
    return b"" if digest == hashlib.sha256().digest() else digest


def _at_load(error: StudentError) -> StudentError:
    """The same error, but said to have happened while the file was imported."""
    if error.kind in (ErrorKind.RAISED, ErrorKind.MISSING):
        return StudentError(ErrorKind.UNREADABLE, f"the file cannot be imported: {error.message}", error.frames)
    if error.kind is ErrorKind.NOT_ATTEMPTED:
        return error
    return StudentError(error.kind, f"while the file was imported: {error.message}", error.frames)
