"""The leader's book-keeping knows who lacks something, also after it was nobody."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from replstore.core.log import Log
from replstore.core.messages import START, Entry, Replicate, Replicated
from replstore.core.replication import Replication
from replstore.core.store import Store

NOW = 1.0


def append(log: Log) -> Entry:
    entry = Entry(log.last_index + 1, 1, "node-1", "put", "k", log.last_index)
    log.append(entry)
    return entry


def at_rest() -> tuple[Log, Replication]:
    """Two followers that have both entries and know that both are committed."""
    log = Log()
    replication = Replication(1, log, Store(), ["node-2", "node-3"], retry=0.2)
    append(log)
    append(log)
    for peer in ("node-2", "node-3"):
        ship(log, replication, peer)
        ship(log, replication, peer)
    assert replication.behind(commit=2) == []
    return log, replication


def ship(log: Log, replication: Replication, peer: str) -> None:
    """Send what there is to send, and let the follower agree to it."""
    for message in replication.messages_for(peer, log.last_id, NOW):
        assert isinstance(message, Replicate)
        index = message.prev.index + len(message.entries)
        replication.replicated(peer, Replicated(1, True, index), log.last_id, NOW)


def test_everybody_is_behind_at_first_and_nobody_once_all_have_agreed() -> None:
    log, replication = at_rest()

    assert Replication(1, log, Store(), ["node-2", "node-3"], retry=0.2).behind(commit=2) == ["node-2", "node-3"]
    assert replication.behind(commit=2) == []


def test_a_new_entry_puts_everybody_behind_until_each_has_it() -> None:
    log, replication = at_rest()
    append(log)

    assert replication.behind(commit=2) == ["node-2", "node-3"]
    ship(log, replication, "node-3")
    assert replication.behind(commit=3) == ["node-2"]


def test_a_new_commit_puts_everybody_behind() -> None:
    _, replication = at_rest()

    assert replication.behind(commit=3) == ["node-2", "node-3"]


@pytest.mark.parametrize(
    "answer",
    [
        lambda it: it.alive("node-3", START),
        lambda it: it.replicated("node-3", Replicated(1, False, 2), START, NOW),
        lambda it: it.replicated("node-3", Replicated(1, False, 9), START, NOW),
        lambda it: it.log_conflict("node-3", START, NOW),
    ],
    ids=["its log is empty", "it refuses", "it has applied more", "its history is another"],
)
def test_a_follower_whose_answer_tells_otherwise_is_behind_again(answer: Callable[[Replication], None]) -> None:
    _, replication = at_rest()
    answer(replication)

    assert replication.behind(commit=2) == ["node-3"]


def test_a_heartbeats_answer_with_the_whole_log_changes_nothing() -> None:
    log, replication = at_rest()
    replication.is_back("node-3")
    replication.alive("node-3", log.last_id)

    assert replication.behind(commit=2) == []


def test_a_new_leader_knows_nobodys_lag_until_it_has_heard_of_the_followers_log() -> None:
    log, _ = at_rest()
    fresh = Replication(2, log, Store(), ["node-2", "node-3"], retry=0.2)
    assert fresh.lag() == {"node-2": None, "node-3": None}

    fresh.replicated("node-2", Replicated(2, False, 1), START, NOW)
    assert fresh.lag() == {"node-2": None, "node-3": None}
    fresh.replicated("node-2", Replicated(2, True, 1), START, NOW)
    assert fresh.lag() == {"node-2": 1, "node-3": None}


def test_a_follower_that_lost_its_memory_is_unknown_again() -> None:
    _, replication = at_rest()
    replication.alive("node-3", START)

    assert replication.lag() == {"node-2": 0, "node-3": None}
