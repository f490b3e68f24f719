"""`replab explore`: systematic search of an election for two leaders of one term."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from labs.lesson.exercises import BY_ID
from labs.lesson.workspace import exercises_folder
from labs.pictures import page
from labs.simulation.explorer.search import Bound, Counterexample, Search
from labs.simulation.explorer.snapshot import CannotSnapshot
from labs.simulation.loading import find_election
from replstore.core.election import Election

EXERCISE = "ex3"


def register(app: typer.Typer) -> None:
    app.command()(explore)


def explore(
    election: Annotated[
        str,
        typer.Argument(
            metavar="[ex3|ELECTION]", help="ex3: your MyElection. Or lowest-id, bully, module:Class, file.py[:Class]."
        ),
    ] = EXERCISE,
    nodes: Annotated[int, typer.Option(min=1, max=5)] = 3,
    depth: Annotated[int, typer.Option(min=1, help="Longest trace, in steps.")] = 10,
    terms: Annotated[int, typer.Option(min=1, help="No node goes beyond this term.")] = 1,
    crashes: Annotated[int, typer.Option(min=0, max=7, help="Crashes in one trace at most.")] = 0,
    duplicates: Annotated[bool, typer.Option("--duplicates", help="Messages may arrive more than once.")] = False,
    states: Annotated[int, typer.Option(min=1, help="Give up after so many different states.")] = 1_000_000,
    picture: Annotated[Path, typer.Option(help="Where the trace is drawn, an HTML file.")] = Path("explored.html"),
) -> None:
    """Try every order of messages and timeouts up to a bound. Exit code 1 if a term gets two leaders.

    The first trace that is found is a shortest one. It is printed step by step, and drawn. Messages may be lost,
    delayed and reordered; logs do not grow.
    """
    strategy = _election(election)
    console = Console(highlight=False, soft_wrap=True)
    try:
        report = Search(strategy, nodes, Bound(depth, states, terms, crashes, duplicates=duplicates)).run()
    except CannotSnapshot as error:
        raise typer.BadParameter(f"{strategy.__name__} cannot be searched: {error}") from error
    console.print(str(report), markup=False)
    if report.traces:
        [trace] = report.traces
        picture.write_text(_page(trace, strategy.__name__, nodes), encoding="utf-8", newline="\n")
        console.print(f"Picture: {picture}", markup=False)
        raise typer.Exit(1)


def _election(name: str) -> type[Election]:
    """Raises `typer.BadParameter`."""
    if name == EXERCISE:
        folder = exercises_folder(Path.cwd())
        if folder is None:
            raise typer.BadParameter("no exercises are here; go to the folder that contains exercises/, or name a file")
        name = str(folder / BY_ID[EXERCISE].file_name)
    try:
        return find_election(name)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _page(trace: Counterexample, name: str, nodes: int) -> str:
    node_ids = [f"node-{number}" for number in range(1, nodes + 1)]
    return page(trace.events, node_ids=node_ids, title=f"{name}: {trace.problem}", origin=0.0)
