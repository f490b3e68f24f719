"""Lag is true: what the panel says of a copy follows from what the nodes said, and what nobody said is unknown."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.cluster import FAST, SimulatedCluster
from labs.cluster.base import NodeStatus
from labs.panel.logs import UNKNOWN, Comparison, LogSeen, compare, last_common, log_of
from labs.panel.model import PanelModel

Entries = list[tuple[int, str]]
"""A log entry by entry: term and leader of each."""

leaderships = st.tuples(st.integers(1, 4), st.sampled_from(("node-1", "node-2")))


def told(entries: Entries, asked: float = 1.0, since: int = 1) -> LogSeen:
    """What a node with these entries tells, if it has forgotten those before `since`."""
    runs: list[list[Any]] = []
    for index, (term, leader) in enumerate(entries, 1):
        if index >= since and (not runs or runs[-1][1:] != [term, leader]):
            runs.append([index, term, leader])
    log = log_of({"log": {"runs": runs, "tail": []}, "last_index": len(entries), "commit_index": 0}, asked)
    assert log is not None
    return log


@st.composite
def two_logs(draw: st.DrawFn) -> tuple[Entries, Entries, int]:
    """Two logs that agree up to an index and nowhere behind it, as logs with unique entries do."""
    shared = draw(st.lists(leaderships, max_size=8))
    tails = [draw(st.lists(st.integers(5, 7), max_size=5)) for _ in range(2)]
    one, other = (shared + [(term, f"side-{side}") for term in tail] for side, tail in enumerate(tails))
    return one, other, len(shared)


@given(two_logs())
def test_two_logs_agree_exactly_up_to_the_last_entry_that_both_have(logs: tuple[Entries, Entries, int]) -> None:
    one, other, common = logs

    assert last_common(told(one), told(other)) == common


@given(two_logs(), st.data())
def test_what_a_compacted_log_has_forgotten_never_makes_a_figure_wrong(
    logs: tuple[Entries, Entries, int], data: st.DataObject
) -> None:
    one, other, common = logs
    forgotten = [data.draw(st.integers(1, max(1, len(log)))) for log in (one, other)]

    found = last_common(told(one, since=forgotten[0]), told(other, since=forgotten[1]))

    assert found in (None, common)
    if max(forgotten) <= common:
        assert found == common


@given(two_logs())
def test_a_copy_is_behind_or_parted_but_never_both(logs: tuple[Entries, Entries, int]) -> None:
    leader, copy, common = logs

    seen = compare(told(copy), told(leader))

    if len(copy) == common:
        assert seen == Comparison(behind=len(leader) - common)
    else:
        assert seen == Comparison(parted=common + 1)


def test_what_arrived_after_the_leader_answered_is_no_parting() -> None:
    leader: Entries = [(1, "node-1")] * 3

    assert compare(told([*leader, (1, "node-1")]), told(leader)) == Comparison(behind=0)


def test_logs_told_at_different_moments_are_not_compared() -> None:
    entries: Entries = [(1, "node-1")] * 3

    assert compare(told(entries, asked=1.0), told(entries, asked=2.0)) == UNKNOWN


@pytest.mark.parametrize(
    "raw",
    [
        {}, {"log": None}, {"log": {"runs": "many"}, "last_index": 3, "commit_index": 3},
        {"log": {"runs": [[1, 1]]}, "last_index": 3, "commit_index": 3},
        {"log": {"runs": [[5, 1, "node-1"]]}, "last_index": 3, "commit_index": 3},
        {"log": {"runs": []}, "last_index": 3, "commit_index": 3},
        {"log": {"runs": [[1, 1, "node-1"]]}, "last_index": True, "commit_index": 3},
    ],
)  # fmt: skip
def test_a_log_that_is_not_told_as_ours_is_unknown(raw: dict[str, Any]) -> None:
    assert log_of(raw, 1.0) is None


# -- the same with nodes ------------------------------------------------------------------------------------


class Watched:
    """A simulated cluster and the model of its panel."""

    def __init__(self, **settings: Any) -> None:
        self.cluster = SimulatedCluster(replace(FAST, **settings))
        self.model = PanelModel(self.cluster.node_ids, "simulated", self.cluster.settings)
        self._position = 0
        self.cluster.start()
        self.cluster.wait_for(lambda c: c.leader())

    def write(self, *values: Any, **how: Any) -> None:
        """Write them to `x` one after the other, and let the copies arrive."""
        for value in values:
            self.cluster.put("x", value, **how)
        self.cluster.sleep(0.1)

    def look(self) -> dict[str, dict[str, Any]]:
        events, self._position = self.cluster.events_since(self._position)
        self.model.feed(events)
        statuses = {  # as over the wire
            name: NodeStatus(**{**vars(status), "raw": json.loads(json.dumps(status.raw))})
            for name, status in self.cluster.status().items()
        }
        self.model.observe(statuses, self.cluster.now())
        return {node["id"]: node for node in self.model.picture()["nodes"]}

    def charted(self) -> list[int]:
        """Every figure on the lag chart."""
        points = self.model.history()["lag"]
        return [entries for _, behind in points for entries in behind.values() if entries is not None]


@pytest.mark.parametrize("mode", ["async", "quorum", "sync"])
@pytest.mark.parametrize("election", ["lowest-id", "bully", "solutions.ex3_election:MyElection"])
def test_a_fail_over_makes_nobody_look_far_behind(mode: str, election: str) -> None:
    watched = Watched(mode=mode, election=election)
    watched.write(*range(40))
    watched.look()
    old = watched.cluster.leader()
    assert old

    watched.cluster.kill(old)
    for _ in range(40):
        watched.cluster.sleep(0.05)
        watched.look()
    watched.cluster.start(old)
    for _ in range(40):
        watched.cluster.sleep(0.05)
        watched.look()

    assert watched.cluster.leader()
    assert max(watched.charted()) <= 3  # the new leader's own first entries
    assert all(node["lag"] in (0, None) for node in watched.look().values())


def test_a_stopped_node_has_no_lag_and_a_returned_one_its_true_lag() -> None:
    watched = Watched(mode="async")
    watched.write(1)
    watched.cluster.stop("node-3")
    watched.write(*range(5))
    assert watched.look()["node-3"]["lag"] is None

    watched.cluster.partition(["node-1", "node-2"], ["node-3"])
    watched.cluster.start("node-3")
    seen = watched.look()["node-3"]
    assert (seen["lag"], seen["parted"]) == (5, None)

    watched.cluster.heal()
    watched.cluster.sleep(2.0)
    assert watched.look()["node-3"]["lag"] == 0


def test_a_cut_follower_lacks_exactly_what_was_written_since() -> None:
    watched = Watched(mode="async")
    watched.write(*range(30))
    watched.cluster.partition(["node-1", "node-2"], ["node-3"])
    watched.write(*range(4), via="node-1")

    assert watched.look()["node-3"]["lag"] == 4


def test_both_sides_of_a_split_brain_say_where_their_histories_parted() -> None:
    watched = Watched(mode="async")
    watched.write(*range(30))
    last = watched.cluster.status()["node-1"].raw["last_index"]
    watched.cluster.partition(["node-1"], ["node-2", "node-3"])
    watched.cluster.wait_for(lambda c: c.status()["node-2"].role == "leader")
    watched.cluster.put("seat", "Ann", via="node-1")
    watched.cluster.put("seat", "Bob", via="node-2")
    watched.cluster.sleep(0.2)

    seen = watched.look()

    assert watched.model.picture()["info"]["split"]
    assert (seen["node-1"]["lag"], seen["node-1"]["parted"]) == (None, last + 1)
    assert (seen["node-3"]["lag"], seen["node-3"]["parted"]) == (0, None)
    assert max(watched.charted()) <= 3


def test_a_leader_on_the_small_side_that_took_no_write_is_behind_and_not_parted() -> None:
    watched = Watched(mode="async")
    watched.write(1)
    watched.cluster.partition(["node-1"], ["node-2", "node-3"])
    watched.cluster.wait_for(lambda c: c.status()["node-2"].role == "leader")
    watched.cluster.sleep(0.2)

    seen = watched.look()["node-1"]

    assert (seen["look"], seen["lag"], seen["parted"]) == ("leader", 1, None)


def test_a_write_that_was_not_copied_before_the_cut_parts_the_histories() -> None:
    watched = Watched(mode="async")
    watched.write(1)
    watched.cluster.delay_replication(500)
    watched.cluster.put("x", 2)
    watched.cluster.partition(["node-1"], ["node-2", "node-3"])
    watched.cluster.wait_for(lambda c: c.status()["node-2"].role == "leader")
    watched.cluster.sleep(1.2)

    assert watched.look()["node-1"]["parted"] == 3


def test_a_node_that_tells_nothing_of_its_log_has_no_lag() -> None:
    model = PanelModel(("node-1", "node-2"), "foreign", FAST)
    leader = NodeStatus("node-1", "running", True, "leader", 1, "node-1", 4, {"last_index": 74})
    follower = NodeStatus("node-2", "running", True, "follower", 1, "node-1", 4, {"last_index": 0})
    model.observe({"node-1": leader, "node-2": follower}, 1.0)

    assert [node["lag"] for node in model.picture()["nodes"]] == [None, None]
    assert model.history()["lag"] == [[1.0, {"node-2": None}]]


def test_between_an_election_and_the_new_leaders_first_status_nothing_is_known() -> None:
    watched = Watched(mode="async")
    watched.look()
    watched.cluster.kill("node-1")
    watched.cluster.wait_for(lambda c: c.leader())
    events, _ = watched.cluster.events_since(watched._position)
    watched.model.feed(events)

    assert [node["lag"] for node in watched.model.picture()["nodes"]] == [None, None, None]
