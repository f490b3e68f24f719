"""Faults on purpose: what this node does to its own peer messages when the lab asks for a bad network.

Law of this module: it says what should happen to a message; the runtime lets it happen. Clients are never affected.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from random import Random
from typing import Any

from replstore.core.messages import Message, NodeId, Replicate, Snapshot


class BadFaults(ValueError):
    """The settings sent to `/internal/faults` are not valid; the message says which and what is."""


@dataclass(frozen=True)
class Faults:
    """Delays in milliseconds, shares between 0 and 1. `blocked`: peers to whom and from whom nothing gets through;
    `lost_from`: peers whose messages are lost, while ours reach them (a cut in one direction)."""

    replication_delay_ms: float = 0
    jitter_ms: float = 0
    drop: float = 0
    duplicate: float = 0
    blocked: tuple[NodeId, ...] = ()
    lost_from: tuple[NodeId, ...] = ()

    def changed(self, fields: Any) -> Faults:
        """These faults with the given fields replaced. Raises `BadFaults`."""
        if not isinstance(fields, dict):
            raise BadFaults("expected a JSON object with some of: " + ", ".join(asdict(self)))
        return replace(self, **{name: _checked(name, value) for name, value in fields.items()})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def hears(self, sender: NodeId) -> bool:
        """Whether a message that came from `sender` is let in."""
        return sender not in self.blocked and sender not in self.lost_from

    def copies(self, rng: Random) -> int:
        """How often a message is to arrive: 0 (lost), 1, or 2."""
        if self.drop and rng.random() < self.drop:
            return 0
        return 2 if self.duplicate and rng.random() < self.duplicate else 1

    def delay(self, message: Message, rng: Random) -> float:
        """Seconds to hold a message back. Only data is delayed: delayed heartbeats would be another lesson."""
        if type(message) not in _DATA:
            return 0.0
        return (self.replication_delay_ms + self.jitter_ms * rng.random()) / 1000


_DATA = frozenset((Replicate, Snapshot))
_PEERS = ("blocked", "lost_from")
_LIMITS = {"replication_delay_ms": 60_000, "jitter_ms": 60_000, "drop": 1, "duplicate": 1}


def _checked(name: str, value: Any) -> Any:
    if name in _PEERS:
        if isinstance(value, list) and all(isinstance(peer, str) for peer in value):
            return tuple(value)
        raise BadFaults(f"{name}: expected a list of node ids")
    if name not in _LIMITS:
        raise BadFaults(f"{name}: unknown; there are {', '.join(_LIMITS)}, {' and '.join(_PEERS)}")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= _LIMITS[name]:
        raise BadFaults(f"{name}: expected a number between 0 and {_LIMITS[name]}, got {value!r}")
    return value
