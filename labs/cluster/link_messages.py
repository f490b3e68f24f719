"""What a link between two nodes carries: an HTTP request or answer, its name among the lab's messages, and its details.

Law of this module: names only for what the lesson has. Whatever else nodes say to each other belongs to an election,
and is named after its path.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import h11

from labs.cluster.ports import HOST
from labs.cluster.spelling import snake_case_fields
from replstore.messages import Heartbeat, HeartbeatReply, Message, Replicate, Replicated

HttpMessage = h11.Request | h11.Response
H = TypeVar("H", h11.Request, h11.Response)

_KINDS = {"heartbeat": Heartbeat.__name__, "replicate": Replicate.__name__}
_ANSWERS = {Heartbeat.__name__: HeartbeatReply.__name__, Replicate.__name__: Replicated.__name__}
_OF_THE_CONNECTION = (b"connection", b"keep-alive")
"""Headers that concern one connection, not the message."""


@dataclass(frozen=True)
class Received(Generic[H]):
    """A whole message: its head as h11 read it, and its body without chunks."""

    head: H
    body: bytes

    def closing(self) -> Received[H]:
        """The same for a connection that carries nothing else."""
        return self._with([(b"Connection", b"close")])

    def kept_open(self) -> Received[H]:
        """The same for a connection that may carry more."""
        return self._with([])

    def _with(self, more: list[tuple[bytes, bytes]]) -> Received[H]:
        headers: list[tuple[bytes, bytes]] = [(name, value) for name, value in self.head.headers.raw_items()
                   if name.lower() not in _OF_THE_CONNECTION]  # fmt: skip
        head: HttpMessage
        if isinstance(self.head, h11.Request):
            if not any(name.lower() == b"host" for name, _ in headers):
                headers.append((b"Host", HOST.encode()))  # it came by HTTP/1.0, and goes on by 1.1
            head = h11.Request(method=self.head.method, target=self.head.target, headers=[*headers, *more])
        else:
            if self.head.status_code not in (204, 304) and not {b"content-length", b"transfer-encoding"} & {
                name.lower() for name, _ in headers
            }:
                # It ended with its connection (HTTP/1.0); ours goes on.
                headers.append((b"Content-Length", b"%d" % len(self.body)))
            head = h11.Response(status_code=self.head.status_code, reason=self.head.reason, headers=[*headers, *more])
        return replace(self, head=head)


def kind_of(message: Received[h11.Request]) -> str:
    """`/internal/heartbeat` is a Heartbeat, `/internal/replicate` a Replicate, `/internal/ask-vote` an AskVote. In an
    envelope of the lab's own protocol a message says its type."""
    known = Message.registry.get(str(_in_envelope(_json(message.body)).get("type")))
    if known is not None:
        return known.__name__
    path = message.head.target.decode("ascii", "replace").split("?")[0]
    last = path.rstrip("/").rsplit("/", 1)[-1] or "root"
    words = "".join(sign if sign.isalnum() else " " for sign in last).split()
    return _KINDS.get(last) or "".join(word[:1].upper() + word[1:] for word in words) or "Request"


def answer_kind(kind: str) -> str:
    return _ANSWERS.get(kind, f"{kind}Reply")


def details_of(body: bytes) -> dict[str, Any]:
    """The small fields of a message: numbers and names as they are, lists and objects as their count."""
    fields = _json(body)
    if isinstance(fields, list) and fields:
        fields = fields[0]  # envelopes: what a node of the lab's protocol answers
    fields = _in_envelope(fields) or fields
    if not isinstance(fields, dict):
        return {}
    details: dict[str, Any] = {}
    for name, value in snake_case_fields(fields).items():
        if isinstance(value, (bool, int, float)) or value is None:
            details[name] = value
        elif isinstance(value, str):
            details[name] = value[:80]
        else:
            details["count" if name in ("changes", "entries") else name] = len(value)
    details.pop("value", None)  # data is no detail
    return details


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _in_envelope(fields: Any) -> dict[str, Any]:
    """The message in an envelope of the lab's protocol; empty for anything else."""
    message = fields.get("message") if isinstance(fields, dict) and "from" in fields else None
    return message if isinstance(message, dict) and "type" in message else {}
