"""Scripted peers: servers in the place of two nodes, who say to the node that is examined what a check has them say.

Law of this module: they speak the protocol of `docs/protocol.md` byte by byte, and know nothing of the lab's own node.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from labs.cluster.ports import HOST
from labs.conform.bench import TimedCluster
from labs.conform.check import NotAsSaid
from labs.conform.exchange import Reply
from labs.conform.scene import ANSWER_LIMIT, JSON, Scene

Message = dict[str, Any]
Script = Callable[[str, Message], list[Message]]
"""Is told path and message; gives the messages of the answer."""

EXAMINED = "node-2"
KINDS: dict[str, dict[str, type]] = {
    "heartbeat": {"term": int, "commit": list, "round": int},
    "heartbeat_reply": {"term": int, "round": int, "follows": bool, "last": list},
    "replicate": {"term": int, "prev": list, "entries": list, "commit": int},
    "replicated": {"term": int, "ok": bool, "index": int},
    "snapshot": {"term": int, "at": list, "offset": int, "total": int, "items": list, "force": bool},
    "snapshot_received": {"term": int, "at": list, "offset": int},
    "log_conflict": {"term": int},
    "fetch_log": {"term": int},
    "alive": {"term": int},
    "taken": {"term": int},
}
"""The fields of each message, with their kinds."""
PATHS = {
    "heartbeat": "heartbeat",
    "heartbeat_reply": "heartbeat",
    **dict.fromkeys(("replicate", "replicated", "snapshot", "snapshot_received"), "replicate"),
}
"""Where a message is posted; all others are an election's."""


class Peer:
    """A scripted node. `heard`: path and message of all that the examined node posted to it."""

    def __init__(self, scene: Scene, name: str, port: int) -> None:
        self.name = name
        self.heard: list[tuple[str, Message]] = []
        self.faults: list[str] = []
        """What was wrong with envelopes that came."""
        self.script: Script = lambda path, message: []
        self._scene = scene
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._server = _Server((HOST, port), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, name=name, daemon=True)
        self._thread.start()

    def envelope(self, message: Message) -> Message:
        return {"from": self.name, "id": f"{self.name}:{next(self._numbers)}", "message": message}

    def take(self, path: str, body: bytes, headers: Mapping[str, str]) -> list[Message]:
        """What the examined node posted."""
        try:
            envelope = json.loads(body)
            fault = fault_of(envelope, EXAMINED)
        except ValueError:
            fault = "the body is not JSON"
        of_pages = [name for name in headers if name.lower() == "origin" or name.lower().startswith("sec-fetch-")]
        if of_pages:
            fault = f"with the header {of_pages[0]} the lab's nodes take it for a web page's"
        elif not fault and headers.get("Content-Type", "").split(";")[0].strip() != "application/json":
            fault = "its Content-Type must be application/json"
        with self._lock:
            if fault:
                self.faults.append(f"POST {path} {body[:200].decode('utf-8', 'replace')}: {fault}")
                return []
            self.heard.append((path, envelope["message"]))
            return [self.envelope(message) for message in self.script(path, envelope["message"])]

    def say(self, kind: str, **fields: Any) -> Reply:
        """Post a message to the examined node: the raw answer."""
        path = f"/internal/{PATHS.get(kind, 'election')}"
        return self.post(path, self.envelope({"type": kind, **fields}))

    def post(self, path: str, envelope: Message) -> Reply:
        cluster = self._scene.cluster
        url = cluster.link(self.name, EXAMINED)
        return self._scene.ask(EXAMINED, "POST", path, json.dumps(envelope).encode(), JSON, ANSWER_LIMIT, url)

    def ask(self, kind: str, answer: str, **fields: Any) -> Message:
        """Post a message; the message of type `answer` that comes back, in the answer or in a POST of its own."""
        seen = len(self.heard)
        reply = self.say(kind, **fields)
        told = messages_in(reply, kind)
        found = next((message for message in told if message["type"] == answer), None)
        deadline = time.monotonic() + 1.0
        while found is None and time.monotonic() < deadline:
            found = next((message for _, message in self.heard[seen:] if message["type"] == answer), None)
            time.sleep(0.01)
        if found is None:
            raise NotAsSaid(f"to {kind} the answer is {answer}; {[one['type'] for one in told] or 'nothing'} came")
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def messages_in(reply: Reply, kind: str) -> list[Message]:
    """The messages of an answer. Raises `NotAsSaid`."""
    if reply.code != 200:
        raise NotAsSaid(f"POST of {kind}: 200 was expected, {reply.code or reply.problem} came")
    if not isinstance(reply.value, list):
        raise NotAsSaid(f"POST of {kind}: the answer must be a list of envelopes, and is {reply.text[:100]}")
    for envelope in reply.value:
        fault = fault_of(envelope, EXAMINED)
        if fault:
            raise NotAsSaid(f"POST of {kind}: in the answer {json.dumps(envelope)[:200]}, {fault}")
    return [envelope["message"] for envelope in reply.value]


def fault_of(envelope: object, sender: str) -> str:
    """What is wrong with an envelope; empty if nothing is."""
    if not isinstance(envelope, dict) or not {"from", "id", "message"} <= envelope.keys():
        return "an envelope is an object with from, id and message"
    if envelope["from"] != sender:
        return f"from is {envelope['from']!r}, not {sender!r}"
    if not isinstance(envelope["id"], str) or not envelope["id"]:
        return "id must be a text"
    message = envelope["message"]
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return "message must be an object with a type"
    for name, kind in KINDS.get(message["type"], {}).items():
        if name not in message:
            return f"{message['type']}.{name} is missing"
        value = message[name]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            return f"{message['type']}.{name} must be {_WORDS[kind]}, not {json.dumps(value)}"
    return ""


_WORDS: dict[type, str] = {int: "a whole number", list: "a list", bool: "true or false", str: "a text"}


class Stage:
    """The examined node as `node-2`, alone among scripted peers `node-1` and `node-3`. A context manager."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        bench = scene.bench
        nodes = bench.nodes.named()
        self.cluster: TimedCluster = bench.fresh("async", nodes)
        self.peers: dict[str, Peer] = {}

    def __enter__(self) -> Stage:
        self.cluster.start(EXAMINED)
        for name in self.scene.others(EXAMINED):
            port = urlsplit(str(self.cluster.url(name))).port or 0
            self.peers[name] = Peer(self.scene, name, port)
        return self

    def __exit__(self, *_: object) -> None:
        for peer in self.peers.values():
            peer.close()
        self.scene.bench.spent = True

    def holds(self, key: str, value: Any, otherwise: str) -> None:
        """The examined node has this value in its own copy."""
        told = self.scene.get(EXAMINED, key)
        self.scene.expect(told.code == 200 and told.body.get("value") == value, otherwise)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def _handler(peer: Peer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = json.dumps(peer.take(self.path, body, dict(self.headers.items()))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                self.close_connection = True  # whoever asked has gone

    return Handler
