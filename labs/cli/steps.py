"""`replab steps`: the lesson's eight steps on a live cluster, each with a mark whether it is as the lesson says;
also on nodes in any language: `replab steps -- CMD`."""

from __future__ import annotations

import json
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from labs.cli.commands import CommandArgument, NamedPeersOption, NodeOption, cluster_of_commands
from labs.cli.options import (
    Backend,
    BackendOption,
    HeartbeatOption,
    Mode,
    ModeOption,
    TimeoutOption,
    settings_from,
)
from labs.cluster.foreign import PATIENT
from labs.cluster.opening import open_cluster
from labs.lesson.steps import STEPS, Exchange, StepCheck, StepReport, run_step

SHORT = (100, 400)
LESSON = (2000, 6000)


def register(app: typer.Typer) -> None:
    app.command()(steps)


def steps(
    command: CommandArgument = None,
    backend: BackendOption = Backend.process,
    fast: Annotated[
        bool, typer.Option("--fast/--lesson-timings", help="Short timings, or the lesson's 2 s and 6 s.")
    ] = True,
    heartbeat: HeartbeatOption = None,
    election_timeout: TimeoutOption = None,
    mode: ModeOption = Mode.asynchronous,
    node: NodeOption = None,
    named_peers: NamedPeersOption = False,
) -> None:
    """Walk Steps 1-8 of the lesson on a live cluster. Exit code 1 if anything is not as the lesson says.

    With -- CMD the nodes are that command, in any language: replab steps -- node dist/main.js
    """
    short = (PATIENT.heartbeat_ms, PATIENT.election_timeout_ms) if command or node else SHORT
    settings = settings_from(3, heartbeat, election_timeout, short if fast else LESSON, mode)
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    started = time.perf_counter()
    given = cluster_of_commands(settings, command, node, named_peers)
    with given or open_cluster(backend.value, settings, console.print) as cluster:
        as_said = 0
        for step in STEPS:
            console.print()
            console.rule(f"Step {step.number}  {step.title}", align="left", style="cyan")
            with console.status(step.says):
                report = run_step(cluster, step)
            show(report, console)
            as_said += report.ok
    took = time.perf_counter() - started
    console.print()
    summary = f"{as_said} of {len(STEPS)} steps as the lesson says, in {took:.1f} s."
    console.print(summary, style="bold green" if as_said == len(STEPS) else "bold red")
    if as_said < len(STEPS):
        raise typer.Exit(1)


def show(report: StepReport, console: Console) -> None:
    """A step as the lesson shows it: what was done, each request and its answer, then the marks."""
    console.print(report.says, style="italic")
    for action in report.actions:
        console.print(f"» {action}", style="bold")
    for line in report.log:
        console.print(f"  {line}", style="yellow")
    for exchange in report.exchanges:
        _show_exchange(exchange, console)
    for check in report.checks:
        console.print(_mark(check))


def _show_exchange(exchange: Exchange, console: Console) -> None:
    console.print(f"$ {exchange.curl}", style="bold")
    code = "no answer" if exchange.code is None else str(exchange.code)
    console.print(f"  {code} {json.dumps(exchange.answer, ensure_ascii=False)}")


def _mark(check: StepCheck) -> Text:
    if check.holds:
        return Text(f"✓ {check.claim}", style="green")
    return Text(f"✗ {check.claim}\n  instead: {check.seen}", style="red")
