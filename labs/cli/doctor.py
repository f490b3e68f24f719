"""`replab doctor`: what works on this machine, and what to do about the rest."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from labs.cli.diagnosis import CHECKS, Diagnosis, Weight

MARKS = {Weight.GOOD: "[green]✓[/green]", Weight.OPTIONAL: "[yellow]○[/yellow]", Weight.NEEDED: "[red]✗[/red]"}


def register(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor() -> None:
    """Check what works on this machine. Exit code 1 if something is missing that the lab cannot do without."""
    errors = Console(stderr=True)
    findings = [check() for check in track(CHECKS, "Looking …", console=errors, transient=True)]
    table = Table("", "what", "found", "what to do", show_lines=False)
    for finding in findings:
        table.add_row(MARKS[finding.weight], finding.what, _plain(finding.found), _plain(finding.advice))
    Console().print(table)
    typer.echo(_verdict(findings))
    if any(finding.weight is Weight.NEEDED for finding in findings):
        raise typer.Exit(1)


def _plain(text: str) -> str:
    return text.replace("[", "\\[")


def _verdict(findings: list[Diagnosis]) -> str:
    missing = [finding.what for finding in findings if finding.weight is Weight.NEEDED]
    without = [finding.what for finding in findings if finding.weight is Weight.OPTIONAL]
    if missing:
        return f"The lab does not work here yet: {', '.join(missing)}."
    return "The lab works here" + (f"; do without, or mend: {', '.join(without)}." if without else ", all of it.")
