"""`StudentCode` without a sandbox: the code under test runs in this very process.

For code that is trusted: the lab's own solutions, and mistakes that were planted in them. It takes a fraction of a
sandbox's time and gives the same runs: the cluster is reached through the same proxy and gateway, values pass through
the same codec, and an election gets the same random generator. What it lacks are the limits on time and memory.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, TypeVar, cast

import solutions
from labs.cluster import base
from labs.grading.check import Check, CheckOutcome, broken_off
from labs.grading.checks import SUITE
from labs.grading.child.cluster import ProxyCluster
from labs.grading.child.values import decode, encode
from labs.grading.child.wire import Wire
from labs.grading.cluster_gateway import ClusterGateway
from labs.grading.errors import ErrorKind, StudentError
from labs.grading.sandbox.limits import DEFAULT
from labs.grading.settings import VISIBLE_SEEDS
from labs.lesson.exercises import BY_ID
from labs.simulation.explorer.findings import suspicious_walks
from labs.simulation.repeating import schedules_of
from labs.simulation.schedule import Run, Schedule, carry_out
from replstore.core.election import Election, ElectionContext

T = TypeVar("T")
SOLUTIONS = Path(solutions.__path__[0])


class DirectSession:
    """The `StudentCode` of a module."""

    def __init__(
        self,
        module: Any,
        seeds: tuple[int, ...] = VISIBLE_SEEDS,
        level: str = "student",
        runs: dict[Schedule, Run] | None = None,
        dice: str = "",
        search: bool = False,
    ) -> None:
        """`search`: also look for runs that break a promise, which takes about a second."""
        self.seeds, self.seeds_before = seeds, 0
        self._search = search
        self.level = level
        self.dice = dice
        self._module = module
        self._ended: StudentError | None = None
        self._runs = {} if runs is None else runs

    def call(self, name: str, *arguments: Any, seconds: float | None = None) -> Any:
        return decode(encode(self.perform(self._module, name, arguments)))

    def create(self, name: str, *arguments: Any, seconds: float | None = None) -> DirectObject:
        return DirectObject(self, self.perform(self._module, name, arguments))

    def elections(self, class_name: str = "MyElection") -> Callable[[ElectionContext], Election]:
        strategy: Callable[[ElectionContext], Election] = getattr(self._module, class_name)

        def make(seat: ElectionContext) -> Election:
            election = strategy(replace(seat, rng=Random(seat.rng.getrandbits(64))))
            election.catches_up = False  # type: ignore[misc]  # as in `ElectionProxy`
            return election

        return make

    def simulate(self, schedule: Schedule) -> Run:
        if schedule not in self._runs:
            run = carry_out(schedule, self.elections())
            self._runs[schedule] = run if run.error is None else replace(run, error=_student_error(run.error))
        return self._runs[schedule]

    def suspects(self) -> tuple[Schedule, ...]:
        return schedules_of(suspicious_walks(self._module.MyElection)) if self._search else ()

    def restart(self) -> None:
        """There is no process to end, only a limit to forget."""
        self._ended = None

    def settle(self) -> None:
        """Nothing is compared here."""

    def cases(self, cases: Iterable[T], compared: int) -> Iterator[T]:
        yield from cases

    def perform(self, owner: Any, name: str, arguments: tuple[Any, ...]) -> Any:
        try:
            return getattr(owner, name)(*map(self._handed_over, arguments))
        except StudentError:
            raise
        except Exception as error:
            if self._ended is not None:
                raise self._ended from error
            raise _student_error(error) from error

    def _handed_over(self, argument: Any) -> Any:
        if not isinstance(argument, ClusterGateway):
            return decode(encode(argument))
        argument.limits = DEFAULT
        described = argument.describe()
        wire = cast(Wire, _DirectWire(self, argument))
        return ProxyCluster(0, described["settings"], described["backend"], wire)

    def serve(self, gateway: ClusterGateway, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Once a limit is exceeded there are no more answers, as with a process that was ended."""
        try:
            if self._ended is not None:
                raise self._ended
            return gateway.serve(method, arguments)
        except StudentError as error:
            self._ended = error
            raise


