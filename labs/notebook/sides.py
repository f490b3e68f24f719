"""The place beside a notebook, which only JupyterLab has.

A kernel does not know what its notebook is shown in, so the page is asked: a widget without a picture looks around
there, and where there is no place beside, the panel stands below the cell.
"""

from __future__ import annotations

import contextlib
from typing import Any

import anywidget
from ipywidgets import VBox

from labs.notebook.telling import show

LOOK_AROUND = """export default { render({ model }) {
  if (!document.querySelector('.jp-LabShell')) model.send('no place beside');
} }"""

_sides: list[Any] = []


def show_beside(panel: anywidget.AnyWidget) -> None:
    """Beside the notebook, in place of what stood there before; else below the cell."""
    side = _new_side()
    with contextlib.nullcontext() if side is None else side:
        show(panel)
    if side is not None:
        show(_below_instead(panel))
    while len(_sides) > 1:
        _sides.pop(0).close()


def _new_side() -> Any:
    """None where the package for it is not installed, as in the web edition."""
    try:
        from sidecar import Sidecar
    except ImportError:
        return None
    # The new one first: closing what stands beside the notebook would otherwise take the keyboard away from it.
    _sides.append(Sidecar(title="The cluster", anchor="split-right"))
    return _sides[-1]


class _Lookout(anywidget.AnyWidget):
    _esm = LOOK_AROUND


def _below_instead(panel: anywidget.AnyWidget) -> Any:
    """Takes no room, unless the page says that there is no place beside: then it holds the panel."""
    lookout = _Lookout()
    place = VBox([lookout])

    def answered(*_: Any) -> None:
        place.children = (panel,)

    lookout.on_msg(answered)
    return place
