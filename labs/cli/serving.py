"""What a notebook server needs to serve the lab: `replab open` and `replab singleuser` have it in common."""

from __future__ import annotations

import os
import sys
from pathlib import Path

SETTINGS = Path(__file__).parent / "settings"
"""JupyterLab's settings for everybody. No question about news: a classroom may be offline, and a dialog would hide the
first notebook. And the callbacks of widgets run on the main thread, in the order of the clicks."""


def environment(root: Path) -> dict[str, str]:
    """For the server of the working copy `root`, and so for its kernels and terminals. Notebooks import the student's
    exercises, not the package's; and `!replab` is the one beside this Python."""
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    programs = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PATH": os.pathsep.join(programs)}


def rights() -> list[str]:
    """What Jupyter wants to hear from root."""
    return ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
