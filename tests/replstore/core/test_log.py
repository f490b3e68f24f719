"""The log against the simplest thing that could be one: a list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replstore.core import log as log_module
from replstore.core.log import Log, take_batch
from replstore.core.messages import START, Entry, EntryId, natural_order


def entry(index: int, term: int = 1, value: object = "v") -> Entry:
    return Entry(index, term, "node-1", "put", f"k{index}", value)


def test_an_empty_log_ends_before_the_first_entry() -> None:
    assert Log().last_id == START
    assert Log().last == (0, 0)


@given(st.lists(st.tuples(st.sampled_from(["append", "truncate", "compact"]), st.integers(0, 30)), max_size=60))
def test_the_log_behaves_like_a_list_that_forgets_its_beginning(steps: list[tuple[str, int]]) -> None:
    log, base = Log(), 0
    model: list[Entry] = []
    for step, number in steps:
        if step == "append":
            model.append(entry(len(model) + 1, term=number))
            log.append(model[-1])
        elif step == "truncate":
            after = max(base, min(number, len(model)))
            assert log.truncate(after) == model[after:]
            del model[after:]
        else:
            log.compact(upto=min(number, len(model)))
            base = log.base.index

        assert log.last_index == len(model)
        assert log.after(base) == model[base:]
        assert log.last_id == (model[-1].id if model else START)
        for index in range(base + 1, len(model) + 1):
            assert log.id_at(index) == model[index - 1].id
        assert log.id_at(len(model) + 1) is None


def test_a_long_log_forgets_what_is_applied_and_keeps_its_last_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "KEEP_ENTRIES", 10)
    log = Log()
    for index in range(1, 31):
        log.append(entry(index))

    log.compact(upto=25)

    assert log.base == EntryId(20, 1, "node-1")
    assert [e.index for e in log.after(20)] == list(range(21, 31))
    assert log.id_at(19) is None


def test_a_log_never_forgets_what_is_not_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "KEEP_ENTRIES", 10)
    log = Log()
    for index in range(1, 31):
        log.append(entry(index))

    log.compact(upto=5)

    assert log.base.index == 5


def test_large_values_make_a_log_long_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "KEEP_BYTES", 1000)
    log = Log()
    for index in range(1, 6):
        log.append(entry(index, value="x" * 500))

    assert log.is_long
    log.compact(upto=5)
    assert len(log) == 1


def test_an_entry_out_of_turn_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot follow"):
        Log().append(entry(2))


@given(st.lists(st.integers(0, 400_000), max_size=20), st.integers(0, 20))
def test_a_batch_stays_near_its_limit_but_always_makes_progress(sizes: list[int], start: int) -> None:
    entries = [entry(n, value="x" * size) for n, size in enumerate(sizes, 1)]

    batch = take_batch(entries, start)

    assert list(batch) == entries[start : start + len(batch)]
    assert bool(batch) == (start < len(entries))
    assert len(batch) <= 1 or sum(len(e.value) for e in batch) <= log_module.BATCH_BYTES


def test_a_run_is_what_one_leadership_wrote_without_interruption() -> None:
    log = Log()
    for index, term in enumerate([1, 1, 2, 2, 2, 3], 1):
        log.append(entry(index, term))

    assert [log.start_of_run(index) for index in range(1, 7)] == [1, 1, 3, 3, 3, 6]


def test_node_2_comes_before_node_10() -> None:
    ids = ["node-10", "node-2", "node-1", "node-12", "alpha", "node-02"]

    assert sorted(ids, key=natural_order) == ["alpha", "node-1", "node-02", "node-2", "node-10", "node-12"]


@given(st.lists(st.text(max_size=6)))
def test_any_ids_can_be_ordered(ids: list[str]) -> None:
    backwards = ids[::-1]

    assert sorted(ids, key=natural_order) == sorted(backwards, key=natural_order)
