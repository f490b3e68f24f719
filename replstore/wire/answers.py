"""What a client is told: the store's results as status code and JSON body.

Law of this module: tables and nothing else. The HTTP interface sends these, and so does the simulated cluster.
"""

from __future__ import annotations

from typing import Any

from replstore.core.contract import Done, NotLeader, Overloaded, Refused, Result, Unknown, Value
from replstore.core.messages import Entry

Answer = tuple[int, dict[str, Any]]


def found(key: str, entry: Entry | None, role: str) -> Answer:
    """Answer to a read: `entry` is the `put` that gave the key its value (a stored null is a value).

    Its term and index tell a client how new the value is: of two values of a key the newer has the greater pair.
    """
    if entry is None:
        return 404, {"error": "Key not found", "key": key}
    body = {"key": key, "value": entry.value, "node_role": role, "term": entry.term, "index": entry.index}
    return 200, body


def answer(result: Result, role: str) -> Answer:
    """`role` is the answering node's."""
    match result:
        case Done(entry, was_there):
            return _done(entry, was_there)
        case Value(key, entry):
            return found(key, entry, role)
        case NotLeader(current_role, leader):
            return 503, {"error": "Not the leader", "current_role": current_role, "leader_id": leader or "Unknown"}
        case Overloaded():
            return 503, {"error": "Too many writes wait for their copies; try again later"}
        case Refused(reason):
            return 400, {"error": reason}
        case Unknown():
            return 504, {"error": "Outcome unknown"}


def _done(entry: Entry, was_there: bool) -> Answer:
    if entry.op == "delete" and not was_there:
        return 404, {"error": "Key not found", "key": entry.key}
    value = {"value": entry.value} if entry.op == "put" else {}
    version = {"leader_id": entry.leader, "term": entry.term, "index": entry.index}
    return 200, {"success": True, "key": entry.key, **value, **version}
