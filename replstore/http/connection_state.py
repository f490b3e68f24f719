"""The states of a client's connection, and what may follow each of them.

Law of this module: names and a table. `connection` moves along it, one assignment at a time.
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """What a connection is doing. The table below says what may follow."""

    NEW = "nothing has arrived yet"
    IDLE = "requests were answered, and nothing of the next one is here"
    RECEIVING = "a part of the next request is here"
    ASKING = "the handler is being asked"
    OWING = "the handler will answer later; what the client sends meanwhile is kept, within bounds"
    SERVING = "an answer was given; perhaps the next request is here already"
    BLOCKED = "the client does not read its answers; nothing is parsed until it has"
    LEAVING = "the last answer is written; what still comes in is dropped"
    GONE = "the connection has ended"


# Looked up once: this is the hottest code of a node.
NEW, IDLE, RECEIVING, ASKING, OWING, SERVING, BLOCKED, LEAVING, GONE = State

TRANSITIONS: dict[State, frozenset[State]] = {
    # One whole simple request goes the short way, straight to ASKING and back. A full pipe: BLOCKED, in any state in
    # which something was just written.
    NEW: frozenset((ASKING, SERVING, LEAVING, GONE)),
    IDLE: frozenset((ASKING, SERVING, BLOCKED, LEAVING, GONE)),
    RECEIVING: frozenset((SERVING, BLOCKED, LEAVING, GONE)),
    ASKING: frozenset((IDLE, SERVING, OWING)),
    OWING: frozenset((SERVING, GONE)),
    SERVING: frozenset((ASKING, IDLE, RECEIVING, BLOCKED, LEAVING)),
    BLOCKED: frozenset((SERVING, LEAVING, GONE)),
    LEAVING: frozenset((GONE,)),
    GONE: frozenset(),
}
"""Every state's successors. `tests` watch each assignment of `Connection.state` for one that is missing here."""
