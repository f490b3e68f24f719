"""Votes travel by messages: what nodes share in one process's memory elects nobody."""

from __future__ import annotations

from typing import ClassVar

from labs.rules import Claims, check_run
from labs.rules.knowledge import Knowledge
from labs.simulation.schedule import Schedule, carry_out
from labs.trace.events import Event
from replstore.core.election import Election
from replstore.core.messages import Heartbeat, Message, NodeId
from solutions.ex3_election import MyElection


class SharesMemory(Election):
    """All nodes of a run meet in a list of the class; nothing is ever sent."""

    nodes: ClassVar[dict[NodeId, SharesMemory]] = {}

    def tick(self, now: float) -> None:
        self.nodes[self.me] = self
        if now > 0.5 and self.leader is None and self.me == "node-1":
            for node in self.nodes.values():
                node.term, node.vote = 1, "node-1"
        if self.me == "node-1" and now > 0.7:
            self.leader = self.me

    def receive(self, sender: NodeId, message: Message, now: float) -> None:
        if isinstance(message, Heartbeat):
            self.leader = sender


def test_votes_that_no_message_brought_elect_nobody() -> None:
    SharesMemory.nodes.clear()
    run = carry_out(Schedule(nodes=3, length=3.0, calm=0.0), SharesMemory)

    violations = check_run(run, Claims(by_messages=True))
    found = [violation for violation in violations if violation.rule == "elected by a majority"]
    assert found
    assert "no message had come to it since" in found[0].text


def test_votes_of_the_reference_arrive() -> None:
    assert check_run(carry_out(Schedule(length=3.0), MyElection), Claims(by_messages=True)) == []


def sent(number: int, sender: str, to: str, kind: str = "Vote") -> Event:
    return Event(float(number), sender, "sent", kind, number, f"m{number}", to)


def received(number: int, sender: str, to: str, kind: str = "Vote") -> Event:
    return Event(number + 0.5, to, "received", kind, number, f"m{number}", sender)


def test_a_fact_travels_over_third_nodes_and_never_back_in_time() -> None:
    knowledge = Knowledge(only_the_strategys=True)
    early = sent(1, "a", "c")
    knowledge.apply(early)
    knowledge.learn("a", "vote")
    knowledge.apply(received(1, "a", "c"))
    assert knowledge.of("c") == frozenset()  # sent before it was known

    for event in (sent(2, "a", "b"), received(2, "a", "b"), sent(3, "b", "c"), received(3, "b", "c")):
        knowledge.apply(event)
    assert knowledge.of("c") == {"vote"}


def test_a_lost_message_and_the_nodes_own_heartbeats_tell_nothing() -> None:
    knowledge = Knowledge(only_the_strategys=True)
    knowledge.learn("a", "vote")
    for event in (sent(1, "a", "b"), sent(2, "a", "b", "Heartbeat"), received(2, "a", "b", "Heartbeat")):
        knowledge.apply(event)

    assert knowledge.of("b") == frozenset()
