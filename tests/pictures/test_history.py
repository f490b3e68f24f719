"""Pictures of histories: well-formed, self-contained, and not by colour alone."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from labs.cluster.base import Outcome
from labs.history import Operation, check, linearizable_history, load
from labs.pictures.history import draw, draw_violation

SVG = "{http://www.w3.org/2000/svg}"
DATA = Path(__file__).parents[1] / "history" / "data"


def put(client: str, value: object, invoked: float, completed: float | None, outcome: Outcome) -> Operation:
    return Operation(client, "put", "x", value, invoked, completed, outcome)


def bars(picture: str, kind: str) -> list[ElementTree.Element]:
    return [rect for rect in ElementTree.fromstring(picture).iter(f"{SVG}rect") if rect.get("class") == kind]


def texts(picture: str) -> list[str]:
    return [text.text or "" for text in ElementTree.fromstring(picture).iter(f"{SVG}text")]


def test_each_client_has_a_lane_and_each_operation_a_bar_with_its_label() -> None:
    history = [put("node-10", 1, 1, 2, Outcome.OK), put("node-2", 2, 1.5, 3, Outcome.OK)]

    picture = draw(history, title="Two writes")

    assert [text for text in texts(picture) if text.startswith("node-")] == ["node-2", "node-10"]
    assert {"put 1", "put 2", "Two writes"} <= set(texts(picture))
    assert len(bars(picture, "ok")) == 2


def test_an_outcome_shows_by_shape_and_not_only_by_colour() -> None:
    history = [
        put("a", 1, 1, 2, Outcome.OK),
        put("b", 2, 3, None, Outcome.UNKNOWN),
        put("c", 3, 4, 5, Outcome.FAILED),
    ]

    picture = draw(history, stuck=history[0])

    paths = [path.get("class") for path in ElementTree.fromstring(picture).iter(f"{SVG}path")]
    assert sorted(str(kind) for kind in paths) == ["cross", "hatch"]
    assert len(bars(picture, "frame")) == 1
    assert {"✖ put 1", "put 2 ?", "▲ stuck"} <= set(texts(picture))


def test_bars_overlap_exactly_where_operations_do() -> None:
    history = [op for op in linearizable_history(30, clients=4, seed=3, unknown=0) if op.completed is not None]

    rects = bars(draw(history), "ok")

    spans = [(float(r.get("x", "")), float(r.get("x", "")) + float(r.get("width", ""))) for r in rects]
    for one, (left, right) in zip(history, spans, strict=True):
        for other, (start, end) in zip(history, spans, strict=True):
            overlap = one.completed >= other.invoked and other.completed >= one.invoked  # type: ignore[operator]
            assert overlap == (right >= start and end >= left)


def test_an_operation_without_an_answer_ends_where_its_client_goes_on() -> None:
    history = [put("a", 1, 1, None, Outcome.UNKNOWN), put("a", 2, 3, 4, Outcome.OK)]

    (open_bar,) = bars(draw(history), "unknown")
    (next_bar,) = bars(draw(history), "ok")

    end = float(open_bar.get("x", "")) + float(open_bar.get("width", ""))
    assert end == float(next_bar.get("x", ""))


def test_the_picture_of_a_violation_marks_the_stuck_operation_and_numbers_the_others() -> None:
    (violation,) = check(load(DATA / "etcd_027.log")).violations

    picture = draw_violation(violation)

    assert f"✖ {violation.stuck.label}" in texts(picture)
    assert "▲ stuck" in texts(picture)
    assert {"1", "2", "3"} <= set(texts(picture))
    assert len(bars(picture, "stuck")) == 1


def test_a_picture_needs_nothing_from_elsewhere_and_fits_light_and_dark() -> None:
    picture = draw([put("a", 1, 1, 2, Outcome.OK)])

    assert re.findall(r"https?://[^\s\"]+", picture) == ["http://www.w3.org/2000/svg"]
    assert "prefers-color-scheme: dark" in picture
    assert "<script" not in picture
    assert bars(picture, "paper")


def test_text_of_users_cannot_break_the_picture() -> None:
    nasty = put("<b>&\x00", '"><script>\x01\ud800', 1, 2, Outcome.OK)

    picture = draw([nasty], title="a < b & c\x02", stuck=nasty)

    ElementTree.fromstring(picture.encode())
    assert "<script" not in picture


def test_no_operations_make_an_empty_picture() -> None:
    ElementTree.fromstring(draw([]))


def test_many_old_uncertain_writes_do_not_hide_the_window() -> None:
    lost = [put(f"lost-{n}", n, n, None, Outcome.UNKNOWN) for n in range(40)]
    read = Operation("r", "get", "x", None, 55, 56, Outcome.OK, result=-1, found=True)
    (violation,) = check([*lost, put("a", 99, 50, 51, Outcome.OK), read]).violations

    picture = draw_violation(violation)

    assert len(bars(picture, "unknown")) == 12
    assert "28 older writes" in " ".join(texts(picture))
