"""Which notebook cell made which panel, so that running a cell again ends what its last run started.

Law of this module: book-keeping only. Where there is no notebook (a script, a test), nothing is ever ended here.
"""

from __future__ import annotations

from typing import Any, Protocol


class Closable(Protocol):
    def close(self) -> None: ...


class Cells:
    """Remembers the panels of each cell's latest run."""

    def __init__(self) -> None:
        self._panels: dict[str, tuple[str, list[Closable]]] = {}

    def enter(self, panel: Closable, origin: tuple[str, str] | None = None) -> None:
        """`panel` was made now. `origin`: the cell and its run, by default those of the running notebook."""
        cell, run = origin or current_cell()
        if not cell:
            return
        known_run, panels = self._panels.get(cell, (run, []))
        if known_run != run:
            for old in panels:
                old.close()
            panels = []
        self._panels[cell] = (run, [*panels, panel])


CELLS = Cells()
"""The panels that are alive, by the notebook cell that made them."""


def current_cell() -> tuple[str, str]:
    """`(cell id, id of this run of it)`; empty outside a notebook whose front end tells its cells' ids."""
    message = _request()
    cell = message.get("metadata", {}).get("cellId", "")
    return str(cell or ""), str(message.get("header", {}).get("msg_id", ""))


def _request() -> dict[str, Any]:
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return {}
    shell: Any = get_ipython()
    ask = getattr(shell, "get_parent", None)
    return dict(ask()) if ask is not None else {}
