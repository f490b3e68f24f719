"""Carrying a plan out on a cluster: strikes at their moments, and the mending of each when its time is over.

Law of this module: one thread does everything in the order of time; each strike and each mending is written into
`diary` as it happened. Nothing is mended early: faults overlap as they come.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from math import inf
from random import Random
from typing import Any

from labs.cluster import ClusterError
from labs.cluster.http_cluster import RUNNING, STOPPED
from tools.nemesis.clients import Crowd
from tools.nemesis.plan import Blow, Plan
from tools.nemesis.targets import Target

MOMENT_PATIENCE = 2.5
"""Seconds for which a moment is waited for; then the strike comes anyway, and the diary says so."""
LOOK = 0.002
"""Seconds between two looks for a moment."""
BEHIND = 6
"""Entries that a follower must lack to count as catching up."""


class Attack:
    """One plan against one cluster. Counts: `kills` (nodes killed), `faults` (everything else that was broken),
    `moments` (kills by the moment at which they came)."""

    def __init__(self, target: Target, crowd: Crowd, plan: Plan) -> None:
        self.kills = 0
        self.faults = 0
        self.moments: Counter[str] = Counter()
        self.diary: list[dict[str, Any]] = []
        self._target = target
        self._crowd = crowd
        self._plan = plan
        self._rng = Random(f"victims/{plan.seed}")
        self._blows = deque(plan.blows)
        self._mendings: list[tuple[float, int, Callable[[], Any]]] = []
        self._order = 0
        self._cuts = 0
        self._began = 0.0
        self._position = 0
        self._strikes: dict[str, Callable[[Blow], None]] = {
            "kill": self._kill,
            "pause": self._pause,
            "isolate": self._isolate,
            "split": self._split,
            "rivals": self._rivals,
            "one-way-cut": self._one_way,
            "slow-links": self._slow,
            "loss": self._loss,
        }

    def run(self) -> None:
        """Everything in the plan. Raises `ClusterError` for a node that does not start again."""
        self._began = time.monotonic()
        while (moment := self._next_moment()) <= self._plan.seconds:
            time.sleep(max(0.0, moment - self._elapsed()))
            self._mend_what_is_due()
            if self._blows and self._blows[0].at <= self._elapsed():
                blow = self._blows.popleft()
                self._strikes[blow.kind](blow)
        time.sleep(max(0.0, self._plan.seconds - self._elapsed()))

    def mend(self) -> None:
        """Everybody up and awake, nothing cut, nothing slow, nothing lost. Raises `StartFailed`."""
        self._write("mend", {})
        target = self._target
        for node in target.node_ids:
            self._change_network(partial(target.resume, node))
        target.start()
        for mended in (target.heal, partial(target.delay_replication, 0), partial(target.lose_messages, 0)):
            while not self._change_network(mended):
                target.start()  # whoever did not take it has ended of its own, or is very slow

    # -- bookkeeping ----------------------------------------------------------------------------------

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _next_moment(self) -> float:
        """When there is something to do again."""
        return min([*(blow.at for blow in [*self._blows][:1]), *(at for at, _, _ in self._mendings[:1])], default=inf)

    def _later(self, seconds: float, mending: Callable[[], Any]) -> None:
        self._order += 1
        heappush(self._mendings, (self._elapsed() + seconds, self._order, mending))

    def _write(self, what: str, details: dict[str, Any]) -> None:
        self.diary.append({"at": round(self._elapsed(), 4), "wall": time.time(), "what": what, **details})

    def _broke(self, what: str, **details: Any) -> None:
        self.faults += 1
        self._write(what, details)

    # -- who ------------------------------------------------------------------------------------------

    def _up(self) -> list[str]:
        return [node for node in self._target.node_ids if self._target._state(node) == RUNNING]

    def _chosen(self, victims: str) -> list[str]:
        """These victims, as far as they are there."""
        nodes = list(self._target.node_ids)
        leader = self._target.leader() if victims != "all" else None
        match victims:
            case "all":
                return nodes
            case "two":
                return self._rng.sample(nodes, 2)
            case "leader":
                return [leader or self._rng.choice(nodes)]
        return [self._rng.choice([node for node in nodes if node != leader])]

    # -- kills ----------------------------------------------------------------------------------------

    def _kill(self, blow: Blow) -> None:
        moment, victims, delay = blow.details["moment"], blow.details["victims"], blow.details["delay"]
        if moment == "starting":
            self._kill_while_starting(blow)
            return
        if moment == "snapshot" and self._target.settings.mode == "sync":
            moment = "catching up"  # with a node away nothing is committed in `sync`, so nothing is forgotten either
        if moment in ("snapshot", "catching up"):
            reached, chosen = self._send_away_and_back(moment, victims)
        elif moment == "compacting":
            reached, chosen = self._see_compaction(victims)
        else:
            chosen = self._chosen(victims)
            reached = moment != "write sent" or self._crowd.wait_for_write(MOMENT_PATIENCE)
        if delay:
            time.sleep(delay)
        self._strike(chosen, moment if reached else f"{moment} (missed)", blow.lasts)

    def _strike(self, nodes: list[str], moment: str, down: float) -> None:
        struck = self._target.strike(nodes)
        self.kills += len(struck)
        self.moments[moment] += len(struck)
        self._write("kill", {"nodes": struck, "moment": moment})
        apart = self._rng.choice((0.0, 0.15))  # they come back together, or one after the other
        for number, node in enumerate(struck):
            self._later(down + apart * number, partial(self._start, node))

    def _start(self, node: str) -> None:
        if self._target._state(node) == STOPPED:
            self._target.start(node)
            self._write("start", {"node": node})

    def _kill_while_starting(self, blow: Blow) -> None:
        """Away for a moment, and killed again on the way back: once or twice."""
        nodes = self._chosen(blow.details["victims"])
        self._strike(nodes, "at once", blow.lasts)
        for node in nodes[:2]:
            if self._target.strike_while_starting(node, blow.details["delay"]):
                self.kills += 1
                self.moments["starting"] += 1
                self._write("kill", {"nodes": [node], "moment": "starting", "after": blow.details["delay"]})

    def _see_compaction(self, victims: str) -> tuple[bool, list[str]]:
        """Wait until some node rewrites its journal: that one is to be killed, and whoever else there is to be."""
        nodes = self._target.node_ids
        seen = self._wait(lambda: any(self._target.compacting(node) for node in nodes))
        at_it = [node for node in nodes if self._target.compacting(node)][:1]
        rest = [node for node in self._chosen(victims) if node not in at_it]
        count = {"two": 2, "all": len(nodes)}.get(victims, 1)
        return seen, (at_it + rest)[:count]

    def _send_away_and_back(self, moment: str, victims: str) -> tuple[bool, list[str]]:
        """Let a follower miss something, start it, and wait until the leader brings it what it missed. Returns whether
        that was seen, and who is to be killed then."""
        self._wait(lambda: self._target.leader() is not None)
        leader = self._target.leader()
        others = [node for node in self._up() if node != leader]
        if leader is None or not others:
            return False, self._chosen(victims)
        away = self._rng.choice(others)
        self._strike([away], "at once", 60.0)
        if moment == "snapshot":
            missed = self._wait(lambda: self._log_moved_on(leader, away))
        else:
            missed = self._wait(lambda: self._lag(leader, away) > BEHIND)
        self._start(away)
        if moment == "snapshot":
            seen = missed and self._wait(lambda: self._said("Snapshot", away))
        else:
            seen = missed and self._wait(lambda: self._lag(leader, away) > 0)
        chosen = {"leader": [leader], "follower": [away], "two": [leader, away]}
        return seen, chosen.get(victims, list(self._target.node_ids))

    def _lag(self, leader: str, follower: str) -> int:
        lag: int | None = self._target._status_of(leader).raw.get("lag", {}).get(follower)
        return lag or 0

    def _log_moved_on(self, leader: str, away: str) -> bool:
        """Whether the leader has forgotten entries that the one who is away will need."""
        raw = self._target._status_of(leader).raw
        kept: int = raw.get("log_length", 0)
        return bool(raw) and (raw.get("lag", {}).get(away) or 0) > kept

    def _said(self, message: str, to: str) -> bool:
        events, self._position = self._target.events_since(self._position)
        return any(e.event == "sent" and e.kind == message and e.peer == to for e in events)

    def _wait(self, condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + MOMENT_PATIENCE
        while time.monotonic() < deadline:
            if condition():
                return True
            self._mend_what_is_due()
            time.sleep(LOOK)
        return False

    def _mend_what_is_due(self) -> None:
        """While a moment is waited for, what was broken before is mended in time: else it might never come."""
        while self._mendings and self._mendings[0][0] <= self._elapsed():
            heappop(self._mendings)[2]()

    # -- everything else ------------------------------------------------------------------------------

    def _pause(self, blow: Blow) -> None:
        nodes = [node for node in self._chosen(blow.details["victims"]) if node in self._up()]
        for node in nodes:
            self._target.pause(node)
            self._broke("pause", node=node)
            self._later(blow.lasts, partial(self._resume, node))

    def _resume(self, node: str) -> None:
        self._change_network(lambda: self._target.resume(node))
        self._write("resume", {"node": node})

    def _isolate(self, blow: Blow) -> None:
        [node] = self._chosen(blow.details["victims"])
        self._change_network(lambda: self._target.partition([n for n in self._target.node_ids if n != node]))
        self._broke("isolate", node=node)
        self._heal_after(blow.lasts)

    def _split(self, blow: Blow) -> None:
        for number, groups in enumerate(blow.details["stages"]):
            self._later(number * blow.lasts, partial(self._partition, groups, self._cuts + 1))
        self._heal_after(len(blow.details["stages"]) * blow.lasts)

    def _partition(self, groups: list[list[str]], cut: int) -> None:
        if cut != self._cuts:
            return
        self._change_network(partial(self._target.partition, *groups))
        self._broke("partition", groups=groups)

    def _rivals(self, blow: Blow) -> None:
        """Somebody is cut off and elects itself; the others lose their leader for a moment and elect, too: perhaps for
        the same term. Then the cut moves, and those who followed the one meet the other."""
        self._wait(lambda: self._target.leader() is not None)
        leader = self._target.leader()
        others = [node for node in self._target.node_ids if node != leader]
        away = others[int(blow.details["away"] * len(others))]
        rest = [node for node in self._target.node_ids if node != away]
        self._heal_after(60.0)
        self._partition([[away], rest], self._cuts)
        if leader is not None:
            self._strike([leader], "at once", 0.05)
        self._wait(lambda: self._leads(away))
        self._wait(lambda: any(map(self._leads, rest)))
        former = next((node for node in rest if self._leads(node)), rest[0])
        self._partition([[former], [node for node in self._target.node_ids if node != former]], self._cuts)
        self._heal_after(blow.lasts)

    def _leads(self, node: str) -> bool:
        """Or is about to: it has nobody above it, but lacks followers."""
        return self._target._status_of(node).role in ("leader", "candidate")

    def _one_way(self, blow: Blow) -> None:
        for sender, to in blow.details["pairs"]:
            self._change_network(partial(self._target.cut, sender, to))
            self._broke("one-way-cut", sender=sender, to=to)
        self._heal_after(blow.lasts)

    def _heal_after(self, seconds: float) -> None:
        """Unless the network has been cut in another way by then: each cut lasts as long as it should."""
        self._cuts += 1
        self._later(seconds, partial(self._heal, self._cuts))

    def _heal(self, cut: int) -> None:
        if cut == self._cuts:
            self._change_network(self._target.heal)
            self._write("heal", {})

    def _slow(self, blow: Blow) -> None:
        self._change_network(lambda: self._target.delay_replication(blow.details["ms"], blow.details["jitter_ms"]))
        self._broke("slow-links", **blow.details)
        self._later(blow.lasts, partial(self._change_network, partial(self._target.delay_replication, 0)))

    def _loss(self, blow: Blow) -> None:
        self._change_network(lambda: self._target.lose_messages(**blow.details))
        self._broke("loss", **blow.details)
        self._later(blow.lasts, partial(self._change_network, partial(self._target.lose_messages, 0)))

    def _change_network(self, change: Callable[[], None]) -> bool:
        """Whether all nodes that run took their new settings. One that did not is too busy, or is ending of its own."""
        try:
            change()
        except ClusterError as error:
            self._write("not taken", {"why": str(error).splitlines()[0]})
            return False
        return True
