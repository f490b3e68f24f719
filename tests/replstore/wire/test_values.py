"""Accepted means carried: one door decides, and what it lets in is saved, shipped, snapshotted, recovered and read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replstore import json_text
from replstore.core.contract import Append, Flush, Put, Reply, Request, Save, Send, Tick
from replstore.core.log import BATCH_BYTES, ENTRY_BYTES, MAX_ENTRY, weight
from replstore.core.lowest_id import LowestId
from replstore.core.messages import MAX_MESSAGE, Entry, EntryId, Replicate
from replstore.core.node import Node
from replstore.json_text import from_json, to_json
from replstore.wire.answers import answer
from replstore.wire.codec import encode_message, encode_record
from replstore.wire.values import (
    GROWTH,
    MAX_BYTES,
    MAX_DIGITS,
    MAX_ITEMS,
    MAX_KEY,
    MAX_NESTING,
    BadValue,
    NotJson,
    read_key,
    read_value,
)
from tests.replstore.core.carried import Trio, check, corners, everywhere, same

FAST_HEARTBEAT = 0.1
"""Seconds: `labs.cluster.FAST`."""

# -- what is refused, and how --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"[" * 101 + b"]" * 101, "at most 100 arrays and objects within each other"),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "at most 100 arrays and objects within each other"),
        (b"[" * 900 + b"]" * 900, "at most 100 arrays and objects within each other"),
        (b"[" * 500_000, "more than 1,000 items"),
        (b"[" + b"1," * 1000 + b"1]", "more than 1,000 items"),
        (b"[" + b'"",' * 300_000 + b"1]", "more than 1,000 items"),
        (json.dumps("\x7f" * 700_000).encode(), "takes 4,200,002 bytes as JSON in ASCII; at most 1,048,576"),
        (b"9" * 5000, "an integer of 5,000 digits; at most 308"),
        (b"[-" + b"9" * 4301 + b"]", "an integer of 4,301 digits; at most 308"),
        (b"1e999", "The number 1e999 is too large"),
        (b"[1, -1e400]", "The number -1e400 is too large"),
        (b'"a\\ud800b"', r"half a surrogate pair \(\\ud800\), which is not Unicode text"),
        (b'{"\\uDC00": 1}', r"half a surrogate pair \(\\udc00\)"),
        (b'{"a": 1, "b": 2, "a": 3}', 'the name "a" twice'),
    ],
    ids=lambda case: str(case)[:30],
)
def test_what_is_not_carried_is_refused_in_a_sentence(body: bytes, sentence: str) -> None:
    with pytest.raises(BadValue, match=sentence):
        read_value(body)


@pytest.mark.parametrize(
    "body",
    [b"", b"Alice", b'{"a": 1', b"NaN", b"[1, Infinity]", b"-Infinity", b'"\xff"', b'"\xed\xa0\x80"', b"01", b"1 2"],
)
def test_what_is_no_json_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(NotJson, match=r"^Invalid JSON$"):
        read_value(body)


@pytest.mark.parametrize(
    ("text", "key"),
    [("a", "a"), ("a%20b", "a b"), ("a/b", "a/b"), ("%F0%9F%91%91", "👑"), ("%00", "\0"), 2 * ("k" * MAX_KEY,)],
    ids=["plain", "blank", "slash", "beyond ASCII", "zero", "as long as can be"],
)
def test_a_key_is_the_rest_of_the_path(text: str, key: str) -> None:
    assert read_key(text) == key


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The key is empty"),
        ("k" * (MAX_KEY + 1), "The key has 10,241 characters"),
        ("%ED%A0%80", "not UTF-8"),
        ("%FF", "not UTF-8"),
    ],
    ids=["empty", "too long", "half a surrogate pair", "no UTF-8"],
)
def test_a_key_that_is_not_carried_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(BadValue, match=sentence):
        read_key(text)


# -- what is let in ------------------------------------------------------------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**MAX_DIGITS) + 1, 10**MAX_DIGITS - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.text(alphabet='",[]{}\\\x7f\u2028é👑')
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=8), inner, max_size=6),
    max_leaves=40,
)
nested = st.builds(
    lambda value, around: reduce(lambda inner, kind: [inner] if kind is list else {"a": inner}, around, value),
    scalars,
    st.lists(st.sampled_from([list, dict]), max_size=MAX_NESTING),
)
bodies = st.builds(
    lambda value, ascii_only, blanks: json.dumps(value, ensure_ascii=ascii_only, indent=blanks).encode(),
    values | nested,
    st.booleans(),
    st.sampled_from([None, 0, 1]),
)


@given(bodies)
def test_what_is_within_the_limits_is_let_in_as_it_is(body: bytes) -> None:
    assert same(read_value(body), json.loads(body))


@given(bodies)
def test_the_size_of_a_body_tells_what_its_value_takes_at_the_most(body: bytes) -> None:
    assert len(to_json(read_value(body))) <= GROWTH * len(body)


@given(st.binary() | st.text(alphabet='[]{}",:\\ud8e1-.').map(str.encode))
def test_any_body_is_let_in_or_refused_and_never_crashes(body: bytes) -> None:
    try:
        value = read_value(body)
    except BadValue:
        return
    assert same(from_json(to_json(value)), value)


@given(st.lists(bodies, min_size=1, max_size=8), st.sampled_from(["async", "quorum", "sync"]))
@settings(max_examples=30, deadline=None)
def test_accepted_means_saved_shipped_snapshotted_recovered_and_read(some: list[bytes], mode: str) -> None:
    assert check(some, mode) == len(some)


@pytest.mark.parametrize("mode", ["async", "quorum", "sync"])
def test_values_at_the_limits_are_carried(mode: str) -> None:
    assert check(corners(), mode) >= 20


PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def interpreter(version: str) -> str | None:
    """Another Python: on the path, or where pyenv or uv keep theirs."""
    found = shutil.which(f"python{version}")
    if found and subprocess.run([found, "--version"], capture_output=True).returncode == 0:
        return found
    homes = (Path.home() / ".pyenv/versions", Path.home() / ".local/share/uv/python")
    inside = [path for home in homes for path in sorted(home.glob(f"*{version}*/bin/python{version}"))]
    return str(inside[0]) if inside else None


@pytest.mark.slow
@pytest.mark.parametrize("version", PYTHONS)
def test_values_at_the_limits_are_carried_by_every_python(version: str) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"Python {version} is not installed here")

    root = Path(__file__).parents[3]
    words = [python, "-B", "-m", "tests.replstore.core.carried"]
    ran = subprocess.run(words, cwd=root, capture_output=True, text=True, timeout=120, env={"PATH": os.environ["PATH"]})

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(f"{version}.")


# -- the limits fit together ---------------------------------------------------------------------------------


@given(values | nested, st.text(max_size=50), st.integers(0, 2**63))
def test_an_entry_weighs_at_least_what_it_takes(value: Any, key: str, number: int) -> None:
    entry = Entry(number, number, "n" * 64, "delete", key, value)

    assert len(to_json(entry)) <= weight(entry)


def test_the_largest_message_of_accepted_values_is_far_below_what_a_link_takes() -> None:
    largest_entry = MAX_BYTES + GROWTH * MAX_KEY + ENTRY_BYTES
    largest_message = max(largest_entry, BATCH_BYTES)  # a batch, or the one entry that is larger

    assert largest_entry < MAX_ENTRY
    assert 8 * largest_message < MAX_MESSAGE


def worst() -> Iterator[tuple[str, bytes]]:
    """Values that take long for their size: measured, and kept because they were the slowest of their kind."""
    dice = Random(1)
    tiny = [5e-324 * dice.randint(1, 2**50) for _ in range(MAX_ITEMS - 2)]
    room = MAX_BYTES - len(to_json([*tiny, ""]))
    yield "text", json.dumps("x" * (MAX_BYTES - 2)).encode()
    yield "text and the slowest floats", json.dumps([*tiny, "x" * room], separators=(",", ":")).encode()
    yield "escapes", b'["' + b'\\"' * ((MAX_BYTES - 4) // 2) + b'"]'
    yield "long integers", to_json([int("9" * MAX_DIGITS) for _ in range(MAX_ITEMS - 1)]).encode()
    yield "objects", b"[" + b",".join(b'{"%d":{}}' % n for n in range(MAX_ITEMS // 3 - 1)) + b"]"
    yield "members", to_json({f"{n:0>900}": n for n in range(MAX_ITEMS - 1)}).encode()
    yield "too many items", b"[" + b"1e15," * 209_000 + b"1]"
    yield "too many strings", b'["' + b'","' * 340_000 + b'"]'
    yield "too many backslashes", b'["' + b"\\\\" * 500_000 + b'"' + b",1" * 2000 + b"]"
    yield "a number without end", b"9" * 2**20
    yield "too deep", b"[" * 2**20
    yield "too large", json.dumps("\x7f" * 1_000_000, ensure_ascii=False).encode()


YARDSTICK = [number / 7 for number in range(2000)]
YARDSTICK_TAKES = 0.0013
"""Seconds for which the machine that the limits were chosen on writes and reads the yardstick."""


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in worst()])
def test_no_value_keeps_the_event_loop_longer_than_a_tenth_of_the_shortest_heartbeat(body: bytes) -> None:
    """Everything that a leader does about one write, one thing after the other. It is measured in processor time, as
    the best of some tries, and beside a yardstick: how fast or how busy this machine is does not count."""
    turns, yardsticks = [], []
    for _ in range(9):
        yardsticks.append(yardstick())
        turns.append(turn(leading(), body))

    assert min(turns) / min(yardsticks) <= FAST_HEARTBEAT / 10 / YARDSTICK_TAKES


def yardstick() -> float:
    started = time.thread_time()
    json.loads(json.dumps(YARDSTICK))
    return time.thread_time() - started


def leading() -> Node:
    node = Node("node-1", ["node-2"], LowestId, heartbeat=0.1, timeout=0.4, mode="async", rng=Random(1))
    now = 0.0
    while not node.leads:
        now += 0.025
        node.handle(Tick(), now)
    return node


def turn(node: Node, body: bytes) -> float:
    json_text._remembered.clear()
    started = time.thread_time()
    try:
        value = read_value(body)
    except BadValue:
        return time.thread_time() - started
    for event in (Request(1, Put("key", value)), Flush()):
        for effect in node.handle(event, 60.0):
            if isinstance(effect, Save):
                encode_record(effect.record).encode("ascii")
            elif isinstance(effect, Send):
                encode_message(effect.message).encode("ascii")
            elif isinstance(effect, Reply):
                to_json(answer(effect.result, "leader")[1]).encode("ascii")
    return time.thread_time() - started


# -- what an older version let in ------------------------------------------------------------------------------


def deep(levels: int) -> Any:
    value: Any = []
    for number in range(levels - 1):
        value = [value] if number % 2 else {"a": value}
    return value


OLD: dict[str, Callable[[], Any]] = {
    "nested for 3.11": lambda: deep(976),
    "nested for 3.12": lambda: deep(1_487),
    "nested for 3.13": lambda: deep(9_988),
    "six times as large as it came": lambda: "\x7f" * 700_000,
    "many floats": lambda: [1e15] * 209_000,
    "half a surrogate pair": lambda: "a\ud800b",
    "a long integer": lambda: [10**5000],
}


@pytest.fixture
def trio(tmp_path: Path) -> Iterator[Trio]:
    with Trio(tmp_path) as made:
        yield made


def write_journal(trio: Trio, entry: Entry) -> None:
    """What node-1 finds when it starts."""
    trio.start("node-1")
    trio.members["node-1"].journal.write(Append((Entry(1, 1, "node-1", "noop"), entry), 2))
    trio.crash()


@pytest.mark.parametrize("name", OLD)
def test_an_old_journal_is_read_and_its_values_reach_the_followers(name: str, trio: Trio) -> None:
    value = OLD[name]()
    write_journal(trio, Entry(2, 1, "node-1", "put", "old", value))

    trio.start()
    trio.run(2.0)
    trio.ask(1, Put("new", 1))
    trio.run(1.0)

    everywhere(trio, {"old": value, "new": 1})
    trio.crash()
    trio.start()
    trio.run(2.0)
    everywhere(trio, {"old": value, "new": 1})


def test_what_no_message_can_carry_is_left_out_aloud_and_holds_nothing_up(trio: Trio) -> None:
    write_journal(trio, Entry(2, 1, "node-1", "put", "huge", "x" * MAX_MESSAGE))

    trio.start()
    trio.run(2.0)
    trio.ask(1, Put("new", 1))
    trio.run(1.0)

    left_out = [note.details for note in trio.notes if note.kind == "write_left_out"]
    assert [(note["key"], note["index"], note["term"]) for note in left_out] == [("huge", 2, 1)]
    assert "can be sent to the other nodes" in left_out[0]["reason"]
    assert trio.members["node-1"].node.read("huge") is None
    everywhere(trio, {"new": 1})


@pytest.mark.parametrize(
    "value", ["x" * MAX_MESSAGE, {1, 2}, float("nan"), object()], ids=["huge", "set", "NaN", "object"]
)
@pytest.mark.parametrize("mode", ["async", "quorum", "sync"])
def test_what_cannot_be_shipped_is_not_acknowledged_and_holds_nothing_up(mode: str, value: Any, trio: Trio) -> None:
    """The core has a lock of its own, for drivers that come in by another door."""
    trio.mode = mode
    trio.start()
    trio.run(1.0)

    trio.ask(1, Put("bad", value))
    trio.ask(2, Put("good", 1))
    trio.run(1.0)

    code, body = answer(trio.results[1], "leader")
    assert code == 400
    assert "sent to the other nodes" in body["error"]
    assert answer(trio.results[2], "leader")[0] == 200
    everywhere(trio, {"good": 1})


# -- a large value is encoded once ------------------------------------------------------------------------------


@given(st.lists(values, max_size=4), st.integers(0, 3))
def test_what_is_remembered_changes_no_text(some: list[Any], number: int) -> None:
    large = {"text": "\x7f" * 4000, "more": some}
    entries = tuple(Entry(n, 1, "node-1", "put", "k", value) for n, value in enumerate([*some, large], 1))
    message = Replicate(1, EntryId(0, 0, ""), entries, number)
    body = {"success": True, "value": large, "some": some}
    json_text._remembered.clear()
    plain = encode_message(message), encode_record(Append(entries, number)), to_json(body)

    json_text.value_json(large)

    assert json_text._remembered
    assert (encode_message(message), encode_record(Append(entries, number)), to_json(body)) == plain
    json_text._remembered.clear()


def test_only_a_few_large_values_are_remembered() -> None:
    for number in range(100):
        json_text.value_json("x" * json_text.LARGE + str(number))

    assert 1 <= len(json_text._remembered) <= json_text.MAX_REMEMBERED
    json_text._remembered.clear()


def test_this_python_can_run_the_round_trip_alone() -> None:
    """The helper for other Pythons needs nothing but the standard library."""
    words = [sys.executable, "-S", "-c", "import tests.replstore.core.carried"]

    assert subprocess.run(words, cwd=Path(__file__).parents[3]).returncode == 0
