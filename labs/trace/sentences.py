"""Events as sentences: the one table of how each kind of note and fault is worded.

Law of this module: text only. Every sentence names its node and uses the field's standard terms; an event of a kind
that is not in the table is still worded, by its name and details.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labs.trace import kinds
from labs.trace.events import Event
from labs.trace.network import groups_of, sides
from labs.trace.prose import counted
from labs.trace.requests import outcome_of


@dataclass(frozen=True, slots=True)
class Wording:
    """How one kind of event is worded; each text is a template of `node` and the event's details.

    `present`: for a list of events as they come. `past`: for the story of a run; empty where the story words it with
    what surrounds it. `bubble`: what the node says in its speech bubble; empty if that is not worth one.
    """

    present: str = ""
    past: str = ""
    bubble: str = ""


NOTES = {
    kinds.STARTED: Wording("{node} starts (election: {election})"),
    kinds.STOPPING: Wording("{node} is asked to leave and shuts down", "{node} was shutting down"),
    kinds.STATE: Wording("{node} saves term {term} and vote {vote}"),
    kinds.ELECTION_TIMEOUT: Wording(
        "{node} has heard no leader for an election timeout and starts an election", bubble="election timeout!"
    ),
    kinds.ELECTION_FAILED: Wording(past="{node}'s strategy raised an error"),
    kinds.WAITING_FOR: Wording("{node} waits for {leader} to become leader", bubble="I wait for {leader}"),
    kinds.BECAME_LEADER: Wording("{node} becomes leader of term {term}", bubble="I lead in term {term}"),
    kinds.STEPPED_DOWN: Wording("{node} steps down from term {term}", bubble="I step down"),
    kinds.FOLLOWING: Wording("{node} follows {leader} in term {term}", bubble="I follow {leader}"),
    kinds.CATCHING_UP: Wording(
        "{node} fetches the entries it lacks from {source}",
        "{node} fetched what it lacked from {source} before it opened",
        "catching up from {source}",
    ),
    kinds.COMMITTED: Wording("{node} knows that everything up to entry {index} is committed"),
    kinds.APPENDED: Wording("{node} appends entries {first} to {last} to its log"),
    kinds.TRUNCATED: Wording("{node} removes every entry after {after} from its log", "{node} cut its log"),
    kinds.WRITE_LOST: Wording(
        "{node} drops {op} {key} = {value} (entry {index} of term {term}): a lost write",
        bubble="I drop {key} = {value}",
    ),
    kinds.INSTALLED_SNAPSHOT: Wording(
        "{node} replaces its store by a snapshot: {counted_keys} as of entry {index}",
        "{node} replaced its store by a snapshot",
        "snapshot: {counted_keys}",
    ),
    kinds.DATA_LOST: Wording(
        "{node} finds that its journal is gone, and with it the entries that it had acknowledged",
        "{node} had lost its journal",
        "my journal is gone",
    ),
    kinds.RECOVERING: Wording("{node} neither votes nor leads until a leader has sent everything again"),
    kinds.CAUGHT_UP: Wording(
        "{node} holds everything again, up to entry {entries}",
        "{node} held everything again",
        "I hold everything again",
    ),
    kinds.RECOVERED: Wording(
        "{node} recovers {counted_keys} and {counted_entries} from its journal, term {term}",
        bubble="back, with {counted_keys}",
    ),
}

FAULTS = {
    kinds.START: Wording("{node} is started"),
    kinds.RESTART: Wording("{node} is started again"),
    kinds.STOP: Wording("{node} is stopped", "{node} was stopped"),
    kinds.KILL: Wording("{node} is killed", "{node} was killed"),
    kinds.CRASH: Wording("{node} crashes", "{node} crashed"),
    kinds.PAUSE: Wording("{node} is paused", "{node} was paused"),
    kinds.RESUME: Wording("{node} is resumed", "{node} was resumed, believing what it had believed before"),
    kinds.RUN_OUT: Wording("{node}'s timer is let run out", "{node}'s timer was let run out"),
    kinds.PARTITION: Wording("The network is cut: {groups}"),
    kinds.HEAL: Wording("The network is healed"),
    kinds.SETTINGS: Wording(
        "The network from now on: replication delayed by {replication_delay_ms} ms, {drop_percent} lost"
    ),
    kinds.CUT: Wording(
        "{from} can no longer reach {to}",
        "what {from} said began to be lost on its way to {to}: a one-way cut",
    ),
    kinds.DISCONNECT: Wording(
        "{from} can no longer connect to {to}, and only its answers arrive there",
        "{from} could no longer connect to {to}: only its answers arrived there",
    ),
    kinds.HOLD: Wording("What {from} says to {to} is held back", "what {from} said to {to} was held back from then on"),
    kinds.RELEASE: Wording(
        "What was held back between {from} and {to} arrives", "what {from} had said to {to} arrived at last"
    ),
    kinds.DELAY: Wording(
        "Replication messages are delayed by {replication_delay_ms} ms, plus up to {jitter_ms} ms",
        "replication began to be delayed",
    ),
    kinds.LOSS: Wording(
        "{drop_percent} of all messages are lost, {duplicate_percent} repeated", "messages began to get lost"
    ),
}


class _Details(dict[str, Any]):
    """The fields of a sentence; one that the event lacks becomes a question mark."""

    def __missing__(self, name: str) -> str:
        return "?"


def sentence_of(event: Event) -> str:
    """One event as one sentence without a full stop."""
    wording = wording_of(event)
    if wording is not None:
        return fill(wording.present, event)
    if event.event == "sent":
        return f"{event.node} sends {event.kind} to {event.peer}"
    if event.event == "received":
        return f"{event.node} receives {event.kind} from {event.peer}"
    if event.event == "dropped":
        return f"the network loses {event.kind} from {event.node} to {event.peer}"
    return fill("", event)


def wording_of(event: Event) -> Wording | None:
    """Its entry in the table; None where there is none."""
    return {"note": NOTES, "fault": FAULTS}.get(event.event, {}).get(event.kind)


def past_of(event: Event) -> str:
    """One event as a sentence of a story; empty where the table has none."""
    wording = wording_of(event)
    return fill(wording.past, event) if wording is not None and wording.past else ""


def bubble_of(event: Event) -> str:
    """The few words that a node says about a note; empty for notes that need none."""
    wording = wording_of(event)
    return fill(wording.bubble, event) if wording is not None and wording.bubble else ""


def request_sentence(request: Event, reply: Event | None) -> str:
    """A client's operation and its answer as one sentence."""
    details = _fields(request)
    what = f"{request.kind} {details['key']}"
    if "value" in request.details:
        what += f" = {value_text(request.details.get('value'))}"
    if reply is None:
        return f"{what}: no answer"
    code = reply.details.get("code")
    answer = outcome_of(reply) if code is None else f"{code} ({outcome_of(reply)})"
    return f"{what} → {answer}" + (f", from {reply.node}" if reply.node else "")


