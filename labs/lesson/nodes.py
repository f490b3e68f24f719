"""What the nodes of a working copy's notebooks are: processes, containers or a simulation, and who chose it.

Law of this module: one choice for all notebooks of a working copy. What a cell names for itself comes first; then what
was chosen with the switch (kept in the working copy, and forgotten when `replab open --backend` chooses anew); then the
environment variable `REPLAB_BACKEND`; else processes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from labs.cluster.base import ClusterError
from labs.cluster.opening import BACKEND_VARIABLE, BACKENDS, default_backend, processes_work, why_no_docker
from labs.lesson.workspace import switch_of


@dataclass(frozen=True)
class Choice:
    """`backend` is one of `BACKENDS`; `why` says who chose it."""

    backend: str
    why: str


def chosen(here: Path | None = None) -> Choice:
    """What a cluster is made of where its cell names nothing. Raises `ClusterError` for a name that no backend has."""
    switch = switch_of(here or Path.cwd())
    if switch.is_file():
        named = switch.read_text(encoding="utf-8").strip()
        if named not in BACKENDS:
            raise ClusterError(f"{switch}: expected one of {', '.join(BACKENDS)}, not {named!r}; remove the file")
        return Choice(named, "chosen with the switch")
    if os.environ.get(BACKEND_VARIABLE):
        return Choice(default_backend(), f"whoever opened the lab chose so ({BACKEND_VARIABLE})")
    if not processes_work():
        return Choice(default_backend(), "nothing else works in a web page")
    return Choice(default_backend(), "nobody chose anything else, and they work on every computer")


def choose(backend: str, here: Path | None = None) -> None:
    """From the next cluster on, in all notebooks. Raises `ClusterError` for one that does not work here."""
    if backend not in BACKENDS:
        raise ClusterError(f"backend must be one of {', '.join(BACKENDS)}, not {backend!r}")
    if backend != "simulated" and not processes_work():
        raise ClusterError("in a web page the nodes can only be simulated")
    if backend == "docker" and (why_not := why_no_docker()) is not None:
        raise ClusterError(f"containers are no choice here: {why_not}")
    switch_of(here or Path.cwd()).write_text(f"{backend}\n", encoding="utf-8")
