"""The node of a small replicated key-value store, on the standard library alone.

What can be imported from here is what an election strategy needs, and the node itself. Each name is loaded when it is
first used: the grader starts many processes that need none of them. `replstore/README.md` has the reading order.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from replstore.core.election import Election, ElectionContext, Seat
    from replstore.core.messages import Entry, EntryId, Heartbeat, HeartbeatReply, Message, NodeId
    from replstore.core.node import Node

__version__ = "0.2.0"

MODULE_OF = {
    **dict.fromkeys(("Election", "ElectionContext", "Seat"), "replstore.core.election"),
    **dict.fromkeys(
        ("Entry", "EntryId", "Heartbeat", "HeartbeatReply", "Message", "NodeId"), "replstore.core.messages"
    ),
    "Node": "replstore.core.node",
}
"""The names that are loaded when they are first used."""

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
    if name not in MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(MODULE_OF[name]), name)
