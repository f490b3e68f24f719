"""The network's bad weather: partitions, one-way cuts, delays and losses, each with its beginning and end.

Law of this module: pure data in, pure data out. It reads what was done to the network, not what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from labs.trace import kinds
from labs.trace.events import Event

WEATHER = {kinds.PARTITION, kinds.HEAL, kinds.CUT, kinds.DELAY, kinds.LOSS, kinds.SETTINGS}
AMOUNTS = {kinds.DELAY: ("replication_delay_ms", "jitter_ms"), kinds.LOSS: ("drop", "duplicate")}
"""What `settings` says about either; the network's own (`node` empty) only: a node's repeats the cluster's."""


@dataclass(frozen=True, slots=True)
class Spell:
    """The network was bad in one way from `start` to `end`: `kind` is `partition` (with `groups`), `cut` (one way, its
    details name `from` and `to`), `delay` or `loss`."""

    kind: str
    start: float
    end: float
    details: dict[str, Any] = field(default_factory=dict)
    groups: tuple[tuple[str, ...], ...] = ()

    def parts(self, one: str, other: str) -> bool:
        """Whether this keeps what the first of these nodes says from the other."""
        if self.kind == kinds.CUT:
            return (one, other) == (self.details.get("from"), self.details.get("to"))
        return bool(self.groups) and not any(one in group and other in group for group in self.groups)


Weather = dict[tuple[str, ...], dict[str, Any]]
"""What is bad about the network just now: details by kind, and for a one-way cut also by its two ends."""


def spells(events: list[Event], end: float) -> list[Spell]:
    """Partitions, cuts, delays and losses; each lasts until the next word about the same thing."""
    began: dict[tuple[str, ...], float] = {}
    now: Weather = {}
    found: list[Spell] = []
    for event in events:
        if event.event != "fault" or event.kind not in WEATHER or (event.kind == kinds.SETTINGS and event.node):
            continue
        then, now = now, _after(event, now)
        for key, details in then.items():
            if now.get(key) != details:
                found.append(_spell(key[0], began[key], event.time, details))
        began.update({key: event.time for key, details in now.items() if then.get(key) != details})
    found += [_spell(key[0], began[key], end, details) for key, details in now.items()]
    return sorted(found, key=lambda spell: (spell.start, spell.kind))


def _after(event: Event, weather: Weather) -> Weather:
    """The weather after `event`."""
    told, kind = event.details, event.kind
    if kind in (kinds.PARTITION, kinds.HEAL):  # a new partition takes the place of every older cut
        cuts: Weather = {(kinds.PARTITION,): told} if kind == kinds.PARTITION else {}
        return {key: details for key, details in weather.items() if key[0] not in (kinds.PARTITION, kinds.CUT)} | cuts
    if kind == kinds.CUT:
        return weather | {(kinds.CUT, str(told.get("from", "?")), str(told.get("to", "?"))): told}
    said: Weather = {}
    for thing, fields in AMOUNTS.items():
        if kind in (thing, kinds.SETTINGS):
            said[(thing,)] = {name: told[name] for name in fields if name in told} if kind == kinds.SETTINGS else told
    bad = {key: details for key, details in said.items() if not details or any(map(_amount, details.values()))}
    return {key: details for key, details in weather.items() if key not in said} | bad


def _amount(value: Any) -> bool:
    """`delay` by 0 ms and `loss` of nothing are words for the end of it; what is no number says nothing."""
    return bool(value) and isinstance(value, int | float)


def _spell(kind: str, start: float, end: float, details: dict[str, Any]) -> Spell:
    return Spell(kind, start, end, details, _groups(details) if kind == kinds.PARTITION else ())


def _groups(details: dict[str, Any]) -> tuple[tuple[str, ...], ...]:
    groups = details.get("groups")
    if not isinstance(groups, list | tuple):
        return ()
    return tuple(tuple(map(str, group)) for group in groups if isinstance(group, list | tuple))
