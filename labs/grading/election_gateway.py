"""A student's `Election` in a simulated cluster: the node runs here, its strategy answers from the sandbox.

Law of this module: every answer of the strategy is checked before the node sees it, so that nothing that a student
writes can break the simulator. The strategy's own messages are carried unopened.
"""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from labs.grading.errors import ErrorKind, GraderError, StudentError
from labs.grading.rehearsal import LookAhead
from labs.grading.sandbox.limits import SandboxLimits
from labs.trace.events import Event
from labs.trace.kinds import NODE_NOTES
from replstore.core.contract import Received, State, Tick
from replstore.core.election import Election, ElectionContext
from replstore.core.messages import NODE_MESSAGES, Heartbeat, HeartbeatReply, Message, NodeId
from replstore.wire.codec import CodecError, encode_message, encode_record, pack, unpack, wire_name_in

MAX_TERM = 2**53
MAX_MESSAGE = 100_000
MAX_NOTE = 2000
NOT_IN_NOTES = frozenset(("self", "kind"))
"""What the node's own function calls its parameters."""


@dataclass(frozen=True, slots=True)
class StudentMessage(Message):
    """A message of the strategy's own: the name of its type, and the text as which its class travels."""

    type_name: str
    text: str


ELECTION_MESSAGES = (StudentMessage, Heartbeat, HeartbeatReply)
"""All that a node passes on to its strategy."""


class StrategyCall(NamedTuple):
    """One call of a strategy: `tick(now)`, or `receive(sender, message, now)`. `last` is the log's end then."""

    now: float
    sender: NodeId | None
    message: Message | None
    last: tuple[int, int]


class Questions(Protocol):
    """Where the strategies' answers come from: a session with a sandbox."""

    @property
    def limits(self) -> SandboxLimits: ...

    def ask(self, do: str, question: Mapping[str, Any], limit: float) -> Any:
        """Raises `StudentError`."""

    def next_number(self) -> int:
        """A number that no other object in the sandbox has."""


class RemoteElections:
    """Makes the strategies of one simulated run: call it with a `ElectionContext`, as a node does.

    An error of the student's code is raised where it happens, and again by every later call.
    """

    def __init__(self, questions: Questions, class_name: str, forget: Iterable[int] = ()) -> None:
        self._questions = questions
        self._class_name = class_name
        self._forget = list(forget)
        self._proxies: dict[NodeId, ElectionProxy] = {}
        self._messages = self._notes = self._note_bytes = 0
        self.places: list[int] = []
        self._error: StudentError | None = None

    def __call__(self, seat: ElectionContext) -> Election:
        return ElectionProxy(seat, self)

    def foresee(self, coming: Sequence[LookAhead]) -> float:
        """Put what is coming into one question; returns until when the answers are known (see `LookAheadSimulator`)."""
        plan = [self._calls(moment) for moment in coming]
        if sum(map(len, plan)) < 2:
            return coming[-1].until if plan else -1.0
        unchanged, answers = self.play([[proxy.step(call) for proxy, call in calls] for calls in plan])
        for calls in plan[:unchanged]:
            for proxy, call in calls:
                proxy.foreseen(call, proxy.unchanged)
        if unchanged == len(plan):
            return coming[-1].until
        for (proxy, call), answer in zip(plan[unchanged], answers, strict=True):
            proxy.foreseen(call, answer)
        return coming[unchanged].until

    def play(self, steps: list[list[list[Any]]]) -> tuple[int, list[Any]]:
        """Put the calls of one moment after the other. Returns of how many moments nothing came, and the answers to the
        next one's calls, if there is one: what comes after it is not known."""
        reply = self.ask("play", {"steps": steps})
        if type(reply) is not list or len(reply) != 2:
            self.invalid("the answer to several calls")
        unchanged, answers = reply
        if type(unchanged) is not int or not 0 <= unchanged <= len(steps):
            self.invalid("the number of answers")
        return unchanged, self._answers(answers, len(steps[unchanged]) if unchanged < len(steps) else 0)

    def _calls(self, moment: LookAhead) -> list[tuple[ElectionProxy, StrategyCall]]:
        """The calls of strategies that these events will lead to."""
        found, proxies = [], self._proxies
        for node, now, event in moment.events:
            proxy = proxies[node]
            if type(event) is Tick:
                found.append((proxy, StrategyCall(now, None, None, proxy.log.last)))
            elif type(event) is Received and isinstance(event.message, ELECTION_MESSAGES):
                found.append((proxy, StrategyCall(now, event.sender, event.message, proxy.log.last)))
        return found

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
        if type(answer) is not list or len(answer) != 5:
            self.invalid("the election's first answer")
        return list(answer)

    def next_place(self) -> int:
        return self._questions.next_number()

    def ask(self, do: str, question: dict[str, Any]) -> Any:
        if self._error is not None:
            raise self._error
        try:
            return self._questions.ask(do, question, self._questions.limits.question)
        except StudentError as error:
            self._error = error
            raise

    def _answers(self, data: Any, count: int) -> list[Any]:
        if type(data) is not list or len(data) != count:
            self.invalid("the number of answers")
        return list(data)

    def count(self, messages: int, notes: int) -> None:
        self._messages += messages
        self._notes += notes
        self._require_at_most(self._questions.limits.messages, self._messages, "messages sent")
        self._require_at_most(self._questions.limits.notes, self._notes, "notes")

    def count_note(self, text: str) -> None:
        self._note_bytes += len(text)
        self._require_at_most(self._questions.limits.note_bytes, self._note_bytes, "bytes of notes")

    def _require_at_most(self, most: int, found: int, things: str) -> None:
        if found > most:
            self._fail(ErrorKind.RESOURCE_LIMIT, f"more than {most:,} {things} in one run")

    def invalid(self, what: str) -> None:
        self._fail(ErrorKind.INVALID_REPLY, what)

    def _fail(self, kind: ErrorKind, message: str) -> None:
        self._error = StudentError(kind, message)
        raise self._error


