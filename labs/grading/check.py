"""A check and its outcome: one thing that is graded, and what was found.

Law of this module: values, and the protocol of what a check may ask of the student's code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any, Protocol, TypeVar

from labs.cluster.simulated import SimulatedCluster
from labs.grading.errors import ErrorKind, StudentError
from labs.simulation.schedule import Run, Schedule
from replstore.core.election import Election, ElectionContext

T = TypeVar("T")

NOT_REPORTED = ("run", "most", "again", "twice", "own_dice")
"""Fields of a check that only the runner needs."""


@dataclass(frozen=True)
class Scene:
    """Where something went wrong, to be opened in a panel: at `moment` (virtual seconds) of an election's `run`, with
    the numbers of the events that prove it; or on the cluster that `reopen` gives, as the student's function left
    it."""

    moment: float
    run: Run | None = None
    proof: tuple[Any, ...] = ()
    reopen: Callable[[], SimulatedCluster] | None = None


@dataclass(frozen=True)
class CheckOutcome:
    """What a check found. Make one with `passed` or `failed`."""

    passed: bool
    message: str = ""
    """What happened, in one or two sentences to the student."""
    evidence: tuple[str, ...] = ()
    """Facts that show it: events of the run, values that were read."""
    share: float = 0.0
    """Of the points, 0…1."""
    picture: str | None = None
    """An SVG of the run."""
    page: Callable[[], str] | None = field(default=None, compare=False)
    """Makes an HTML page of it, to look closer: for `replab check`, not for reports."""
    scene: Scene | None = field(default=None, compare=False)
    """For panels: the failure in the simulator, to be opened."""
    replay: str = ""
    """The command that shows the same again; empty: the default for the check."""
    error: ErrorKind | None = None
    """Why the student's code could not be judged to the end."""


def passed(message: str = "") -> CheckOutcome:
    return CheckOutcome(True, message, share=1.0)


def failed(
    message: str,
    *,
    evidence: tuple[str, ...] = (),
    share: float = 0.0,
    picture: str | None = None,
    page: Callable[[], str] | None = None,
    scene: Scene | None = None,
    replay: str = "",
) -> CheckOutcome:
    """`share`: the part of the points that is earned nevertheless."""
    return CheckOutcome(False, message, evidence, min(1.0, max(0.0, share)), picture, page, scene, replay)


def broken_off(error: StudentError, scene: Scene | None = None) -> CheckOutcome:
    """The outcome of a check that the student's code ended with this error."""
    if error.kind is ErrorKind.NOT_ATTEMPTED:
        return replace(failed("not attempted"), error=error.kind)
    return replace(failed(f"{error.kind.value}: {error.message}", evidence=error.frames, scene=scene), error=error.kind)


class StudentObject(Protocol):
    """An object of the student's code, kept where that code runs."""

    def call(self, name: str, *arguments: Any, seconds: float | None = None) -> Any:
        """Call its method `name`; as `StudentCode.call`."""


class StudentCode(Protocol):
    """The student's file, as a check may use it. `seeds` and `level` say how thoroughly to look.

    A check never touches the student's code itself. Each of these methods raises `StudentError` where the code does;
    the check lets that pass.
    """

    @property
    def seeds(self) -> tuple[int, ...]: ...

    @property
    def seeds_before(self) -> int:
        """How many of the check's seeds come before these: another process may try them."""

    @property
    def level(self) -> str: ...

    @property
    def dice(self) -> str:
        """What is mixed into every seed (`labs.grading.dice`); empty: nothing."""

    def call(self, name: str, *arguments: Any, seconds: float | None = None) -> Any:
        """Call the function `name` of the file and return its result as plain values. An argument is a plain value or a
        `ClusterGateway`."""

    def create(self, name: str, *arguments: Any, seconds: float | None = None) -> StudentObject:
        """Call the class or function `name`, and keep the result, to call its methods."""

    def elections(self, class_name: str = "MyElection") -> Callable[[ElectionContext], Election]:
        """The factory of elections for one simulated run. Prefer `simulate`, which asks them less often."""

    def simulate(self, schedule: Schedule) -> Run:
        """Carry the schedule out with the student's election. An exception of the election is in `Run.error`."""

    def suspects(self) -> tuple[Schedule, ...]:
        """Schedules in which a search of the student's election has seen a promise about safety broken. Only what
        `simulate` shows in them counts."""

    def restart(self) -> None:
        """Go on in a new process: nothing that the student's code left behind in memory or in files remains."""

    def settle(self) -> None:
        """For a check that goes from seed to seed: one is done. Up to here a second run can be compared."""

    def cases(self, cases: Iterable[T], compared: int) -> Iterator[T]:
        """For a check that goes from case to case: these, each settled when the next one is asked for. The second run,
        which is there to compare answers, gets the first `compared` of them only."""


@dataclass(frozen=True)
class Check:
    """One thing that is graded. `id` is unique in its suite; `run` asks the student's code and judges."""

    id: str
    exercise: str
    title: str
    points: float
    run: Callable[[StudentCode], CheckOutcome] = field(compare=False, repr=False)
    rule: str = ""
    """What must hold, in one sentence."""
    hint: str = ""
    """Where to look when it does not."""
    depends_on: tuple[str, ...] = ()
    hidden: bool = False
    """Only the instructor's: not named in what is handed to students before the marks are out."""
    most: int | None = None
    """How many of the seeds it takes; None: all."""
    again: int | None = None
    """How many of the seeds the second run takes, where the check goes from seed to seed and says so
    (`Session.settle`); None: all. Such a check's seeds may be divided among several runs."""
    twice: bool = True
    """Run it a second time, with another hash seed, and compare."""

    own_dice: bool = False
    """Two runs must agree: whoever throws other dice than those that were handed in does not pass."""

    def to_json(self) -> dict[str, Any]:
        return {one.name: _json(getattr(self, one.name)) for one in fields(self) if one.name not in NOT_REPORTED}


def _json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
