"""The node of a small replicated key-value store, on the standard library alone.

What can be imported from here is what an election strategy needs, and the node itself. `replstore/README.md` has the
reading order of the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from replstore.core.election import Election, ElectionContext, Seat
from replstore.core.messages import Entry, EntryId, Heartbeat, HeartbeatReply, Message, NodeId

if TYPE_CHECKING:
    from replstore.core.node import Node

__version__ = "0.2.0"

__all__ = [
    "Election",
    "ElectionContext",
    "Entry",
    "EntryId",
    "Heartbeat",
    "HeartbeatReply",
    "Message",
    "Node",
    "NodeId",
    "Seat",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """`Node` is loaded when it is named: a strategy does not need it, and each process of the grader would load it."""
    if name != "Node":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from replstore.core.node import Node

    return Node
