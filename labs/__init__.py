"""The lab around the node: clusters, checks, pictures, panels, the simulator, and the `replab` command.

What can be imported from here is what an exercise needs. Each name is loaded when it is first used, so `import labs`
costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from replstore import __version__

if TYPE_CHECKING:
    from labs.cluster import Answer, Client, Cluster, ConditionTimeout, NodeStatus, Outcome, Settings, open_cluster
    from labs.grading.marks import marks
    from labs.trace.events import Event

_OF_CLUSTERS = ("Answer", "Client", "Cluster", "ConditionTimeout", "NodeStatus", "Outcome", "Settings", "open_cluster")
_LOADED_WHEN_NAMED = {
    **dict.fromkeys(_OF_CLUSTERS, "labs.cluster"),
    "Event": "labs.trace.events",
    "marks": "labs.grading.marks",
}

__all__ = [
    "Answer",
    "Client",
    "Cluster",
    "ConditionTimeout",
    "Event",
    "NodeStatus",
    "Outcome",
    "Settings",
    "__version__",
    "marks",
    "open_cluster",
]


def __getattr__(name: str) -> Any:
    if name not in _LOADED_WHEN_NAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LOADED_WHEN_NAMED[name]), name)
