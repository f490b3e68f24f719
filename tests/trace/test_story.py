"""The story in sentences."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings

from labs.pictures import read_timeline, tell
from labs.trace.events import Event
from labs.trace.story import summary
from tests.pictures.test_spacetime import EVENTS
from tests.trace.synthetic_runs import THREE, Diary, crash_and_restart, split_vote, two_leaders


def test_an_election_is_told_with_its_reason_and_its_term() -> None:
    diary = Diary(THREE)
    diary.note(0.0, "node-2", "following", leader="node-1", term=1)
    diary.send(0.0, "node-1", "node-2", "Heartbeat", delay=0.01, term=1)
    diary.note(0.41, "node-2", "election_timeout")
    diary.note(0.41, "node-2", "state", term=2, vote="node-2")

    assert "at 0.41 s node-2 heard nothing from node-1 for 400 ms and called an election for term 2" in tell(
        diary.done()
    )


def test_a_leader_that_crashed_and_asks_for_votes_is_not_heard_as_a_leader() -> None:
    diary = Diary(THREE)
    diary.note(0.0, "node-2", "following", leader="node-1", term=1)
    diary.send(0.0, "node-1", "node-2", "Heartbeat", delay=0.01, term=1)
    diary.send(0.4, "node-1", "node-2", "RequestVote", term=2)
    diary.note(0.41, "node-2", "election_timeout")

    assert "at 0.41 s node-2 heard nothing from node-1 for 400 ms and called an election" in tell(diary.done())


def test_a_victory_names_the_voters_and_the_time_without_a_leader() -> None:
    story = tell(split_vote())

    won = next(line for line in story if "became leader of term 3" in line)

    assert won.endswith("with the votes of node-2, node-3 and node-4, after 650 ms without a leader")


def test_rehearsed_votes_of_a_pre_vote_do_not_elect() -> None:
    diary = Diary(THREE)
    diary.send(0.1, "node-2", "node-1", "Vote", term=1, granted=True, pre=True)
    diary.send(0.2, "node-3", "node-1", "Vote", term=1, granted=True, pre=False)
    diary.note(0.3, "node-1", "became_leader", term=1)

    assert "at 0.30 s node-1 became leader of term 1 with the vote of node-3" in tell(diary.done())


def test_a_split_vote_is_called_one() -> None:
    assert any(
        "in term 2 node-2 and node-4 stood against each other and nobody won" in line for line in tell(split_vote())
    )


def test_two_leaders_at_once_are_told_with_their_terms_and_for_how_long() -> None:
    assert any(
        "two nodes believed they led: node-1 (term 1) and node-4 (term 2)" in line and "for 569 ms" in line
        for line in tell(two_leaders())
    )


def test_a_lost_write_is_told_with_the_promise_that_it_broke() -> None:
    lost = [line for line in tell(two_leaders()) if "dropped" in line]

    assert lost[0].endswith(
        "node-1 dropped the put x = 5 (entry 3 of term 1), which a client had been told was done: a lost write"
    )


def test_a_leader_gives_way_for_a_reason_that_it_heard() -> None:
    assert any(
        "node-1 stepped down from term 1, having heard of term 2 from node-4" in line for line in tell(two_leaders())
    )


def test_nobody_who_leads_is_said_to_have_lost_its_office_when_it_learns_of_its_own_successor() -> None:
    diary = Diary(THREE)
    diary.note(0.1, "node-1", "became_leader", term=1)
    diary.note(0.2, "node-2", "became_leader", term=2)
    diary.note(0.3, "node-1", "state", term=2, vote=None)
    diary.note(0.301, "node-1", "stepped_down", term=1)

    assert not any("same term" in line for line in tell(diary.done()))


def test_crash_and_restart_are_told_with_what_the_journal_kept() -> None:
    story = tell(crash_and_restart())

    assert "at 0.93 s node-3 crashed while it led term 1" in story
    assert "at 1.70 s node-3 came back and found in its journal (entries 4, keys 3, term 1)" in story


def test_a_note_that_nobody_knows_is_still_told() -> None:
    assert any("node-2 noted “wondered” (about <everything>" in line for line in tell(crash_and_restart()))


def test_a_node_that_leaves_the_election_to_another_is_said_to_wait() -> None:
    diary = Diary(THREE)
    diary.note(0.1, "node-3", "election_timeout")
    diary.note(0.1, "node-3", "waiting_for", leader="node-1")

    assert tell(diary.done()) == ["at 0.10 s node-3 heard of no leader and waited for node-1 to lead"]


def test_the_story_is_in_order_of_time_and_can_be_cut_to_a_window() -> None:
    whole, part = tell(two_leaders()), tell(two_leaders(), window=(1.0, 1.5))

    times = [float(line.split()[1]) for line in whole]
    assert times == sorted(times)
    assert part
    assert all(1.0 <= float(line.split()[1]) <= 1.5 for line in part)
    assert set(part) <= set(whole)


def test_a_short_story_keeps_what_matters_most() -> None:
    story = tell(two_leaders(), limit=4)

    assert len(story) == 4
    assert sum("lost write" in line for line in story) == 2
    assert any("two nodes believed they led" in line for line in story)


def test_the_same_run_by_the_wall_clock_is_the_same_story() -> None:
    assert tell(split_vote(start=1.7e9)) == tell(split_vote())


@pytest.mark.parametrize("limit", [0, 3])
def test_never_more_sentences_than_asked_for(limit: int) -> None:
    assert len(tell(crash_and_restart(), limit=limit)) == limit


def test_the_summary_is_one_sentence() -> None:
    run = read_timeline(crash_and_restart())

    told = summary(run, 0.0)

    assert told.count(". ") == 0
    assert "3 nodes" in told
    assert "1 crash or stop, 1 pause" in told


@settings(max_examples=80, deadline=None)
@given(EVENTS)
@example([Event(time, f"node-{time:g}", "note", "became_leader") for time in (1.0, 2.0)])
@example([Event(0.0, "node-1", "fault", "cut", peer="node-2", details={"groups": None})])
def test_any_list_of_events_can_be_told(events: list[Event]) -> None:
    for line in tell(events):
        assert line.startswith("at ")
        assert "None" not in line.split("(")[0] or any("None" in str(event) for event in events)


@pytest.mark.parametrize("groups", [None, 5, "abc", [1, 2], [[1]], [None], {"a": 1}, [["node-1"], 7]])
@pytest.mark.parametrize("kind", ["cut", "partition"])
def test_a_cut_can_be_told_whatever_its_groups_are(kind: str, groups: object) -> None:
    told = tell([Event(0.0, "node-1", "fault", kind, peer="node-2", details={"groups": groups})])

    assert all(line.startswith("at ") for line in told)
