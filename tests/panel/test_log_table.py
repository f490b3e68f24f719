"""The table of logs shows what nodes told: what is committed, what is not, and what will go."""

from __future__ import annotations

from typing import Any

from tests.panel.test_logs import Watched


def states(watched: Watched, node: str) -> list[str]:
    logs = watched.model.picture()["logs"]
    row: dict[str, Any] = next(row for row in logs["rows"] if row["node"] == node)
    return [state for _, _, state in row["cells"]]


def test_a_committed_entry_shows_its_term_key_and_value() -> None:
    watched = Watched(mode="quorum")
    watched.write("Ann")
    watched.cluster.sleep(0.3)
    watched.look()

    logs = watched.model.picture()["logs"]
    assert logs["rows"][0]["cells"] == [[1, "noop", "committed"], [1, 'x="Ann"', "committed"]]
    assert (logs["first"], logs["last"], logs["commit"], logs["stories"]) == (1, 2, 2, [])


def test_an_entry_without_enough_copies_is_open_and_the_panel_says_what_it_waits_for() -> None:
    watched = Watched(mode="quorum")
    watched.write(1)
    for node in ("node-2", "node-3"):
        watched.cluster.kill(node)
    watched.cluster.put("x", 2, via="node-1", timeout=0.1)
    watched.look()

    assert states(watched, "node-1")[-1] == "open"
    [story] = watched.model.picture()["logs"]["stories"]
    assert story == "Entry 3 of node-1 is not committed: 1 of the 2 copies are known."


def test_what_the_other_leader_does_not_have_is_doomed_and_its_story_is_told() -> None:
    watched = Watched(mode="async")
    watched.write(1)
    watched.cluster.partition(["node-1"], ["node-2", "node-3"])
    watched.cluster.wait_for(lambda c: c.status()["node-2"].role == "leader")
    watched.cluster.put("seat", "Ann", via="node-1")
    watched.cluster.put("seat", "Bob", via="node-2")
    watched.cluster.sleep(0.2)
    watched.look()

    assert states(watched, "node-1") == ["committed", "committed", "doomed"]
    assert "doomed" not in states(watched, "node-3")
    [story] = watched.model.picture()["logs"]["stories"]
    assert story == (
        'put seat = "Ann" (entry 3) is only at node-1, and goes when it follows node-2. A client was told “stored”.'
    )
    watched.cluster.put("seat", "Eve", via="node-1")
    watched.look()
    [story] = watched.model.picture()["logs"]["stories"]
    assert story.startswith('put seat = "Ann" (entry 3) and 1 later write are only at node-1, and go when it follows')
    assert story.endswith(" Clients were told “stored”.")

    watched.cluster.heal()
    watched.cluster.sleep(2.0)
    watched.look()
    assert "doomed" not in states(watched, "node-1")
    assert watched.model.picture()["logs"]["stories"] == []


def test_a_node_that_is_away_keeps_its_row_and_is_marked() -> None:
    watched = Watched()
    watched.write(1)
    watched.look()
    watched.cluster.kill("node-3")
    watched.look()

    rows = {row["node"]: row["told"] for row in watched.model.picture()["logs"]["rows"]}
    assert rows == {"node-1": True, "node-2": True, "node-3": False}


def test_a_snapshot_is_folded_and_not_guessed() -> None:
    watched = Watched(mode="async")
    watched.write(1)
    watched.cluster.partition(["node-1"], ["node-2", "node-3"])
    watched.cluster.wait_for(lambda c: c.status()["node-2"].role == "leader")
    for number in range(3):
        watched.cluster.put("x", number, via="node-1")
        watched.cluster.put("x", number, via="node-2")
    watched.cluster.heal()
    watched.cluster.sleep(2.0)
    watched.look()

    assert "folded" in states(watched, "node-1")
    assert states(watched, "node-2")[0] == "committed"
