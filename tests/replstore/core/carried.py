"""What a value goes through in a cluster of three, with the node's own parts and no waiting: the door, the codec, the
HTTP framing and its limits, the journal, a snapshot, and the restart of all nodes.

It needs the standard library only, so that any Python can run it: `python3.13 -m tests.replstore.core.carried`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from replstore.core import log
from replstore.core.contract import Effect, Flush, Note, Put, Received, Reply, Request, Result, Save, Send, Tick
from replstore.core.lowest_id import LowestId
from replstore.core.messages import MAX_MESSAGE, Message
from replstore.core.node import Node
from replstore.http.link import LinkLimits, PeerLink
from replstore.http.parser import RequestParser, ResponseParser
from replstore.http.syntax import check_length
from replstore.http.writing import HeaderPairs, Headers, request, response
from replstore.journal.journal import Journal
from replstore.json_text import from_json, to_json
from replstore.wire.answers import answer
from replstore.wire.codec import build_message, encode_message
from replstore.wire.values import MAX_BYTES, MAX_DIGITS, MAX_ITEMS, MAX_NESTING, BadValue, read_value

IDS = ("node-1", "node-2", "node-3")


class Member:
    """A node and its journal."""

    def __init__(self, node_id: str, folder: Path, mode: str) -> None:
        self.journal = Journal(folder / node_id, node_id, [other for other in IDS if other != node_id])
        self.node = Node(
            node_id,
            [other for other in IDS if other != node_id],
            LowestId,
            heartbeat=0.1,
            timeout=0.4,
            mode=mode,
            rng=Random(node_id),
            records=self.journal.records(),
        )
        self.journal.serve(self.node)


class Trio:
    """Up to three members whose messages are framed, parsed and rebuilt as between real nodes."""

    def __init__(self, folder: Path, mode: str = "quorum") -> None:
        self.folder = folder
        self.mode = mode
        self.members: dict[str, Member] = {}
        self.now = 0.0
        self.results: dict[int, Result] = {}
        self.notes: list[Note] = []
        self._post: deque[tuple[str, str, bytes]] = deque()

    def __enter__(self) -> Trio:
        return self

    def __exit__(self, *_: object) -> None:
        self.crash()

    def start(self, *ids: str) -> None:
        for node_id in ids or IDS:
            self.members[node_id] = Member(node_id, self.folder, self.mode)

    def crash(self) -> None:
        """All of them; what is not on disk is gone."""
        for member in self.members.values():
            member.journal.close()
        self.members.clear()
        self._post.clear()

    def leader(self) -> Node | None:
        return next((member.node for member in self.members.values() if member.node.leads), None)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.025)):
            self.now += 0.025
            for member in list(self.members.values()):
                self._carry_out(member, member.node.handle(Tick(), self.now))
            self._deliver()

    def ask(self, number: int, put: Put) -> None:
        leader = self.leader()
        assert leader is not None
        member = self.members[leader.id]
        self._carry_out(member, leader.handle(Request(number, put), self.now))
        self._carry_out(member, leader.handle(Flush(), self.now))
        self._deliver()

    def _carry_out(self, member: Member, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Save):
                member.journal.write(effect.record)
                member.journal.sync()
            elif isinstance(effect, Send):
                self._post.append((member.node.id, effect.to, framed(member.node.id, effect.message)))
            elif isinstance(effect, Reply):
                self.results[effect.id] = effect.result
            elif isinstance(effect, Note):
                self.notes.append(effect)

    def _deliver(self) -> None:
        while self._post:
            sender, to, data = self._post.popleft()
            if to in self.members:
                member = self.members[to]
                for event in (Received(sender, unframed(data)), Flush()):
                    self._carry_out(member, member.node.handle(event, self.now))


def framed(sender: str, message: Message) -> bytes:
    """As a peer sees it on the wire; fails where a link that has no connection yet would not keep it."""
    envelope = f'{{"from":"{sender}","id":"{sender}:1","message":{encode_message(message)}}}'
    data = request("POST", "/internal/replicate", envelope.encode("ascii"), (("Host", "n"),))
    link = PeerLink("n", 1, on_reply=print, on_error=print, on_state=print)
    link.send("/internal/replicate", envelope.encode("ascii"))
    assert link.dropped == 0
    assert len(envelope) <= MAX_MESSAGE
    return data


def admit_message(method: str, path: str, headers: Headers, length: int) -> HeaderPairs:
    check_length(length, MAX_MESSAGE)
    return ()


def unframed(data: bytes) -> Message:
    parser = RequestParser(admit_message)
    parser.feed(data)
    parsed = parser.next()
    assert parsed is not None
    return build_message(from_json(parsed.body.decode())["message"])


def answered(result: Result) -> tuple[int, Any]:
    """As the client reads it."""
    code, body = answer(result, "leader")
    parser = ResponseParser(LinkLimits().answer_bytes)
    parser.feed(response(code, to_json(body).encode("ascii")))
    parsed = parser.next()
    assert parsed is not None
    return parsed.status, json.loads(parsed.body)


def check(bodies: Iterable[bytes], mode: str = "quorum") -> int:
    """Put what the door lets in, and find it everywhere again. Returns how many bodies that were."""
    values: dict[str, Any] = {}
    for number, body in enumerate(bodies):
        try:
            values[f"key-{number}"] = read_value(body)
        except BadValue:
            continue
    with tempfile.TemporaryDirectory() as folder, short_logs(), Trio(Path(folder), mode) as trio:
        late = "node-3" if mode != "sync" else ""
        trio.start(*(node for node in IDS if node != late))
        trio.run(1.0)
        for number, (key, value) in enumerate(values.items()):
            trio.ask(number, Put(key, value))
        trio.run(1.0)
        for number, (key, value) in enumerate(values.items()):
            code, body = answered(trio.results[number])
            assert (code, body["key"]) == (200, key)
            assert same(body["value"], value)
        if late:
            trio.start(late)  # what it lacks is no longer in the log
            trio.run(2.0)
            assert any(note.kind == "installed_snapshot" for note in trio.notes) or len(values) < 4
        everywhere(trio, values)
        trio.crash()
        trio.start()
        trio.run(2.0)
        everywhere(trio, values)
    return len(values)


def everywhere(trio: Trio, values: dict[str, Any]) -> None:
    for node_id in IDS:
        for key, value in values.items():
            entry = trio.members[node_id].node.read(key)
            assert entry is not None, f"{node_id} lacks {key}"
            assert same(entry.value, value), f"{node_id} holds another value for {key}"


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types: 1 is not True, and 0.0 is not -0.0."""
    return to_json(one) == to_json(other)


