"""The HTTP face of a node: paths to actions, results to status codes.

Law of this module: it translates. It decides nothing about the cluster, and it holds no state but the tables below.
"""

from __future__ import annotations

from collections.abc import Callable
from hmac import compare_digest
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote_to_bytes

from replstore.answers import answer, found
from replstore.codec import CodecError, build_message, from_json, to_json
from replstore.faults import BadFaults
from replstore.http import HttpError, Request, response
from replstore.messages import Delete, LinearizableGet, Put, Result
from replstore.server import Connection

if TYPE_CHECKING:
    from replstore.runtime import Runtime

MAX_WAIT = 30.0
"""Seconds that `GET /events?wait=` may last."""

CORS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, PUT, DELETE, OPTIONS"),
    ("Access-Control-Allow-Headers", "Content-Type"),
)

Answer = bytes | None
"""A whole response, or None: it comes later through the connection."""

Action = Callable[["Api", Request, Connection], Answer]


class Api:
    """Answers requests for one `Runtime`."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def handle(self, request: Request, connection: Connection) -> Answer:
        """Raises `HttpError` for what the client did wrong."""
        path = request.path
        if path.startswith("/key/"):
            actions = _KEY_ACTIONS
        elif path.startswith("/internal/"):
            self._check_token(request)
            actions = _INTERNAL_ACTIONS.get(path, {})
        else:
            actions = _ACTIONS.get(path, {})
        if not actions:
            raise HttpError(404, f"There is nothing at {path[:200]}")
        action = actions.get(request.method)
        if action is None:
            allowed = ", ".join(sorted(actions))
            raise HttpError(405, f"{request.method} is not possible here; {allowed} is", (("Allow", allowed),))
        return action(self, request, connection)

    def _check_token(self, request: Request) -> None:
        token = self.runtime.settings.token
        if token and not compare_digest(request.headers.get("x-cluster-token", "").encode(), token.encode()):
            raise HttpError(401, "The X-Cluster-Token header is missing or wrong")

    # -- keys -----------------------------------------------------------------------------------------

    def get_key(self, request: Request, connection: Connection) -> Answer:
        key = _key(request)
        if request.query and _linearizable(request.query):
            self.runtime.ask(LinearizableGet(key), lambda result: self._reply(connection, result))
            return None
        node = self.runtime.node
        entry = node.read(key)
        if entry is None:
            return _json(*found(key, entry, node.role))
        # The most frequent answer of all, put together by hand; `answers.found` says the same.
        body = f'{{"key":{to_json(key)},"value":{to_json(entry.value)},"node_role":"{node.role}",'
        body += f'"term":{entry.term},"index":{entry.index}}}'
        return response(200, body.encode("ascii"), headers=CORS)

    def put_key(self, request: Request, connection: Connection) -> Answer:
        key = _key(request)
        try:
            value = from_json(request.body.decode())
            to_json(value)  # 1e999 and NaN are no JSON, though Python reads them
        except (ValueError, RecursionError):
            raise HttpError(400, "Invalid JSON") from None
        self.runtime.ask(Put(key, value), lambda result: self._reply(connection, result))
        return None

    def delete_key(self, request: Request, connection: Connection) -> Answer:
        self.runtime.ask(Delete(_key(request)), lambda result: self._reply(connection, result))
        return None

    def _reply(self, connection: Connection, result: Result) -> None:
        connection.respond(_json(*answer(result, self.runtime.node.role)))

    # -- looking --------------------------------------------------------------------------------------

    def get_status(self, request: Request, connection: Connection) -> Answer:
        return _json(200, self.runtime.status())

    def get_events(self, request: Request, connection: Connection) -> Answer:
        query = parse_qs(request.query)
        since = int(_number(query, "since", 1))
        wait = min(_number(query, "wait", 0), MAX_WAIT)
        self.runtime.watch(since, wait, lambda page: connection.respond(_json(200, page)))
        return None

    def options(self, request: Request, connection: Connection) -> Answer:
        return response(200, b"", headers=CORS)

    # -- peers and the lab ----------------------------------------------------------------------------

    def post_message(self, request: Request, connection: Connection) -> Answer:
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
        self._check_faults_allowed()
        return _json(200, self.runtime.faults.to_json())

    def put_faults(self, request: Request, connection: Connection) -> Answer:
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


_ACTIONS: dict[str, dict[str, Action]] = {
    "/status": {"GET": Api.get_status, "OPTIONS": Api.options},
    "/events": {"GET": Api.get_events, "OPTIONS": Api.options},
    "*": {"OPTIONS": Api.options},
}
_KEY_ACTIONS: dict[str, Action] = {
    "GET": Api.get_key,
    "PUT": Api.put_key,
    "DELETE": Api.delete_key,
    "OPTIONS": Api.options,
}
_MESSAGES: dict[str, Action] = {"POST": Api.post_message}
_INTERNAL_ACTIONS: dict[str, dict[str, Action]] = {
    "/internal/heartbeat": _MESSAGES,
    "/internal/replicate": _MESSAGES,
    "/internal/election": _MESSAGES,
    "/internal/faults": {"GET": Api.get_faults, "PUT": Api.put_faults},
}


def _key(request: Request) -> str:
    """The rest of the path, percent-decoded: slashes belong to the key."""
    text = request.path[5:]
    if not text:
        raise HttpError(400, "The key is empty: the path is /key/ and then the key")
    if "%" not in text:
        return text
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise HttpError(400, "The key is not UTF-8") from None


def _linearizable(query: str) -> bool:
    read = parse_qs(query).get("read", ["local"])[-1]
    if read not in ("local", "linearizable"):
        raise HttpError(400, f"read={read[:80]}: expected local or linearizable")
    return read == "linearizable"


def _number(query: dict[str, list[str]], name: str, default: float) -> float:
    text = query.get(name, [""])[-1]
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 2**53:  # also false for NaN
        raise HttpError(400, f"{name}={text[:80]}: expected a number that is not negative")
    return value


def _json(status: int, body: dict[str, Any]) -> bytes:
    return response(status, to_json(body).encode("ascii"), headers=CORS)
