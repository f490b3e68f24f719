"""Events told as sentences a student can read.

Law of this module: text only. Every sentence names its node and uses the field's standard terms; an event kind
that is not known here is still told, by its name and details.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from labs.trace import kinds
from labs.trace.events import Event

NOTES = {
    kinds.STARTED: "{node} starts (election: {election})",
    kinds.STOPPING: "{node} is asked to leave and shuts down",
    kinds.STATE: "{node} saves term {term} and vote {vote}",
    kinds.ELECTION_TIMEOUT: "{node} has heard no leader for an election timeout and starts an election",
    kinds.WAITING_FOR: "{node} waits for {leader} to become leader",
    kinds.BECAME_LEADER: "{node} becomes leader of term {term}",
    kinds.STEPPED_DOWN: "{node} steps down from term {term}",
    kinds.FOLLOWING: "{node} follows {leader} in term {term}",
    kinds.CATCHING_UP: "{node} fetches the entries it lacks from {source}",
    kinds.COMMITTED: "{node} knows that everything up to entry {index} is committed",
    kinds.APPENDED: "{node} appends entries {first} to {last} to its log",
    kinds.TRUNCATED: "{node} removes every entry after {after} from its log",
    kinds.WRITE_LOST: "{node} drops {op} {key} = {value} (entry {index} of term {term}): a lost write",
    kinds.INSTALLED_SNAPSHOT: "{node} replaces its store by a snapshot: {keys} keys as of entry {index}",
    kinds.RECOVERED: "{node} recovers {keys} keys and {entries} log entries from its journal, term {term}",
}

FAULTS = {
    kinds.START: "{node} is started",
    kinds.RESTART: "{node} is started again",
    kinds.STOP: "{node} is stopped",
    kinds.KILL: "{node} is killed",
    kinds.CRASH: "{node} crashes",
    kinds.PAUSE: "{node} is paused",
    kinds.RESUME: "{node} is resumed",
    kinds.PARTITION: "The network is cut: {groups}",
    kinds.HEAL: "The network is healed",
    kinds.SETTINGS: "The network from now on: replication delayed by {replication_delay_ms} ms, {drop_percent} lost",
    kinds.CUT: "{from} can no longer reach {to}",
    kinds.DELAY: "Replication messages are delayed by {replication_delay_ms} ms, plus up to {jitter_ms} ms",
    kinds.LOSS: "{drop_percent} of all messages are lost, {duplicate_percent} repeated",
}

SHORT = {
    kinds.ELECTION_TIMEOUT: "election timeout!",
    kinds.BECAME_LEADER: "I lead in term {term}",
    kinds.STEPPED_DOWN: "I step down",
    kinds.FOLLOWING: "I follow {leader}",
    kinds.WAITING_FOR: "I wait for {leader}",
    kinds.CATCHING_UP: "catching up from {source}",
    kinds.RECOVERED: "back, with {keys} keys",
    kinds.WRITE_LOST: "I drop {key} = {value}",
    kinds.INSTALLED_SNAPSHOT: "snapshot: {keys} keys",
}
"""What a node says in its speech bubble; other notes are not worth one."""


class _Details(dict[str, Any]):
    """The fields of a sentence; one that the event lacks becomes a question mark."""

    def __missing__(self, name: str) -> str:
        return "?"


def tell(event: Event) -> str:
    """One event as one sentence without a full stop."""
    if event.event == "note":
        return _fill(NOTES.get(event.kind), event)
    if event.event == "fault":
        return _fill(FAULTS.get(event.kind), event)
    if event.event == "sent":
        return f"{event.node} sends {event.kind} to {event.peer}"
    if event.event == "received":
        return f"{event.node} receives {event.kind} from {event.peer}"
    if event.event == "dropped":
        return f"the network loses {event.kind} from {event.node} to {event.peer}"
    return _fill(None, event)


def bubble(event: Event) -> str:
    """The few words that a node says about a note; empty for notes that need none."""
    template = SHORT.get(event.kind) if event.event == "note" else None
    return "" if template is None else template.format_map(_fields(event))


def operation(request: Event, reply: Event | None) -> str:
    """A client's operation and its answer as one sentence."""
    details = _fields(request)
    what = f"{request.kind} {details['key']}"
    if "value" in request.details:
        what += f" = {show(request.details.get('value'))}"
    if reply is None:
        return f"{what}: no answer"
    code = reply.details.get("code")
    answer = outcome_of(reply) if code is None else f"{code} ({outcome_of(reply)})"
    return f"{what} → {answer}" + (f", from {reply.node}" if reply.node else "")


RESULTS = {"done": "ok", "value": "ok", "notleader": "failed", "overloaded": "failed"}
"""A simulated node's replies are named after its results."""


def outcome_of(reply: Event) -> str:
    """`ok`, `failed` or `unknown`; a reply that does not say is unknown."""
    return str(reply.details.get("outcome") or RESULTS.get(reply.kind, "unknown"))


def show(value: Any, limit: int = 40) -> str:
    """A value as compact JSON, cut to `limit` characters."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _fill(template: str | None, event: Event) -> str:
    if template is not None:
        return template.format_map(_fields(event))
    who = f"{event.node}: " if event.node else ""
    details = ", ".join(f"{name} {value}" for name, value in event.details.items())
    return f"{who}{event.kind.replace('_', ' ')}" + (f" ({details})" if details else "")


def _fields(event: Event) -> Mapping[str, Any]:
    fields = _Details(event.details, node=event.node)
    if "value" in event.details:
        fields["value"] = show(event.details["value"])
    if "groups" in event.details:
        fields["groups"] = " | ".join(", ".join(group) for group in event.details["groups"])
    for share in ("drop", "duplicate"):
        if isinstance(event.details.get(share), int | float):
            fields[f"{share}_percent"] = f"{event.details[share]:.0%}"
    return fields
