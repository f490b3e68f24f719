"""A `Session` without a sandbox: the code under test runs in this very process.

For code that we trust: the lab's own solutions, and mistakes that were planted in them. It costs a fraction of a
sandbox, and gives the same runs: the cluster is reached through the same stand-in and the same desk, values pass
through the same codec, and an election gets the same dice. What it lacks are the limits on time and memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, cast

import solutions
from labs.cluster import base
from labs.grading.checks import SUITE
from labs.grading.child.cluster import ProxyCluster
from labs.grading.child.values import decode, encode
from labs.grading.child.wire import Wire
from labs.grading.cluster_gateway import ClusterDesk
from labs.grading.faults import FaultKind, StudentFault
from labs.grading.results import Check, Outcome, failed
from labs.grading.runner import VISIBLE_SEEDS
from labs.grading.sandbox.limits import DEFAULT
from labs.grading.session import Session
from labs.lesson.exercises import BY_ID
from replstore.election import Election, Seat

SOLUTIONS = Path(solutions.__path__[0])


class DirectSession:
    """Has of a `Session` what checks use."""

    fault = None

    def __init__(self, module: Any, seeds: tuple[int, ...] = VISIBLE_SEEDS, level: str = "student") -> None:
        self.seeds = seeds
        self.level = level
        self._module = module
        self._given_up: StudentFault | None = None

    def call(self, name: str, *arguments: Any, seconds: float | None = None) -> Any:
        return decode(encode(self.perform(self._module, name, arguments)))

    def create(self, name: str, *arguments: Any, seconds: float | None = None) -> DirectObject:
        return DirectObject(self, self.perform(self._module, name, arguments))

    def elections(self, class_name: str = "MyElection") -> Callable[[Seat], Election]:
        strategy: Callable[[Seat], Election] = getattr(self._module, class_name)
        return lambda seat: strategy(replace(seat, rng=Random(seat.rng.getrandbits(64))))

    def settle(self) -> None:
        """Nothing is compared here."""

    def perform(self, owner: Any, name: str, arguments: tuple[Any, ...]) -> Any:
        try:
            return getattr(owner, name)(*map(self._handed_over, arguments))
        except StudentFault:
            raise
        except Exception as error:
            if self._given_up is not None:
                raise self._given_up from error
            kind = FaultKind.NOT_ATTEMPTED if isinstance(error, NotImplementedError) else FaultKind.RAISED
            raise StudentFault(kind, f"{type(error).__name__}: {error}") from error

    def _handed_over(self, argument: Any) -> Any:
        if not isinstance(argument, ClusterDesk):
            return decode(encode(argument))
        argument.limits = DEFAULT
        introduced = argument.introduce()
        wire = cast(Wire, _DirectWire(self, argument))
        return ProxyCluster(0, introduced["settings"], introduced["backend"], wire)

    def serve(self, desk: ClusterDesk, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Beyond the budget there are no more answers, as with a process that is ended."""
        try:
            if self._given_up is not None:
                raise self._given_up
            return desk.serve(method, arguments)
        except StudentFault as fault:
            self._given_up = fault
            raise


class DirectObject:
    """Stands for a `StudentObject`."""

    def __init__(self, session: DirectSession, target: Any) -> None:
        self._session = session
        self._target = target

    def call(self, name: str, *arguments: Any, seconds: float | None = None) -> Any:
        return decode(encode(self._session.perform(self._target, name, arguments)))


class _DirectWire:
    """Stands for the `Wire` between the stand-in of a cluster and its desk."""

    def __init__(self, session: DirectSession, desk: ClusterDesk) -> None:
        self._session = session
        self._desk = desk

    def request(self, number: int, method: str, arguments: dict[str, Any]) -> Any:
        answer = self._session.serve(self._desk, method, arguments)
        if "raise" in answer:
            name, text = answer["raise"]
            raise {"ValueError": ValueError}.get(name, getattr(base, name, base.ClusterError))(text)
        return answer["ok"]


# --------------------------------------------------------------------------------------------------------


def the_checks(exercise: str, level: str = "student", seeds: tuple[int, ...] = VISIBLE_SEEDS) -> dict[str, Check]:
    return {check.id: check for check in SUITE.checks(level, seeds) if check.exercise == exercise}


def outcome(check: Check, module: Any, seeds: tuple[int, ...] = VISIBLE_SEEDS, level: str = "student") -> Outcome:
    """What `check` says of this code. A grader's fault is raised."""
    try:
        return check.run(cast(Session, DirectSession(module, seeds, level)))
    except StudentFault as fault:
        return failed(f"{fault.kind.value}: {fault.message}")


def from_source(name: str, source: str) -> ModuleType:
    """A module made of this text, as if it had been imported."""
    module = ModuleType(name)
    exec(compile(source, f"{name}.py", "exec"), module.__dict__)
    return module


def lost(exercise: str, module: Any, level: str = "student", seeds: tuple[int, ...] = VISIBLE_SEEDS) -> dict[str, str]:
    """The checks that do not pass, each with what it says; as in a grading, what builds on one of them is not run."""
    wrong: dict[str, str] = {}
    skipped: set[str] = set()
    for name, check in the_checks(exercise, level, seeds).items():
        if wrong.keys() & set(check.depends_on) or skipped & set(check.depends_on):
            skipped.add(name)
        elif not (found := outcome(check, module, seeds, level)).passed:
            wrong[name] = found.message
    return wrong


def planted_source(exercise: str, *changes: tuple[str, str]) -> str:
    """The reference solution with each of these texts, which it must contain just once, replaced by another."""
    file_name = BY_ID[exercise].file_name
    source = (SOLUTIONS / file_name).read_text(encoding="utf-8")
    for old, new in changes:
        assert source.count(old) == 1, f"{file_name} contains this {source.count(old)} times: {old}"
        source = source.replace(old, new)
    return source


def planted(exercise: str, *changes: tuple[str, str]) -> ModuleType:
    """`planted_source` as a module."""
    return from_source(f"planted_{exercise}", planted_source(exercise, *changes))
