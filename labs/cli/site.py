"""`replab site`: the lab as a static web page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from platformdirs import user_cache_path

CACHE = user_cache_path("replication-lab") / "site"


def register(app: typer.Typer) -> None:
    app.command()(site)


def site(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or an older site of the lab.")],
    solutions: Annotated[bool, typer.Option("--solutions", help="With the reference solutions.")] = False,
    cache: Annotated[Path, typer.Option(help="Where downloads are kept.")] = CACHE,
) -> None:
    """Build the web edition: notebooks, panels and exercises in the browser, on simulated clusters."""
    from labs.site.building import build_site

    made = build_site(folder, cache, solutions, typer.echo)
    size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
    typer.echo(f"{made}: {size / 1e6:.0f} MB. Any web server can serve it:")
    typer.echo(f"  python -m http.server --bind 127.0.0.1 --directory {made} 8000")
