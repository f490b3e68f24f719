"""The HTTP face of a node: paths to actions, results to status codes.

Law of this module: it translates. It decides nothing about the cluster, and it holds no state but the tables below.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hmac import compare_digest
from typing import Any

from replstore.core.contract import Command, Delete, Done, LinearizableGet, Put, Result
from replstore.core.messages import MAX_MESSAGE, Entry
from replstore.http.access import AccessPolicy
from replstore.http.connection import Connection
from replstore.http.syntax import HttpError, Request, check_length
from replstore.http.writing import HeaderPairs, Headers, response
from replstore.json_text import from_json, to_json
from replstore.runtime import Runtime
from replstore.wire.answers import answer, found
from replstore.wire.codec import CodecError, build_message
from replstore.wire.faults import BadFaults
from replstore.wire.values import BadValue, percent_decoded, read_key, read_value

MAX_WAIT = 30.0
"""Seconds that `GET /events?wait=` may last."""

MAX_FIELD = 200
"""Characters of a request that are repeated in an error."""

PREFLIGHT = (
    ("Access-Control-Allow-Methods", "GET, PUT, DELETE, OPTIONS"),
    ("Access-Control-Allow-Headers", "Content-Type"),
)

Answer = bytes | None
"""A whole response, or None: it comes later through the connection."""

Action = Callable[["Api", Request, Connection], Answer]


class Api:
    """Answers requests for one `Runtime`, as far as `access` lets them in."""

    def __init__(self, runtime: Runtime, access: AccessPolicy) -> None:
        self.runtime = runtime
        self.access = access

    # -- at the door ----------------------------------------------------------------------------------

    def admit(self, method: str, path: str, headers: Headers, length: int) -> HeaderPairs:
        """See `http.Admit`: strangers are refused before their body is read. Never a CORS header below /internal/."""
        if path.startswith("/internal/"):
            self._check_peer(method, headers)
            check_length(length, MAX_MESSAGE)
            return ()
        cors = self.access.check(headers)
        if length:
            check_length(length)
        return cors

    def _check_peer(self, method: str, headers: Headers) -> None:
        """Who knows the token is one of us, under whatever name it reaches us.

        Without a token nobody can prove that. But no web page may speak for a peer: a browser adds `Origin` to every
        POST and PUT, and asks before it sends JSON (a preflight), which is not answered here.
        """
        token = self.runtime.settings.token
        if token:
            if not compare_digest(headers.get("x-cluster-token", "").encode(), token.encode()):
                raise HttpError(403, "The X-Cluster-Token header is missing or wrong")
            return
        if "origin" in headers or any(name.startswith("sec-fetch-") for name in headers):
            raise HttpError(403, "Paths below /internal/ are not for web pages")
        self.access.check(headers)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if method != "GET" and kind != "application/json":
            raise HttpError(403, "Without CLUSTER_TOKEN paths below /internal/ want Content-Type: application/json")

    def handle(self, request: Request, connection: Connection) -> Answer:
        """Raises `HttpError` for what the client did wrong."""
        path = request.path
        if path.startswith("/key/"):
            actions = _KEY_ACTIONS
        elif path.startswith("/internal/"):
            actions = _INTERNAL_ACTIONS.get(path, {})
        else:
            actions = _ACTIONS.get(path, {})
        if not actions:
            raise HttpError(404, f"There is nothing at {path[:MAX_FIELD]}")
        action = actions.get(request.method)
        if action is None:
            allowed = ", ".join(sorted(actions))
            method = request.method[:MAX_FIELD]
            raise HttpError(405, f"{method} is not possible here; {allowed} is", (("Allow", allowed),))
        return action(self, request, connection)

    # -- keys -----------------------------------------------------------------------------------------

    def get_key(self, request: Request, connection: Connection) -> Answer:
        key = _key(request)
        if request.query and _parameters(request, _READ).get("read") == "linearizable":
            self._ask(request, connection, LinearizableGet(key))
            return None
        node = self.runtime.node
        entry = node.read(key)
        if entry is None:
            return _json(*found(key, entry, node.role), request.admitted)
        # The most frequent answer of all, put together by hand; `answers.found` says the same.
        body = f'{{"key":{to_json(key)},"value":{to_json(entry.value)},"node_role":"{node.role}",'
        body += f'"term":{entry.term},"index":{entry.index}}}'
        return response(200, body.encode("ascii"), headers=request.admitted)

    def put_key(self, request: Request, connection: Connection) -> Answer:
        key = _key(request)
        _parameters(request)
        try:
            value = read_value(request.body)
        except BadValue as error:
            raise HttpError(400, str(error)) from None
        self._ask(request, connection, Put(key, value))
        return None

    def delete_key(self, request: Request, connection: Connection) -> Answer:
        key = _key(request)
        _parameters(request)
        self._ask(request, connection, Delete(key))
        return None

    def _ask(self, request: Request, connection: Connection, command: Command) -> None:
        """The answer comes later."""
        cors = request.admitted

        def reply(result: Result) -> None:
            if type(result) is Done and result.entry.op == "put":
                connection.respond(response(200, put_done(result.entry).encode("ascii"), headers=cors))
            else:
                connection.respond(_json(*answer(result, self.runtime.node.role), cors))

        self.runtime.ask(command, reply, len(request.body))

    # -- looking --------------------------------------------------------------------------------------

    def get_status(self, request: Request, connection: Connection) -> Answer:
        _parameters(request)
        return _json(200, self.runtime.status(), request.admitted)

    def get_events(self, request: Request, connection: Connection) -> Answer:
        query = _parameters(request, _EVENTS)
        cors = request.admitted
        since, wait = int(query.get("since", 1)), min(float(query.get("wait", 0)), MAX_WAIT)
        stop = self.runtime.watch(since, wait, lambda page: connection.respond(_json(200, page, cors)))
        connection.when_gone(stop)
        return None

    def options(self, request: Request, connection: Connection) -> Answer:
        cors = request.admitted
        return response(200, b"", headers=(*cors, *PREFLIGHT) if cors else ())

    # -- peers and the lab ----------------------------------------------------------------------------

    def post_message(self, request: Request, connection: Connection) -> Answer:
        _parameters(request)
        try:
            envelope = from_json(request.body.decode())
            sender, message_id = envelope["from"], envelope["id"]
            message = build_message(envelope["message"])
        except CodecError as error:
            raise HttpError(400, f"Bad message: {error}") from None
        except (ValueError, RecursionError, KeyError, TypeError):
            raise HttpError(400, "Bad message: expected {from, id, message}") from None
        if sender not in self.runtime.node.peers or type(message_id) is not str:
            raise HttpError(400, f"Bad message: no peer of {self.runtime.node.id} is called {sender!r:.80}")
        self.runtime.receive(sender, message_id, message, lambda body: connection.respond(response(200, body)))
        return None

    def get_faults(self, request: Request, connection: Connection) -> Answer:
        _parameters(request)
        self._check_faults_allowed()
        return _json(200, self.runtime.faults.to_json())

    def put_faults(self, request: Request, connection: Connection) -> Answer:
        _parameters(request)
        self._check_faults_allowed()
        try:
            self.runtime.set_faults(self.runtime.faults.changed(from_json(request.body.decode())))
        except BadFaults as error:
            raise HttpError(400, str(error)) from None
        except (ValueError, RecursionError):
            raise HttpError(400, "Invalid JSON") from None
        return _json(200, self.runtime.faults.to_json())

    def _check_faults_allowed(self) -> None:
        if not self.runtime.settings.allow_faults:
            raise HttpError(403, "This node was started without ALLOW_FAULTS=1")


# The server leaves the content of an answer to HEAD away.
_ACTIONS: dict[str, dict[str, Action]] = {
    "/status": {"GET": Api.get_status, "HEAD": Api.get_status, "OPTIONS": Api.options},
    "/events": {"GET": Api.get_events, "HEAD": Api.get_events, "OPTIONS": Api.options},
    "*": {"OPTIONS": Api.options},
}
_KEY_ACTIONS: dict[str, Action] = {
    "GET": Api.get_key,
    "HEAD": Api.get_key,
    "PUT": Api.put_key,
    "DELETE": Api.delete_key,
    "OPTIONS": Api.options,
}
_MESSAGES: dict[str, Action] = {"POST": Api.post_message}
_INTERNAL_ACTIONS: dict[str, dict[str, Action]] = {
    "/internal/heartbeat": _MESSAGES,
    "/internal/replicate": _MESSAGES,
    "/internal/election": _MESSAGES,
    "/internal/faults": {"GET": Api.get_faults, "HEAD": Api.get_faults, "PUT": Api.put_faults},
}


def _key(request: Request) -> str:
    try:
        return read_key(request.path[5:])
    except BadValue as error:
        raise HttpError(400, str(error)) from None


def _decoded(text: str, what: str) -> str:
    try:
        return percent_decoded(text, what)
    except BadValue as error:
        raise HttpError(400, str(error)) from None


# -- queries ----------------------------------------------------------------------------------------------

Known = dict[str, tuple[re.Pattern[str], str]]
"""The parameters of a path: what their values look like, and how to say so."""

_READ: Known = {"read": (re.compile("local|linearizable"), "local or linearizable")}
_EVENTS: Known = {
    "since": (re.compile("[0-9]{1,15}"), "a whole number that is not negative"),
    "wait": (re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?"), "a number of seconds that is not negative"),
}
_NONE: Known = {}


def _parameters(request: Request, known: Known = _NONE) -> dict[str, str]:
    """The query's parameters; all that are not `known`, or have other values, or come twice, are refused."""
    found: dict[str, str] = {}
    for field in request.query.split("&") if request.query else ():
        raw_name, _, raw_value = field.partition("=")
        name, value = _decoded(raw_name, "The query"), _decoded(raw_value, "The query")
        if name not in known:
            names = ", ".join(known) or "none"
            raise HttpError(400, f"There is no query parameter {name[:MAX_FIELD]!r} here; known: {names}")
        if name in found:
            raise HttpError(400, f"The query parameter {name} is there twice")
        pattern, expected = known[name]
        if not pattern.fullmatch(value):
            raise HttpError(400, f"{name}={value[:MAX_FIELD]}: expected {expected}")
        found[name] = value
    return found


def put_done(entry: Entry) -> str:
    """The most frequent answer to a write, put together by hand; `answers.answer` says the same."""
    index, term, leader, _, key, value = entry
    body = f'{{"success":true,"key":{to_json(key)},"value":{to_json(value)},'
    return body + f'"leader_id":"{leader}","term":{term},"index":{index}}}'


def _json(status: int, body: dict[str, Any], cors: HeaderPairs = ()) -> bytes:
    return response(status, to_json(body).encode("ascii"), headers=cors)
