"""The nodes in Java: the lab needs nothing of a node but the lesson's contract, or what `docs/protocol.md` says."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from labs.cluster import ForeignCluster, Settings
from labs.cluster.foreign import PATIENT
from labs.conform import runner
from labs.conform.bench import Nodes
from labs.conform.check import LEVELS
from labs.grading.results import Status
from tests import java_node

pytestmark = [pytest.mark.processes, pytest.mark.slow]


def test_it_gets_full_marks_for_all_that_the_lesson_asks() -> None:
    command = java_node.command_or_skip()
    nodes = Nodes(dict.fromkeys(PATIENT.node_ids, command), PATIENT)
    report = runner.examine(nodes, ["replab", "conform"], runner.Wish(("wire", "steps", "faults")))

    wrong = [(r.id, r.message, r.evidence) for r in report.checks if r.status is not Status.PASSED]
    assert wrong == []
    assert report.earned == report.points > 0


def test_the_full_one_gets_full_marks_at_every_level() -> None:
    command = java_node.command_or_skip("node-java-full")
    nodes = Nodes(dict.fromkeys(PATIENT.node_ids, command), PATIENT, named_peers=True)
    report = runner.examine(nodes, ["replab", "conform"], runner.Wish())

    wrong = [(r.id, r.message, r.evidence) for r in report.checks if r.status is not Status.PASSED]
    assert wrong == []
    assert {result.check["exercise"] for result in report.checks} == set(LEVELS)


@pytest.mark.parametrize("example", ["node-java", "node-java-full"])
def test_what_a_leader_takes_it_can_also_send(example: str) -> None:
    """Inside a message a value lies deeper than in a client's request."""
    command = java_node.command_or_skip(example)
    deepest = json.loads("[" * 100 + "]" * 100)
    with ForeignCluster(PATIENT, command, named_peers=True) as cluster:
        cluster.start()
        cluster.wait_for(lambda it: it.leader(), 20)
        assert cluster.put("deep", deepest).ok
        cluster.wait_for(lambda it: all(it.get("deep", via=node).value == deepest for node in it.node_ids), 10)


@pytest.mark.parametrize(
    "body",
    [b"1e999", b"1" * 309, b'"' + "é".encode() * 175_000 + b'"', b"[" + b"0," * 1000 + b"0]",
     b'{"a": 1, "a": 2}', b"[" * 101 + b"]" * 101],
)  # fmt: skip
def test_the_full_one_takes_only_what_every_member_of_a_cluster_can_keep(full: ForeignCluster, body: bytes) -> None:
    code, text = put(full, body)

    assert code == 400
    assert json.loads(text)["error"]


@pytest.fixture(scope="module")
def full() -> Iterator[ForeignCluster]:
    command = java_node.command_or_skip("node-java-full")
    settings = Settings(nodes=1, heartbeat_ms=50, election_timeout_ms=100)
    with ForeignCluster(settings, command, named_peers=True) as it:
        it.start()
        it.wait_for(lambda cluster: cluster.leader(), 20)
        yield it


@pytest.fixture(scope="module")
def alone() -> Iterator[ForeignCluster]:
    with ForeignCluster(Settings(nodes=1, heartbeat_ms=50, election_timeout_ms=100), java_node.command_or_skip()) as it:
        it.start()
        it.wait_for(lambda cluster: cluster.leader(), 20)
        yield it


def put(cluster: ForeignCluster, body: bytes) -> tuple[int, bytes]:
    request = urllib.request.Request(f"{cluster.url('node-1')}/key/value", data=body, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


@pytest.mark.parametrize(
    "body",
    [b"[" * 101 + b"]" * 101, b"[" * 20_000, rb'"\ud800"', b'"\x01"', b"01", b"1.", b"+1", b"NaN", rb'"\x"',
     rb'"\u12g4"', b"tru", b"{1: 2}", b'{"a": 1, "a": 2}', b'{"a" 1}', b"[1 2]", b'"a', b"1 2", b"\xef\xbb\xbf1"],
)  # fmt: skip
def test_what_is_no_json_or_cannot_be_stored_is_refused(alone: ForeignCluster, body: bytes) -> None:
    code, text = put(alone, body)

    assert (code, json.loads(text)) == (400, {"error": "Invalid JSON"})


@pytest.mark.parametrize(
    "body",
    [b"[" * 100 + b"]" * 100, b"123456789012345678901234567890", b"0.1000000000000000055511151231257827", b"1e400",
     "\"\\ud83d\\udc51 \\u0000 \\/ \x7f \u2028\"".encode(), b' { "" : [ ] , "b" : { } } '],
)  # fmt: skip
def test_what_is_stored_comes_back_as_it_was(alone: ForeignCluster, body: bytes) -> None:
    code, text = put(alone, body)

    assert code == 200
    assert json.loads(text, parse_float=str, parse_int=str)["value"] == json.loads(body, parse_float=str, parse_int=str)


def test_a_body_that_is_too_long_is_refused(alone: ForeignCluster) -> None:
    assert put(alone, b'"' + b"x" * 1_048_576 + b'"')[0] == 413
    assert put(alone, b'"' + b"x" * 1_000_000 + b'"')[0] == 200


def test_a_wrong_setting_is_refused_with_one_line() -> None:
    command = java_node.command_or_skip()
    right = {"NODE_ID": "node-1", "PORT": "40999", "HEARTBEAT_MS": "100", "ELECTION_TIMEOUT_MS": "300"}
    for name, wrong in (
        ("NODE_ID", ""),
        ("PORT", "65536"),
        ("HEARTBEAT_MS", "soon"),
        ("ELECTION_TIMEOUT_MS", "100"),
        ("PEERS", "ftp://node2"),
    ):
        variables = {"PATH": os.environ["PATH"], **right, name: wrong}
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60)

        assert done.returncode == 2
        assert done.stderr.startswith(name), done.stderr
        assert done.stderr.count("\n") == 1
