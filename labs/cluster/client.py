"""A client of the store: finds the leader, follows where a follower points, repeats only what is safe to repeat.

Law of this module: a write goes out again only if it is *certain* that it did not take effect (the connection
was refused, or the node said 503). A write whose answer got lost is `UNKNOWN` and stays so: sent again, it might
be carried out twice, with somebody else's write in between. Reads change nothing and may be repeated.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from labs.cluster.base import Answer, Outcome
from labs.cluster.reply import HttpReply

if TYPE_CHECKING:
    from labs.cluster.transport import Transport

CERTAINLY_REFUSED = 503
LOOK_TIMEOUT = 0.5
"""Seconds that a node may take to say whether it leads."""
PAUSE = 0.02
"""Seconds between two rounds of looking for a leader."""
LAST_CALL = 0.2
"""Seconds that an attempt gets at least, however little of the caller's time is left: a write cut off at once
would be of unknown outcome for no good reason."""


@dataclass(frozen=True)
class ClientOperation:
    """A client's operation: `kind` is `put`, `get` or `delete`."""

    kind: str
    key: str
    body: bytes | None = None
    linearizable: bool = False

    @property
    def method(self) -> str:
        return self.kind.upper()

    @property
    def path(self) -> str:
        """Raises `ValueError` for a key that is no text."""
        try:
            key = quote(self.key, safe="")
        except UnicodeEncodeError:
            raise ValueError(f"the key {self.key!r:.60} holds half a surrogate pair: it is not Unicode text") from None
        return f"/key/{key}" + ("?read=linearizable" if self.linearizable else "")

    @property
    def writes(self) -> bool:
        return self.kind != "get"


Observer = Callable[[ClientOperation, Answer, float, float], None]
"""Is told of each single attempt: operation, answer, and the wall-clock times of request and answer."""


