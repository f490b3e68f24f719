"""docs/protocol.md says what real nodes do: its examples are run, its tables are held against the code."""

from __future__ import annotations

import http.client
import inspect
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import replstore
import replstore.bully
import replstore.lowest_id
from labs.cluster import FAST, ProcessCluster
from replstore.core.messages import Message
from replstore.runtime import PATHS
from replstore.settings import from_environment

pytestmark = pytest.mark.processes

DOCUMENT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
PATIENCE = 10.0
"""Seconds until an answer is as documented, where one may ask again: followers lag, and peers really talk meanwhile."""


@dataclass(frozen=True)
class Example:
    """One exchange of the document. `where`: what stands behind ```` ```http ````."""

    where: str
    node: str
    method: str
    path: str
    headers: dict[str, str]
    body: str
    status: int
    answer_headers: dict[str, str]
    answer: Any

    @property
    def repeatable(self) -> bool:
        """A read, or a peer message, which may arrive twice."""
        return self.method == "GET" or self.method == "POST"


def examples() -> list[Example]:
    blocks = re.findall(r"^```http *([^\n]*)\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
    return [parse(where, block.splitlines()) for where, block in blocks]


def parse(where: str, lines: list[str]) -> Example:
    sent = [line[2:] for line in lines if line.startswith(">")]
    got = [line[2:] for line in lines if line.startswith("<")]
    assert len(sent) + len(got) == len(lines), f"a line without > or < in {lines}"
    node, method, path = sent[0].split(" ")
    headers, body = split_headers(sent[1:])
    answer_headers, answer = split_headers(got[1:])
    expected = json.loads(answer) if answer else None
    return Example(where, node, method, path, headers, body, int(got[0]), answer_headers, expected)


def split_headers(lines: list[str]) -> tuple[dict[str, str], str]:
    headers = [line for line in lines if re.match(r"[A-Z][A-Za-z-]*: ", line)]
    return dict(line.split(": ", 1) for line in headers), "\n".join(lines[len(headers) :])


def matches(expected: Any, actual: Any) -> bool:
    """Whether `actual` is as documented; `…` stands for anything, and as a field's name for further fields."""
    if expected == "…":
        return True
    if isinstance(expected, dict) and isinstance(actual, dict):
        named = {name: value for name, value in expected.items() if name != "…"}
        complete = "…" in expected or named.keys() == actual.keys()
        return complete and all(name in actual and matches(value, actual[name]) for name, value in named.items())
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(matches, expected, actual))
    return type(expected) is type(actual) and bool(expected == actual)


@dataclass(frozen=True)
class Got:
    status: int
    headers: dict[str, str]
    body: Any

    def is_as(self, example: Example) -> bool:
        headers = all(self.headers.get(name) == value for name, value in example.answer_headers.items())
        return self.status == example.status and headers and matches(example.answer, self.body)


def ask(cluster: ProcessCluster, example: Example) -> Got:
    address = urlsplit(cluster.url(example.node) or "")
    assert address.hostname is not None
    client = http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE)
    headers = {name: value.replace("TOKEN", cluster.token) for name, value in example.headers.items()}
    try:
        client.request(example.method, example.path, example.body.encode() or None, headers)
        answer = client.getresponse()
        text = answer.read().decode()
        return Got(answer.status, dict(answer.getheaders()), json.loads(text) if text else None)
    finally:
        client.close()


def check(cluster: ProcessCluster, example: Example) -> None:
    deadline = time.monotonic() + PATIENCE
    got = ask(cluster, example)
    while not got.is_as(example) and example.repeatable and time.monotonic() < deadline:
        time.sleep(0.01)
        got = ask(cluster, example)
    assert got.is_as(example), f"{example.node} {example.method} {example.path}: documented {example}, got {got}"


def follows_node_1(cluster: ProcessCluster) -> bool:
    return all(status.leader_id == "node-1" for status in cluster.status().values())


@pytest.fixture(scope="module")
def cluster() -> Iterator[ProcessCluster]:
    """Three nodes that have gone through all the examples that are meant for them."""
    with ProcessCluster(FAST) as nodes:
        nodes.start()
        nodes.wait_for(follows_node_1, 30.0)
        for example in examples():
            if not example.where:
                check(nodes, example)
        yield nodes


def test_the_examples_are_what_the_nodes_answer(cluster: ProcessCluster) -> None:
    asked = [example for example in examples() if not example.where]

    assert len(asked) >= 20
    assert {example.path.split("/")[1].split("?")[0] for example in asked} >= {"key", "status", "events", "internal"}


