"""The answer that the node puts together by hand is the one that the table of answers gives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replstore.api import put_done
from replstore.core.contract import Done
from replstore.core.messages import Entry
from replstore.json_text import to_json
from replstore.wire.answers import answer

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.text(), JSON, st.integers(1, 2**60), st.integers(1, 2**60))
def test_the_answer_to_a_put_is_the_tables(key: str, value: Any, index: int, term: int) -> None:
    entry = Entry(index, term, "node-1", "put", key, value)

    assert put_done(entry) == to_json(answer(Done(entry, True), "leader")[1])


@pytest.mark.parametrize("text", ["\x7f", '"', "\\", "é", "\U0001f451", "\u2028"])
def test_letters_that_json_escapes_are_escaped_in_it(text: str) -> None:
    entry = Entry(1, 1, "node-1", "put", text, text)

    assert put_done(entry) == to_json(answer(Done(entry, False), "leader")[1])
