"""`replab conform -- CMD`: is this node right? Every sentence of the lesson, asked of a node in any language."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from labs.cli.commands import CommandArgument, NamedPeersOption, NodeOption, commands_of
from labs.cli.options import HeartbeatOption, TimeoutOption, settings_from
from labs.cluster.foreign import PATIENT, START_TIMEOUT

FORMATS = ("html", "junit", "json")


def register(app: typer.Typer) -> None:
    app.command()(conform)


def conform(
    command: CommandArgument = None,
    level: Annotated[
        list[str] | None, typer.Option("--level", help="wire, steps, faults, durable or peers; may be repeated.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="A check, like faults.killed-leader, and what it needs.")
    ] = None,
    formats: Annotated[
        list[str] | None, typer.Option("--format", help=f"Also write files: {', '.join(FORMATS)}; may be repeated.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where these files go.")] = Path("conform"),
    heartbeat: HeartbeatOption = None,
    election_timeout: TimeoutOption = None,
    start_timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds that a node may take from its start to its first answer.")
    ] = START_TIMEOUT,
    node: NodeOption = None,
    named_peers: NamedPeersOption = False,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="For marks: nodes see their folder and the tool chain only, no network.")
    ] = False,
    tools: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="With --sandbox: more that nodes may read.")
    ] = None,
) -> None:
    """Check nodes of any language against the lesson: replab conform -- node dist/main.js

    Exit code 1 if anything that was asked does not hold. The levels durable and peers are more than the lesson asks:
    a node that does not try them is not wrong.
    """
    from labs.conform import confined, runner
    from labs.conform.bench import Nodes
    from labs.conform.check import LEVELS
    from labs.grading import reports
    from labs.grading.reports import console as screen

    for name in level or ():
        if name not in LEVELS:
            raise typer.BadParameter(f"no level {name!r}; there are {', '.join(LEVELS)}")
    for name in only or ():
        if name not in runner.BY_ID:
            raise typer.BadParameter(f"no check {name!r}; there are {', '.join(runner.BY_ID)}")
    for name in formats or ():
        if name not in FORMATS:
            raise typer.BadParameter(f"no format {name!r}; there are {', '.join(FORMATS)}")
    settings = settings_from(3, heartbeat, election_timeout, (PATIENT.heartbeat_ms, PATIENT.election_timeout_ms))
    commands = commands_of(settings, command, node)
    if not commands:
        raise typer.BadParameter("conform needs the command of a node: replab conform -- node dist/main.js")
    if tools and not sandbox:
        raise typer.BadParameter("--tools is only for --sandbox")
    if sandbox and not confined.is_inside():
        if trouble := confined.why_not():
            raise typer.BadParameter(f"--sandbox: {trouble}")
        raise typer.Exit(subprocess.run(confined.kit(sys.argv[1:])).returncode)
    confinement = confined.Confinement(Path.cwd(), tuple(path.resolve() for path in tools or ())) if sandbox else None
    nodes = Nodes(commands, settings, named_peers, Path.cwd(), start_timeout, confinement)
    console = Console(highlight=False, markup=False, emoji=False)
    with Console(stderr=True).status("") as status:
        line = _command_line(command, node, named_peers, heartbeat, election_timeout)
        report = runner.examine(
            nodes,
            line,
            runner.Wish(tuple(level or ()), tuple(only or ())),
            lambda result: status.update(f"{result.id}: {result.status.value}"),
        )
    screen.show(report, console)
    if formats:
        reports.write(report, out, [name for name in formats if name != "json"])
        console.print(f"Written: {', '.join(sorted(str(path) for path in out.iterdir() if path.is_file()))}")
    if not runner.is_right(report):
        raise typer.Exit(1)


def _command_line(
    command: list[str] | None,
    node: list[str] | None,
    named_peers: bool,
    heartbeat: int | None,
    election_timeout: int | None,
) -> list[str]:
    """What repeats this run."""
    words = ["replab", "conform"]
    words += ["--heartbeat", str(heartbeat)] if heartbeat is not None else []
    words += ["--election-timeout", str(election_timeout)] if election_timeout is not None else []
    words += ["--named-peers"] if named_peers else []
    for one in node or ():
        words += ["--node", one]
    return [*words, "--", *command] if command else words
