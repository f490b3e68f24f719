"""`replab replay`: one simulated run, with what broke which rule, its story and its picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from labs.cli.options import Mode
from labs.pictures.html import page
from labs.rules import Claims, Violation, check_run
from labs.rules.survey import SurveyJob, claims_of
from labs.simulation.loading import find_election
from labs.simulation.schedule import Run, Schedule, carry_out, random_schedule
from labs.trace.events import Event
from labs.trace.story import tell

SENTENCES = 40
MARGIN = 1.5
"""Seconds around a violation that its story covers."""
CLAIMS = ("votes", "steps-down", "pre-vote")

ClaimsOption = Annotated[
    list[str] | None,
    typer.Option("--claim", help=f"What the election promises, to be held to it: {', '.join(CLAIMS)}."),
]


def register(app: typer.Typer) -> None:
    app.command()(replay)


def replay(
    schedule: Annotated[
        Path | None, typer.Argument(metavar="[SCHEDULE.json]", help="As written by --save. Default: that of --seed.")
    ] = None,
    election: Annotated[str, typer.Option(help="lowest-id, bully or module:Class.")] = "lowest-id",
    mode: Annotated[Mode, typer.Option(help="With --seed.")] = Mode.quorum,
    nodes: Annotated[int, typer.Option(min=1, max=9, help="With --seed.")] = 5,
    seed: Annotated[int, typer.Option(help="Which of `simulate`'s runs.")] = 0,
    claim: ClaimsOption = None,
    whole: Annotated[bool, typer.Option("--whole", help="Tell all, not only what led to a violation.")] = False,
    picture: Annotated[Path | None, typer.Option(help="Write a space-time diagram to this HTML file.")] = None,
    save: Annotated[Path | None, typer.Option(help="Write the schedule to this JSON file.")] = None,
) -> None:
    """Run one schedule again and tell what happened. Exit code 1 if a rule was broken."""
    chosen = _schedule(schedule, seed, nodes, mode)
    if save is not None:
        save.write_text(chosen.to_json() + "\n", encoding="utf-8")
    run, violations = _judged(chosen, election, claims_from(claim))
    again = _command(schedule, SurveyJob(election, mode.value, nodes, seed, claims_from(claim)))
    events = run.trace
    console = Console(highlight=False, soft_wrap=True)
    _tell(console, run, events, violations, whole)
    for violation in violations:
        console.print(f"\n{violation}", style="red", markup=False)
        console.print(f"  again: {again}", markup=False)
    if picture is not None:
        picture.write_text(_page(run, events, violations, election), encoding="utf-8")
        console.print(f"Picture: {picture}", markup=False)
    if violations:
        raise typer.Exit(1)
    console.print("No rule is broken.")


def claims_from(names: list[str] | None) -> Claims | None:
    """None where nothing is said: then the strategy tells. Raises `typer.BadParameter`."""
    if not names:
        return None
    if unknown := [name for name in names if name not in CLAIMS]:
        raise typer.BadParameter(f"no claim {unknown[0]!r}; there are {', '.join(CLAIMS)}")
    return Claims(*(name in names for name in CLAIMS))


def _schedule(file: Path | None, seed: int, nodes: int, mode: Mode) -> Schedule:
    if file is None:
        return random_schedule(seed, Schedule(nodes=nodes, mode=mode.value))
    try:
        return Schedule.from_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{file}: {error}") from error


def _judged(schedule: Schedule, election: str, claims: Claims | None) -> tuple[Run, list[Violation]]:
    try:
        strategy = find_election(election)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    run = carry_out(schedule, strategy)
    return run, check_run(run, claims or claims_of(strategy))


def _window(violations: list[Violation]) -> tuple[float, float]:
    """Around the first violation."""
    first = min(violation.time for violation in violations)
    return max(0.0, first - MARGIN), first + MARGIN / 3


def _tell(console: Console, run: Run, events: list[Event], violations: list[Violation], whole: bool) -> None:
    how = run.schedule
    console.print(f"{run.strategy} with {how.nodes} nodes, mode {how.mode}, seed {how.seed}", markup=False)
    window = None if whole or not violations else _window(violations)
    if window is not None:
        console.print(f"from {window[0]:.1f} s to {window[1]:.1f} s:")
    for sentence in tell(events, node_ids=run.node_ids, window=window, origin=0.0, limit=None if whole else SENTENCES):
        console.print(sentence, markup=False)


def _page(run: Run, events: list[Event], violations: list[Violation], election: str) -> str:
    proof = {number for violation in violations for number in violation.events}
    window = _window(violations) if violations else None
    title = f"{election}, {run.schedule.mode}, seed {run.schedule.seed}"
    return page(events, node_ids=run.node_ids, window=window, highlight=proof, title=title, origin=0.0)


def _command(file: Path | None, job: SurveyJob) -> str:
    return job.replay if file is None else f"replab replay {file} --election {job.election}{job.promises}"
