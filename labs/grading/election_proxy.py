"""A student's `Election` in a simulated cluster: the node is ours, the strategy answers from the sandbox.

Law of this module: whatever the strategy answers is checked before the node sees it, so that nothing a student writes
can break the simulator. Its own messages are carried unopened.

    host = session.elections()                       # in a check
    run = Simulator(election=host, ...)              # the host is the factory of strategies
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from labs.events import Event
from labs.grading.faults import FaultKind, GraderFault, StudentFault
from replstore.codec import CodecError, decode_message, encode_message, pack, unpack
from replstore.election import Election, Seat
from replstore.messages import Message, NodeId

if TYPE_CHECKING:
    from labs.grading.session import Session

MAX_TERM = 2**53
MAX_MESSAGE = 100_000
MAX_NOTE = 2000

NODE_NOTES = frozenset(
    (
        *("started", "state", "became_leader", "stepped_down", "following", "catching_up", "committed"),
        *("appended", "truncated", "write_lost", "installed_snapshot", "recovered", "stopping"),
    )
)
"""What only the node itself may say: the checks read these. A strategy's note of such a kind is renamed."""


@dataclass(frozen=True, slots=True)
class StudentMessage(Message):
    """A message of the strategy's own: the name of its type, and the text as which its class travels."""

    type_name: str
    text: str


class ElectionHost:
    """Makes the strategies of one simulated run: call it with a `Seat`, as a node does.

    `fault` is the first thing that went wrong on the student's side. It is raised where it happens; if the simulator
    takes that for a crashed node and goes on, the runner still finds it here.
    """

    def __init__(self, session: Session, class_name: str, forget: Iterable[int] = ()) -> None:
        self._session = session
        self._class_name = class_name
        self._forget = list(forget)
        self._proxies: dict[NodeId, ElectionProxy] = {}
        self._messages = 0
        self.places: list[int] = []
        self.fault: StudentFault | None = None

    def __call__(self, seat: Seat) -> Election:
        return ElectionProxy(seat, self)

    def prefetch(self, now: float, nodes: Sequence[NodeId]) -> None:
        """Ask for several nodes' `tick(now)` with one question. Optional, and worth it: a question takes far longer
        than a tick. Each of these nodes' next call must be `tick(now)`, with nothing in between that changes it."""
        proxies = [self._proxies[node] for node in nodes if node in self._proxies]
        answers = self.ask("play", {"steps": [proxy.step(now, None, "") for proxy in proxies]})
        for proxy, answer in zip(proxies, self.answers(answers, len(proxies)), strict=True):
            proxy.ahead = (now, proxy.log.last, answer)

    # -- for the proxies ------------------------------------------------------------------------------

    def seat(self, proxy: ElectionProxy, seed: int) -> list[Any]:
        self._proxies[proxy.me] = proxy
        self.places.append(proxy.place)
        forget, self._forget = self._forget, []
        question = {
            "place": proxy.place,
            "forget": forget,
            "class": self._class_name,
            "me": proxy.me,
            "peers": proxy.peers,
            "timeout": proxy.timeout,
            "heartbeat": proxy.heartbeat,
            "last": proxy.log.last,
            "seed": seed,
        }
        answer = self.ask("seat", question)
        if type(answer) is not list or len(answer) != 6 or type(answer[0]) is not bool:
            self.invalid("the election's first answer")
        return list(answer)

    def next_place(self) -> int:
        return self._session.next_number()

    def ask(self, do: str, question: dict[str, Any]) -> Any:
        if self.fault is not None:
            raise self.fault
        try:
            return self._session.ask(do, question, self._session.limits.question)
        except StudentFault as fault:
            self.fault = fault
            raise

    def answers(self, data: Any, count: int) -> list[Any]:
        if type(data) is not list or len(data) != count:
            self.invalid("the number of answers")
        return list(data)

    def count(self, messages: int) -> None:
        self._messages += messages
        if self._messages > self._session.limits.messages:
            self._fail(FaultKind.RESOURCE_LIMIT, f"more than {self._session.limits.messages:,} messages sent")

    def invalid(self, what: str) -> None:
        self._fail(FaultKind.INVALID_REPLY, what)

    def _fail(self, kind: FaultKind, message: str) -> None:
        self.fault = StudentFault(kind, message)
        raise self.fault