@contextmanager
def short_logs() -> Iterator[None]:
    before = log.KEEP_ENTRIES
    log.KEEP_ENTRIES = 1
    try:
        yield
    finally:
        log.KEEP_ENTRIES = before


def corners() -> Iterator[bytes]:
    """Bodies at the limits, and just beyond."""
    for depth in (MAX_NESTING, MAX_NESTING + 1, 974, 976, 1_486, 9_987, 100_000):
        yield b"[" * depth + b"]" * depth
        yield b'{"a":' * depth + b"1" + b"}" * depth
    for digits in (MAX_DIGITS, MAX_DIGITS + 1, 640, 4_300, 4_301, 100_000):
        yield b"9" * digits
        yield b"[-" + b"9" * digits + b"]"
    for count in (MAX_ITEMS, MAX_ITEMS + 1, 209_000):
        yield b"[" + b",".join([b"1e15"] * count) + b"]"
        yield b"[" + b",".join([b'{"a":[]}'] * (count // 3)) + b"]"
        yield b"[" + b",".join([b"5e-324"] * count) + b"]"
    for character, size in (("x", 1), ("\x7f", 6), ("é", 6), ("😀", 12)):
        for count in ((MAX_BYTES - 2) // size, (MAX_BYTES - 2) // size + 1, 700_000):
            yield json.dumps(character * count, ensure_ascii=False).encode()
    yield from (b'"a\\ud800b"', b'"\\udc00"', b'["\\ud83d\\ude00"]', b'{"\\ud800":1}', b'"\\\\ud800"')
    yield from (b"NaN", b"[Infinity]", b"-Infinity", b"1e999", b"[-1e400]")
    yield from (b"-0", b"-0.0", b"1e-400", b"1E+2", b"1e308")
    yield from (b'{"a":1,"a":2}', b'{"a":1,"\\u0061":2}', b'{"tuple":[1]}', b'{"dict":{}}', b"{}", b"[]", b"", b"nul")


if __name__ == "__main__":
    found = {mode: check(corners(), mode) for mode in ("async", "quorum", "sync")}
    print(sys.version.split()[0], *(f"{mode}: {count} values carried" for mode, count in found.items()), sep=", ")
