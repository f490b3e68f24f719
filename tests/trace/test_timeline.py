"""From events to roles, messages, network faults and requests."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.simulation.schedule import Schedule, Step, carry_out
from labs.trace.events import Event
from labs.trace.timeline import Timeline, excerpt, origin_of, read_timeline
from solutions.ex3_election import MyElection
from tests.trace.synthetic_runs import FIVE, THREE, Diary, crash_and_restart, split_vote, two_leaders


def roles(run: Timeline, node: str) -> list[str]:
    return [interval.role for interval in run.roles[node]]


# -- roles ------------------------------------------------------------------------------------------------


def test_a_candidate_that_loses_its_own_vote_is_a_follower_again() -> None:
    run = read_timeline(split_vote())

    assert roles(run, "node-2") == ["down", "follower", "follower", "follower", "candidate", "follower", "follower"]
    assert run.roles["node-2"][-1].leader == "node-5"
    assert run.roles["node-2"][-1].term == 3


def test_a_crashed_leader_is_down_until_it_is_restarted_and_comes_back_as_a_follower() -> None:
    run = read_timeline(crash_and_restart())

    life = roles(run, "node-3")

    assert life[life.index("leader") :][:3] == ["leader", "down", "follower"]


def test_a_paused_leader_wakes_up_as_one() -> None:
    diary = Diary()
    diary.note(0.1, "node-1", "became_leader", term=1)
    diary.fault(0.2, "pause", "node-1")
    diary.fault(0.3, "resume", "node-1")
    diary.note(0.4, "node-1", "stepped_down", term=1)
    diary.note(0.5, "node-1", "stopping")

    assert roles(read_timeline(diary.done()), "node-1") == ["leader", "paused", "leader", "follower"]


def test_a_leader_that_learns_of_a_later_term_never_counts_as_its_leader() -> None:
    diary = Diary()
    diary.note(0.1, "node-1", "became_leader", term=1)
    diary.note(0.3, "node-1", "state", term=2, vote=None)
    diary.note(0.31, "node-1", "stepped_down", term=1)
    diary.note(0.5, "node-1", "stopping")

    intervals = read_timeline(diary.done()).roles["node-1"]

    assert [(s.role, s.term) for s in intervals] == [("leader", 1), ("follower", 2)]


def test_a_list_that_begins_in_the_middle_knows_a_leader_by_its_heartbeats() -> None:
    diary = Diary(THREE)
    diary.beats("node-2", 5, 0.0, 0.3)

    run = read_timeline(diary.done())

    assert [(s.node, s.role, s.term) for s in run.leaderships()] == [("node-2", "leader", 5)]


def test_a_node_that_leaves_the_election_to_another_is_no_candidate() -> None:
    diary = Diary()
    diary.note(0.1, "node-3", "election_timeout")
    diary.note(0.1, "node-3", "waiting_for", leader="node-1")
    diary.note(0.5, "node-3", "stopping")

    assert roles(read_timeline(diary.done()), "node-3") == ["follower"]


@given(st.lists(st.tuples(st.sampled_from(["kill", "start", "pause", "resume"]), st.floats(0, 9)), max_size=12))
def test_a_nodes_stretches_cover_the_whole_run_without_gaps(faults: list[tuple[str, float]]) -> None:
    run = read_timeline([Event(time, "node-1", "fault", kind) for kind, time in faults])

    for intervals in run.roles.values():
        assert (intervals[0].start, intervals[-1].end) == (run.start, run.end)
        assert all(a.end == b.start for a, b in pairwise(intervals))


@pytest.mark.parametrize("start", [0.5, 1.0, 2.0, 2.9])
def test_an_excerpt_knows_what_the_nodes_were_when_it_begins(start: float) -> None:
    steps = (Step(1.5, "crash_leader"), Step(2.5, "pause_leader"))
    run = carry_out(Schedule(nodes=5, seed=3, length=4.0, calm=0.0, steps=steps), MyElection)
    whole = read_timeline(run.trace, run.node_ids)

    part = read_timeline(excerpt(run.trace, start, start + 0.1), run.node_ids)

    assert len(excerpt(run.trace, start, start + 0.1)) < len(run.trace) / 2
    for node in run.node_ids:
        was, is_known = whole.role_at(node, start), part.role_at(node, start)
        assert was is not None
        assert is_known is not None
        assert (is_known.role, is_known.term) == (was.role, was.term)


def test_what_a_node_was_can_be_asked_for_any_moment() -> None:
    run = read_timeline(two_leaders())

    at_one_and_a_half = {node: interval.role for node in FIVE if (interval := run.role_at(node, 1.5))}

    assert [node for node, role in at_one_and_a_half.items() if role == "leader"] == ["node-1", "node-4"]


# -- messages ---------------------------------------------------------------------------------------------


def test_a_message_that_nobody_received_was_lost() -> None:
    diary = Diary()
    diary.send(0.1, "node-1", "node-2", "Heartbeat", arrives=False)
    diary.send(0.2, "node-1", "node-2", "Heartbeat")

    assert [p.outcome for p in read_timeline(diary.done()).deliveries] == ["lost", "arrived"]


def test_a_message_that_left_just_before_the_record_ends_may_still_be_under_way() -> None:
    events = [
        Event(0.0, "node-1", "sent", "Replicate", 1, "node-1:1", "node-2"),
        Event(0.5, "node-2", "received", "Replicate", 1, "node-1:1", "node-1"),
        Event(0.8, "node-1", "sent", "Replicate", 2, "node-1:2", "node-2"),
        Event(1.0, "node-1", "note", "stopping", 3),
    ]

    assert [p.outcome for p in read_timeline(events).deliveries] == ["arrived", "under way"]


def test_a_receiver_that_drops_a_message_speaks_of_the_senders_message() -> None:
    events = [
        Event(0.0, "node-1", "sent", "Heartbeat", 1, "node-1:1", "node-2"),
        Event(0.1, "node-2", "dropped", "Heartbeat", 1, "node-1:1", "node-1"),
    ]

    (delivery,) = read_timeline(events).deliveries

    assert (delivery.sender, delivery.receiver, delivery.outcome) == ("node-1", "node-2", "lost")


def test_a_restarted_node_that_counts_its_messages_anew_sends_new_messages() -> None:
    events = [
        Event(0.0, "node-1", "sent", "Heartbeat", 1, "node-1:1", "node-2"),
        Event(0.1, "node-2", "received", "Heartbeat", 1, "node-1:1", "node-1"),
        Event(5.0, "node-1", "sent", "Heartbeat", 9, "node-1:1", "node-2"),
        Event(5.1, "node-2", "received", "Heartbeat", 2, "node-1:1", "node-1"),
    ]

    assert [(p.sent, p.arrivals) for p in read_timeline(events).deliveries] == [(0.0, (0.1,)), (5.0, (5.1,))]


def test_a_message_that_nobody_saw_leaving_is_shown_at_its_arrival() -> None:
    (delivery,) = read_timeline([Event(0.4, "node-2", "received", "Vote", 1, "node-1:7", "node-1")]).deliveries

    assert delivery.guessed
    assert (delivery.sender, delivery.sent, delivery.outcome) == ("node-1", 0.4, "arrived")


@pytest.mark.parametrize(
    ("kind", "details", "family", "answer"),
    [
        ("Heartbeat", {}, "heartbeat", False),
        ("HeartbeatReply", {}, "heartbeat", True),
        ("Replicated", {"ok": True}, "replication", True),
        ("RequestVote", {"term": 2, "pre": True}, "election", False),
        ("Ballot", {"granted": False}, "election", True),
        ("Challenge", {}, "election", False),
    ],
)
def test_a_messages_family_and_direction_follow_from_its_kind_and_fields(
    kind: str, details: dict[str, Any], family: str, answer: bool
) -> None:
    diary = Diary()
    diary.send(0.1, "node-1", "node-2", kind, **details)

    (delivery,) = read_timeline(diary.done()).deliveries

    assert (delivery.family, delivery.is_reply) == (family, answer)


# -- the network and the clients --------------------------------------------------------------------------


def test_a_partition_lasts_until_the_next_one_or_until_it_heals() -> None:
    diary = Diary()
    diary.fault(1.0, "partition", groups=[["node-1"], ["node-2", "node-3"]])
    diary.fault(2.0, "partition", groups=[["node-1", "node-2"], ["node-3"]])
    diary.fault(3.0, "heal")
    diary.note(4.0, "node-1", "stopping")

    one, two = read_timeline(diary.done()).network_faults

    assert (one.start, one.end, two.start, two.end) == (1.0, 2.0, 2.0, 3.0)
    assert one.separates("node-1", "node-2")
    assert not two.separates("node-1", "node-2")


def test_a_one_way_cut_parts_one_direction_and_heals_with_the_rest() -> None:
    diary = Diary()
    diary.fault(1.0, "cut", **{"from": "node-1", "to": "node-2"})
    diary.fault(2.0, "heal")
    diary.note(4.0, "node-1", "stopping")

    (cut,) = read_timeline(diary.done()).network_faults

    assert (cut.kind, cut.end) == ("cut", 2.0)
    assert cut.separates("node-1", "node-2")
    assert not cut.separates("node-2", "node-1")


def test_a_delay_of_nothing_is_the_end_of_a_delay() -> None:
    delays = [fault for fault in read_timeline(crash_and_restart()).network_faults if fault.kind == "delay"]

    assert [(fault.start, fault.end) for fault in delays] == [(0.5, 0.8)]


def test_a_setting_that_is_said_again_does_not_begin_anew() -> None:
    diary = Diary()
    for time, drop in ((1.0, 0.0), (2.0, 0.5), (3.0, 0.0)):
        diary.fault(time, "settings", replication_delay_ms=100, jitter_ms=0, drop=drop, duplicate=0)
    diary.note(4.0, "node-1", "stopping")

    faults = read_timeline(diary.done()).network_faults

    assert [(s.kind, s.start, s.end) for s in faults] == [("delay", 1.0, 4.0), ("loss", 2.0, 3.0)]


def test_a_nodes_own_word_on_its_settings_is_no_network_fault() -> None:
    diary = Diary()
    diary.fault(1.0, "settings", "node-1", drop=1.0)

    assert read_timeline(diary.done()).network_faults == []


@pytest.mark.parametrize(
    ("kind", "details", "outcome"),
    [
        ("put", {"outcome": "ok"}, "ok"),
        ("put", {"outcome": "failed"}, "failed"),
        ("put", {"outcome": "unknown"}, "unknown"),
        ("put", {}, "unknown"),
    ],
)
def test_a_requests_outcome_is_the_replys(kind: str, details: dict[str, str], outcome: str) -> None:
    events = [
        Event(1.0, "node-1", "request", "put", id="c:1", details={"key": "x"}),
        Event(1.5, "node-1", "reply", kind, id="c:1", details=details),
    ]

    (request,) = read_timeline(events).requests

    assert (request.start, request.end, request.outcome) == (1.0, 1.5, outcome)


def test_wall_clock_runs_count_from_their_first_event_and_virtual_ones_from_zero() -> None:
    assert origin_of(split_vote(start=1.7e9)) == 1.7e9
    assert origin_of([Event(3.0, "node-1", "note", "stopping")]) == 0.0


def test_nodes_come_in_natural_order() -> None:
    run = read_timeline([Event(0.0, f"node-{number}", "note", "started") for number in (10, 2, 1)])

    assert run.node_ids == ("node-1", "node-2", "node-10")
