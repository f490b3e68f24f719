"""Events as sentences."""

from __future__ import annotations

import pytest

from labs.cluster import SimulatedCluster
from labs.trace.events import Event
from labs.trace.sentences import FAULTS, NOTES, bubble_of, sentence_of, value_text


def test_a_note_is_told_in_the_fields_terms() -> None:
    assert sentence_of(Event(1.0, "node-2", "note", "became_leader", details={"term": 2})) == (
        "node-2 becomes leader of term 2"
    )
    assert bubble_of(Event(1.0, "node-2", "note", "became_leader", details={"term": 2})) == "I lead in term 2"


def test_a_cut_network_names_its_sides() -> None:
    cut = Event(1.0, "", "fault", "partition", details={"groups": [["node-1"], ["node-2", "node-3"]]})

    assert sentence_of(cut) == "The network is cut: node-1 | node-2, node-3"


def test_a_share_of_messages_is_told_in_percent() -> None:
    loss = Event(1.0, "", "fault", "loss", details={"drop": 0.25, "duplicate": 0})

    assert sentence_of(loss) == "25% of all messages are lost, 0% repeated"


def test_a_delay_of_a_real_cluster_is_told_in_milliseconds() -> None:
    cluster = SimulatedCluster()
    cluster.delay_replication(2000, 50)

    [delay] = [event for event in cluster.events() if event.kind == "delay"]

    assert sentence_of(delay) == "Replication messages are delayed by 2000 ms, plus up to 50 ms"


@pytest.mark.parametrize("kind", [*NOTES, *FAULTS])
def test_an_event_that_lacks_its_details_is_still_a_sentence(kind: str) -> None:
    for family in ("note", "fault"):
        event = Event(1.0, "node-1", family, kind)
        assert sentence_of(event)
        assert isinstance(bubble_of(event), str)


def test_long_values_are_cut() -> None:
    assert value_text("x" * 100, limit=10) == '"xxxxxxxx…'
    assert value_text({"a": [1, None]}) == '{"a":[1,null]}'


def test_a_long_key_leaves_a_sentence_readable() -> None:
    details = {"op": "put", "key": "k" * 2000, "value": 6, "index": 3, "term": 1}

    told = sentence_of(Event(1.0, "node-1", "note", "write_lost", details=details))

    assert len(told) < 150
    assert told.endswith("a lost write")


@pytest.mark.parametrize(("keys", "told"), [(0, "0 keys"), (1, "1 key"), (2, "2 keys")])
def test_one_key_is_no_keys(keys: int, told: str) -> None:
    event = Event(0.0, "node-2", "note", "installed_snapshot", details={"keys": keys, "index": 7})

    assert sentence_of(event) == f"node-2 replaces its store by a snapshot: {told} as of entry 7"
