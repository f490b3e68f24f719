"""Network faults over time: partitions, one-way cuts, delays and losses, each with its beginning and end.

Law of this module: pure data in, pure data out. It reads what was done to the network, not what followed from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labs.trace import kinds
from labs.trace.events import Event

AMOUNTS = {kinds.DELAY: ("replication_delay_ms", "jitter_ms"), kinds.LOSS: ("drop", "duplicate")}
"""The fields of a `settings` event that belong to each of these two faults."""


@dataclass(frozen=True, slots=True)
class FaultInterval:
    """The network had one fault from `start` to `end`. `kind` is `partition` (with `groups`), `cut` (one direction of
    one link; its details name `from` and `to`), `delay` or `loss`."""

    kind: str
    start: float
    end: float
    details: dict[str, Any] = field(default_factory=dict)
    groups: tuple[tuple[str, ...], ...] = ()

    def separates(self, sender: str, receiver: str) -> bool:
        """Whether it keeps messages of `sender` from `receiver`."""
        if self.kind == kinds.CUT:
            return (sender, receiver) == (self.details.get("from"), self.details.get("to"))
        return bool(self.groups) and not any(sender in group and receiver in group for group in self.groups)


ActiveFaults = dict[tuple[str, ...], dict[str, Any]]
"""The faults in force: details by kind, and for a one-way cut also by its two ends."""


def fault_intervals(events: list[Event], end: float) -> list[FaultInterval]:
    """Partitions, cuts, delays and losses; each lasts until the next event about the same fault, or until `end`."""
    began: dict[tuple[str, ...], float] = {}
    active: ActiveFaults = {}
    found: list[FaultInterval] = []
    for event in events:
        if event.event != "fault" or event.kind not in kinds.NETWORK:
            continue
        if event.kind == kinds.SETTINGS and event.node:
            continue  # a node repeats what was already said of the whole cluster
        before, active = active, _after(event, active)
        for key, details in before.items():
            if active.get(key) != details:
                found.append(_interval(key[0], began[key], event.time, details))
        began.update({key: event.time for key, details in active.items() if before.get(key) != details})
    found += [_interval(key[0], began[key], end, details) for key, details in active.items()]
    return sorted(found, key=lambda fault: (fault.start, fault.kind))


def _after(event: Event, active: ActiveFaults) -> ActiveFaults:
    """The faults in force after `event`."""
    details, kind = event.details, event.kind
    if kind in (kinds.PARTITION, kinds.HEAL):  # a new partition takes the place of every older cut
        cuts: ActiveFaults = {(kinds.PARTITION,): details} if kind == kinds.PARTITION else {}
        return {key: fault for key, fault in active.items() if key[0] not in (kinds.PARTITION, kinds.CUT)} | cuts
    if kind == kinds.CUT:
        return active | {(kinds.CUT, str(details.get("from", "?")), str(details.get("to", "?"))): details}
    named: ActiveFaults = {}
    for fault, names in AMOUNTS.items():
        if kind == kinds.SETTINGS:
            named[(fault,)] = {name: details[name] for name in names if name in details}
        elif kind == fault:
            named[(fault,)] = details
    in_force = {key: amounts for key, amounts in named.items() if not amounts or any(map(_amount, amounts.values()))}
    return {key: fault for key, fault in active.items() if key not in named} | in_force


def _amount(value: Any) -> bool:
    """Whether the fault is in force: a delay of 0 ms and a loss of 0 % end it. What is no number does not."""
    return bool(value) and isinstance(value, int | float)


def _interval(kind: str, start: float, end: float, details: dict[str, Any]) -> FaultInterval:
    return FaultInterval(kind, start, end, details, groups_of(details) if kind == kinds.PARTITION else ())


def sides(groups: tuple[tuple[str, ...], ...]) -> str:
    """The groups in words: `node-1 | node-2, node-3`."""
    return " | ".join(", ".join(group) for group in groups)


def groups_of(details: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """Into which groups a cut divided the nodes, as far as the event's details say it."""
    groups = details.get("groups")
    if not isinstance(groups, list | tuple):
        return ()
    return tuple(tuple(map(str, group)) for group in groups if isinstance(group, list | tuple))
