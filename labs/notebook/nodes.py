"""The sentence and the switch with which a notebook says what the nodes of all notebooks are."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import ipywidgets as widgets

from labs.cluster import ClusterError
from labs.cluster.opening import why_no_docker
from labs.lesson.nodes import Choice, choose, chosen
from labs.notebook.telling import show

WHAT = {
    "process": "processes on this computer",
    "docker": "Docker containers",
    "simulated": "simulated, all of them within this notebook and with a time of their own",
}
SWITCH = {"processes": "process", "Docker containers": "docker", "simulated": "simulated"}


def sentences(choice: Choice) -> tuple[str, str]:
    """What the nodes are and why; and how to change it."""
    backend, why = choice.backend, choice.why
    if backend == "auto":
        why_not = why_no_docker()
        backend = "process" if why_not else "docker"
        why += f"; Docker is no choice here: {why_not.rstrip('.')}" if why_not else "; a Docker engine answers here"
    return (
        f"The nodes are {WHAT[backend]}: {why}.",
        "It holds for all notebooks, from the next cluster on: run a cell with lab.cluster() again.",
    )


def nodes_are(backend: str | None = None) -> None:
    """Say what the nodes of all notebooks are, with a switch. `backend`: choose it, as the switch does."""
    if backend is not None:
        choose(backend)
    handle = show(_page(chosen()), raw=True, display_id=True)
    current = chosen().backend
    buttons = widgets.ToggleButtons(
        options=list(SWITCH.items()), value=current if current in SWITCH.values() else None, description="Nodes:"
    )
    told = widgets.HTML()

    def switched(change: Mapping[str, Any]) -> None:
        if change["new"] is None:
            return
        try:
            choose(change["new"])
        except (ClusterError, OSError) as error:
            told.value = escape(str(error))
            buttons.value = change["old"]
            return
        told.value = ""
        handle.update(_page(chosen()), raw=True)

    buttons.observe(switched, "value")
    show(widgets.VBox([buttons, told]))


def _page(choice: Choice) -> dict[str, str]:
    now, change = sentences(choice)
    other = "In a terminal: replab open --backend docker, process, simulated or auto."
    page = f"<p><b>{escape(now)}</b> {escape(change)} {escape(other)}</p>"
    return {"text/html": page, "text/plain": f"{now} {change} {other}"}
