"""Nodes in any language, checked from a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from labs.cluster import ClusterError
from labs.cluster.opening import processes_work
from labs.notebook.telling import show

if TYPE_CHECKING:
    from labs.grading.results import Report

WIDTH = 110
"""Characters of a line below a cell."""


def conform(command: Sequence[str] | Mapping[str, Sequence[str]], *levels: str, named_peers: bool = False) -> Report:
    """Ask nodes of this command everything on these levels (none: on all), as `replab conform` does, and show what came
    of it, with a picture of the messages for each failure. Raises `StartFailed` where the command is no node."""
    if not processes_work():
        raise ClusterError("a node of your own is a process, and in a web page there are none: run this on a computer")
    from rich.console import Console

    from labs.cluster.foreign import PATIENT, commands_by_node
    from labs.conform.bench import Nodes
    from labs.conform.runner import Wish, examine
    from labs.grading.reports import console as screen

    commands = commands_by_node(PATIENT.node_ids, command)
    report = examine(Nodes(commands, PATIENT, named_peers), ["replab", "conform"], Wish(levels))
    # The command that repeats a failure is one for the terminal; here a cell does.
    report = replace(report, checks=tuple(replace(result, replay_command="") for result in report.checks))
    screen.show(report, Console(width=WIDTH, force_jupyter=False, color_system=None))
    for name, picture in report.pictures.items():
        title = f"The messages: {name.removesuffix('.svg')}"
        text = f"<details><summary>{escape(title)}</summary>{picture}</details>"
        show({"text/html": text, "text/plain": title}, raw=True)
    return report