def _student_error(error: Exception) -> StudentError:
    kind = ErrorKind.NOT_ATTEMPTED if isinstance(error, NotImplementedError) else ErrorKind.RAISED
    return StudentError(kind, f"{type(error).__name__}: {error}")


class DirectObject:
    """Stands for a `StudentObject`."""

    def __init__(self, session: DirectSession, target: Any) -> None:
        self._session = session
        self._target = target

    def call(self, name: str, *arguments: Any, seconds: float | None = None) -> Any:
        return decode(encode(self._session.perform(self._target, name, arguments)))


class _DirectWire:
    """Stands for the `Wire` between the proxy of a cluster and its gateway."""

    def __init__(self, session: DirectSession, gateway: ClusterGateway) -> None:
        self._session = session
        self._gateway = gateway

    def request(self, number: int, method: str, arguments: dict[str, Any]) -> Any:
        answer = self._session.serve(self._gateway, method, arguments)
        if "raise" in answer:
            name, text = answer["raise"]
            raise {"ValueError": ValueError}.get(name, getattr(base, name, base.ClusterError))(text)
        return answer["ok"]


# --------------------------------------------------------------------------------------------------------


def the_checks(exercise: str, level: str = "student", seeds: tuple[int, ...] = VISIBLE_SEEDS) -> dict[str, Check]:
    return {check.id: check for check in SUITE.checks(level, seeds) if check.exercise == exercise}


def outcome(
    check: Check,
    module: Any,
    seeds: tuple[int, ...] = VISIBLE_SEEDS,
    level: str = "student",
    runs: dict[Schedule, Run] | None = None,
    search: bool = False,
) -> CheckOutcome:
    """What `check` says of this code. An error of the grader is raised. `runs`: known ones, to be used again."""
    try:
        return check.run(DirectSession(module, seeds, level, runs, search=search))
    except StudentError as error:
        return broken_off(error)


def from_source(name: str, source: str) -> ModuleType:
    """A module made of this text, as if it had been imported."""
    module = ModuleType(name)
    sys.modules[name] = module  # where `dataclass` looks for it
    exec(compile(source, f"{name}.py", "exec"), module.__dict__)
    return module


def lost(exercise: str, module: Any, level: str = "student", seeds: tuple[int, ...] = VISIBLE_SEEDS) -> dict[str, str]:
    """The checks that do not pass, each with what it says; as in a grading, what builds on one of them is not run."""
    wrong: dict[str, str] = {}
    skipped: set[str] = set()
    runs: dict[Schedule, Run] = {}
    for name, check in the_checks(exercise, level, seeds).items():
        if wrong.keys() & set(check.depends_on) or skipped & set(check.depends_on):
            skipped.add(name)
        elif not (found := outcome(check, module, seeds, level, runs)).passed:
            wrong[name] = found.message
    return wrong


def planted_source(exercise: str, *changes: tuple[str, str]) -> str:
    """The reference solution with each of these texts, which it must contain just once, replaced by another."""
    return changed_source(BY_ID[exercise].file_name.removesuffix(".py"), *changes)


def changed_source(design: str, *changes: tuple[str, str]) -> str:
    """As `planted_source`, of any module in `solutions` (`alternatives.ex1_diary`)."""
    path = SOLUTIONS.joinpath(*design.split(".")).with_suffix(".py")
    source = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert source.count(old) == 1, f"{path.name} contains this {source.count(old)} times: {old}"
        source = source.replace(old, new)
    return source


def planted(exercise: str, *changes: tuple[str, str]) -> ModuleType:
    """`planted_source` as a module."""
    return from_source(f"planted_{exercise}", planted_source(exercise, *changes))


def changed(design: str, *changes: tuple[str, str]) -> ModuleType:
    """`changed_source` as a module."""
    return from_source(f"changed_{design.replace('.', '_')}", changed_source(design, *changes))
