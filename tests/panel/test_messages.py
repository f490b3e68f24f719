"""Python and the browser mean the same by what they say to each other: see `described`.

What the other tests of this folder make the two panels say is held against the description as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.cluster.base import NodeStatus, Settings
from labs.lesson.exercises import BY_ID
from labs.panel import actions
from labs.panel.board import Board
from labs.panel.checking import checks_of
from labs.panel.exercise_commands import parse
from labs.panel.marks import Marks
from labs.panel.model import PanelModel
from labs.panel.panel import ClusterPanel
from labs.panel.values import ABSENT
from labs.trace import sentences
from labs.trace.events import Event
from tests.panel.described import DEFINITIONS, hold

NODES = ("node-1", "node-2", "node-3")
KINDS = {
    "note": sorted(sentences.NOTES), "fault": sorted(sentences.FAULTS), "request": ["get", "put", "delete"],
    "reply": ["reply"], "sent": ["Heartbeat", "HeartbeatReply", "Alive", "Replicate", "Objection", "Vote"],
    "received": ["Heartbeat"], "dropped": ["Replicated"],
}  # fmt: skip
KEYS = st.sampled_from(["", "x", "panel.probe", "é🙂"])
VALUES = st.sampled_from([None, True, 5, -0.5, "five", [1, 2], {"a": None}])
DETAILS = st.fixed_dictionaries(
    {"term": st.integers(1, 9), "leader": st.sampled_from(NODES)},
    optional={
        "key": KEYS, "value": VALUES, "op": st.sampled_from(["put", "delete"]),
        "outcome": st.sampled_from(["ok", "failed", "unknown"]), "groups": st.just([["node-1"], ["node-2", "node-3"]]),
    },
)  # fmt: skip


@st.composite
def events(draw: st.DrawFn) -> Event:
    family = draw(st.sampled_from(sorted(KINDS)))
    kind, at = draw(st.sampled_from(KINDS[family])), draw(st.floats(0, 50))
    node, peer = draw(st.sampled_from(NODES)), draw(st.sampled_from(NODES))
    return Event(at, node, family, kind, 1, f"m{draw(st.integers(0, 5))}", peer, draw(DETAILS))


@st.composite
def statuses(draw: st.DrawFn) -> NodeStatus:
    node = draw(st.sampled_from(NODES))
    if draw(st.booleans()):
        return NodeStatus(node, draw(st.sampled_from(["running", "paused", "stopped"])))
    raw = {
        "mode": "async", "keys": draw(st.lists(KEYS, max_size=3)),
        "lag": draw(st.dictionaries(st.sampled_from(NODES), st.integers(0, 9))),
        "last_index": draw(st.integers(0, 5)), "commit_index": draw(st.integers(0, 5)),
        "log": {"runs": [[1, 1, draw(st.sampled_from(NODES))]], "tail": [[1, "put", draw(KEYS), draw(VALUES)]]},
        "faults": {"blocked": draw(st.lists(st.sampled_from(NODES), max_size=2)), "replication_delay_ms": 100},
    }  # fmt: skip
    return NodeStatus(node, "running", True, draw(st.sampled_from(["leader", "follower"])), 1, "node-1", 0, raw)


def traits(widget: type[Any]) -> set[str]:
    return set(widget.class_own_traits(sync=True))


def test_every_trait_of_the_panels_is_described_and_no_other() -> None:
    assert traits(ClusterPanel) == set(DEFINITIONS["ClusterTraits"]["properties"])
    assert traits(Board) == set(DEFINITIONS["BoardTraits"]["properties"])


@pytest.mark.slow
@given(st.lists(st.one_of(events(), statuses()), max_size=12), st.sampled_from(["process", "simulated"]))
def test_whatever_happens_to_a_cluster_is_told_as_described(told: list[Event | NodeStatus], backend: str) -> None:
    model = PanelModel(NODES, backend, Settings(), dict.fromkeys(NODES))
    rest = {"doing": [], "answer": {}, "problems": [], "availability": "reads", "parts": [], "player": {}}

    for at, one in enumerate(told):
        if isinstance(one, Event):
            model.feed([one])
        else:
            model.observe({one.node_id: one}, float(at))
        model.read("node-1", "k", at, float(at))
        model.read("node-2", "k", ABSENT, float(at))
        model.probe(float(at), "ok", "unknown" if at % 2 else None)
        hold("ClusterTraits", {**rest, **model.picture()})
        hold("News", {"type": "news", "now": float(at), "rate": 1.0, **model.drain()})

    hold("History", {"type": "history", "now": 0.0, "rate": 0.0, **model.history()})


def test_an_exercise_that_was_never_run_is_told_as_described() -> None:
    for exercise in BY_ID.values():
        picture = Marks(exercise, checks_of(exercise)).picture()
        for row in picture["rows"]:
            hold("Row", row)
        hold("Total", picture["total"])


# -- what the browser says -----------------------------------------------------------------------------------


def variants(name: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Verb and arguments of each command that is described."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    for one in DEFINITIONS[name]["anyOf"]:
        verb = one["properties"]["do"]
        verbs = [verb["const"]] if "const" in verb else DEFINITIONS[verb["$ref"].rpartition("/")[2]]["enum"]
        arguments = {key: value for key, value in one["properties"].items() if key != "do"}
        found += [(verb, arguments) for verb in verbs]
    return found


SAMPLES: dict[str, Any] = {
    "key": "x", "value": "5", "via": None, "linearizable": True, "node": "node-1", "groups": [["node-1"], ["node-2"]],
    "ms": 100, "jitter_ms": 50, "drop": 0.5, "duplicate": 0, "start": 0.0, "end": 5.5, "width": 900, "does": "writes",
    "all": True, "at": 5.5, "message": "m1",
    "seconds": 0.5, "speed": 0.1, "to": 1.5, "only": ["ex3.votes"], "kind": "file", "check": "ex3.votes",
    "whose": "reference", "whole": True,
}  # fmt: skip


def test_every_command_of_the_cluster_panel_is_described_with_all_its_arguments() -> None:
    described = {verb: set(arguments) for verb, arguments in variants("ClusterCommand")}

    assert described == {verb: set(arguments) for verb, arguments in actions.VERBS.items()}


@pytest.mark.parametrize(("verb", "arguments"), variants("ClusterCommand"))
def test_a_command_as_described_is_understood(verb: str, arguments: Mapping[str, Any]) -> None:
    message = {"do": verb, **{name: SAMPLES[name] for name in arguments}}
    hold("ClusterCommand", message)

    command = actions.parse({**message, "id": 7}, NODES)

    assert (command.verb, command.id, set(command.arguments)) == (verb, 7, set(arguments))


@pytest.mark.parametrize(("verb", "arguments"), variants("BoardCommand"))
def test_a_command_of_the_exercise_panel_as_described_is_understood(verb: str, arguments: Mapping[str, Any]) -> None:
    message = {"do": verb, **{name: SAMPLES[name] for name in arguments}}
    hold("BoardCommand", message)

    command = parse({**message, "id": 7}, {"ex3.votes": None})

    assert (command.verb, set(command.arguments)) == (verb, set(arguments))


def test_a_command_that_is_not_described_is_refused() -> None:
    with pytest.raises(actions.BadCommand, match="Unknown command 'reboot'"):
        actions.parse({"do": "reboot", "id": 1}, NODES)