def test_a_leader_without_followers_answers_as_documented() -> None:
    alone = [example for example in examples() if example.where == "quorum, node-1 alone"]
    assert alone

    with ProcessCluster(replace(FAST, mode="quorum")) as nodes:
        nodes.start()
        nodes.wait_for(follows_node_1, 30.0)
        nodes.kill("node-2")
        nodes.kill("node-3")

        for example in alone:
            check(nodes, example)


def test_a_wrong_example_would_be_noticed() -> None:
    documented = {"error": "Key not found", "key": "…"}

    assert matches(documented, {"error": "Key not found", "key": "x"})
    assert not matches(documented, {"error": "No such key", "key": "x"})
    assert not matches(documented, {"error": "Key not found", "key": "x", "more": 1})
    assert not matches({"ok": True}, {"ok": 1})


# -- events -----------------------------------------------------------------------------------------------


def events(cluster: ProcessCluster, node: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(cluster, Example("", node, "GET", "/events", {}, "", 200, {}, None)).body[
        "events"
    ]
    return found


def test_the_documented_events_are_among_the_first(cluster: ProcessCluster) -> None:
    documented = re.findall(r"^```json event of (node-\d)\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
    assert len(documented) >= 2

    for node, text in documented:
        assert any(matches(json.loads(text), event) for event in events(cluster, node)), text


def test_notes_carry_the_documented_details(cluster: ProcessCluster) -> None:
    notes = {kinds: details for kinds, details, _ in table("`kind` of a note")}
    documented = {kind: set(words(details)) for kinds, details in notes.items() for kind in words(kinds)}
    seen = [event for node in cluster.node_ids for event in events(cluster, node) if event["event"] == "note"]

    assert {"started", "became_leader", "following", "committed"} <= {event["kind"] for event in seen}
    for event in seen:
        assert set(event["details"]) == documented[event["kind"]], event


def test_every_kind_of_event_is_documented(cluster: ProcessCluster) -> None:
    documented = {kind for row in table("`event`") for kind in words(row[0])}

    assert {event["event"] for node in cluster.node_ids for event in events(cluster, node)} <= documented


# -- tables -----------------------------------------------------------------------------------------------


def table(first_heading: str) -> list[list[str]]:
    """The rows of the table whose head begins with this; an empty first cell repeats the one above."""
    lines = DOCUMENT.partition(f"\n| {first_heading} |")[2].splitlines()[2:]
    rows: list[list[str]] = []
    for line in lines:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        rows.append([cells[0] or rows[-1][0], *cells[1:]])
    assert rows, f"no table begins with {first_heading}"
    return rows


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def source() -> str:
    folder = Path(replstore.__file__).parent
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.py")))


def test_the_table_of_notes_is_complete() -> None:
    documented = {kind for row in table("`kind` of a note") for kind in words(row[0])}
    made = set(re.findall(r'\b_?[nN]ote\(\s*"(\w+)"', source())) | {"connected", "disconnected"}

    assert documented == made


def test_the_table_of_messages_is_complete() -> None:
    documented = {words(name)[0]: (f"/internal/{path}", words(names)) for path, name, names in table("path")}
    registered = {
        name: (PATHS.get(cls, "/internal/election"), [field.name for field in fields(cls)])  # type: ignore[arg-type]
        for name, cls in Message.registry.items()
        if cls.__module__.startswith("replstore.")
    }

    assert documented == registered


def test_the_table_of_variables_is_complete() -> None:
    documented = {words(row[0])[0] for row in table("variable")}
    read = set(re.findall(r'"([A-Z][A-Z_]+)"', inspect.getsource(from_environment)))

    assert documented == read


def test_the_documented_defaults_are_the_nodes() -> None:
    defaults = {words(row[0])[0]: row[1].strip("`") for row in table("variable")}
    settings = from_environment({"NODE_ID": "node-1"})

    assert defaults["PORT"] == str(settings.port)
    assert defaults["HOST"] == settings.host
    assert defaults["HEARTBEAT_MS"] == str(settings.heartbeat_ms)
    assert settings.election_timeout_ms == 3 * settings.heartbeat_ms
    assert defaults["REPLICATION_MODE"] == settings.mode
    assert defaults["REPLICATION_DELAY_MS"] == str(settings.replication_delay_ms)
    assert (settings.data_dir, settings.token, settings.peers) == (None, "", {})
    assert defaults["ALLOW_FAULTS"] == str(int(settings.allow_faults))
    assert defaults["EXIT_WITH_PARENT"] == str(int(settings.exit_with_parent))
