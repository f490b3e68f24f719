"""`replab simulate`: which election loses acknowledged writes in which mode?"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from labs.cli.options import Mode
from labs.cli.replay import ClaimsOption, claims_from
from labs.rules.survey import SurveyJob, Tally, cell, count_all
from labs.simulation.loading import find_election

REFERENCE = "solutions.ex3_election:MyElection"

ElectionsOption = Annotated[
    list[str] | None,
    typer.Option("--election", help="lowest-id, bully or module:Class; may be repeated. Default: the lab's own."),
]
ModesOption = Annotated[list[Mode] | None, typer.Option("--mode", help="May be repeated. Default: all three.")]


def register(app: typer.Typer) -> None:
    app.command()(simulate)


def simulate(
    election: ElectionsOption = None,
    mode: ModesOption = None,
    nodes: Annotated[int, typer.Option(min=1, max=9)] = 5,
    schedules: Annotated[int, typer.Option(min=1, help="Runs for each election and mode.")] = 200,
    seed: Annotated[int, typer.Option(help="The first schedule's; the others follow.")] = 0,
    claim: ClaimsOption = None,
    workers: Annotated[int, typer.Option("-j", "--workers", min=1, help="Processes.")] = min(2, os.cpu_count() or 1),
) -> None:
    """Run each election on the same random fault schedules and count acknowledged writes that were lost.

    A run is ten virtual seconds of crashes, partitions, pauses and a lossy, slow network, and then a calm in which
    everything has to come right. It happens in virtual time, and the same numbers come out every time.
    """
    claims = claims_from(claim)
    elections = _importable(election)
    modes = [chosen.value for chosen in mode or Mode]
    seeds = range(seed, seed + schedules)
    jobs = [SurveyJob(name, m, nodes, number, claims) for name in elections for m in modes for number in seeds]
    counted = _count(jobs, workers)
    console = Console(highlight=False)
    console.print(_table(counted, elections, modes, nodes, schedules))
    _tell_broken(console, counted)


def _importable(elections: list[str] | None) -> list[str]:
    """All that were asked for, or all that there are. Raises `typer.BadParameter` for one that does not exist."""
    found = []
    for name in elections or ("lowest-id", "bully", REFERENCE):
        try:
            find_election(name)
            found.append(name)
        except ValueError as error:
            if elections:
                raise typer.BadParameter(str(error)) from error
    return found


def _count(jobs: list[SurveyJob], workers: int) -> dict[SurveyJob, Tally]:
    """For each election and mode, all its runs together."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    counted: dict[SurveyJob, Tally] = {}
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("simulating", total=len(jobs))
        for job, tally in count_all(jobs, workers):
            counted[cell(job)] = counted.get(cell(job), Tally()) + tally
            progress.advance(task)
    return counted


def _table(
    counted: dict[SurveyJob, Tally], elections: list[str], modes: list[str], nodes: int, schedules: int
) -> Table:
    caption = "lost: of the acknowledged writes · two leaders: in one term · not served: of the writes wanted"
    table = Table("election", *modes, title=f"{schedules} runs each, {nodes} nodes", caption=caption, show_lines=True)
    by_place = {(job.election, job.mode): tally for job, tally in counted.items()}
    for election in elections:
        table.add_row(election, *(_cell(by_place[election, mode]) for mode in modes))
    return table


def _cell(tally: Tally) -> str:
    lost = f"{tally.lost} lost" + (f" ({tally.runs_with_losses} runs)" if tally.lost else "")
    style = "bold red" if tally.lost else "green"
    return "\n".join(
        (
            f"{tally.acknowledged} acknowledged",
            f"[{style}]{lost}[/]",
            f"two leaders: {tally.runs_with_two_leaders} runs",
            f"not served: {tally.unserved:.0%}",
        )
    )


def _tell_broken(console: Console, counted: dict[SurveyJob, Tally]) -> None:
    for job, tally in counted.items():
        for rule, seeds in tally.broken.items():
            example = replace(job, seed=min(seeds))
            console.print(
                f"{job.election}, {job.mode}: “{rule}” broken in {len(seeds)} of {tally.runs} runs. See one:\n"
                f"  {example.replay}",
                soft_wrap=True,
                markup=False,
            )
