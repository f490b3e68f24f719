"""A sandbox for a student's code, whichever kind there is here.

Law of this module: what needs processes is imported only where there are some, so that the checks can be read, and the
panel that shows them drawn, in a web page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import TYPE_CHECKING, Any, Protocol

from labs.grading.sandbox.limits import DEFAULT, SandboxLimits

if TYPE_CHECKING:
    from labs.grading.sandbox.isolation import Isolation

Serve = Callable[[int, str, Any], dict[str, Any]]
"""Answers a request of the student's code: `(cluster number, method, arguments)` to `{"ok": …}` or `{"raise": …}`."""


class Conversation(Protocol):
    """A student's code that can be asked."""

    digest: Any
    """A digest (`hashlib`) of all that was answered."""

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
        ...

    @property
    def seconds(self) -> float:
        """What is charged for it so far."""
        ...

    @property
    def output(self) -> str:
        """What the student's code printed, as far as it is kept."""
        ...

    def close(self) -> None: ...


def open_sandbox(
    files: Mapping[str, str],
    limits: SandboxLimits = DEFAULT,
    isolation: Isolation | None = None,
    hash_seed: int = 0,
    stop: Callable[[], bool] = lambda: False,
) -> Conversation:
    """A process with these files in it; the arguments are those of `Sandbox`. In a web worker: this interpreter."""
    if isolation is not None and isolation.kind == "worker":
        from labs.grading.sandbox.same_process import SameProcess

        return SameProcess(files, limits, stop)
    from labs.grading.sandbox.sandbox import Sandbox

    return Sandbox(files, limits, isolation, hash_seed, stop)


def best_isolation(kind: str | None = None) -> Isolation:
    """The best isolation that works on this machine, or the one named by `kind`. Raises `GraderError`."""
    from labs.grading.sandbox.sandbox import best_isolation as best

    return best(kind)
