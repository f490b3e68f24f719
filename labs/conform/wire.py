"""Level `wire`: what a node answers to clients, by the table in `docs/any-language.md`.

Law of this module: only what the lesson's table says. Further fields and headers are free.
"""

from __future__ import annotations

import json
import re
import socket
from typing import Any
from urllib.parse import urlsplit

from labs.cluster.base import StartFailed
from labs.conform.check import CannotAsk, Level, TooLate
from labs.conform.exchange import Reply
from labs.conform.scene import MISSING, Scene, path_of, same

WIRE = Level("wire")
PAGE = "http://localhost:8888"
LEAVES_WITHIN = 3.0
"""Seconds that a node may take to leave when it is asked to (`docker stop` waits for 10)."""

_ROLES = ("leader", "follower", "candidate")
_HUMP = re.compile(r"^[a-z]+[a-z0-9]*([A-Z][a-z0-9]*)+$")


def leader_of(scene: Scene) -> str:
    """The leader on which the others agree. Where there is none, that is for the level `steps` to judge."""
    if scene.bench.without_leader:
        raise CannotAsk(scene.bench.without_leader)
    try:
        return scene.settle()
    except TooLate as late:
        scene.bench.without_leader = f"there is no leader to ask: {late}"
        raise CannotAsk(scene.bench.without_leader) from None


def expect_fields(scene: Scene, reply: Reply, code: int, fields: dict[str, Any], where: str) -> None:
    """The answer has this code and these fields; other fields may be there."""
    scene.expect(reply.code == code, f"{where}: {code} was expected, {_told(reply)} came")
    scene.expect(not reply.problem, f"{where}: {reply.problem}")
    for name, value in fields.items():
        scene.expect(name in reply.body, f"{where}: the field {name} is missing")
        told = reply.body[name]
        scene.expect(same(told, value), f"{where}: {name} must be {json.dumps(value)}, and is {json.dumps(told)}")


def _told(reply: Reply) -> str:
    return f"no answer ({reply.problem})" if reply.code is None else str(reply.code)


# -- what it says of itself -------------------------------------------------------------------------------


