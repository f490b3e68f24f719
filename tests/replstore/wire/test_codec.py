"""What comes back equals what went in, or it is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replstore.core.contract import Append, Install, State
from replstore.core.messages import Entry, EntryId, Heartbeat, HeartbeatReply, Message, Replicate, Snapshot
from replstore.wire.codec import CodecError, decode_message, decode_record, encode_message, encode_record


@dataclass(frozen=True)
class Poll(Message):
    """As a student would write it: a field of any kind that JSON can carry."""

    term: int
    content: Any


names = st.text(max_size=8)
numbers = st.integers(0, 2**40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
with_tuples = st.recursive(
    json_values,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.sampled_from(["tuple", "dict", "a"]), inner)
    ),
    max_leaves=8,
)
entry_ids = st.builds(EntryId, numbers, numbers, names)
entries = st.builds(Entry, numbers, numbers, names, st.sampled_from(["put", "delete", "noop"]), names, json_values)
entry_tuples = st.lists(entries, max_size=4).map(tuple)
messages = st.one_of(
    st.builds(Heartbeat, numbers, entry_ids, numbers),
    st.builds(HeartbeatReply, numbers, numbers, st.booleans(), entry_ids),
    st.builds(Replicate, numbers, entry_ids, entry_tuples, numbers),
    st.builds(Snapshot, numbers, entry_ids, numbers, numbers, entry_tuples, st.booleans()),
    st.builds(Poll, numbers, with_tuples),
)
records = st.one_of(
    st.builds(State, numbers, with_tuples),
    st.builds(Append, entry_tuples, numbers),
    st.builds(Install, entry_ids, entry_tuples),
)


@given(messages)
def test_a_message_comes_back_from_the_wire_as_it_was(message: Message) -> None:
    back = decode_message(encode_message(message))

    assert back == message
    assert repr(back) == repr(message)  # equality alone takes 1 for True and 1.0


@given(records)
def test_a_record_comes_back_from_the_journal_as_it_was(record: State | Append | Install) -> None:
    back = decode_record(encode_record(record))

    assert back == record
    assert repr(back) == repr(record)


@given(messages, st.data())
def test_a_message_that_lacks_a_field_is_refused(message: Message, data: st.DataObject) -> None:
    from replstore.json_text import from_json, to_json

    fields = from_json(encode_message(message))
    del fields[data.draw(st.sampled_from(sorted(fields)))]

    with pytest.raises(CodecError):
        decode_message(to_json(fields))


@given(st.text())
def test_any_other_text_is_refused_and_never_crashes(text: str) -> None:
    for decode in (decode_message, decode_record):
        with pytest.raises(CodecError):
            decode(text)


@pytest.mark.parametrize(
    "content",
    [{1, 2}, object(), b"bytes", {1: "a number as a key"}, float("nan"), 1j],
    ids=["set", "object", "bytes", "numeric key", "NaN", "complex"],
)
def test_what_json_cannot_carry_is_refused_when_it_is_sent(content: Any) -> None:
    with pytest.raises(CodecError, match="JSON"):
        encode_message(Poll(1, content))


@pytest.mark.parametrize("term", ["true", '"1"', "1.0", "null", "[1]"])
def test_a_field_of_the_wrong_type_is_refused_and_named(term: str) -> None:
    text = f'{{"type": "heartbeat", "term": {term}, "commit": [0, 0, ""], "round": 1}}'

    with pytest.raises(CodecError, match=r"Heartbeat\.term"):
        decode_message(text)


def test_a_class_defined_again_takes_the_old_ones_place() -> None:
    def cell() -> Callable[[str], Message]:
        @dataclass(frozen=True)
        class Hello(Message):
            text: str

        return Hello

    first, second = cell(), cell()

    assert type(decode_message(encode_message(first("hi")))) is second


def test_a_message_that_is_no_dataclass_is_refused_with_advice() -> None:
    class Forgot(Message):
        pass

    with pytest.raises(CodecError, match="@dataclass"):
        encode_message(Forgot())
