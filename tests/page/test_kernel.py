"""A widget's message says in a page what it says elsewhere."""

from __future__ import annotations

from labs.page.kernel import with_null

NULL = object()


def test_every_none_becomes_null_however_deep_it_is() -> None:
    told = {"nodes": [{"lag": None, "keys": 0, "why": {"kill": None}}], "pair": (None, False), "text": "None"}

    heard = with_null(told, NULL)

    assert heard == {"nodes": [{"lag": NULL, "keys": 0, "why": {"kill": NULL}}], "pair": [NULL, False], "text": "None"}


def test_what_was_told_is_not_changed() -> None:
    told = {"lag": None, "rows": [None]}

    with_null(told, NULL)

    assert told == {"lag": None, "rows": [None]}
