"""Histories as Jepsen, Knossos and Maelstrom write them: `history.edn`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from labs.cluster.base import Outcome
from labs.history import HistoryError, is_linearizable, load
from labs.history.files import parse

REGISTER = """\
{:type :invoke, :f :write, :value 3, :process 0, :time 1201, :index 0}
{:type :invoke, :f :read, :value nil, :process 1, :time 1250, :index 1}
{:type :ok, :f :write, :value 3, :process 0, :time 2007, :index 2}
{:type :info, :f :start-partition, :value nil, :process :nemesis, :time 2100, :index 3}
{:type :ok, :f :read, :value %s, :process 1, :time 2210, :index 4}
{:type :invoke, :f :cas, :value [3 4], :process 0, :time 3000, :index 5}
{:type :ok, :f :cas, :value [3 4], :process 0, :time 3001, :index 6}
{:type :invoke, :f :read, :value nil, :process 1, :time 3100, :index 7}
{:type :ok, :f :read, :value %s, :process 1, :time 3200, :index 8}
"""

KEYS = """\
{:process 0, :type :invoke, :f :write, :value ["x" 1], :index 0}
{:process 0, :type :ok, :f :write, :value ["x" 1], :index 1}
{:process 1, :type :invoke, :f :read, :value ["y" nil], :index 2}
{:process 1, :type :ok, :f :read, :value ["y" nil], :index 3}
{:process 1, :type :invoke, :f :read, :value ["x" nil], :index 4}
{:process 1, :type :ok, :f :read, :value ["x" %s], :index 5}
"""


@pytest.mark.parametrize(
    ("first", "second", "right"),
    [("3", "4", True), ("nil", "4", True), ("3", "3", False), ("4", "4", False), ("3", "nil", False)],
)
def test_a_register_is_judged(first: str, second: str, right: bool) -> None:
    assert is_linearizable(parse(REGISTER % (first, second))) is right


@pytest.mark.parametrize(("seen", "right"), [("1", True), ("nil", False), ("2", False)])
def test_keys_are_told_apart(seen: str, right: bool) -> None:
    operations = parse(KEYS % seen)

    assert [op.key for op in operations] == ['"x"', '"y"', '"x"']
    assert is_linearizable(operations) is right


@pytest.mark.parametrize(
    "shape",
    [
        lambda text: f"[{text}]",
        lambda text: "[\n" + text + "]\n",
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "".join(f"#jepsen.history.Op{line}\n" for line in text.splitlines()),
        lambda text: text.replace("[", "#jepsen.independent/tuple ["),
        lambda text: "\n\n" + text,
    ],
    ids=["vector", "vector in lines", "Windows", "records", "tuples", "blank lines first"],
)
def test_it_is_read_in_every_shape(shape: Callable[[str], str], tmp_path: Path) -> None:
    path = tmp_path / "history.edn"
    path.write_bytes(shape(KEYS % "1").encode())

    assert load(path) == parse(KEYS % "1")


def test_what_failed_did_not_happen_and_of_what_has_no_end_nobody_knows() -> None:
    text = (
        "{:process 0, :type :invoke, :f :write, :value 1}\n{:process 0, :type :fail, :f :write, :value 1}\n"
        "{:process 1, :type :invoke, :f :cas, :value [1 2]}\n{:process 1, :type :fail, :f :cas, :value [1 2]}\n"
        '{:process 2, :type :invoke, :f :write, :value 5}\n{:process 2, :type :info, :f :write, :error [:x "y"]}\n'
        "{:process 3, :type :invoke, :f :write, :value 6}\n"
    )

    assert [op.outcome for op in parse(text)] == [Outcome.FAILED, Outcome.FAILED, Outcome.UNKNOWN, Outcome.UNKNOWN]


def test_a_keyword_is_no_text_and_one_is_not_one_point_zero() -> None:
    def seen(written: str, read: str) -> bool:
        events = [f":invoke, :f :write, :value {written}", f":ok, :f :write, :value {written}"]
        events += [":invoke, :f :read, :value nil", f":ok, :f :read, :value {read}"]
        return is_linearizable(parse("".join(f"{{:process 0, :type {event}}}\n" for event in events)))

    assert seen(":a", ":a")
    assert not seen(":a", '"a"')
    assert not seen(":a", '":a"')
    assert not seen("1", "1.0")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{:process 0, :type :invoke, :f :txn, :value [[:r 1 nil]]}", "1: only :read, :write and :cas .* is :txn"),
        ("{:process 0, :type :invoke, :f :add, :value 1}", "and this is :add"),
        ("{:process 0, :type :begin, :f :read}", "event 1: :type is one of .*, not :begin"),
        ("{:type :invoke, :f :read}", "event 1: it has no :process"),
        ("[{:process 0, :type :invoke, :f :read} 7]", "event 2: an event is a map such as .*, not 7"),
        ("{:process 0, :type :invoke, :f :cas, :value 3}", r"event 1: the :value of a :cas is \[expected new\], not 3"),
        ("{:process 0, :type :invoke, :f :write}", "event 1: a :write of nil cannot be told"),
        ("{:process 0, :type :invoke, :f :write, :value #{1}}", "event 1: a value such as .* is not a register's"),
        ("{:process 0, :type :ok, :f :read, :value 3}", "event 1: process 0 completes what it has not invoked"),
        ("{:process 0, :type :invoke, :f :read}\n" * 2, "event 2: process 0 has not completed"),
        ("{:process 0, :type :invoke", "this is not EDN"),
        ("{:process 0, :type :invoke, :f :read, :value #unknown/tag 3}", "this is not EDN: .*unknown/tag"),
        (
            "{:process 0, :type :invoke, :f :read, :value [1 nil]}\n{:process 1, :type :invoke, :f :write, :value 1}",
            r"event 2: the other values here are pairs \[key value\], and this is 1",
        ),
    ],
)
def test_what_cannot_be_judged_is_refused_in_a_sentence_that_names_the_event(text: str, sentence: str) -> None:
    with pytest.raises(HistoryError, match=sentence):
        parse(text)
