"""Deterministic simulator: a whole cluster in one thread and in virtual time, with the same nodes as a real one.

Law of this module: one seed, one run. All chance comes from `random.Random(seed)`, all time from `now`; messages and
records pass through the same JSON codec as on the wire and on disk, so what would not survive there does not survive
here. A crash loses everything a node did not save, and may strike between any two effects.

Everything that happens goes into `trace`, as the events that real nodes tell of, too (`labs.trace.events`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import heapify, heappop, heappush
from random import Random
from typing import Any

from labs.simulation.hosts import ClientCall, Host, Network, Packet, Unsent
from labs.trace.events import Event
from replstore.core.contract import (
    Command,
    Delete,
    Effect,
    Flush,
    FlushAfter,
    Input,
    LinearizableGet,
    Note,
    Put,
    Received,
    Reply,
    Request,
    Result,
    Save,
    Send,
    Tick,
)
from replstore.core.election import Election, ElectionContext
from replstore.core.messages import NODE_MESSAGES, HeartbeatReply, Message, NodeId
from replstore.core.node import Node
from replstore.wire.answers import answer
from replstore.wire.codec import decode_message, decode_record, encode_message
from replstore.wire.event_ring import sent_details, summary
from replstore.wire.faults import Faults

KINDS: dict[type, str] = {Put: "put", Delete: "delete", LinearizableGet: "get"}
OUTCOMES = {200: "ok", 404: "ok", 400: "failed", 503: "failed", 504: "unknown"}
"""What a client may believe after an answer."""
INSTANT = 1e-9  # seconds. A clock is rounded: with less than this a node could wait for ever for "now".


class Simulator:
    """`nodes` of them, named as in the lesson. Times in seconds. `drift`: clocks run up to this share fast or slow.

    `durable=False`: nodes keep no journal, and a restarted one begins with nothing. `node_class`: for nodes that are
    broken on purpose.
    """

    def __init__(
        self,
        nodes: int | Sequence[NodeId],
        election: Callable[[ElectionContext], Election],
        *,
        seed: int | str = 0,
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
        self.unreachable: set[tuple[NodeId, NodeId]] = set()
        self.held: dict[tuple[NodeId, NodeId], list[tuple[Packet, str]]] = {}
        self.set_aside: dict[str, tuple[Any, ...]] = {}
        """Messages that are held back one by one, by their ids (see `by_hand`)."""
        self.arrived: dict[tuple[NodeId, NodeId], list[tuple[Packet, str]]] = {}
        """Messages that may arrive again (see `stepwise`)."""
        self.repeating = False
        self._answering: NodeId = ""
        self.trace: list[Event] = []
        self._election = election
        self._node_class = node_class
        self._heartbeat, self._timeout, self._mode, self._durable = heartbeat, timeout, mode, durable
        self.agenda: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = 0
        self._unsent = Unsent()
        self._messages = 0
        self._last: tuple[Message | None, Packet] = (None, Packet("", "", {}))
        self._requests = 0
        self.hosts = {
            name: Host(name, 1.0 + (drift * (2 * self.rng.random() - 1) if drift else 0.0)) for name in self.node_ids
        }

    # -- time -----------------------------------------------------------------------------------------

    def run_for(self, seconds: float) -> None:
        self.run_until(self.now + seconds)

    def run_until(self, time: float) -> None:
        agenda = self.agenda
        while agenda and agenda[0][0] <= time:
            self.now, _, action, args = heappop(agenda)
            action(*args)
        self.now = max(self.now, time)

    def run_while(self, condition: Callable[[], bool], limit: float) -> bool:
        """Go on as long as `condition()` holds, for `limit` seconds at most; returns whether it ceased to hold."""
        agenda = self.agenda
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
        heappush(self.agenda, (time, self._order, action, args))

    def at_last(self, time: float, action: Callable[..., None], *args: Any) -> None:
        """As `at`, but behind everything else that happens at that time."""
        self._order += 1
        heappush(self.agenda, (time, 10**15 + self._order, action, args))

    def after(self, delay: float, action: Callable[..., None], *args: Any) -> None:
        self.at(self.now + delay, action, *args)

    # -- hosts -------------------------------------------------------------------------------------

    def start(self, *nodes: NodeId) -> None:
        """Start these nodes (default: all), from what is on their disks."""
        for name in nodes or self.node_ids:
            host = self.hosts[name]
            if host.node is None:
                self._boot(host)

    def _boot(self, host: Host) -> None:
        host.starts += 1
        host.node = self._node_class(
            host.id,
            [peer for peer in self.node_ids if peer != host.id],
            self._election,
            heartbeat=self._heartbeat,
            timeout=self._timeout,
            mode=self._mode,
            # A string seeds alike in every process; a hash of it would not.
            rng=Random(f"{self.seed}/{host.id}/{host.starts}"),
            records=map(decode_record, host.disk),
        )
        self.log(host.id, "fault", "start")
        self.log(host.id, "note", "started", {"election": type(host.node.election).__name__, "mode": self._mode})
        # Hosts are not started in the same instant, and their ticks never fall together.
        self.after(host.node.tick_interval * self.rng.random(), self._tick, host, host.starts)

    def crash(self, node: NodeId, kind: str = "crash") -> None:
        """Lose everything that was not saved, at once."""
        host = self.hosts[node]
        if host.node is None:
            return
        host.node, host.paused, host.crash_within, host.crash_at_save = None, False, None, False
        host.missed.clear()
        if not self._durable:
            host.disk.clear()
        for call in host.calls.values():
            call.done = True
        host.calls.clear()
        self.log(node, "fault", kind)
        for _, to, packet, message_id in self._unsent.lost(self.agenda, node, self.now):
            self.log(node, "dropped", packet.kind, packet.details, message_id, to)

    def crash_within_a_step(self, node: NodeId) -> None:
        """Crash in the middle of the node's next effects: those before a random place happen, the others never do."""
        self.hosts[node].crash_within = self.rng

    def crash_before_save(self, node: NodeId) -> None:
        """Crash at the node's next `Save` but before it: what the node let out already is on its way, the record is
        not on its disk."""
        self.hosts[node].crash_at_save = True

    def pause(self, node: NodeId) -> None:
        """Freeze: what arrives waits, and the node will not notice that time has passed."""
        host = self.hosts[node]
        if host.node is not None and not host.paused:
            host.paused = True
            self.log(node, "fault", "pause")

    def resume(self, node: NodeId) -> None:
        host = self.hosts[node]
        if not host.paused:
            return
        host.paused = False
        self.log(node, "fault", "resume")
        missed, host.missed = host.missed, []
        for event in missed:
            self.feed(host, event)

    # -- the network ----------------------------------------------------------------------------------

    def partition(self, *groups: Iterable[NodeId]) -> None:
        """Cut the network between the groups; a node that none names is alone. Takes the place of earlier cuts."""
        group_of = {name: number for number, group in enumerate(groups) for name in group}
        side = {name: group_of.get(name, -number) for number, name in enumerate(self.node_ids, 1)}
        self.cuts = {(a, b) for a in self.node_ids for b in self.node_ids if side[a] != side[b]}
        self.log("", "fault", "partition", {"groups": [sorted(group) for group in groups]})

    def cut(self, sender: NodeId, to: NodeId) -> None:
        """Lose what `sender` says to `to`; the other direction is not touched."""
        self.cuts.add((sender, to))
        self.log("", "fault", "cut", {"from": sender, "to": to})

    def disconnect(self, sender: NodeId, to: NodeId) -> None:
        """`sender` cannot connect to `to`: what it says there is lost, but for what it says in the answer to a message
        of `to`, which comes back on `to`'s own connection (as in the runtime)."""
        self.unreachable.add((sender, to))
        self.log("", "fault", "disconnect", {"from": sender, "to": to})

    def hold(self, sender: NodeId, to: NodeId, under_way: bool = False) -> None:
        """Keep what `sender` says to `to` until `release`: it will arrive late, but it will arrive. `under_way`: also
        what is on its way already."""
        held = self.held.setdefault((sender, to), [])
        self.log("", "fault", "hold", {"from": sender, "to": to})
        if under_way:
            caught = [one for one in sorted(self.agenda) if one[2] == self.arrive and one[3][:2] == (sender, to)]
            held += [args[2:4] for *_, args in caught]
            self.agenda[:] = [one for one in self.agenda if one not in caught]
            heapify(self.agenda)

    def release(self, sender: NodeId, to: NodeId) -> None:
        """Let everything that was held back arrive now, in its order."""
        self.log("", "fault", "release", {"from": sender, "to": to})
        for packet, message_id in self.held.pop((sender, to), ()):
            self.at(self.now, self.arrive, sender, to, packet, message_id)

    def heal(self) -> None:
        for sender, to in list(self.held):
            self.release(sender, to)
        self.cuts.clear()
        self.unreachable.clear()
        self.log("", "fault", "heal")

    def set_faults(self, kind: str = "settings", **fields: Any) -> None:
        """Change `faults` (delay of replication, loss, duplication) from now on. Raises `BadFaults`. `kind` is what the
        trace calls it."""
        self.faults = self.faults.changed(fields)
        self.log("", "fault", kind, self.faults.to_json())

    def repeat_elections(self) -> None:
        """From now on, until all is mended, every message of a strategy arrives twice. (The node's own do not: two
        leaders that answer each other would flood the network.)"""
        self.repeating = True
        self.log("", "fault", "settings", {**self.faults.to_json(), "duplicate": 1.0})

    # -- clients --------------------------------------------------------------------------------------

    def request(self, node: NodeId, command: Command) -> ClientCall:
        """Ask `node`; the answer is in the returned `ClientCall` once it is `done`."""
        call = ClientCall(node, command, asked=self.now)
        self.after(self.network.delay(node, node, self.rng), self._deliver_request, call)
        return call

    def _deliver_request(self, call: ClientCall) -> None:
        host = self.hosts[call.node]
        if host.node is None:
            call.done = call.refused = True
            return
        self._requests += 1
        call.number = self._requests
        host.calls[self._requests] = call
        details = {"key": call.command.key}
        if isinstance(call.command, Put):
            details["value"] = call.command.value
        self.log(host.id, "request", KINDS[type(call.command)], details, f"client:{self._requests}")
        self.feed(host, Request(self._requests, call.command))

    def _answer(self, host: Host, request: int, result: Result) -> None:
        call = host.calls.pop(request)
        code, _ = answer(result, "")
        details = {"key": call.command.key, "code": code, "outcome": OUTCOMES[code]}
        self.log(host.id, "reply", KINDS[type(call.command)], details, f"client:{request}")
        self.after(self.network.delay(host.id, host.id, self.rng), self._finish, call, result)

    def _finish(self, call: ClientCall, result: Result) -> None:
        call.result = result
        call.answered = self.now
        call.done = True

    # -- nodes at work --------------------------------------------------------------------------------

    def _tick(self, host: Host, start_number: int) -> None:
        node = host.node
        if node is None or host.starts != start_number:
            return
        now = self.now  # (`at` and `Host.clock` are written out here: ticks are what happens most)
        self._order += 1
        due = now + node.tick_interval / host.rate
        heappush(self.agenda, (due, self._order, self._tick, (host, start_number)))
        if not host.paused and (effects := node.handle(_TICK, now * host.rate + host.ahead)):
            self._carry_out(host, effects)

    def _flush_later(self, host: Host, start_number: int) -> None:
        if host.starts == start_number and host.running:
            self.feed(host, _FLUSH)

    def feed(self, host: Host, event: Input) -> None:
        """Hand over something that arrived; it came alone, so a `Flush` follows it."""
        node = host.node
        if host.paused:
            host.missed.append(event)
        elif node is not None:
            now = host.clock(self.now)
            if effects := node.handle(event, now):
                self._carry_out(host, effects)
            # It may have crashed over that.
            if host.node is node and (effects := node.handle(_FLUSH, now)):
                self._carry_out(host, effects)

    def _carry_out(self, host: Host, effects: list[Effect]) -> None:
        survive = len(effects)
        if host.crash_within is not None:
            survive = host.crash_within.randrange(len(effects))
        elif host.crash_at_save:
            survive = next((at for at, effect in enumerate(effects) if type(effect) is Save), survive)
        for effect in effects[:survive]:
            if type(effect) is Send:
                self._send(host.id, effect.to, effect.message)
            elif type(effect) is Note:
                self.log(host.id, "note", effect.kind, effect.details)
            elif type(effect) is Save:
                host.save(effect.record)
            elif type(effect) is Reply:
                self._answer(host, effect.id, effect.result)
            elif type(effect) is FlushAfter:
                self.after(max(effect.seconds, INSTANT) / host.rate, self._flush_later, host, host.starts)
        if survive < len(effects):
            self.crash(host.id)

    def _send(self, sender: NodeId, to: NodeId, message: Message) -> None:
        self._messages += 1
        message_id = f"{sender}:{self._messages}"
        packet = self._packet(message)
        node = self.hosts[sender].node
        details = sent_details(message, packet.details, node.gives_up_in) if node else packet.details
        self.log(sender, "sent", packet.kind, details, message_id, to)
        lost = (self.cuts or self.unreachable) and self._is_lost(sender, to)
        copies = 0 if lost else self.faults.copies(self.rng)
        if self.repeating and type(message) not in NODE_MESSAGES:
            copies *= 2
        if not copies:
            self.log(sender, "dropped", packet.kind, packet.details, message_id, to)
        for _ in range(copies):
            if self.held and (sender, to) in self.held:
                self.held[sender, to].append((packet, message_id))
                continue
            travels, waits = self.network.delay(sender, to, self.rng), self.faults.delay(message, self.rng)
            self.at(self.now + (travels + waits), self.arrive, sender, to, packet, message_id)
            if waits:
                self._unsent.add(self._order, self.now + waits)

    def _is_lost(self, sender: NodeId, to: NodeId) -> bool:
        if (sender, to) in self.cuts:
            return True
        return bool(self.unreachable) and (sender, to) in self.unreachable and to != self._answering

    def _packet(self, message: Message) -> Packet:
        """Encoding is what costs most: a broadcast is one message sent several times, and the followers' answers to a
        heartbeat are equal more often than not."""
        known, packet = self._last
        if message is not known and not (type(message) is HeartbeatReply and message == known):
            packet = Packet(encode_message(message), type(message).__name__, summary(message))
            self._last = (message, packet)
        return packet

    def arrive(self, sender: NodeId, to: NodeId, packet: Packet, message_id: str) -> None:
        host = self.hosts[to]
        if host.node is None or (sender, to) in self.cuts:
            return
        self.log(to, "received", packet.kind, packet.details, message_id, sender)
        self._answering = sender
        self.feed(host, Received(sender, decode_message(packet.text)))
        self._answering = ""

    def log(
        self, node: NodeId, event: str, kind: str, details: dict[str, Any] | None = None, id: str = "", peer: str = ""
    ) -> None:
        # What `Event(…)` does, in half the time: more of these are made than of anything else.
        fields = (self.now, node, event, kind, len(self.trace) + 1, id, peer, details or {})
        self.trace.append(tuple.__new__(Event, fields))


_TICK, _FLUSH = Tick(), Flush()
