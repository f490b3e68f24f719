"""A whole cluster in one thread, with pretended time: the same nodes, as bad a network as you like, all repeatable.

Law of this module: one seed, one run. All chance comes from `random.Random(seed)`, all time from `now`; messages and
records pass through the same JSON codec as on the wire and on disk, so what would not survive there does not survive
here. A crash loses everything a node did not save, and may strike between any two effects.

Everything that happens goes into `trace`, as the events that real nodes tell of, too (`labs.trace.events`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random
from typing import Any, NamedTuple

from labs.trace.events import Event
from replstore.answers import answer
from replstore.codec import decode_message, decode_record, encode_message, encode_record
from replstore.election import Election, Seat
from replstore.events import summary
from replstore.faults import Faults
from replstore.messages import (
    Command,
    Delete,
    Effect,
    Flush,
    FlushAfter,
    HeartbeatReply,
    Input,
    Install,
    LinearizableGet,
    Message,
    NodeId,
    Note,
    Put,
    Received,
    Record,
    Reply,
    Request,
    Result,
    Save,
    Send,
    State,
    Tick,
)
from replstore.node import Node

KINDS: dict[type, str] = {Put: "put", Delete: "delete", LinearizableGet: "get"}
OUTCOMES = {200: "ok", 404: "ok", 400: "failed", 503: "failed", 504: "unknown"}
"""What a client may believe after an answer."""


@dataclass(frozen=True)
class Network:
    """How messages travel. Delays are in seconds; a message takes a random time between `fastest` and `slowest`, so
    messages overtake each other. `slow` multiplies the delays to and from the named nodes."""

    fastest: float = 0.001
    slowest: float = 0.005
    slow: dict[NodeId, float] = field(default_factory=dict)

    def delay(self, sender: NodeId, to: NodeId, rng: Random) -> float:
        factor = max(self.slow.get(sender, 1.0), self.slow.get(to, 1.0)) if self.slow else 1.0
        return factor * (self.fastest + (self.slowest - self.fastest) * rng.random())


class Letter(NamedTuple):
    """A message as it travels: its text, and what the trace tells of it."""

    text: str
    kind: str
    details: dict[str, Any]


@dataclass(slots=True)
class Call:
    """A client's request on its way. When `done`: `result` is the node's answer, or None where none will ever come;
    `refused` then says that the node was not there to be asked (certain), else the answer was lost (uncertain)."""

    node: NodeId
    command: Command
    done: bool = False
    result: Result | None = None
    refused: bool = False


class Moment(NamedTuple):
    """What nodes are fed, each by its own clock's time, within less time than a message takes: whatever one of them
    does about it, the others learn of it later. The last of it happens at `until`."""

    until: float
    events: list[tuple[NodeId, float, Input]]


class Machine:
    """The computer that a node runs on: what survives a crash, and what does not."""

    def __init__(self, node_id: NodeId, rate: float) -> None:
        self.id = node_id
        self.rate = rate
        """How fast its clock goes: 1.01 gains a hundredth."""
        self.disk: list[str] = []
        self.node: Node | None = None
        self.life = 0
        """Counts starts, so that timers and answers of an earlier life are recognised and dropped."""
        self.paused = False
        self.missed: list[Input] = []
        self.calls: dict[int, Call] = {}
        self.crash_within: Random | None = None
        self.crash_at_save = False

    @property
    def awake(self) -> bool:
        return self.node is not None and not self.paused

    @property
    def idle(self) -> bool:
        """Without office: what its next tick leads to is its strategy's doing alone."""
        return self.node is not None and self.node.office is None and self.node.lending is None

    def save(self, record: Record) -> None:
        text = encode_record(record)
        if isinstance(record, Install):
            state = next((line for line in reversed(self.disk) if isinstance(decode_record(line), State)), None)
            self.disk = [line for line in (state, text) if line]
        else:
            self.disk.append(text)


