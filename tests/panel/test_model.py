"""What the panel shows, without a browser."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.cluster.base import NodeStatus, Settings
from labs.panel.model import MINUTE, REQUEST_TIMEOUT, PanelModel
from labs.panel.node_view import NODE_VERBS, PROBE_KEY, NodeView, why_not
from labs.trace.events import Event

NODES = ("node-1", "node-2", "node-3")


@pytest.fixture
def model() -> PanelModel:
    return PanelModel(NODES, "process", Settings())


def note(node: str, kind: str, at: float, **details: Any) -> Event:
    return Event(at, node, "note", kind, details=details)


def fault(kind: str, at: float, node: str = "", **details: Any) -> Event:
    return Event(at, node, "fault", kind, details=details)


def status(node: str, role: str = "follower", term: int = 1, **raw: Any) -> NodeStatus:
    leader = node if role == "leader" else "node-1"
    return NodeStatus(node, "running", True, role, term, leader, len(raw.get("keys", ())), raw)


def node_of(model: PanelModel, node: str) -> dict[str, Any]:
    return next(entry for entry in model.picture()["nodes"] if entry["id"] == node)


def all_follow_node_1(model: PanelModel, at: float = 0.0, **raw: Any) -> None:
    model.observe({n: status(n, "leader" if n == "node-1" else "follower", **raw) for n in NODES}, at)


def test_a_new_leader_is_shown_before_anybody_asked_for_its_status(model: PanelModel) -> None:
    all_follow_node_1(model, at=1.0)

    model.feed([fault("kill", 2.0, "node-1"), note("node-2", "became_leader", 3.0, term=2)])

    assert node_of(model, "node-1")["look"] == "stopped"
    assert node_of(model, "node-2")["look"] == "leader"
    assert model.picture()["info"]["sentence"] == "node-2 leads in term 2"


def test_a_status_asked_for_before_an_event_does_not_undo_it(model: PanelModel) -> None:
    model.feed([note("node-2", "became_leader", 3.0, term=2)])

    model.observe({"node-2": status("node-2", "follower", 1)}, asked=2.9)
    assert node_of(model, "node-2")["look"] == "leader"

    model.observe({"node-2": status("node-2", "follower", 3)}, asked=3.1)
    assert node_of(model, "node-2")["look"] == "follower"


def test_two_leaders_are_both_crowned_and_called_a_split_brain(model: PanelModel) -> None:
    all_follow_node_1(model)

    model.feed([note("node-3", "became_leader", 1.0, term=2)])

    info = model.picture()["info"]
    assert info["split"]
    assert info["sentence"] == "Split brain: node-1 (term 1) and node-3 (term 2) each believe they lead"
    assert info["leader"] == "node-3"


def test_a_running_node_that_does_not_answer_is_silent(model: PanelModel) -> None:
    model.observe({"node-1": NodeStatus("node-1", "running")}, 0.0)

    assert node_of(model, "node-1")["look"] == "silent"
    assert model.picture()["info"]["sentence"] == "No node answers"


def test_of_nodes_that_tell_no_log_counts_what_the_leader_knows_while_they_answer(model: PanelModel) -> None:
    model.observe(
        {"node-1": status("node-1", "leader", lag={"node-2": 4, "node-3": 0}), "node-2": status("node-2")}, asked=1.0
    )

    assert node_of(model, "node-2")["lag"] == 4
    assert node_of(model, "node-1")["lag"] is None
    assert model.history()["lag"] == [[1.0, {"node-2": 4, "node-3": None}]]


def test_the_key_of_the_background_client_is_not_counted(model: PanelModel) -> None:
    all_follow_node_1(model, keys=[PROBE_KEY, "x"])

    assert node_of(model, "node-1")["keys"] == 1
    assert [row["key"] for row in model.picture()["data"]["rows"]] == ["x"]


@pytest.mark.parametrize("verb", NODE_VERBS)
@pytest.mark.parametrize("state", ["running", "paused", "stopped"])
def test_a_control_that_cannot_act_says_why(state: str, verb: str) -> None:
    possible = {"running": {"stop", "kill", "pause"}, "paused": {"kill", "resume"}, "stopped": {"start"}}

    reason = why_not(NodeView("node-1", state), verb)

    assert (reason == "") == (verb in possible[state])
    assert reason == "" or (reason.startswith("node-1 is ") and reason.endswith("."))


def test_an_announced_partition_cuts_the_links_until_it_is_healed(model: PanelModel) -> None:
    model.feed([fault("partition", 1.0, groups=[["node-1"], ["node-2", "node-3"]])])
    assert model.picture()["network"]["cuts"] == [["node-1", "node-2"], ["node-1", "node-3"]]

    model.feed([fault("heal", 2.0)])
    assert model.picture()["network"]["cuts"] == []


def test_a_cut_that_only_the_nodes_know_of_is_shown_too(model: PanelModel) -> None:
    model.observe({"node-1": status("node-1", faults={"blocked": ["node-3"]}), "node-3": status("node-3")}, 0.0)

    assert model.picture()["network"]["cuts"] == [["node-1", "node-3"]]


def test_bands_begin_where_role_or_term_change_and_nowhere_else(model: PanelModel) -> None:
    for at in (1.0, 2.0, 3.0):
        all_follow_node_1(model, at)
    model.feed([note("node-2", "became_leader", 4.0, term=2)])

    bands = [band[1:] for band in model.history()["bands"] if band[0] == "node-2"]
    assert bands == [[1.0, "follower", 1], [4.0, "leader", 2]]


def test_a_message_is_told_once_when_it_is_sent_and_once_when_it_arrives(model: PanelModel) -> None:
    sent = Event(1.0, "node-1", "sent", "Heartbeat", 5, "m1", "node-2")
    received = Event(1.1, "node-2", "received", "Heartbeat", 3, "m1", "node-1")

    model.feed([sent, received])

    news = model.drain()
    assert news["messages"] == [["m1", "heartbeat", "node-1", "node-2", "Heartbeat", 1.0]]
    assert news["arrived"] == [["m1", 1.1]]
    assert model.drain() == {}


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        ("Heartbeat", "heartbeat"), ("HeartbeatReply", "heartbeat-reply"), ("Alive", "alive"),
        ("Replicate", "replication"), ("Replicated", "replication-reply"),
        ("Objection", "election-reply"), ("Snapshot", "replication"), ("RequestVote", "election"),
    ],
)  # fmt: skip
def test_the_kind_of_a_message_decides_how_its_dot_looks(model: PanelModel, kind: str, family: str) -> None:
    model.feed([Event(1.0, "node-1", "sent", kind, 1, "m", "node-2")])

    assert model.drain()["messages"][0][1] == family


def write(
    model: PanelModel, at: float, outcome: str = "ok", key: str = "x", value: Any = 5, number: str = "c1"
) -> None:
    reply = {"key": key, "code": 200 if outcome == "ok" else 503, "outcome": outcome}
    model.feed(
        [
            Event(at, "node-1", "request", "put", id=number, details={"key": key, "value": value}),
            Event(at + 0.01, "node-1", "reply", "put", id=number, details=reply),
        ]
    )


def levels(model: PanelModel) -> list[str]:
    return [mark["level"] for mark in model.history()["marks"]]


def test_a_write_is_marked_with_its_outcome(model: PanelModel) -> None:
    write(model, 1.0)
    write(model, 2.0, outcome="failed")

    assert levels(model) == ["write-ok", "write-failed"]
    assert model.history()["marks"][0]["text"] == "put x = 5 → 200 (ok), from node-1"


def test_a_write_that_is_never_answered_is_of_unknown_outcome(model: PanelModel) -> None:
    model.feed([Event(1.0, "node-1", "request", "put", id="c1", details={"key": "x", "value": 5})])

    model.settle(1.0 + REQUEST_TIMEOUT - 0.1)
    assert levels(model) == []
    model.settle(1.0 + REQUEST_TIMEOUT + 0.1)
    model.settle(1.0 + REQUEST_TIMEOUT + 0.2)
    assert levels(model) == ["write-unknown"]


def test_the_background_clients_writes_are_not_marked(model: PanelModel) -> None:
    write(model, 1.0, key=PROBE_KEY)

    assert levels(model) == []


def test_a_diagram_without_the_background_client_keeps_everybody_elses_operations(model: PanelModel) -> None:
    probe, mine = {"key": PROBE_KEY}, {"key": "x"}
    events = [
        Event(1.0, "node-1", "request", "put", id="client:1", details=probe),
        Event(1.0, "node-1", "reply", "put", id="client:1"),
        Event(1.0, "node-1", "request", "put", id="client:2", details=mine),
        Event(1.0, "node-1", "sent", "Replicate", id="m1"),
    ]

    assert model.without_probes(events) == events[2:]


def test_a_lost_acknowledged_write_is_told_with_its_story(model: PanelModel) -> None:
    write(model, 1.0, value=6)
    model.feed([note("node-2", "became_leader", 2.0, term=2)])
    model.feed([note("node-1", "write_lost", 3.0, op="put", key="x", value=6, index=3, term=1)])

    (lost,) = model.picture()["data"]["lost"]
    assert lost["story"] == (
        "put x = 6 (entry 3): node-1 told its client “stored”, node-2 became leader of term 2 without it, and node-1"
        " dropped it."
    )


def test_a_lost_write_that_no_client_was_told_of_is_not_called_acknowledged(model: PanelModel) -> None:
    model.feed([note("node-1", "write_lost", 3.0, op="delete", key="x", index=3, term=1)])

    assert "node-1 had applied it" in model.picture()["data"]["lost"][0]["story"]


def test_history_keeps_a_minute_but_never_the_last_band(model: PanelModel) -> None:
    all_follow_node_1(model, at=1.0)
    write(model, 1.0)
    model.probe(1.0, "ok", "ok")

    model.settle(1.0 + MINUTE + 5)

    history = model.history()
    assert history["marks"] == history["lag"] == history["probes"] == []
    assert [band[0] for band in history["bands"]] == list(NODES)


def test_an_unknown_kind_of_event_is_still_told(model: PanelModel) -> None:
    model.feed([note("node-1", "pre_vote_started", 1.0, term=4), Event(1.0, "", "something", "new")])

    assert [mark["text"] for mark in model.history()["marks"]] == ["node-1: pre vote started (term 4)"]


KINDS = ["sent", "received", "dropped", "note", "fault", "request", "reply"]
NAMES = [
    "became_leader", "stepped_down", "following", "election_timeout", "started", "write_lost", "state", "kill", "pause",
    "resume", "partition", "heal", "delay", "loss", "put", "get", "Heartbeat", "Odd",
]  # fmt: skip
EVENTS = st.builds(
    Event,
    time=st.floats(0, 100), node=st.sampled_from(["", "node-9", *NODES]), event=st.sampled_from(KINDS),
    kind=st.sampled_from(NAMES), seq=st.integers(0, 9), id=st.sampled_from(["", "a", "b"]), peer=st.sampled_from(NODES),
    details=st.dictionaries(
        st.sampled_from(["term", "leader", "key", "value", "outcome", "code", "index"]), st.none() | st.integers(0, 3)
    ),
)  # fmt: skip


@given(st.lists(EVENTS, max_size=30))
def test_whatever_happens_the_picture_is_json(events: list[Event]) -> None:
    model = PanelModel(NODES, "process", Settings())

    model.feed(events)
    model.settle(50.0)

    json.dumps([model.picture(), model.history(), model.drain()], allow_nan=False)
