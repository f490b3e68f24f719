"""Operations, and histories as files: JSON lines both ways, and the two recorded text formats."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs.cluster.base import Outcome
from labs.history import HistoryError, Operation, load, save
from labs.history.files import parse
from labs.history.jsonl import dumps, loads

DATA = Path(__file__).parent / "data"

finite = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    first, second = sorted(draw(st.tuples(finite, finite)))
    kind = draw(st.sampled_from(("put", "get", "delete", "cas", "append")))
    arguments = {"cas": st.lists(json_values, min_size=2, max_size=2), "append": st.text()}
    outcome = draw(st.sampled_from(Outcome))
    return Operation(
        client=draw(st.text()),
        kind=kind,
        key=draw(st.text()),
        value=draw(arguments.get(kind, json_values)),
        invoked=first,
        completed=second if outcome is Outcome.OK else draw(st.none() | st.just(second)),
        outcome=outcome,
        result=draw(json_values),
        found=draw(st.none() | st.booleans()),
        node=draw(st.none() | st.text()),
        term=draw(st.none() | st.integers()),
        index=draw(st.none() | st.integers()),
    )


@given(st.lists(operations(), max_size=3))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_history_comes_back_from_json_lines_as_it_went_in(history: list[Operation]) -> None:
    text = dumps(history)

    assert loads(text) == history
    assert dumps(loads(text)) == text


def test_a_saved_history_can_be_loaded(tmp_path: Path) -> None:
    history = [Operation("a", "put", "x", {"ä": [1, None]}, 1.5, 2.25, Outcome.OK, node="node-1", term=1, index=7)]

    save(tmp_path / "h.jsonl", history)

    assert load(tmp_path / "h.jsonl") == history


def test_a_value_that_json_does_not_have_is_refused_on_the_way_out() -> None:
    with pytest.raises(ValueError, match="JSON"):
        dumps([Operation("a", "put", "x", math.nan)])


GOOD = '{"client": "a", "kind": "put", "key": "x", "value": 1, "invoked": 1.0, "outcome": "unknown"}'


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ("{", "not JSON"),
        ("[1]", "JSON object"),
        (GOOD.replace('"key": "x", ', ""), "lacks its field 'key'"),
        (GOOD.replace('"x"', "7"), "field 'key' cannot be 7"),
        (GOOD.replace("1.0", "true"), "field 'invoked' cannot be True"),
        (GOOD.replace("1.0", "null"), "field 'invoked' cannot be None"),
        (GOOD.replace("put", "jump"), "unknown kind 'jump'"),
        (GOOD.replace("unknown", "maybe"), "unknown outcome 'maybe'"),
        (GOOD.replace("unknown", "ok"), "needs the time at which it completed"),
        (GOOD.replace("1.0", '1.0, "completed": 0.5'), "before it was invoked"),
        (GOOD.replace("1.0", '1.0, "colour": "red"'), "no field 'colour'"),
        (GOOD.replace('"value": 1', '"value": NaN'), "JSON has no NaN"),
        (GOOD.replace('"value": 1', '"value": 1e999'), "JSON has no 1e999"),
        (GOOD.replace("put", "cas"), "[expected, new]"),
        (GOOD.replace("put", "append"), "is a text"),
    ],
)
def test_a_bad_line_is_refused_with_its_number_and_the_reason(bad: str, complaint: str) -> None:
    with pytest.raises(HistoryError) as caught:
        parse(f"{GOOD}\n\n{bad}\n")

    assert caught.value.line == 3
    assert complaint in str(caught.value)


def etcd(*events: str) -> list[Operation]:
    return parse("\n".join(f"INFO  jepsen.util - {event}" for event in events))


def test_an_etcd_log_gives_reads_writes_and_compare_and_sets() -> None:
    read, write, cas = etcd(
        "0\t:invoke\t:read\tnil", "0\t:ok\t:read\tnil", "1 :invoke :write 4", "1 :ok :write 4",
        "1 :invoke :cas [4 2]", "1 :ok :cas [4 2]",
    )  # fmt: skip

    assert (read.kind, read.found, read.invoked, read.completed) == ("get", False, 1, 2)
    assert (write.kind, write.value, write.outcome) == ("put", 4, Outcome.OK)
    assert (cas.value, cas.result, cas.client) == ([4, 2], True, "1")


def test_a_failed_compare_and_set_is_an_answer_and_a_timed_out_read_is_none() -> None:
    cas, read = etcd("3 :invoke :cas [0 1]", "4 :invoke :read nil", "3 :fail :cas [0 1]", "4 :fail :read :timed-out")

    assert (cas.outcome, cas.result) == (Outcome.OK, False)
    assert read.outcome is Outcome.FAILED


def test_what_timed_out_or_never_ended_is_of_unknown_outcome() -> None:
    timed_out, open_to_the_end = etcd("3 :invoke :write 1", "4 :invoke :write 2", "3 :info :write :timed-out")

    assert (timed_out.outcome, timed_out.completed) == (Outcome.UNKNOWN, None)
    assert (open_to_the_end.outcome, open_to_the_end.value) == (Outcome.UNKNOWN, 2)


def test_log_lines_of_other_components_are_skipped() -> None:
    nemesis, other = "INFO  jepsen.util - :nemesis :info :start nil", "WARN  jepsen.core - Slow"

    assert len(parse(f"{other}\nINFO  jepsen.util - 0 :invoke :write 1\n{nemesis}\n")) == 1


@pytest.mark.parametrize(
    ("events", "line"),
    [
        (["0 :invoke :jump 3"], 1),
        (["0 :invoke :write x"], 1),
        (["0 :invoke :cas 3"], 1),
        (["0 :invoke :write 1", "0 :ok :read 1"], 2),
        (["0 :invoke :write 1", "1 :ok :write 1"], 2),
        (["0 :invoke :write 1", "0 :invoke :write 2"], 2),
    ],
)
def test_an_etcd_log_that_makes_no_sense_is_refused_at_its_line(events: list[str], line: int) -> None:
    with pytest.raises(HistoryError) as caught:
        etcd(*events)

    assert caught.value.line == line


def test_a_key_value_text_gives_gets_puts_and_appends() -> None:
    lines = [
        '{:process 0, :type :invoke, :f :append, :key "4", :value "x y"}',
        '{:process 1, :type :invoke, :f :get, :key "4", :value nil}',
        '{:process 0, :type :ok, :f :append, :key "4", :value "x y"}',
        '{:process 1, :type :ok, :f :get, :key "4", :value ""}',
    ]

    append, get = parse("\n".join(lines))

    assert (append.kind, append.key, append.value) == ("append", "4", "x y")
    assert (get.result, get.found, get.value) == ("", True, None)


@pytest.mark.parametrize(
    "bad", ['{:process 0, :type :ok, :f :get, :key "4"}', '{:process 0, :type :invoke, :f :put, :key "4", :value nil}']
)
def test_a_key_value_text_that_makes_no_sense_is_refused_at_its_line(bad: str) -> None:
    with pytest.raises(HistoryError) as caught:
        parse(f"\n{bad}")

    assert caught.value.line == 2


@pytest.mark.parametrize("text", ["", "\n\n", "hello\n", "# A history"])
def test_what_is_no_history_is_refused(text: str) -> None:
    with pytest.raises(HistoryError, match="a history is JSON lines"):
        parse(text)


def test_bytes_that_are_no_text_are_refused_at_their_line(tmp_path: Path) -> None:
    (tmp_path / "h").write_bytes(b"INFO  jepsen.core - x\n\xff\n")

    with pytest.raises(HistoryError, match="not UTF-8") as caught:
        load(tmp_path / "h")

    assert caught.value.line == 2


def test_recorded_histories_survive_the_way_through_json_lines() -> None:
    for path in [*DATA.glob("*.log"), *DATA.glob("kv_*.txt")]:
        history = load(path)

        assert history, path.name
        assert loads(dumps(history)) == history


def test_an_operation_that_cannot_have_happened_is_refused() -> None:
    put = Operation("a", "put", "x", 1, 2.0, 3.0, Outcome.OK)

    with pytest.raises(HistoryError, match="before it was invoked"):
        replace(put, completed=1.0)