class ElectionProxy(Election):
    """One node's strategy, as its node sees it."""

    def __init__(self, seat: Seat, host: ElectionHost) -> None:
        super().__init__(seat)
        self._host = host
        self.place = host.next_place()
        self.ahead: tuple[float, tuple[int, int], Any] | None = None
        self._told: tuple[int, Any] = (0, None)
        # The strategy gets dice of its own; their seed is the only number that it costs ours.
        catches_up, *answer = host.seat(self, seat.rng.getrandbits(64))
        self.catches_up = catches_up  # type: ignore[misc]
        self._adopt(answer)

    def tick(self, now: float) -> None:
        if self.ahead is not None:
            moment, last, answer = self.ahead
            self.ahead = None
            if (moment, last) != (now, self.log.last):
                raise GraderFault(f"{self.me}: fetched the tick of {moment}, at log end {last}, but used it at {now}")
            self._adopt(answer)
        else:
            self._play(now, None, "")

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        if self.ahead is not None:
            raise GraderFault(f"{self.me}: a message arrived between a prefetched tick and its use")
        self._play(now, sender, message.text if isinstance(message, StudentMessage) else encode_message(message))

    def step(self, now: float, sender: NodeId | None, text: str) -> list[Any]:
        """The question for one call."""
        state = None
        if self._told != (self.term, self.vote):
            self._told = (self.term, self.vote)
            state = [self.term, pack(self.vote)]
        return [self.place, now, self.log.last, state, sender, text]

    def _play(self, now: float, sender: NodeId | None, text: str) -> None:
        answers = self._host.ask("play", {"steps": [self.step(now, sender, text)]})
        self._adopt(self._host.answers(answers, 1)[0])

    # -- what the strategy answered -------------------------------------------------------------------

    def _adopt(self, answer: Any) -> None:
        self._require(type(answer) is list and len(answer) == 5, "an answer that is none of an election's")
        leader, term, vote, sent, notes = answer
        known = leader is None or (type(leader) is str and (leader == self.me or leader in self.peers))
        self._require(known, f"leader must be None or a node's id, not {_short(leader)}")
        self._require(type(term) is int and 0 <= term <= MAX_TERM, f"term must be a whole number, not {_short(term)}")
        self._require(type(sent) is list and type(notes) is list, "an answer that is none of an election's")
        self._host.count(len(sent))
        self.leader, self.term, self.vote = leader, term, self._unpack(vote)
        self._told = (self.term, self.vote)
        for one in sent:
            self._send(one)
        for one in notes:
            self._pass_on(one)

    def _unpack(self, data: Any) -> Any:
        try:
            self._require(len(json.dumps(data)) <= MAX_NOTE, "vote is too large")
            return unpack(data)
        except (CodecError, RecursionError):
            self._host.invalid(f"vote does not survive JSON: {_short(data)}")

    def _send(self, data: Any) -> None:
        fine = type(data) is list and [type(part) for part in data] == [str, str, str]
        self._require(fine and len(data[2]) <= MAX_MESSAGE, "a message too large, or none")
        peer, kind, text = data
        self._require(peer in self.peers, f"{_short(peer)} is no peer of {self.me}: nothing can be sent to it")
        self.send(peer, self._message(kind, text))

    def _message(self, kind: str, text: str) -> Message:
        if not text.startswith('{"type":"replstore.messages.'):
            return StudentMessage(kind[:80], text)
        try:  # one of the node's own: then the other node must take it for what it is
            return decode_message(text)
        except CodecError as error:
            self._host.invalid(str(error)[:200])
            raise

    def _pass_on(self, data: Any) -> None:
        fine = type(data) is list and len(data) == 2 and type(data[0]) is str and len(data[0]) <= 80
        self._require(fine and type(data[1]) is dict and "kind" not in data[1], "a note that is none")
        kind, details = data
        self._require(len(json.dumps(details)) <= MAX_NOTE, f"a note of more than {MAX_NOTE} characters")
        self.note(f"strategy_{kind}" if kind in NODE_NOTES else kind, **details)

    def _require(self, fine: bool, message: str) -> None:
        if not fine:
            self._host.invalid(message)


def _short(value: Any) -> str:
    return repr(value)[:60]


# --------------------------------------------------------------------------------------------------------
# Pictures


def readable(events: Iterable[Event]) -> list[Event]:
    """The events with the student's own message names and fields in place of `StudentMessage`, for drawing."""
    return [_readable(event) if event.kind == StudentMessage.__name__ else event for event in events]


def _readable(event: Event) -> Event:
    name = event.details.get("type_name", event.kind)
    try:
        fields = json.loads(event.details.get("text", "{}"))
    except (ValueError, RecursionError):
        fields = {}
    scalars = {key: value for key, value in fields.items() if type(value) in (bool, int, str) and key != "type"}
    return replace(event, kind=name, details=scalars)
