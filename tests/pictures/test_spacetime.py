"""The space-time diagram: what must be in it, whatever the run."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labs.pictures import origin_of, read_timeline, spacetime_svg
from labs.pictures.arrows import BUNDLED_FROM
from labs.trace.events import Event
from tests.trace.synthetic_runs import FIVE, Diary, crash_and_restart, split_vote, steady, two_leaders

SVG = "{http://www.w3.org/2000/svg}"
RUNS = [steady, split_vote, two_leaders, crash_and_restart]


def drawn(events: list[Event], **options: object) -> ElementTree.Element:
    return ElementTree.fromstring(spacetime_svg(events, **options))  # type: ignore[arg-type]


def having(root: ElementTree.Element, class_: str) -> list[ElementTree.Element]:
    return [element for element in root.iter() if class_ in element.get("class", "").split()]


def text_of(root: ElementTree.Element) -> str:
    return " ".join(element.text or "" for element in root.iter(f"{SVG}text"))


def tooltips(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}title")]


def message(root: ElementTree.Element, id: str) -> ElementTree.Element:
    return next(element for element in having(root, "st-m") if element.get("data-id") == id)


# -- messages ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", RUNS)
def test_every_message_of_a_run_is_an_arrow_or_ends_in_a_cross(run: Callable[[], list[Event]]) -> None:
    events = run()

    root = drawn(events)

    got = {event.id for event in events if event.event == "received"}
    for event in events:
        if event.event == "sent":
            crosses = having(message(root, event.id), "st-cross")
            under_way = event.time > 2.5  # the one message that the last run leaves on its way
            assert bool(crosses) == (event.id not in got and not under_way), event


def test_a_duplicate_is_drawn_as_a_second_arrow_of_the_same_message() -> None:
    diary = Diary()
    diary.send(0.1, "node-1", "node-2", "Replicate", copies=2)

    root = drawn(diary.done())

    assert len(having(message(root, "node-1:1"), "st-again")) == 1


def test_a_tooltip_tells_when_a_message_left_and_came_and_what_it_said() -> None:
    diary = Diary()
    diary.send(0.1, "node-1", "node-2", "Replicate", delay=0.25, term=7)

    told = tooltips(drawn(diary.done()))

    assert any(
        "node-1 → node-2" in text and "0.100 s" in text and "250.0 ms" in text and "term 7" in text for text in told
    )


def test_very_many_heartbeats_share_paths_and_none_is_left_out() -> None:
    diary = Diary(FIVE)
    diary.beats("node-1", 1, 0.0, 100 * 0.1)
    diary.send(5.0, "node-1", "node-2", "Heartbeat", arrives=False)
    sent = sum(event.event == "sent" for event in diary.events)
    assert sent > BUNDLED_FROM

    root = drawn(diary.done())

    bundles = [int(element.get("data-count", 0)) for element in having(root, "st-m")]
    assert sum(bundles) == sent - 1
    assert len(having(root, "st-gone")) >= 1, "the lost one is drawn for itself"


# -- nodes, faults, elections -----------------------------------------------------------------------------


def test_each_role_has_a_line_of_its_own_width_and_texture() -> None:
    root = drawn(crash_and_restart())

    widths = {c.get("class"): c.get("stroke-width") for c in root.iter(f"{SVG}path") if "st-line" in c.get("class", "")}

    assert len(set(widths.values())) >= 4, widths
    assert having(root, "st-hollow"), "a paused node's line is double"


def test_elections_faults_and_lost_writes_are_marked_and_named() -> None:
    root = drawn(two_leaders(), width=1600)

    kinds = {element.get("data-kind") for element in having(root, "st-mark")}
    words = text_of(root)

    assert {"became_leader", "election_timeout", "stepped_down", "write_lost", "committed"} <= kinds
    assert "leads term 2" in words
    assert "lost x = 5" in words
    assert "partition: node-1, node-2 | node-3, node-4, node-5" in words


def test_a_partition_builds_a_wall_just_between_the_nodes_that_it_parts() -> None:
    root = drawn(two_leaders())

    walls = [path.get("d", "") for path in having(root, "st-wall")]

    assert walls[0].count("M") == 1, "node-2 and node-3 are the only neighbours on different sides"


def test_a_one_way_cut_and_settings_of_the_whole_network_get_their_lanes() -> None:
    diary = Diary()
    diary.fault(0.1, "cut", **{"from": "node-1", "to": "node-2"})
    diary.fault(0.2, "settings", replication_delay_ms=50, jitter_ms=0, drop=0.5, duplicate=0)
    diary.fault(2.0, "heal")
    diary.note(2.5, "node-1", "stopping")

    words = text_of(drawn(diary.done()))

    assert "cut: node-1 ↛ node-2" in words
    assert "replication delayed by 50 ms" in words
    assert "drop 50%" in words


def test_the_legend_names_what_was_drawn_and_nothing_else() -> None:
    root = drawn(split_vote())

    legend = " ".join(element.text or "" for element in having(root, "st-legend")[0].iter(f"{SVG}text"))

    assert "election timeout" in legend
    assert "paused" not in legend
    assert "partition" not in legend


def test_requests_of_clients_are_drawn_by_their_outcome() -> None:
    diary = Diary()
    for outcome in ("ok", "failed", "unknown", "none"):
        diary.put(0.1, "node-1", outcome, 1, outcome)
    diary.note(1.0, "node-1", "stopping")

    root = drawn(diary.done())

    operations = {element.get("data-id"): element.get("class", "").split()[1] for element in having(root, "st-op")}
    operations.pop(None)  # the legend's samples
    assert list(operations.values()) == ["st-ok", "st-failed", "st-unknown", "st-unknown"]


# -- window, width, highlight -----------------------------------------------------------------------------


def test_a_window_shows_what_is_going_on_in_it_and_nothing_else() -> None:
    events = split_vote()

    root = drawn(events, window=(0.94, 1.0))

    shown = {element.get("data-id") for element in having(root, "st-m")} - {None}
    touching = {p.id for p in read_timeline(events).deliveries if p.sent <= 1.0 and p.last_seen >= 0.94 and p.arrivals}
    assert touching <= shown
    assert len(shown) < len(read_timeline(events).deliveries) / 3
    assert "960 ms" in text_of(root)


def test_a_window_counts_in_seconds_of_the_axis_also_for_wall_clock_times() -> None:
    assert spacetime_svg(split_vote(), window=(0.5, 1.0)).count("data-id") == spacetime_svg(
        split_vote(start=1.7e9), window=(0.5, 1.0)
    ).count("data-id")


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="not end before it begins"):
        spacetime_svg(split_vote(), window=(2.0, 1.0))


def test_highlighting_a_message_pales_the_others_and_names_it() -> None:
    events = steady(100)
    heartbeat = next(event for event in events if event.kind == "Heartbeat" and event.event == "sent")

    root = drawn(events, highlight=[heartbeat.id])

    assert root.get("class", "").split() == ["st-diagram", "st-dim"]
    hot = [element.get("data-id") for element in having(root, "st-m") if "st-hot" in element.get("class", "").split()]
    assert hot == [heartbeat.id]
    assert "Heartbeat" in text_of(root)


def test_a_highlighted_event_number_means_the_message_that_it_is_about() -> None:
    events = steady(50)
    received = next(event for event in events if event.event == "received" and event.kind == "Vote")

    root = drawn(events, highlight=[(received.node, received.seq)])

    assert "st-hot" in message(root, received.id).get("class", "")


def test_a_quiet_note_appears_when_it_is_highlighted() -> None:
    events = split_vote()
    state = next(event for event in events if event.kind == "state")

    marks = having(drawn(events, highlight=[(state.node, state.seq)]), "st-mark")

    assert any(mark.get("data-kind") == "state" for mark in marks)


@pytest.mark.parametrize("width", [900, 1600])
def test_the_picture_is_as_wide_as_asked(width: int) -> None:
    assert drawn(steady(50), width=width).get("width") == str(width)


def test_a_window_a_microsecond_wide_keeps_every_coordinate_near_the_picture() -> None:
    text = spacetime_svg(split_vote(), window=(0.95, 0.950001))

    coordinates = [float(number) for d in re.findall(r' d="([^"]*)"', text) for number in re.findall(r"[-\d.]+", d)]
    assert max(map(abs, coordinates)) < 10_000


# -- for everybody ----------------------------------------------------------------------------------------


def test_it_is_one_image_with_a_sentence_for_those_who_cannot_see_it() -> None:
    root = drawn(two_leaders(), title="Two leaders")

    assert root.get("role") == "img"
    told = root.get("aria-label", "")
    assert told.startswith("Two leaders. Space-time diagram of 5 nodes")
    assert "node-1 leads term 1" in told
    assert "node-4 leads term 2" in told
    assert "1 partition" in told


def test_its_style_concerns_only_itself_and_knows_dark_pages() -> None:
    style = drawn(split_vote()).find(f"{SVG}style")
    assert style is not None
    css = style.text or ""

    assert "prefers-color-scheme:dark" in css
    assert 'data-jp-theme-light="false"' in css
    plain = re.sub(r"@media[^{]*\{", "", css)
    selectors = [one for rule in re.findall(r"([^{}]+)\{", plain) for one in rule.split(",")]
    assert all(".st-diagram" in selector for selector in selectors), selectors


def test_nothing_has_an_id_that_could_meet_another_diagrams() -> None:
    assert not [element for element in drawn(two_leaders()).iter() if element.get("id")]


def test_what_nodes_say_never_becomes_markup() -> None:
    evil = "<script>alert(1)</script>&\"'\x00\ud800"
    diary = Diary((evil, "node-2"))
    diary.note(0.1, evil, "became_leader", term=evil)
    diary.note(0.2, evil, evil, a=evil)
    diary.fault(0.2, evil, evil)
    diary.send(0.3, evil, "node-2", evil, term=evil)
    diary.put(0.4, evil, evil, evil)

    text = spacetime_svg(diary.done(), title=evil)

    assert "<script" not in text
    assert ElementTree.fromstring(text) is not None


def test_the_same_events_give_the_same_bytes() -> None:
    assert spacetime_svg(two_leaders()) == spacetime_svg(two_leaders())


def test_no_events_give_an_empty_picture() -> None:
    root = drawn([])

    assert "0 nodes" in root.get("aria-label", "")


def test_three_hundred_messages_are_drawn_in_less_than_50_ms() -> None:
    events = steady(300)
    spent = []
    for _ in range(5):
        begun = time.thread_time()
        spacetime_svg(events)
        spent.append(time.thread_time() - begun)

    assert min(spent) < 0.05


# -- any events at all ------------------------------------------------------------------------------------

TIMES = st.one_of(
    st.floats(0, 5),
    st.floats(1.7e9, 1.7e9 + 5),
    st.floats(),
    st.sampled_from([float("nan"), float("inf"), -1e300, 0.0]),
)
NAMES = st.sampled_from(["node-1", "node-2", "node-10", "", "Ω<&>"])
KNOWN_KINDS = (
    "started state election_timeout waiting_for became_leader stepped_down following committed appended write_lost "
    "recovered stopping Heartbeat HeartbeatReply Replicate RequestVote Vote put get stop kill crash start restart "
    "pause resume partition heal cut delay loss settings"
)
KNOWN_FIELDS = (
    "term vote leader groups from to drop duplicate replication_delay_ms jitter_ms key value index count granted pre "
    "outcome op after kind node event"
)
KINDS = st.one_of(st.sampled_from(KNOWN_KINDS.split()), st.text(max_size=6))
VALUES = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.floats(), st.text(max_size=5), st.lists(NAMES))
FIELDS = st.sampled_from(KNOWN_FIELDS.split())
DETAILS = st.dictionaries(FIELDS, st.one_of(VALUES, st.lists(st.lists(NAMES, max_size=3), max_size=3)), max_size=5)
EVENTS = st.lists(
    st.builds(
        Event,
        time=TIMES,
        node=NAMES,
        event=st.sampled_from(["note", "sent", "received", "dropped", "fault", "request", "reply", "?"]),
        kind=KINDS,
        seq=st.integers(0, 5),
        id=st.sampled_from(["", "node-1:1", "node-1:2", "node-2:1", "x"]),
        peer=NAMES,
        details=DETAILS,
    ),
    max_size=25,
)


@example([Event(0.0, "node-1", "note", "of {braces", details={"key": "{"})], None)
@settings(max_examples=100, deadline=None)
@given(EVENTS, st.sampled_from([None, (0.0, 1.0), (1.0, 1.0), (-1e9, 1e9)]))
def test_any_list_of_events_gives_well_formed_xml_with_finite_numbers(
    events: list[Event], window: tuple[float, float] | None
) -> None:
    text = spacetime_svg(events, window=window, highlight=["node-1:1", 1])

    root = ElementTree.fromstring(text)
    for element in root.iter():
        for name in ("d", "x", "y", "width", "height", "viewBox"):
            assert not re.search(r"nan|inf|e\+", element.get(name, "")), element.attrib


@settings(max_examples=100, deadline=None)
@given(EVENTS)
def test_in_any_list_of_events_every_message_sent_is_drawn(events: list[Event]) -> None:
    root = drawn(events)

    plot = root.find(f"{SVG}svg")
    assert plot is not None
    shown = [element.get("data-id", "") for element in having(plot, "st-m")]
    usable = [e for e in events if e.event == "sent" and e.node and -1e12 < e.time < 1e12]
    for id in {event.id for event in usable}:
        assert shown.count(id) >= sum(event.id == id for event in usable)


@settings(max_examples=60, deadline=None)
@given(EVENTS)
def test_the_order_of_the_list_does_not_matter_to_a_run(events: list[Event]) -> None:
    distinct = [Event(e.time, e.node, e.event, e.kind, n, e.id, e.peer, e.details) for n, e in enumerate(events)]

    assert repr(read_timeline(distinct).deliveries) == repr(read_timeline(distinct[::-1]).deliveries)
    assert origin_of(distinct) == origin_of(distinct[::-1])