def value_text(value: Any, limit: int = 40) -> str:
    """A value as compact JSON, cut to `limit` characters."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def key_text(key: Any, limit: int = 40) -> str:
    """A key, cut to `limit` characters."""
    text = str(key)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def fill(template: str, event: Event) -> str:
    """`template` with the event's node and details in their places; without one, its kind and details."""
    if template:
        return template.format_map(_fields(event))
    who = f"{event.node}: " if event.node else ""
    details = ", ".join(f"{name} {value}" for name, value in event.details.items())
    return f"{who}{event.kind.replace('_', ' ')}" + (f" ({details})" if details else "")


def _fields(event: Event) -> Mapping[str, Any]:
    fields = _Details(event.details, node=event.node)
    if "value" in event.details:
        fields["value"] = value_text(event.details["value"])
    for name, thing, things in (("keys", "key", ""), ("entries", "log entry", "log entries")):
        if name in event.details:
            fields[f"counted_{name}"] = counted(event.details[name], thing, things)
    if "key" in event.details:
        fields["key"] = key_text(event.details["key"])
    if "groups" in event.details:
        fields["groups"] = sides(groups_of(event.details))
    for share in ("drop", "duplicate"):
        if isinstance(event.details.get(share), int | float):
            fields[f"{share}_percent"] = f"{event.details[share]:.0%}"
    return fields
