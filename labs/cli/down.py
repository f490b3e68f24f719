"""`replab down`: remove what the lab left on the Docker engine, by its label and never by a name."""

from __future__ import annotations

from typing import Annotated

import typer

from labs.cluster.base import ClusterError
from labs.cluster.docker.engine import Engine, connect
from labs.cluster.docker.leftovers import FoundCluster, find, remove, remove_images


def register(app: typer.Typer) -> None:
    app.command()(down)


def down(
    clusters: Annotated[list[str] | None, typer.Argument(help="Remove these, in use or not.")] = None,
    show: Annotated[bool, typer.Option("--list", help="Only show what there is.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also clusters that are in use, and compose's.")] = False,
    images: Annotated[bool, typer.Option("--images", help="Also the node's images.")] = False,
) -> None:
    """Remove leftover Docker clusters: those whose Python process is gone."""
    try:
        engine = connect()
        found = find(engine)
        if show:
            _print_list(found)
            return
        wanted = chosen(found, clusters or [], everything)
        _remove(engine, wanted, images)
    except ClusterError as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from error
    for spared in found:
        if spared not in wanted:
            typer.echo(f"left alone: {spared}. `replab down {spared.cluster_id}` removes it.")


def chosen(found: list[FoundCluster], clusters: list[str], everything: bool) -> list[FoundCluster]:
    """Which of the clusters are meant: the named ones, else all, else those whose owner is gone."""
    unknown = set(clusters) - {one.cluster_id for one in found}
    if unknown:
        there = ", ".join(one.cluster_id for one in found) or "none"
        raise ClusterError(f"There is no cluster {', '.join(sorted(unknown))} on this engine. There is: {there}.")
    if clusters:
        return [one for one in found if one.cluster_id in clusters]
    return [one for one in found if everything or one.is_leftover]


def _print_list(found: list[FoundCluster]) -> None:
    for one in found:
        typer.echo(str(one))
    if not found:
        typer.echo("The lab has nothing on this engine.")


def _remove(engine: Engine, wanted: list[FoundCluster], images: bool) -> None:
    removed = [name for one in wanted for name in remove(engine, one.cluster_id)]
    if images:
        removed += remove_images(engine)
    for name in removed:
        typer.echo(f"removed {name}")
    if not removed:
        typer.echo("Nothing to remove.")