class Simulator:
    """`nodes` of them, named as in the lesson. Times in seconds. `drift`: clocks run up to this share fast or slow.

    `durable=False`: nodes keep no journal, and a restarted one begins with nothing. `node_class`: for nodes that are
    broken on purpose.

    An election factory with a method `foresee` is told ahead what its strategies will be asked (see `coming`), so that
    it may find the answers together; it returns until when they are known.
    """

    def __init__(
        self,
        nodes: int | Sequence[NodeId],
        election: Callable[[Seat], Election],
        *,
        seed: int = 0,
        heartbeat: float = 0.1,
        timeout: float = 0.4,
        mode: str = "async",
        network: Network | None = None,
        drift: float = 0.0,
        durable: bool = True,
        node_class: type[Node] = Node,
    ) -> None:
        self.node_ids = tuple(f"node-{n}" for n in range(1, nodes + 1)) if isinstance(nodes, int) else tuple(nodes)
        self.seed = seed
        self.rng = Random(seed)
        self.now = 0.0
        self.network = network or Network()
        self.faults = Faults()
        self.cuts: set[tuple[NodeId, NodeId]] = set()
        self.trace: list[Event] = []
        self._election = election
        self._node_class = node_class
        self._heartbeat, self._timeout, self._mode, self._durable = heartbeat, timeout, mode, durable
        self._foresee: Callable[[list[Moment]], float] | None = getattr(election, "foresee", None)
        self._agenda: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = 0
        self._messages = 0
        self._last: tuple[Message | None, Letter] = (None, Letter("", "", {}))
        self._requests = 0
        self.machines = {
            name: Machine(name, 1.0 + (drift * (2 * self.rng.random() - 1) if drift else 0.0)) for name in self.node_ids
        }

    # -- time -----------------------------------------------------------------------------------------

    def run_for(self, seconds: float) -> None:
        self.run_until(self.now + seconds)

    def run_until(self, time: float) -> None:
        agenda, foresee = self._agenda, self._foresee
        known = -1.0
        while agenda and agenda[0][0] <= time:
            if foresee is not None and agenda[0][0] > known:
                known = foresee(self.coming(time))
            self.now, _, action, args = heappop(agenda)
            action(*args)
        self.now = max(self.now, time)

    def run_while(self, condition: Callable[[], bool], limit: float) -> bool:
        """Go on as long as `condition()` holds, for `limit` seconds at most; returns whether it ceased to hold."""
        agenda = self._agenda
        end = self.now + limit
        while condition():
            if not agenda or agenda[0][0] > end:
                self.now = end
                return False
            self.now, _, action, args = heappop(agenda)
            action(*args)
        return True

    def at(self, time: float, action: Callable[..., None], *args: Any) -> None:
        """Do something at virtual time `time`; things at the same time happen in the order in which they were set."""
        self._order += 1
        heappush(self._agenda, (time, self._order, action, args))

    def after(self, delay: float, action: Callable[..., None], *args: Any) -> None:
        self.at(self.now + delay, action, *args)

    # -- looking ahead --------------------------------------------------------------------------------

    def coming(self, end: float) -> list[Moment]:
        """What nodes will be fed until `end`, as far as that is certain: ticks of nodes that neither lead nor lend, up
        to the first moment in which more than that happens; of each moment, the first event of each node.

        It stays certain until one of these ticks leads to something: then later moments may turn out otherwise.
        """
        found: list[Moment] = []
        fed: set[NodeId] = set()
        busy = False
        for time, _, action, args in sorted(self._agenda):
            if time > end or action not in (self._tick, self._arrive, self._finish):
                break
            machine, event = self._feeds(action, args)
            if machine is None or event is None:
                continue
            if not found or (found[-1].until < time and not busy):
                found.append(Moment(time, []))
                fed.clear()
            if machine.id not in fed:
                fed.add(machine.id)
                found[-1].events.append((machine.id, time * machine.rate, event))
                found[-1] = found[-1]._replace(until=time)
            quiet = type(event) is Tick and machine.idle
            busy = busy or not quiet
            # What comes of an event: a tick's next tick, and of anything else perhaps a message to somebody.
            end = min(end, time + (0.9 * self._heartbeat / 4 if quiet else self.network.fastest))
        return found

    def _feeds(self, action: Callable[..., None], args: tuple[Any, ...]) -> tuple[Machine | None, Input | None]:
        """Which node something on the agenda feeds as things stand, and with what."""
        if action == self._tick:
            machine, life = args
            return (machine, Tick()) if machine.awake and machine.life == life else (None, None)
        if action == self._arrive:
            sender, to, letter = args[:3]
            machine = self.machines[to]
            if machine.awake and (sender, to) not in self.cuts:
                return machine, Received(sender, decode_message(letter.text))
        return None, None

    # -- machines -------------------------------------------------------------------------------------

    def start(self, *nodes: NodeId) -> None:
        """Start these nodes (default: all), from what is on their disks."""
        for name in nodes or self.node_ids:
            machine = self.machines[name]
            if machine.node is None:
                self._boot(machine)

    def _boot(self, machine: Machine) -> None:
        machine.life += 1
        machine.node = self._node_class(
            machine.id,
            [peer for peer in self.node_ids if peer != machine.id],
            self._election,
            heartbeat=self._heartbeat,
            timeout=self._timeout,
            mode=self._mode,
            # A string seeds alike in every process; a hash of it would not.
            rng=Random(f"{self.seed}/{machine.id}/{machine.life}"),
            records=map(decode_record, machine.disk),
        )
        self._log(machine.id, "fault", "start")
        self._log(machine.id, "note", "started", {"election": type(machine.node.election).__name__, "mode": self._mode})
        # Machines are not started in the same instant, and their ticks never fall together.
        self.after(machine.node.tick_interval * self.rng.random(), self._tick, machine, machine.life)

    def crash(self, node: NodeId, kind: str = "crash") -> None:
        """Lose everything that was not saved, at once."""
        machine = self.machines[node]
        if machine.node is None:
            return
        machine.node = None
        machine.paused = False
        machine.missed.clear()
        machine.crash_within = None
        machine.crash_at_save = False
        if not self._durable:
            machine.disk.clear()
        for call in machine.calls.values():
            call.done = True
        machine.calls.clear()
        self._log(node, "fault", kind)

    def crash_within_a_step(self, node: NodeId) -> None:
        """Crash in the middle of the node's next effects: those before a random place happen, the others never do."""
        self.machines[node].crash_within = self.rng

    def crash_before_save(self, node: NodeId) -> None:
        """Crash at the node's next `Save` but before it: what the node let out already is on its way, the record is
        not on its disk."""
        self.machines[node].crash_at_save = True

    def pause(self, node: NodeId) -> None:
        """Freeze: what arrives waits, and the node will not notice that time has passed."""
        machine = self.machines[node]
        if machine.node is not None and not machine.paused:
            machine.paused = True
            self._log(node, "fault", "pause")

    def resume(self, node: NodeId) -> None:
        machine = self.machines[node]
        if not machine.paused:
            return
        machine.paused = False
        self._log(node, "fault", "resume")
        missed, machine.missed = machine.missed, []
        for event in missed:
            self._feed(machine, event)

    # -- the network ----------------------------------------------------------------------------------

    def partition(self, *groups: Iterable[NodeId]) -> None:
        """Cut the network between the groups; a node that none names is alone. Takes the place of earlier cuts."""
        group_of = {name: number for number, group in enumerate(groups) for name in group}
        side = {name: group_of.get(name, -number) for number, name in enumerate(self.node_ids, 1)}
        self.cuts = {(a, b) for a in self.node_ids for b in self.node_ids if side[a] != side[b]}
        self._log("", "fault", "partition", {"groups": [sorted(group) for group in groups]})

    def cut(self, sender: NodeId, to: NodeId) -> None:
        """Lose what `sender` says to `to`; the other direction is not touched."""
        self.cuts.add((sender, to))
        self._log("", "fault", "cut", {"from": sender, "to": to})

    def heal(self) -> None:
        self.cuts.clear()
        self._log("", "fault", "heal")

    def set_faults(self, kind: str = "settings", **fields: Any) -> None:
        """Change `faults` (delay of replication, loss, duplication) from now on. Raises `BadFaults`. `kind` is what the
        trace calls it."""
        self.faults = self.faults.changed(fields)
        self._log("", "fault", kind, self.faults.to_json())

    # -- clients --------------------------------------------------------------------------------------

    def request(self, node: NodeId, command: Command) -> Call:
        """Ask `node`; the answer is in the returned `Call` once it is `done`."""
        call = Call(node, command)
        self.after(self.network.delay(node, node, self.rng), self._deliver_request, call)
        return call

    def _deliver_request(self, call: Call) -> None:
        machine = self.machines[call.node]
        if machine.node is None:
            call.done = call.refused = True
            return
        self._requests += 1
        machine.calls[self._requests] = call
        details = {"key": call.command.key}
        if isinstance(call.command, Put):
            details["value"] = call.command.value
        self._log(machine.id, "request", KINDS[type(call.command)], details, f"client:{self._requests}")
        self._feed(machine, Request(self._requests, call.command))

    def _answer(self, machine: Machine, request: int, result: Result) -> None:
        call = machine.calls.pop(request)
        code, _ = answer(result, "")
        details = {"key": call.command.key, "code": code, "outcome": OUTCOMES[code]}
        self._log(machine.id, "reply", KINDS[type(call.command)], details, f"client:{request}")
        self.after(self.network.delay(machine.id, machine.id, self.rng), self._finish, call, result)

    def _finish(self, call: Call, result: Result) -> None:
        call.result = result
        call.done = True

    # -- nodes at work --------------------------------------------------------------------------------

    def _tick(self, machine: Machine, life: int) -> None:
        node = machine.node
        if node is None or machine.life != life:
            return
        self.at(self.now + node.tick_interval / machine.rate, self._tick, machine, life)
        if not machine.paused and (effects := node.handle(_TICK, self.now * machine.rate)):
            self._carry_out(machine, effects)

    def _flush_later(self, machine: Machine, life: int) -> None:
        if machine.life == life and machine.awake:
            self._feed(machine, _FLUSH)

    def _feed(self, machine: Machine, event: Input) -> None:
        """Hand over something that arrived; it came alone, so a `Flush` follows it."""
        node = machine.node
        if machine.paused:
            machine.missed.append(event)
        elif node is not None:
            now = self.now * machine.rate
            if effects := node.handle(event, now):
                self._carry_out(machine, effects)
            # It may have crashed over that.
            if machine.node is node and (effects := node.handle(_FLUSH, now)):
                self._carry_out(machine, effects)

    def _carry_out(self, machine: Machine, effects: list[Effect]) -> None:
        survive = len(effects)
        if machine.crash_within is not None:
            survive = machine.crash_within.randrange(len(effects))
        elif machine.crash_at_save:
            survive = next((at for at, effect in enumerate(effects) if type(effect) is Save), survive)
        for effect in effects[:survive]:
            if type(effect) is Send:
                self._send(machine.id, effect.to, effect.message)
            elif type(effect) is Note:
                self._log(machine.id, "note", effect.kind, effect.details)
            elif type(effect) is Save:
                machine.save(effect.record)
            elif type(effect) is Reply:
                self._answer(machine, effect.id, effect.result)
            elif type(effect) is FlushAfter:
                self.after(effect.seconds / machine.rate, self._flush_later, machine, machine.life)
        if survive < len(effects):
            self.crash(machine.id)

    def _send(self, sender: NodeId, to: NodeId, message: Message) -> None:
        self._messages += 1
        message_id = f"{sender}:{self._messages}"
        letter = self._letter(message)
        self._log(sender, "sent", letter.kind, letter.details, message_id, to)
        copies = 0 if (sender, to) in self.cuts else self.faults.copies(self.rng)
        if not copies:
            self._log(sender, "dropped", letter.kind, letter.details, message_id, to)
        for _ in range(copies):
            delay = self.network.delay(sender, to, self.rng) + self.faults.delay(message, self.rng)
            self.at(self.now + delay, self._arrive, sender, to, letter, message_id)

    def _letter(self, message: Message) -> Letter:
        """Encoding is what costs most: a broadcast is one message sent several times, and the followers' answers to a
        heartbeat are equal more often than not."""
        known, letter = self._last
        if message is not known and not (type(message) is HeartbeatReply and message == known):
            letter = Letter(encode_message(message), type(message).__name__, summary(message))
            self._last = (message, letter)
        return letter

    def _arrive(self, sender: NodeId, to: NodeId, letter: Letter, message_id: str) -> None:
        machine = self.machines[to]
        if machine.node is None or (sender, to) in self.cuts:
            return
        self._log(to, "received", letter.kind, letter.details, message_id, sender)
        self._feed(machine, Received(sender, decode_message(letter.text)))

    def _log(
        self, node: NodeId, event: str, kind: str, details: dict[str, Any] | None = None, id: str = "", peer: str = ""
    ) -> None:
        # What `Event(…)` does, in half the time: more of these are made than of anything else.
        fields = (self.now, node, event, kind, len(self.trace) + 1, id, peer, details or {})
        self.trace.append(tuple.__new__(Event, fields))


_TICK, _FLUSH = Tick(), Flush()
