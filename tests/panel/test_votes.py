"""Votes are counted as they reach the candidate, once for each voter, and only where a strategy votes."""

from __future__ import annotations

from typing import Any

import pytest

from labs.cluster import FAST
from labs.panel.votes import Votes
from labs.trace.events import Event
from tests.panel.test_logs import Watched


def saved(term: int, vote: str) -> Event:
    return Event(1.0, "node-1", "note", "state", details={"term": term, "vote": vote})


def vote(sender: str, granted: bool, term: int = 2, **more: Any) -> Event:
    return Event(1.1, "node-1", "received", "Vote", 1, "m", sender, {"term": term, "granted": granted, **more})


def counted(*events: Event) -> int | None:
    votes = Votes("node-1")
    for event in events:
        (votes.notes if event.event == "note" else votes.hears)(event)
    picture = votes.picture(3)
    return None if picture is None else picture["got"]


def test_a_candidate_counts_itself_once_somebody_has_answered() -> None:
    assert counted(saved(2, "node-1")) is None
    assert counted(saved(2, "node-1"), vote("node-2", granted=False)) == 1
    assert counted(saved(2, "node-1"), vote("node-2", granted=True)) == 2


def test_a_vote_that_arrives_twice_counts_once() -> None:
    assert counted(saved(2, "node-1"), vote("node-2", granted=True), vote("node-2", granted=True)) == 2


@pytest.mark.parametrize(
    "other", [vote("node-2", granted=True, term=1), vote("node-2", granted=True, pre=True)], ids=["term", "pre-vote"]
)
def test_votes_of_another_term_and_pre_votes_do_not_count(other: Event) -> None:
    assert counted(saved(2, "node-1"), other) is None


def test_a_new_term_begins_at_nothing() -> None:
    assert counted(saved(2, "node-1"), vote("node-2", granted=True), saved(3, "node-1")) is None


def test_the_votes_of_an_office_that_was_given_up_are_gone() -> None:
    stepped_down = Event(2.0, "node-1", "note", "stepped_down", details={"term": 2})
    assert counted(saved(2, "node-1"), vote("node-2", granted=True), stepped_down) is None


@pytest.mark.parametrize(
    ("election", "votes"), [("solutions.ex3_election:MyElection", True), ("lowest-id", False), ("bully", False)]
)
def test_only_where_a_strategy_votes_are_there_votes(election: str, votes: bool) -> None:
    watched = Watched(election=election)
    watched.write(1)

    node = next(node for node in watched.look().values() if node["look"] == "leader")

    assert (node["votes"] is not None) == votes
    if votes:
        assert node["votes"]["of"] == FAST.nodes
        assert node["votes"]["got"] >= 2


@pytest.mark.parametrize("election", ["lowest-id", "bully", "solutions.ex3_election:MyElection"])
def test_a_follower_tells_how_long_it_waits_and_acts_when_that_time_is_over(election: str) -> None:
    watched = Watched(election=election)
    watched.write(1)
    watched.look()
    leader = watched.cluster.leader()
    assert leader
    watched.cluster.kill(leader)
    watched.look()
    ends = {node: at + left for node, at, left in watched.model.timers.values() if node != leader}
    assert len(ends) == 2

    heard: list[Event] = []
    watched.cluster.wait_for(lambda c: c.leader())
    heard = [e for e in watched.cluster.events() if e.kind == "election_timeout" and e.time > min(ends.values()) - 0.2]
    first = min((e.time for e in heard), default=None)
    if first is not None:  # not every strategy says so
        assert min(ends.values()) - 0.001 <= first <= max(ends.values()) + 0.1