class Clock:
    """The time that a client goes by: here the world's, in a simulation a pretended one."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Client:
    """Talks to one cluster's nodes.

    * `url_of(node)`: where the node is now, or None where it has no address (then it counts as refusing)
    * `candidates()`: the nodes worth asking when nobody in particular is meant
    * `request_timeout`: seconds that one attempt may take
    """

    def __init__(
        self,
        url_of: Callable[[str], str | None],
        candidates: Callable[[], Iterable[str]],
        request_timeout: float = 2.0,
        trust: float = 0.1,
        observer: Observer | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.request_timeout = request_timeout
        self.trust = trust
        """Seconds for which a leader once found is taken for the leader without asking around again."""
        self._url_of = url_of
        self._candidates = candidates
        self._observer = observer
        self._clock = clock or Clock()
        self._leader: tuple[str, float] | None = None
        self._transport: Transport | None = None
        self._making = threading.Lock()

    @property
    def transport(self) -> Transport:
        """Made when it is first needed: a simulation needs none, nor the packages behind it."""
        from labs.cluster.transport import Transport

        with self._making:
            self._transport = self._transport or Transport()
        return self._transport

    @classmethod
    def of(cls, urls: Mapping[str, str], request_timeout: float = 2.0) -> Client:
        """A client of the nodes at these fixed addresses: `{"node-1": "http://127.0.0.1:4001"}`."""
        return cls(urls.get, lambda: tuple(urls), request_timeout)

    # -- operations -----------------------------------------------------------------------------------

    def put(self, key: str, value: Any, via: str | None = None, timeout: float | None = None) -> Answer:
        """Write. Raises `ValueError` for a value that JSON does not have."""
        return self._run(ClientOperation("put", key, as_json(value)), via, timeout)

    def get(self, key: str, via: str | None = None, linearizable: bool = False, timeout: float | None = None) -> Answer:
        return self._run(ClientOperation("get", key, linearizable=linearizable), via, timeout)

    def delete(self, key: str, via: str | None = None, timeout: float | None = None) -> Answer:
        return self._run(ClientOperation("delete", key), via, timeout)

    def _run(self, operation: ClientOperation, via: str | None, timeout: float | None) -> Answer:
        limit = self.request_timeout if timeout is None else timeout
        if via is not None:
            return self._ask(via, operation, limit)
        return self._ask_the_leader(operation, limit)

    # -- one attempt ----------------------------------------------------------------------------------

    def _ask(self, node: str, operation: ClientOperation, timeout: float) -> Answer:
        started = self._clock.monotonic()
        wall = self._clock.wall()
        reply = self.exchange(node, operation.method, operation.path, operation.body, timeout)
        body = reply.body or {"error": reply.error}
        seconds = self._clock.monotonic() - started
        answer = Answer(outcome_of(reply, operation.writes), reply.code, body, node, seconds)
        if self._observer is not None:
            self._observer(operation, answer, wall, wall + seconds)
        return answer

    def exchange(
        self,
        node: str,
        method: str,
        path: str,
        body: bytes | None = None,
        timeout: float | None = None,
        headers: dict[str, str] | None = None,
    ) -> HttpReply:
        """One plain request to one node, whatever it is about."""
        url = self._url_of(node)
        if url is None:
            return HttpReply(None, delivered=False, error="the node has no address")
        limit = self.request_timeout if timeout is None else timeout
        return self.transport.exchange(method, url + path, body, limit, headers)

    # -- the leader -----------------------------------------------------------------------------------

    def _ask_the_leader(self, operation: ClientOperation, limit: float) -> Answer:
        """Again and again until an answer settles the matter or the time is up; the last answer counts."""
        started = self._clock.monotonic()
        deadline = started + limit
        last = Answer(Outcome.FAILED, None, {"error": "No leader was found"}, "")
        attempts = 0
        pointed_to: str | None = None
        while True:
            node = pointed_to or self.leader()
            hint = None
            if node is not None:
                attempts += 1
                left = max(deadline - self._clock.monotonic(), LAST_CALL)
                last = self._ask(node, operation, min(left, self.request_timeout))
                if _settled(last, operation):
                    break
                self._leader = None
                # A hint is followed at once, but a hint of a hint is not: two nodes that point at each other
                # would keep us running to and fro.
                hint = self._pointer(last) if pointed_to is None else None
            left = deadline - self._clock.monotonic()
            if left <= 0:
                break
            pointed_to = hint
            if hint is None:
                self._clock.sleep(min(PAUSE, left))
        return replace(last, seconds=self._clock.monotonic() - started, attempts=max(attempts, 1))

    def _pointer(self, answer: Answer) -> str | None:
        named = answer.body.get("leader_id") if answer.code == CERTAINLY_REFUSED else None
        return named if named != answer.node and named in tuple(self._candidates()) else None

    def leader(self) -> str | None:
        """The node that leads: of several that say so, the one with the highest term."""
        if self._leader is not None and self._clock.monotonic() < self._leader[1] + self.trust:
            return self._leader[0]
        found: list[tuple[int, str]] = []
        for node in self._candidates():
            seen = self._role_and_term(node)
            if seen.get("role") == "leader":
                found.append((whole(seen.get("term")) or 0, node))
        self.remember(max(found)[1] if found else None)
        return max(found)[1] if found else None

    def _role_and_term(self, node: str) -> Mapping[str, Any]:
        """What a node says of itself, these two at least; empty where it does not answer."""
        return self.exchange(node, "GET", "/status", timeout=LOOK_TIMEOUT).body

    def remember(self, leader: str | None) -> None:
        """Somebody has just seen who leads (None: nobody does, or it is no longer certain)."""
        self._leader = None if leader is None else (leader, self._clock.monotonic())

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def whole(told: object) -> int | None:
    """A number that a node told; None for anything else."""
    return told if isinstance(told, int) and not isinstance(told, bool) else None


def as_json(value: Any) -> bytes:
    """The request body for `value`: whether it is stored is up to the node. Raises `ValueError` for what has no JSON
    form, and for what Python cannot write."""
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False).encode()  # half a surrogate pair, which the node refuses
    except RecursionError:
        raise ValueError("this value cannot be stored: as JSON it is nested too deep, or it holds itself") from None
    except (TypeError, ValueError) as error:
        if "digits" in str(error):
            raise ValueError(
                f"this value cannot be stored: it holds an integer of more than {sys.get_int_max_str_digits():,}"
                " digits, which Python does not write as JSON; store it as a string"
            ) from None
        raise ValueError(f"this value cannot be stored, it has no JSON form: {error}") from error


def outcome_of(reply: HttpReply, writes: bool) -> Outcome:
    """What a client may believe after this reply."""
    if reply.code is None:
        return Outcome.UNKNOWN if writes and reply.delivered else Outcome.FAILED
    if reply.error:
        # It says that it is done, or not, but not in our language, or was cut short: for a write nothing is certain,
        # unless the request itself was at fault.
        return Outcome.UNKNOWN if writes and not 400 <= reply.code < 500 else Outcome.FAILED
    if reply.code == 200 or (reply.code == 404 and reply.body.get("error") == "Key not found"):
        return Outcome.OK
    if reply.code >= 500 and reply.code != CERTAINLY_REFUSED:
        return Outcome.UNKNOWN if writes else Outcome.FAILED
    return Outcome.FAILED


def _settled(answer: Answer, operation: ClientOperation) -> bool:
    """Whether asking again is either needless or not allowed."""
    if answer.outcome is Outcome.UNKNOWN:
        return True
    if answer.outcome is Outcome.OK:
        # A plain read meant for the leader, answered by a node that no longer is one.
        return operation.writes or answer.body.get("node_role", "leader") == "leader"
    return not (answer.code is None or answer.code >= 500)