class ElectionProxy(Election):
    """One node's strategy, as its node sees it.

    `catches_up` stays False, whatever the strategy says: a node that fetches what it lacks would make up for a vote
    that does not look at logs, and the exercise asks for one that does.
    """

    def __init__(self, seat: ElectionContext, elections: RemoteElections) -> None:
        super().__init__(seat)
        self._elections = elections
        self.place = elections.next_place()
        self.ahead: deque[tuple[StrategyCall, Any]] = deque()
        """What the strategy answered to calls that are still to come."""
        self.unchanged: list[Any] = []
        """The answer of which nothing comes."""
        self._handed_over: tuple[int, Any] = (0, None)
        self._last: tuple[int, int] | None = None
        """The log's end that the strategy was told last."""
        # The strategy has a random generator of its own; only its seed is drawn from the node's.
        self._adopt_safely(elections.seat(self, seat.rng.getrandbits(64)))

    def tick(self, now: float) -> None:
        self._play(StrategyCall(now, None, None, self.log.last))

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        self._play(StrategyCall(now, sender, message, self.log.last))

    def step(self, call: StrategyCall) -> list[Any]:
        """The call as a question: a place and a time, and what is new: the log's end, term and vote after a crash,
        and a message."""
        message, restored = call.message, self.restored()
        if message is None and restored is None and call.last == self._last:
            return [self.place, call.now]
        text = message.text if type(message) is StudentMessage else encode_message(message) if message else ""
        return [self.place, call.now, call.last, restored, call.sender, text]

    def foreseen(self, call: StrategyCall, answer: Any) -> None:
        """The strategy was called so, and this is its answer; the node's own call is still to come."""
        self._last = call.last
        self.ahead.append((call, answer))

    def restored(self) -> list[Any] | None:
        """Term and vote, if the node has put them back after a crash; None: as the strategy left them."""
        return None if self._handed_over == (self.term, self.vote) else [self.term, pack(self.vote)]

    def _play(self, call: StrategyCall) -> None:
        if self.ahead:
            foreseen, answer = self.ahead.popleft()
            if foreseen != call:
                raise GraderError(f"{self.me}: asked for {foreseen} ahead of time, but it became {call}")
        else:
            _, answers = self._elections.play([[self.step(call)]])
            answer = answers[0] if answers else self.unchanged
            self._last = call.last
        if answer != self.unchanged or not self._is_as_before():  # most answers are alike, and what was fine is fine
            self._adopt_safely(answer)

    def _is_as_before(self) -> bool:
        """Whether the node has the leader, term and vote that the strategy gave it last."""
        return self._handed_over == (self.term, self.vote) and self.unchanged[0] == self.leader

    # -- what the strategy answered -------------------------------------------------------------------

    def _adopt_safely(self, answer: Any) -> None:
        """Whatever an answer does to the simulator, it is the answer that is wrong. The operator is told."""
        try:
            self._adopt(answer)
        except (StudentError, GraderError):
            raise
        except Exception as error:  # noqa: BLE001  # the kind of the fault is not known: that is the point
            print(f"an election's answer could not be taken: {type(error).__name__}: {error}", file=sys.stderr)
            self._elections.invalid(f"an answer that the simulator cannot take ({type(error).__name__})")

    def _adopt(self, answer: Any) -> None:
        self._require(type(answer) is list and len(answer) == 5, "an answer that is none of an election's")
        self.unchanged = [*answer[:3], [], []]
        leader, term, vote, sent, notes = answer
        known = leader is None or (type(leader) is str and (leader == self.me or leader in self.peers))
        self._require(known, f"leader must be None or a node's id, not {_short(leader)}")
        self._require(type(term) is int and 0 <= term <= MAX_TERM, f"term must be a whole number, not {_short(term)}")
        self._require(type(sent) is list and type(notes) is list, "an answer that is none of an election's")
        self._elections.count(len(sent), len(notes))
        self.leader, self.term, self.vote = leader, term, self._unpack(vote)
        self._handed_over = (self.term, self.vote)
        for one in sent:
            self._send(one)
        for one in notes:
            self._pass_on(one)

    def _unpack(self, data: Any) -> Any:
        try:
            self._require(len(json.dumps(data)) <= MAX_NOTE, "vote is too large")
            vote = unpack(data)
            encode_record(State(0, vote))  # as the node will have to
            return vote
        except (CodecError, RecursionError):
            self._elections.invalid(f"vote does not survive JSON: {_short(data)}")

    def _send(self, data: Any) -> None:
        fine = type(data) is list and [type(part) for part in data] == [str, str, str]
        self._require(fine and len(data[2]) <= MAX_MESSAGE, "a message too large, or none")
        peer, kind, text = data
        self._require(peer in self.peers, f"{_short(peer)} is no peer of {self.me}: nothing can be sent to it")
        self.send(peer, self._message(kind, text))

    def _message(self, kind: str, text: str) -> Message:
        known = Message.registry.get(wire_name_in(text) or "")
        if known in NODE_MESSAGES:
            self._elections.invalid(
                f"{kind[:80]} is the node's message: a strategy sends messages of its own types only"
            )
        return StudentMessage(kind[:80], text)

    def _pass_on(self, data: Any) -> None:
        fine = type(data) is list and len(data) == 2 and type(data[0]) is str and len(data[0]) <= 80
        self._require(fine and type(data[1]) is dict, "a note that is none")
        kind, details = data
        taken = sorted(details.keys() & NOT_IN_NOTES)
        self._require(not taken, f"a note's detail cannot be called {', '.join(taken)}")
        text = json.dumps(details)
        self._require(len(text) <= MAX_NOTE, f"a note of more than {MAX_NOTE} characters")
        self._elections.count_note(text)
        self.note(f"strategy_{kind}" if kind in NODE_NOTES else kind, **details)

    def _require(self, fine: bool, message: str) -> None:
        if not fine:
            self._elections.invalid(message)


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
    return event._replace(kind=name, details=scalars)
