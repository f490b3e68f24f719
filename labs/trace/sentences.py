"""Events told as sentences a student can read.

Law of this module: text only. Every sentence names its node and uses the field's standard terms; an event kind
that is not known here is still told, by its name and details.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from labs.trace.events import Event

NOTES = {
    "started": "{node} starts (election: {election})",
    "stopping": "{node} is asked to leave and shuts down",
    "state": "{node} saves term {term} and vote {vote}",
    "election_timeout": "{node} has heard no leader for an election timeout and starts an election",
    "waiting_for": "{node} waits for {leader} to become leader",
    "became_leader": "{node} becomes leader of term {term}",
    "stepped_down": "{node} steps down from term {term}",
    "following": "{node} follows {leader} in term {term}",
    "catching_up": "{node} fetches the entries it lacks from {source}",
    "committed": "{node} knows that everything up to entry {index} is committed",
    "appended": "{node} appends entries {first} to {last} to its log",
    "truncated": "{node} removes every entry after {after} from its log",
    "write_lost": "{node} drops {op} {key} = {value} (entry {index} of term {term}): a lost write",
    "installed_snapshot": "{node} replaces its store by a snapshot: {keys} keys as of entry {index}",
    "recovered": "{node} recovers {keys} keys and {entries} log entries from its journal, term {term}",
}

FAULTS = {
    "start": "{node} is started",
    "restart": "{node} is started again",
    "stop": "{node} is stopped",
    "kill": "{node} is killed",
    "crash": "{node} crashes",
    "pause": "{node} is paused",
    "resume": "{node} is resumed",
    "partition": "The network is cut: {groups}",
    "heal": "The network is healed",
    "settings": "The network from now on: replication delayed by {replication_delay_ms} ms, {drop_percent} lost",
    "cut": "{from} can no longer reach {to}",
    "delay": "Replication messages are delayed by {replication_delay_ms} ms, plus up to {jitter_ms} ms",
    "loss": "{drop_percent} of all messages are lost, {duplicate_percent} repeated",
}

SHORT = {
    "election_timeout": "election timeout!",
    "became_leader": "I lead in term {term}",
    "stepped_down": "I step down",
    "following": "I follow {leader}",
    "waiting_for": "I wait for {leader}",
    "catching_up": "catching up from {source}",
    "recovered": "back, with {keys} keys",
    "write_lost": "I drop {key} = {value}",
    "installed_snapshot": "snapshot: {keys} keys",
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
