"""A simulator that tells an election ahead what it will be asked, so that it can find many answers together.

A question to the sandbox takes far longer than what it asks for. Law of this module: looking ahead changes no run; only
what is certain is announced.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop
from typing import Any, NamedTuple, Protocol

from labs.simulation.hosts import Host
from labs.simulation.simulator import Simulator
from replstore.core.contract import Input, Received, Tick
from replstore.core.election import Election, ElectionContext
from replstore.core.messages import NodeId
from replstore.wire.codec import decode_message


class LookAhead(NamedTuple):
    """What nodes will be given, each by its own clock's time, within less time than a message takes: whatever one of
    them does about it, the others learn of it later. The last of it happens at `until`."""

    until: float
    events: list[tuple[NodeId, float, Input]]


class ForeseeingElections(Protocol):
    """A factory of elections that can be asked ahead of time."""

    def __call__(self, seat: ElectionContext) -> Election: ...

    def foresee(self, coming: Sequence[LookAhead]) -> float:
        """Find the answers to what is coming; returns until when they are known."""


class LookAheadSimulator(Simulator):
    """A `Simulator` whose `election` is a `ForeseeingElections`."""

    def __init__(self, nodes: int | Sequence[NodeId], election: ForeseeingElections, **settings: Any) -> None:
        super().__init__(nodes, election, **settings)
        self._foresee = election.foresee

    def run_until(self, time: float) -> None:
        agenda = self.agenda
        known = -1.0
        while agenda and agenda[0][0] <= time:
            if agenda[0][0] > known:
                known = self._foresee(self.coming(time))
            self.now, _, action, args = heappop(agenda)
            action(*args)
        self.now = max(self.now, time)

    def coming(self, end: float) -> list[LookAhead]:
        """What nodes will be given until `end`, as far as that is certain: ticks of nodes that neither lead nor catch
        up, until the first moment in which more than that happens; of each moment, the first event of each node.

        It stays certain until one of these ticks leads to something: then later moments may turn out otherwise.
        """
        found: list[LookAhead] = []
        given: set[NodeId] = set()
        busy = False
        for time, _, action, args in sorted(self.agenda):
            if time > end or action not in (self._tick, self.arrive, self._finish):
                break
            host, event = self._input(action, args)
            if host is None or event is None:
                continue
            if not found or (found[-1].until < time and not busy):
                found.append(LookAhead(time, []))
                given.clear()
            if host.id not in given:
                given.add(host.id)
                found[-1].events.append((host.id, host.clock(time), event))
                found[-1] = found[-1]._replace(until=time)
            quiet = type(event) is Tick and _is_idle(host)
            busy = busy or not quiet
            # What follows from an event: a tick's next tick, and of anything else perhaps a message to another node.
            end = min(end, time + (0.9 * self._heartbeat / 4 if quiet else self.network.fastest))
        return found

    def _input(self, action: Callable[..., None], args: tuple[Any, ...]) -> tuple[Host | None, Input | None]:
        """Which node something on the agenda goes to as things stand, and what the node is given."""
        if action == self._tick:
            host, start_number = args
            return (host, Tick()) if host.running and host.starts == start_number else (None, None)
        if action == self.arrive:
            sender, to, packet = args[:3]
            host = self.hosts[to]
            if host.running and (sender, to) not in self.cuts:
                return host, Received(sender, decode_message(packet.text))
        return None, None


def _is_idle(host: Host) -> bool:
    """Whether the next tick concerns its election alone."""
    return host.node is not None and host.node.leading is None and host.node.catch_up_sender is None
