"""What the browser may ask for."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.cluster.base import Settings
from labs.panel.actions import VERBS, BadCommand, CommandWorker, PanelCommand, act, curl, doing, parse, python, value_of
from tests.panel.fake import FakeCluster

NODES = ("node-1", "node-2", "node-3")


def test_a_good_message_becomes_a_command() -> None:
    assert parse({"do": "kill", "node": "node-2", "id": 7}, NODES) == PanelCommand("kill", {"node": "node-2"}, 7)


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        ({"do": "explode"}, "Unknown command 'explode'"),
        ({}, "Unknown command None"),
        ({"do": "kill", "node": "node-9"}, "there is no node 'node-9'; the nodes are node-1, node-2, node-3"),
        ({"do": "delay", "ms": 2001, "jitter_ms": 0}, "2001 is not a number from 0 to 2000"),
        ({"do": "delay", "ms": True, "jitter_ms": 0}, "True is not a number"),
        ({"do": "delay", "ms": "5", "jitter_ms": 0}, "'5' is not a number"),
        ({"do": "loss", "drop": float("nan"), "duplicate": 0}, "nan is not a number"),
        ({"do": "partition", "groups": [["node-1", "node-2", "node-3"], []]}, "at least two groups"),
        ({"do": "partition", "groups": [["node-1"], ["node-1"]]}, "one group only"),
        ({"do": "put", "key": "", "value": "1"}, "a key is needed"),
        ({"do": "get", "key": "x", "linearizable": "yes"}, "neither true nor false"),
    ],
)
def test_a_bad_message_is_refused_with_a_sentence(message: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadCommand, match=complaint.replace("?", r"\?")):
        parse(message, NODES)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5)


@given(st.dictionaries(st.sampled_from(["node", "ms", "groups", "key", "value", "to", "speed"]), JSON), st.text())
def test_no_message_at_all_brings_anything_but_a_command_or_a_sentence(message: dict[str, Any], verb: str) -> None:
    for name in (verb, *VERBS):
        with contextlib.suppress(BadCommand):
            assert doing(parse({**message, "do": name}, NODES))


@pytest.mark.parametrize(("text", "value"), [("5", 5), ('"5"', "5"), ("hello", "hello"), ("null", None), ("", "")])
def test_text_that_is_json_is_sent_as_json_and_other_text_as_it_is(text: str, value: Any) -> None:
    assert value_of(text) == value


def test_the_curl_line_is_the_same_request() -> None:
    url = "http://127.0.0.1:4001"
    put = PanelCommand("put", {"key": "a b/ü", "value": "it's", "via": None})
    get = PanelCommand("get", {"key": "x", "via": None, "linearizable": True})

    assert curl(put, url) == f"""curl -i -X PUT {url}/key/a%20b%2F%C3%BC -d '"it'"'"'s"'"""
    assert curl(get, url) == f"curl -i '{url}/key/x?read=linearizable'"
    assert curl(get, None) == ""
    assert python(put) == "cluster.put('a b/ü', \"it's\")"
    assert python(get) == "cluster.get('x', linearizable=True)"


def test_commands_reach_the_cluster() -> None:
    cluster = FakeCluster(Settings(heartbeat_ms=100, election_timeout_ms=400))
    cluster.sleep(1.0)

    for message in (
        {"do": "delay", "ms": 100, "jitter_ms": 50},
        {"do": "partition", "groups": [["node-1"], ["node-2", "node-3"]]},
        {"do": "pause", "node": "node-3"},
    ):
        act(cluster, parse(message, NODES))
    answer = act(cluster, parse({"do": "put", "key": "x", "value": "5", "via": "node-1"}, NODES))

    assert (cluster.delay, cluster.jitter) == (0.1, 0.05)
    assert cluster.groups == [["node-1"], ["node-2", "node-3"]]
    assert cluster.nodes["node-3"].state == "paused"
    assert answer is not None
    assert answer.value == 5


def test_a_worker_carries_out_in_order_and_survives_an_exception() -> None:
    seen, troubles, all_done = [], [], threading.Event()

    def carry_out(command: PanelCommand) -> None:
        seen.append(command.id)
        if command.id == 1:
            raise RuntimeError("no")
        if command.id == 3:
            all_done.set()

    worker = CommandWorker("test", carry_out, lambda what, error: troubles.append(f"{what}: {error}"))
    for number in (1, 2, 3):
        worker.submit(PanelCommand("heal", {}, number))

    assert all_done.wait(5)
    assert seen == [1, 2, 3]
    assert troubles == ["Could not finish: healing the network: no"]
    worker.end(timeout=5)


def test_an_ended_worker_does_nothing_more() -> None:
    seen: list[PanelCommand] = []
    worker = CommandWorker("test", seen.append, lambda what, error: None)

    worker.end(timeout=5)
    worker.submit(PanelCommand("heal"))

    assert not worker.alive
    assert seen == []
