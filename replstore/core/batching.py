"""Batching: whether a request waits a moment for others, so that they share one message.

Law of this module: it counts and measures; it knows neither entries nor reads. A wait costs latency, never safety.

To ship, save and answer sixteen writes costs little more than to do it for one. So a busy leader should let them travel
together; but a lone client must never wait for company that does not come. The rule below tells the two cases apart by
what the clients did the last time.
"""

from __future__ import annotations

BATCH_TIME = 0.001
"""Seconds that a shipment waits, at most, for up to `FEW` clients that were just answered."""

FEW = 16
"""More than these get more time, in proportion: a busy node answers one client after the other, and reads what each of
them asks next."""

FULL_BATCH = 64
"""So many together share a message's cost well enough: they wait for nobody."""

MAX_SKIPPED = 64
"""Batches that do not wait at all, at the most, after waits that were in vain."""


class Batching:
    """Whether what has come in should wait for more.

    Clients that were just answered often ask again at once. If some of them write while others' writes are under way,
    two groups take turns, and every message carries half. So what waits when clients are answered waits for as many
    more, for the time that so many need. Where they do not come back the wait was in vain, and there is none the next
    1, 2, 4, … times. A client that is alone never waits: nothing is there when it is answered.
    """

    def __init__(self) -> None:
        self._expected = 0
        self._until = 0.0
        self._skipping = 0
        self._in_vain = 0

    def answered(self, clients: int, waiting: int, now: float) -> None:
        """So many clients are being answered now, while `waiting` others' requests are here."""
        if not clients:
            return
        if self._skipping:
            self._skipping -= 1
        else:
            self._expected = min(clients + waiting, FULL_BATCH)
            self._until = now + BATCH_TIME * max(1.0, self._expected / FEW)

    def wait_until(self, here: int, now: float) -> float | None:
        """How long the `here` requests should wait for more; None: they wait no longer."""
        if not self._expected:
            return None
        if here < self._expected and now < self._until - 1e-6:  # (drivers' clocks round)
            return self._until
        self._in_vain = 0 if here >= self._expected else min(2 * self._in_vain + 1, MAX_SKIPPED)
        self._skipping = self._in_vain
        self._expected = 0
        return None
