"""Accepted means carried, on real nodes and in the simulation: a value is refused in a sentence, or every node has it,
also after all of them were killed; and what comes behind it gets through."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from labs.cluster import FAST, Cluster, Outcome, ProcessCluster
from tests.backends.conftest import ClusterOf, has, not_the_lessons, one_leader, same_in_containers

# -- through the cluster object, on every backend ---------------------------------------------------------------

REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "nested": (lambda: nested(101), "nested too deep: at most 100 arrays and objects"),
    "items": (lambda: [1] * 1_001, "more than 1,000 items"),
    "size": (lambda: "\x7f" * 200_000, "takes 1,200,002 bytes as JSON in ASCII; at most 1,048,576"),
    "body": (lambda: "x" * 2**20, "The body has 1048578 bytes; at most 1048576 are taken"),
    "digits": (lambda: [10**400], "an integer of 401 digits; at most 308"),
    "half a pair": (lambda: "a\ud800b", "half a surrogate pair (\\ud800), which is not Unicode text"),
    "a name twice": (lambda: {1: "a", "1": "b"}, 'the name "1" twice'),
}
NO_JSON: dict[str, tuple[Callable[[], Any], str]] = {
    "nested beyond Python": (lambda: nested(200_000), "nested too deep"),
    "holds itself": (lambda: holds_itself(), "nested too deep, or it holds itself|no JSON form: Circular reference"),
    "digits beyond Python": (lambda: 10**5000, r"an integer of more than 4,300 digits"),
    "infinity": (lambda: float("inf"), "no JSON form"),
}


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


def holds_itself() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


@not_the_lessons
@same_in_containers
def test_what_is_not_carried_is_refused_with_the_same_sentence_everywhere(cluster: Cluster) -> None:
    assert cluster.put("before", 1).ok
    for name, (make, sentence) in REFUSED.items():
        answer = cluster.put("key", make())

        assert answer.outcome is Outcome.FAILED, name
        assert sentence in answer.body["error"], name
    assert cluster.get("key").code == 404
    assert cluster.put("after", 1).ok


@not_the_lessons
@same_in_containers
def test_what_python_cannot_write_is_a_value_error_everywhere(cluster: Cluster) -> None:
    for make, sentence in NO_JSON.values():
        with pytest.raises(ValueError, match=sentence):
            cluster.put("key", make())


@not_the_lessons
@same_in_containers
def test_keys_that_are_not_carried_are_refused_everywhere(cluster: Cluster) -> None:
    bad = {"": "The key is empty", "k" * 10_241: "The key has 10,241 characters", "é" * 2_000: "12,000 characters"}
    for key, sentence in bad.items():
        for answer in (cluster.put(key, 1), cluster.get(key), cluster.delete(key)):
            assert (answer.outcome, answer.code) == (Outcome.FAILED, 400)
            assert sentence in answer.body["error"]
    with pytest.raises(ValueError, match="half a surrogate pair"):
        cluster.put("a\udc00b", 1)
    assert cluster.put("k" * 10_240, 1).ok


@not_the_lessons
def test_values_at_the_limits_reach_every_node(cluster: Cluster) -> None:
    at_the_limits = {"nested": nested(100), "items": [0.1] * 1_000, "size": "\x7f" * 174_762, "digits": 10**308 - 1}
    for key, value in at_the_limits.items():
        assert cluster.put(key, value).ok
    for key, value in at_the_limits.items():
        for node in cluster.node_ids:
            cluster.wait_for(has(node, key, value))


# -- byte by byte, on real nodes ------------------------------------------------------------------------------


def brackets(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


BODIES: dict[str, Callable[[], bytes]] = {
    **{f"nested {n} deep": partial(brackets, n) for n in (100, 101, 973, 977, 1_486, 1_487, 9_987, 9_988)},
    "700,000 × U+007F": lambda: json.dumps("\x7f" * 700_000, ensure_ascii=False).encode(),
    "209,000 × 1e15": lambda: b"[" + b",".join([b"1e15"] * 209_000) + b"]",
    "half a surrogate pair": lambda: b'"a\\ud800b"',
    "a long integer": lambda: b"9" * 5_000,
    "the largest text": lambda: json.dumps("x" * (2**20 - 2)).encode(),
}


def put(cluster: Cluster, node: str, key: str, body: bytes) -> tuple[int, Any]:
    connection = http.client.HTTPConnection((cluster.url(node) or "").removeprefix("http://"), timeout=10)
    try:
        connection.request("PUT", f"/key/{key}", body=body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.fixture(params=["quorum", *(pytest.param(mode, marks=pytest.mark.slow) for mode in ("async", "sync"))])
def nodes(request: pytest.FixtureRequest) -> Iterator[ProcessCluster]:
    with ProcessCluster(replace(FAST, mode=request.param)) as cluster:
        cluster.start()
        cluster.wait_for(one_leader("node-1"))
        yield cluster


@pytest.mark.slow
@pytest.mark.processes
def test_the_inputs_that_broke_the_store_are_refused_or_carried(nodes: ProcessCluster) -> None:
    stored = {}
    for number, (name, make) in enumerate(BODIES.items()):
        leader = nodes.wait_for(lambda c: c.leader())
        assert leader is not None
        body = make()
        status, answer = put(nodes, leader, f"key-{number}", body)
        if status == 200:
            stored[f"key-{number}"] = json.loads(body)
        else:
            assert status == 400, (name, answer)
            assert answer["error"] != "Invalid JSON", name
        assert nodes.put(f"behind-{number}", number).ok, name
        stored[f"behind-{number}"] = number
    assert len(stored) == len(BODIES) + 2

    everywhere(nodes, stored)
    for node in nodes.node_ids:
        nodes.kill(node)
    nodes.start()
    everywhere(nodes, stored)


def everywhere(cluster: Cluster, stored: dict[str, Any]) -> None:
    for key, value in stored.items():
        for node in cluster.node_ids:
            cluster.wait_for(has(node, key, value))


@not_the_lessons
@same_in_containers
def test_a_follower_refuses_a_bad_value_for_what_it_is(cluster_of: ClusterOf) -> None:
    cluster = cluster_of()
    cluster.wait_for(one_leader("node-1"))

    answer = cluster.put("key", nested(101), via="node-2")

    assert (answer.outcome, answer.code) == (Outcome.FAILED, 400)
