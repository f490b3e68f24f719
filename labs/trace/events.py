"""The event: what happened at one node at one moment, the same from a simulated trace and from real nodes.

Everything that draws, explains or judges a run (timeline, space-time diagram, rules) reads a list of these.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Event(NamedTuple):
    """What happened at one node (or to it) at one moment.

    `event` says which fields matter:

    * `"note"`: the node says `kind` with `details` (`became_leader`, `state`, `committed`, `write_lost`, …)
    * `"sent"`, `"received"`: a message `id` of type `kind` to / from `peer`; ids are unique in a run, so a `sent`
      without its `received` was lost. `details` holds the message's small fields (term, index, count, …)
    * `"dropped"`: the network lost message `id` to `peer` on purpose
    * `"fault"`: somebody broke or mended something: `kind` is `stop`, `kill`, `crash`, `start`, `restart`, `pause`,
      `resume`, `partition`, `heal`, `delay`, `loss`, …; `node` is empty where it concerns the whole network
    * `"request"`, `"reply"`: a client's operation (`kind` is `put`, `get`, `delete`), joined by `id`

    `time` is in seconds: wall clock for real nodes, virtual for the simulator. `seq` orders one node's events.
    """

    time: float
    node: str
    event: str
    kind: str
    seq: int = 0
    id: str = ""
    peer: str = ""
    details: dict[str, Any] = {}  # noqa: RUF012 - never changed, only replaced

    def to_json(self) -> dict[str, Any]:
        return self._asdict()

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Event:
        return cls(**data)