@WIRE.check(
    "GET /status answers 200 with node_id, role, term, leader_id, total_keys and keys, each of its kind.",
    points=2,
    hint="role is leader, follower or candidate; leader_id is null while unknown; keys is a list of the keys.",
)
def status(scene: Scene) -> None:
    for node in scene.nodes:
        reply = scene.ask(node, "GET", "/status")
        expect_fields(scene, reply, 200, {"node_id": node}, f"GET /status of {node}")
        told = reply.body
        for name, fits, kind in (
            ("role", lambda value: value in _ROLES, "leader, follower or candidate"),
            ("term", _is_count, "a whole number, not negative"),
            ("leader_id", lambda value: value is None or value in scene.nodes, "a node's id or null"),
            ("total_keys", _is_count, "a whole number, not negative"),
            ("keys", _is_texts, "a list of texts"),
        ):
            scene.expect(name in told, f"GET /status of {node}: the field {name} is missing")
            scene.expect(fits(told[name]), f"GET /status of {node}: {name} must be {kind}, not {_brief(told[name])}")
        complete = told["total_keys"] == len(told["keys"]) or len(told["keys"]) >= 1000
        scene.expect(
            complete, f"GET /status of {node}: total_keys is {told['total_keys']}, keys has {len(told['keys'])}"
        )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _brief(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"


# -- keys -------------------------------------------------------------------------------------------------


@WIRE.check("A PUT to the leader answers 200 with success, key, value and leader_id.")
def put(scene: Scene) -> None:
    leader = leader_of(scene)
    fields = {"success": True, "key": "name", "value": "Alice", "leader_id": leader}
    expect_fields(scene, scene.put(leader, "name", "Alice"), 200, fields, "PUT /key/name")
    fields["value"] = "Bob"
    expect_fields(scene, scene.put(leader, "name", "Bob"), 200, fields, "PUT /key/name again")


@WIRE.check("A GET answers 200 with key, value and node_role, from the node's own copy.", needs=("put",))
def get(scene: Scene) -> None:
    leader = leader_of(scene)
    scene.write(leader, "city", "NYC")
    expected = {"key": "city", "value": "NYC", "node_role": "leader"}
    expect_fields(scene, scene.get(leader, "city"), 200, expected, "GET /key/city of the leader")


@WIRE.check("A GET of a key that is not there answers 404 with “Key not found” and the key.")
def missing(scene: Scene) -> None:
    for node in scene.nodes:
        expected = {"error": "Key not found", "key": "nothing"}
        expect_fields(scene, scene.get(node, "nothing"), 404, expected, f"GET /key/nothing of {node}")


@WIRE.check("A DELETE answers 200; then the key is gone, and a second DELETE answers 404.", needs=("put",))
def delete(scene: Scene) -> None:
    leader = leader_of(scene)
    scene.write(leader, "short-lived", 1)
    expect_fields(scene, scene.delete(leader, "short-lived"), 200, {"success": True, "key": "short-lived"}, "DELETE")
    gone = {"error": "Key not found", "key": "short-lived"}
    expect_fields(scene, scene.get(leader, "short-lived"), 404, gone, "GET after the DELETE")
    expect_fields(scene, scene.delete(leader, "short-lived"), 404, gone, "the second DELETE")


@WIRE.check(
    "A follower refuses PUT and DELETE with 503, “Not the leader”, its role and the leader's id; nothing is done.",
    points=2,
    needs=("put",),
)
def refusal(scene: Scene) -> None:
    leader = leader_of(scene)
    scene.write(leader, "kept", 1)
    for node in scene.others(leader):
        expected = {"error": "Not the leader", "current_role": "follower", "leader_id": leader}
        expect_fields(scene, scene.put(node, "test", "should fail"), 503, expected, f"PUT to {node}")
        expect_fields(scene, scene.delete(node, "kept"), 503, expected, f"DELETE to {node}")
    for node in scene.nodes:
        scene.expect(scene.get(node, "test").code == 404, f"the refused write is stored on {node}")
    scene.expect(scene.has(leader, "kept", 1), "the refused DELETE was carried out")


@WIRE.check("A body that is no JSON is refused with 400 and “Invalid JSON”; the old value stays.", needs=("put",))
def invalid_json(scene: Scene) -> None:
    leader = leader_of(scene)
    scene.write(leader, "name", "Alice")
    for body in (b'{"unfinished"', b"nobody", b"", b"{'name': 1}", b"[1, 2,]", b'"\xff"'):
        reply = scene.ask(leader, "PUT", path_of("name"), body)
        expect_fields(scene, reply, 400, {"error": "Invalid JSON"}, f"PUT with the body {body!r}")
    scene.expect(same(scene.get(leader, "name").body.get("value"), "Alice"), "a refused body changed the value")


# -- values and names -------------------------------------------------------------------------------------


@WIRE.check("A stored null is a value: GET answers 200 with null, not 404.", needs=("put",))
def null(scene: Scene) -> None:
    leader = leader_of(scene)
    scene.write(leader, "empty", None)
    expect_fields(scene, scene.get(leader, "empty"), 200, {"key": "empty", "value": None}, "GET of a stored null")


@WIRE.check("Any JSON can be stored, and comes back as it was: numbers, texts, true and false, lists, objects.",
            points=2, needs=("put",))  # fmt: skip
def values(scene: Scene) -> None:
    leader = leader_of(scene)
    nested = {"list": [1, [2, []], {"b": None}], "": "", "leader_id": "x", "leaderId": "y"}
    kinds: tuple[Any, ...] = (
        0,
        -7,
        2.5,
        1e-7,
        9007199254740991,
        "",
        'quote " and \\',
        True,
        False,
        [],
        {},
        [[]],
        nested,
    )
    for value in kinds:
        reply = scene.put(leader, "value", value)
        expect_fields(scene, reply, 200, {"value": value}, f"PUT of {_brief(value)}")
        expect_fields(scene, scene.get(leader, "value"), 200, {"value": value}, f"GET of {_brief(value)}")


@WIRE.check("Texts are UTF-8: keys and values of any script come back as they were.", needs=("put",))
def utf8(scene: Scene) -> None:
    leader = leader_of(scene)
    for text in ("Zoë", "Ωμέγα", "数据", "👑", "a\u0301"):
        expect_fields(scene, scene.put(leader, text, text), 200, {"key": text, "value": text}, f"PUT of {text}")
        expect_fields(scene, scene.get(leader, text), 200, {"key": text, "value": text}, f"GET of {text}")


@WIRE.check(
    "A key is the rest of the path, percent-decoded: slashes, dots, spaces, question and percent signs belong to it.",
    points=2,
    needs=("put",),
    hint="Many URL libraries tidy `..` and `//` away: take the path as it stands in the request line.",
)
def keys(scene: Scene) -> None:
    leader = leader_of(scene)
    for path, key in (
        ("/key/team%2Fa%20b", "team/a b"),
        ("/key/team/c", "team/c"),
        ("/key/..", ".."),
        ("/key/%2E%2E", ".."),
        ("/key/a/../b", "a/../b"),
        ("/key/a//b", "a//b"),
        ("/key/what%3F", "what?"),
        ("/key/100%25", "100%"),
        ("/key/%23", "#"),
        ("/key/a+b", "a+b"),
    ):
        body = json.dumps(path).encode()
        expect_fields(scene, scene.ask(leader, "PUT", path, body), 200, {"key": key, "value": path}, f"PUT {path}")
        expect_fields(scene, scene.ask(leader, "GET", path), 200, {"key": key, "value": path}, f"GET {path}")
    scene.expect(scene.has(leader, "b", MISSING), "the key a/../b was taken for b")


@WIRE.check(
    "Names of fields are in camelCase or in snake_case, one of them throughout.",
)
def spelling(scene: Scene) -> None:
    answers = [("GET /status", scene.ask(node, "GET", "/status")) for node in scene.nodes]
    if not scene.bench.without_leader:
        leader = leader_of(scene)
        answers += [("PUT", scene.put(leader, "name", 1)), ("GET", scene.get(leader, "name"))]
        answers += [("PUT to a follower", scene.put(node, "name", 1)) for node in scene.others(leader)]
    found: dict[str, str] = {}
    for what, reply in answers:
        for name in reply.raw:
            style = "snake_case" if "_" in name else "camelCase" if _HUMP.match(name) else ""
            if style:
                found.setdefault(style, f"{name} in the answer to {what}")
    both = " but ".join(f"{example} is {style}" for style, example in found.items())
    scene.expect(len(found) < 2, both)


# -- a web page, strangers, and the end --------------------------------------------------------------------


@WIRE.check(
    "A web page of this machine may use the node: OPTIONS and answers carry Access-Control-Allow-Origin.",
    hint="A browser asks with OPTIONS before a PUT, and reads no answer without the header.",
)
def cors(scene: Scene) -> None:
    node = scene.nodes[0]
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    before = scene.ask(node, "OPTIONS", "/key/name", headers=asked)
    scene.expect(before.code in (200, 204), f"OPTIONS: 200 or 204 was expected, {_told(before)} came")
    methods = before.headers.get("access-control-allow-methods", "").upper()
    for method in ("PUT", "DELETE"):
        scene.expect(method in methods or "*" in methods, f"OPTIONS: Access-Control-Allow-Methods lacks {method}")
    headers = before.headers.get("access-control-allow-headers", "").lower()
    scene.expect(
        "content-type" in headers or "*" in headers, "OPTIONS: Access-Control-Allow-Headers lacks Content-Type"
    )
    for what, reply in (
        ("OPTIONS", before),
        ("GET /status", scene.ask(node, "GET", "/status", headers={"Origin": PAGE})),
    ):
        allowed = reply.headers.get("access-control-allow-origin")
        scene.expect(
            allowed in (PAGE, "*"), f"{what}: Access-Control-Allow-Origin is {allowed!r}, for a page of {PAGE}"
        )


@WIRE.check("Garbage on its port does not end a node.")
def garbage(scene: Scene) -> None:
    node = scene.nodes[-1]
    place = urlsplit(str(scene.cluster.url(node)))
    for data in (b"\x00\x01\x02 hello\r\n\r\n", b"PUT /key/a HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n{", b""):
        scene.transcript.append(f"> {node} {data!r}")
        with socket.create_connection((place.hostname or "", place.port or 0), timeout=1) as connection:
            connection.sendall(data)
    expect_fields(scene, scene.ask(node, "GET", "/status"), 200, {"node_id": node}, "GET /status afterwards")


@WIRE.check(f"SIGTERM ends a node within {LEAVES_WITHIN:g} s; it can be started again at once.")
def leaves(scene: Scene) -> None:
    node = scene.nodes[-1]
    cluster = scene.cluster
    before = cluster.now()
    scene.do(f"stop {node}", lambda: cluster.stop(node))
    took = cluster.now() - before
    scene.measured.append(f"to leave took {took:.2f} s, allowed {LEAVES_WITHIN:g} s")
    if took > LEAVES_WITHIN:
        raise TooLate(f"{node} did not leave within {LEAVES_WITHIN:g} s of SIGTERM")
    try:
        scene.do(f"start {node}", lambda: cluster.start(node))
    except StartFailed as failed:
        scene.expect(False, f"after it had left, it did not start again: {failed}")
