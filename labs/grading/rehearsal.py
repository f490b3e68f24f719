"""What a simulated cluster will do while no strategy does anything: its near future, found without touching it.

Law of this module: a rehearsal changes nothing in the simulator, draws from a copy of its dice, and says only what it
knows for certain. It knows a cluster at rest: followers tick, the leader sends heartbeats, and these are answered; a
follower that owes the leader an answer is waited for. Where anything else begins (a write under way, a step of the
schedule that does something, a crash that waits to happen) it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from heapq import heappop, heappush
from math import nextafter
from random import Random
from typing import Any, NamedTuple

from labs.simulation.actions import ACTIONS, candidates
from labs.simulation.hosts import Host, Packet
from labs.simulation.simulator import Simulator
from replstore.core.awake import AwakeTime
from replstore.core.contract import Input, Received, Tick
from replstore.core.leader_state import LeaderState
from replstore.core.messages import NODE_MESSAGES, Heartbeat, HeartbeatReply, Message, NodeId
from replstore.core.node import Node
from replstore.core.progress import STREAMING, Progress
from replstore.wire.codec import decode_message

_TICK = Tick()
_NOT_TOLD = frozenset(kind.__name__ for kind in NODE_MESSAGES - {Heartbeat, HeartbeatReply})
_TO_CANDIDATES = frozenset(ACTIONS[f"{verb}_candidates"] for verb in ("crash", "delay", "isolate"))
"""Steps that do nothing where nobody is one. A schedule has dozens of them, to hit the moment in which somebody is."""


class LookAhead(NamedTuple):
    """What nodes will be given, each by the time that its strategy is told, within less time than a message takes:
    whatever one of them does about it, the others learn of it later. The last of it happens at `until`."""

    until: float
    events: list[tuple[NodeId, float, Input]]


class Rehearsal:
    """`moments`: what comes until the virtual time `end`, at most about `most` events."""

    def __init__(self, simulator: Simulator, end: float, most: int, dice: Random) -> None:
        """`dice`: any; they are set to what the simulator's are when they are needed."""
        self._simulator = simulator
        self._agenda = list(simulator.agenda)
        self._order = simulator._order
        self._end, self._most = end, most
        self._dice, self._dice_are_set = dice, False
        self._leading: dict[NodeId, LeaderState | None] = {}
        self._owing: dict[NodeId, list[Progress]] = {}
        """By leader: the followers that owe an answer, and are sent nothing until it is overdue."""
        self._awake: dict[NodeId, AwakeTime] = {}
        self._given: set[NodeId] = set()
        """In the last moment."""
        self._together = 0.0
        """Until then the last moment may go on."""
        self._doubtful: set[NodeId] = set()
        self._events: list[tuple[NodeId, float, Input]] = []
        self._until = 0.0
        """Of the last moment."""
        self.moments: list[LookAhead] = []
        self._run()
        self._end_moment()

    def _run(self) -> None:
        simulator, agenda = self._simulator, self._agenda
        known: dict[Callable[..., None], Callable[..., None]] = {
            simulator._tick: self._tick,
            simulator.arrive: self._arrive,
            simulator._flush_later: self._flush,
        }
        nothing = simulator._finish  # it concerns a client alone
        while agenda and agenda[0][0] <= self._end and self._most > 0:
            time, _, action, args = heappop(agenda)
            do = known.get(action)
            if do is not None:
                do(time, *args)
            elif action in _TO_CANDIDATES:
                if self._doubtful or candidates(simulator):
                    return
                self._together = time  # it does something if a strategy acts before
            elif action != nothing:
                return

    def _at(self, time: float, action: Callable[..., None], *args: Any) -> None:
        self._order += 1
        heappush(self._agenda, (time, self._order, action, args))

    # -- moments --------------------------------------------------------------------------------------

    def _give(self, time: float, host: Host, node: Node, event: Input) -> bool:
        """Note that a strategy is told. False where that is not certain: the rehearsal is over."""
        name = host.id
        if name in self._doubtful:
            self._most = 0
            return False
        given = self._given
        if time >= self._together or name in given or not self._events:
            self._end_moment()
            given.clear()
            self._together = time + self._simulator.network.fastest
        given.add(name)
        now = self._strategy_time(time, host, node) if node.election.catches_up else time * host.rate + host.ahead
        self._events.append((name, now, event))
        self._until = time
        self._most -= 1
        return True

    def _end_moment(self) -> None:
        if self._events:
            self.moments.append(LookAhead(self._until, self._events))
            self._events = []

    def _strategy_time(self, time: float, host: Host, node: Node) -> float:
        awake = self._awake.setdefault(host.id, copy(node._awake))
        return awake.at(host.clock(time))

    def _doubt(self, time: float, host: Host) -> None:
        """Something else begins at this node; the others hear of it when a message has arrived, not before."""
        self._doubtful.add(host.id)
        self._end = min(self._end, nextafter(time + self._simulator.network.fastest, 0))

    # -- what happens ---------------------------------------------------------------------------------

    def _tick(self, time: float, host: Host, start_number: int) -> None:
        node = host.node
        if node is None or host.starts != start_number:
            return
        self._at(time + node.tick_interval / host.rate, self._simulator._tick, host, start_number)
        if host.paused or not self._give(time, host, node, _TICK) or self._is_idle(node):
            return
        now, state = host.clock(time), self._at_rest(time, host, node)
        if state is None:
            self._doubt(time, host)
            return
        if now < state.next_heartbeat - node.tick_interval / 2:
            return
        state.begin_round(now, node.heartbeat)
        heartbeat = Heartbeat(state.term, node.commit, state.round)
        for peer in node.peers:
            self._send(time, host.id, peer, heartbeat, "")

    def _arrive(self, time: float, sender: NodeId, to: NodeId, packet: Any, message_id: str) -> None:
        host = self._simulator.hosts[to]
        node = host.node
        if node is None or host.paused or (sender, to) in self._simulator.cuts:
            return
        message = packet if isinstance(packet, Message) else self._message(packet)
        if message is None:
            self._doubt(time, host)
            return
        if not self._give(time, host, node, Received(sender, message)):
            return
        if isinstance(message, Heartbeat):
            certain = self._answers(time, host, node, sender, message)
        elif self._is_idle(node):
            certain = True  # it tells its strategy, and that is all
        else:
            certain = isinstance(message, HeartbeatReply) and self._takes(time, host, node, sender, message)
        if not certain:
            self._doubt(time, host)

    def _message(self, packet: Packet) -> Message | None:
        """None for those of which no strategy is told."""
        return None if packet.kind in _NOT_TOLD else decode_message(packet.text)

    def _answers(self, time: float, host: Host, node: Node, sender: NodeId, message: Heartbeat) -> bool:
        """Whether this heartbeat is answered, and that is all."""
        election = node.election
        follows = election.leader == sender and election.term == message.term
        if not self._is_idle(node) or self._may_crash(host) or (follows and message.commit != node.commit):
            return False
        reply = HeartbeatReply(election.term, message.round, follows, node.log.last_id)
        self._send(time, host.id, sender, reply, answering=sender)
        return True

    def _takes(self, time: float, host: Host, node: Node, sender: NodeId, reply: HeartbeatReply) -> bool:
        """Whether the leader has nothing to do about this answer but to note it."""
        state, leader = self._at_rest(time, host, node), node.leading
        if state is None or leader is None:
            return False
        if not state.is_ours(reply):
            return True
        behind = reply.last.index < leader.replication.progress[sender].match
        return reply.follows and not behind and not state.heard(sender, reply)

    def _flush(self, time: float, host: Host, start_number: int) -> None:
        node = host.node
        if node is None or host.paused or host.starts != start_number or self._is_idle(node):
            return
        if self._at_rest(time, host, node) is None:
            self._doubt(time, host)

    def _send(self, time: float, sender: NodeId, to: NodeId, message: Message, answering: NodeId = "") -> None:
        """As the simulator does it, for messages that are no data."""
        simulator, way = self._simulator, (sender, to)
        if way in simulator.cuts or (way in simulator.unreachable and to != answering):
            return
        if not self._dice_are_set:
            self._dice.setstate(simulator.rng.getstate())
            self._dice_are_set = True
        for _ in range(simulator.faults.copies(self._dice)):
            if way not in simulator.held:
                delay = simulator.network.delay(sender, to, self._dice)
                self._at(time + delay, simulator.arrive, sender, to, message, "")

    # -- how things are -------------------------------------------------------------------------------

    def _is_idle(self, node: Node) -> bool:
        return node.leading is None and node.catch_up_sender is None and not node.recovering

    def _may_crash(self, host: Host) -> bool:
        return host.crash_within is not None or host.crash_at_save

    def _at_rest(self, time: float, host: Host, node: Node) -> LeaderState | None:
        """What a leader at rest keeps account of, in a copy; None for one that has more to do than heartbeats."""
        if host.id not in self._leading:
            self._leading[host.id] = self._look_at_leader(time, host, node)
        if (owing := self._owing.get(host.id)) and any(one.overdue(host.clock(time)) for one in owing):
            return None
        return self._leading[host.id]

    def _look_at_leader(self, time: float, host: Host, node: Node) -> LeaderState | None:
        leader, awake = node.leading, node._awake
        if leader is None or node.recovering or node.catch_up_sender is not None or self._may_crash(host):
            return None
        state, replication, commit = leader.state, leader.replication, node.commit.index
        slept = awake.woke or awake._last is None or host.clock(time) - awake._last > node.heartbeat
        if not leader.accepts_writes or slept or node.log.is_long or node.election.catches_up:
            return None
        if state.writes or state.reads or leader._unsaved:
            return None
        last = node.log.last_index
        if commit != last and leader._committable() > commit:
            return None
        owing = [replication.progress[peer] for peer in replication.behind(commit)]
        if any(one.due is not None for one in replication.progress.values()):
            return None
        if not all(_is_waited_for(one, last, commit) for one in owing):
            return None
        self._owing[host.id] = owing
        own = copy(state)
        own._rounds, own._lasts = dict(state._rounds), dict(state._lasts)
        return own


def _is_waited_for(follower: Progress, last: int, commit: int) -> bool:
    """Whether it is sent nothing more before it answers, or its answer is overdue (as `Replication` decides it)."""
    if follower.state is STREAMING:
        return follower.next > last and follower.sent_commit >= commit
    return follower.in_flight > 0
