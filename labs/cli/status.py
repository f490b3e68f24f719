"""`replab status`: who leads, who follows, who is behind."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.table import Column, Table

from labs.cluster import registry as running
from labs.cluster.transport import Transport

COLUMNS = ("address", "node", "role", "term", "leader", "keys", "log", "behind")
"""`log`: last committed entry / last entry; `behind`: on a leader, how many entries each follower lacks."""
USUAL = tuple(f"http://127.0.0.1:{port}" for port in (4001, 4002, 4003))


def register(app: typer.Typer) -> None:
    app.command()(status)


def status(
    urls: Annotated[
        list[str] | None,
        typer.Argument(metavar="[URL]...", help="Default: what `replab up` runs, else ports 4001-4003."),
    ] = None,
) -> None:
    """Show each node's role, term and data. Exit code 1 if none answers."""
    asked = [_address(text) for text in urls or ()] or _running_ones() or list(USUAL)
    transport = Transport()
    answers = {url: transport.exchange("GET", f"{url}/status", timeout=2.0) for url in asked}
    transport.close()
    columns = [Column(name, no_wrap=name != "behind") for name in COLUMNS]
    table = Table(*columns, box=None, padding=(0, 2, 0, 0), header_style="underline")
    console = Console(highlight=False, soft_wrap=True)
    for url, reply in answers.items():
        if reply.code == 200 and not reply.error:
            table.add_row(url, *_cells(reply.body), style="bold green" if reply.body.get("role") == "leader" else None)
        else:
            console.print(f"{url} is no answering node: {reply.error or f'code {reply.code}'}", style="red")
    if table.row_count == 0:
        typer.echo("No node answers there. `replab up` starts a cluster.", err=True)
        raise typer.Exit(1)
    console.print(table)


def _running_ones() -> list[str]:
    return [url for cluster in running.find()[:1] for url in cluster.urls.values()]


def _address(text: str) -> str:
    """`4001`, `localhost:4001` and `http://localhost:4001/` mean the same."""
    full = f"127.0.0.1:{text}" if text.isdecimal() else text
    full = full if "://" in full else f"http://{full}"
    try:
        parts = urlsplit(full)
        if parts.scheme == "http" and parts.hostname and parts.port:
            return f"http://{parts.netloc}"
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no address of a node: {error}") from error
    raise typer.BadParameter(f"{text!r} is no address of a node; expected something like http://127.0.0.1:4001")


def _cells(seen: dict[str, Any]) -> list[str]:
    lags = (seen.get("lag") or {}).items()
    behind = ", ".join(f"{peer}: {'unknown' if lag is None else lag}" for peer, lag in lags if lag != 0)
    names = ("node_id", "role", "term", "leader_id", "total_keys")
    cells = ["-" if seen.get(name) is None else str(seen[name]) for name in names]
    return [*cells, f"{seen.get('commit_index', '-')}/{seen.get('last_index', '-')}", behind]
