"""Options that several commands share, and the cluster settings that they amount to."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from labs.cluster.base import ClusterError, Settings
from labs.cluster.environment import check_settings


class Backend(StrEnum):
    auto = "auto"
    process = "process"
    docker = "docker"
    simulated = "simulated"


class Mode(StrEnum):
    asynchronous = "async"
    quorum = "quorum"
    sync = "sync"


OWN_ELECTIONS = ("lowest-id", "bully")
HeartbeatOption = Annotated[
    int | None, typer.Option("--heartbeat", min=1, metavar="MS", help="Heartbeat interval in milliseconds.")
]
TimeoutOption = Annotated[
    int | None,
    typer.Option("--election-timeout", min=2, metavar="MS", help="Default: three times the heartbeat interval."),
]
ModeOption = Annotated[Mode, typer.Option("--mode", help="Copies that a write needs: 1, a majority, or all.")]
BackendOption = Annotated[
    Backend, typer.Option("--backend", help="auto: Docker where an engine answers, else processes.")
]


def settings_from(
    nodes: int = 3,
    heartbeat: int | None = None,
    election_timeout: int | None = None,
    default_timings: tuple[int, int] = (2000, 6000),
    mode: Mode = Mode.asynchronous,
    election: str = "lowest-id",
    first_port: int | None = None,
) -> Settings:
    """Raises `typer.BadParameter`, which ends the command with one line."""
    if ":" not in election and election not in OWN_ELECTIONS:
        raise typer.BadParameter(f"--election {election}: there are {', '.join(OWN_ELECTIONS)}, and module:Class")
    beat = default_timings[0] if heartbeat is None else heartbeat
    usual = default_timings[1] if heartbeat is None else 3 * heartbeat
    settings = Settings(
        nodes=nodes,
        heartbeat_ms=beat,
        election_timeout_ms=usual if election_timeout is None else election_timeout,
        mode=mode.value,
        election=election,
        first_port=first_port,
        # `--election mine:Election` means the mine.py of the folder in which one stands.
        python_path=(Path.cwd(),) if ":" in election else (),
    )
    try:
        return check_settings(settings)
    except ClusterError as error:
        raise typer.BadParameter(str(error)) from error
