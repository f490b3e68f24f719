"""After a crash: a node's log and store, from the records that it saved in its earlier life.

Law of this module: the records alone decide. Reading them again, in their order, gives the same log, the same store and
the same commit that the node had when it saved the last of them (and what it had not saved, it never promised to have).

A journal may have been compacted: then it begins with an `Install`, and old entries stand in it that only give live
keys their values. Entries come in their order, except those.
"""

from __future__ import annotations

from collections.abc import Iterable

from replstore.core.contract import Append, Install, Record, State
from replstore.core.log import KEEP_ENTRIES, CannotCarry, weight
from replstore.core.messages import Entry
from replstore.core.replica import Replica


def restore(replica: Replica, records: Iterable[Record]) -> State | None:
    """Fill a new `replica` from `records`. Returns the election's memory, where any was saved."""
    state: State | None = None
    commit = 0
    tail: list[Entry] = []  # the log behind `base`
    for record in records:
        match record:
            case Append(entries, committed):
                _append(replica, entries, tail)
                commit = max(commit, committed)
            case State():
                state = record
            case Install(at, items):
                carried = (_carried(replica, item) for item in items)
                replica.store.replace(item for item in carried if item.op == "put")
                replica.log.reset(at)
                tail.clear()
                commit = at.index
    _forget_applied(replica, tail, commit)
    for entry in tail:
        replica.log.append(entry)
    replica.commit = replica.log.base
    replica.advance_commit(min(commit, replica.log.last_index))
    return state


def _append(replica: Replica, entries: tuple[Entry, ...], tail: list[Entry]) -> None:
    first = replica.log.base.index + 1
    following = first + len(tail)
    carried = (_carried(replica, entry) for entry in entries)
    if entries and (entries[0].index, entries[-1].index) == (following, following + len(entries) - 1):
        tail += carried  # as nearly always: they follow what is there
        return
    for entry in carried:
        place = entry.index - first
        if place < 0:
            replica.store.apply(entry)  # a live key of a compacted journal
            continue
        if place < len(tail):
            del tail[place:]
        tail.append(entry)


def _forget_applied(replica: Replica, tail: list[Entry], commit: int) -> None:
    """Apply the committed entries in `tail`, except the last ones, which followers may still ask for. (Not before
    all has been read: a compacted journal may name a key's old value after a newer one.)"""
    count = min(commit - replica.log.base.index, len(tail) - KEEP_ENTRIES)
    if count > 0:
        replica.store.apply_all(tail[:count])
        replica.log.reset(tail[count - 1].id)
        del tail[:count]


def _carried(replica: Replica, entry: Entry) -> Entry:
    """An entry of the journal. One that no message can carry, from before values had limits, would keep everything
    behind it from the followers for ever: so it counts as a `noop` here, as on every node that has it."""
    kind = type(entry.value)
    if kind not in (str, list, dict) or (kind is str and len(entry.value) < 2**20):
        return entry
    try:
        weight(entry)
    except CannotCarry as error:
        replica.note("write_left_out", key=entry.key[:80], index=entry.index, term=entry.term, reason=str(error))
        return Entry(entry.index, entry.term, entry.leader, "noop")
    return entry
