"""Votes as they come in: how many nodes have voted for a candidate, as its own messages tell.

Law of this module: pure, as `model`. It counts what reached the candidate. A strategy that sends no votes has none.
"""

from __future__ import annotations

from typing import Any

from labs.trace import kinds
from labs.trace.events import Event
from labs.trace.roles import whole_number


class Votes:
    """The votes of one candidate in its present term."""

    def __init__(self, node: str) -> None:
        self.node = node
        self.term: int | None = None
        self._for: set[str] = set()
        self._answered = False

    def notes(self, event: Event) -> None:
        """What it says of itself: that it saved a term and a vote, or that it leads no longer."""
        if event.kind == kinds.STEPPED_DOWN:
            self._for, self._answered = set(), False
        if event.kind != kinds.STATE:
            return
        term, vote = whole_number(event.details.get("term")), event.details.get("vote")
        if term != self.term:
            self.term, self._for, self._answered = term, set(), False
        if vote == self.node:
            self._for.add(self.node)

    def hears(self, event: Event) -> None:
        """A message that it received: does it vote in the present term?"""
        details = event.details
        if kinds.family_of(event.kind) != "election" or any(details.get(name) is True for name in kinds.PRE):
            return
        vote = kinds.vote_in(details)
        if vote is None or self.node not in self._for or whole_number(details.get("term")) != self.term:
            return
        self._answered = True
        if vote:
            self._for.add(event.peer)

    def picture(self, of: int) -> dict[str, Any] | None:
        """None as long as nobody has answered."""
        return {"got": len(self._for), "of": of, "term": self.term} if self._answered else None
