"""Makes a page's Python ready for the notebooks.

Law of this module: it does nothing anywhere else.
"""

from __future__ import annotations

import sys

from labs.cluster.opening import processes_work

DRIVE = "/drive"
"""Where a page's Python finds the visitor's files: notebooks, exercises."""
SIMULATED = "Backend: simulated, because a web page has no processes: the same nodes, in a simulated network."


def make_ready() -> bool:
    """Whether this is a page. The student's `exercises` can then be imported from beside the notebooks; they are looked
    for there last, because it takes long."""
    if processes_work():
        return False
    if DRIVE not in sys.path:
        sys.path.append(DRIVE)
    return True
