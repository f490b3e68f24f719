"""One story out of many diaries."""

from __future__ import annotations

from typing import Any

from labs.cluster.event_collector import Happenings
from replstore.wire.event_ring import PAGE, EventRing


class Diaries:
    """Nodes that are nothing but their rings of events."""

    def __init__(self) -> None:
        self.rings = {"node-1": EventRing(), "node-2": EventRing()}
        self.dead: set[str] = set()

    def fetch(self, node: str, since: int) -> dict[str, Any] | None:
        if node in self.dead:
            return None
        ring = self.rings[node]
        events = ring.since(since)
        following = events[-1]["seq"] + 1 if events else ring.next
        return {"node_id": node, "first": ring.first, "next": following, "events": events}

    def write(self, node: str, time: float, kind: str) -> None:
        self.rings[node].add(time, "note", kind, {})


def kinds(happenings: Happenings) -> list[str]:
    return [event.kind for event in happenings.all()]


def test_the_diaries_are_merged_by_time() -> None:
    diaries = Diaries()
    happenings = Happenings(diaries.fetch)
    diaries.write("node-1", 1.0, "first")
    diaries.write("node-1", 4.0, "fourth")
    diaries.write("node-2", 2.0, "second")
    happenings.record(3.0, "node-1", "fault", "third")

    happenings.collect("node-1")
    happenings.collect("node-2")

    assert kinds(happenings) == ["first", "second", "third", "fourth"]
    assert [event.node for event in happenings.all()] == ["node-1", "node-2", "node-1", "node-1"]


def test_nothing_is_collected_twice() -> None:
    diaries = Diaries()
    happenings = Happenings(diaries.fetch)
    diaries.write("node-1", 1.0, "once")

    happenings.collect("node-1")
    happenings.collect("node-1")

    assert kinds(happenings) == ["once"]


def test_who_asks_for_what_is_new_gets_each_event_once() -> None:
    diaries = Diaries()
    happenings = Happenings(diaries.fetch)
    diaries.write("node-1", 5.0, "late")
    happenings.collect("node-1")
    seen, position = happenings.since(0)
    diaries.write("node-2", 1.0, "early, but heard of later")
    happenings.collect("node-2")

    news, _ = happenings.since(position)

    assert [event.kind for event in seen] == ["late"]
    assert [event.kind for event in news] == ["early, but heard of later"]


def test_a_long_diary_is_read_page_by_page() -> None:
    diaries = Diaries()
    happenings = Happenings(diaries.fetch)
    for number in range(2 * PAGE + 10):
        diaries.write("node-1", float(number), "line")

    happenings.collect("node-1")

    assert len(happenings.all()) == 2 * PAGE + 10


def test_what_a_node_told_before_it_died_is_kept_and_its_next_life_is_numbered_on() -> None:
    diaries = Diaries()
    happenings = Happenings(diaries.fetch)
    for kind in ("born", "grown"):
        diaries.write("node-1", 1.0, kind)
    happenings.collect("node-1")
    diaries.dead = {"node-1"}
    happenings.collect("node-1")

    diaries.rings["node-1"], diaries.dead = EventRing(), set()
    happenings.begins_anew("node-1")
    diaries.write("node-1", 1.0, "born again")
    happenings.collect("node-1")

    assert kinds(happenings) == ["born", "grown", "born again"]
    numbers = [event.seq for event in happenings.all()]
    assert numbers == sorted(set(numbers))
