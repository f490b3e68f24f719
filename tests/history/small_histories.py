"""Small histories of every kind, and the slow way to judge them: try everything."""

from __future__ import annotations

from itertools import chain, combinations, permutations
from typing import Any

import pytest
from hypothesis import strategies as st

from labs.cluster.base import Outcome
from labs.history import CAS_REGISTER, REGISTER, TEXT, Model, Operation

OK, FAILED, UNKNOWN = Outcome.OK, Outcome.FAILED, Outcome.UNKNOWN


# --------------------------------------------------------------------------------------------------------
# The slow checker: every choice of uncertain writes, every order

NOTHING = "<nothing>"


def by_brute_force(history: list[Operation], start: Any) -> bool:
    """Try everything. Written without a look at the fast one: plain values, plain loops."""
    certain = [op for op in history if op.outcome is OK]
    uncertain = [op for op in history if op.outcome is UNKNOWN and op.kind != "get"]
    choices = chain.from_iterable(combinations(uncertain, n) for n in range(len(uncertain) + 1))
    return any(
        respects_time(order) and explains(order, start)
        for chosen in choices
        for order in permutations([*certain, *chosen])
    )


def respects_time(order: tuple[Operation, ...]) -> bool:
    return not any(
        later.outcome is OK and later.completed is not None and later.completed < earlier.invoked
        for earlier, later in combinations(order, 2)
    )


def explains(order: tuple[Operation, ...], value: Any) -> bool:
    for op in order:
        possible, value = carry_out(op, value)
        if not possible:
            return False
    return True


def carry_out(op: Operation, value: Any) -> tuple[bool, Any]:
    if op.kind == "get":
        return value == (NOTHING if op.found is False else op.result), value
    if op.kind == "put":
        return True, op.value
    if op.kind == "append":
        return True, value + op.value
    if op.kind == "delete":
        told = op.outcome is OK and op.found is not None
        return not told or op.found == (value != NOTHING), NOTHING
    expected, new = op.value
    matched = value == expected
    return op.outcome is UNKNOWN or op.result == matched, new if matched else value


# --------------------------------------------------------------------------------------------------------
# Small histories, of which about as many are linearizable as not


def one_of_two(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


OUTCOMES = one_of_two(OK, OK, OK, UNKNOWN, FAILED)
REQUESTS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    kind: st.fixed_dictionaries({"kind": st.just(kind.split()[0]), "outcome": OUTCOMES} | shape)
    for kind, shape in {
        "put": {"value": one_of_two(1, 2)},
        "get": {"result": one_of_two(1, 2), "found": one_of_two(True, True, False)},
        "delete": {"found": one_of_two(True, False, None)},
        "cas": {"value": one_of_two([1, 1], [1, 2], [2, 1]), "result": st.booleans()},
        "append": {"value": one_of_two("a", "b")},
        "put text": {"value": one_of_two("", "a")},
        "get text": {"result": one_of_two("", "a", "b", "ab", "aa", "ba")},
    }.items()
}


def histories(*kinds: str) -> st.SearchStrategy[list[Operation]]:
    """Up to six operations, each by a client of its own."""
    times = st.tuples(st.integers(0, 12), st.integers(0, 5))
    asked = st.lists(st.tuples(times, st.one_of([REQUESTS[kind] for kind in kinds])), min_size=1, max_size=6)
    return asked.map(build)


def build(asked: list[tuple[tuple[int, int], dict[str, Any]]]) -> list[Operation]:
    return [
        Operation(str(number), key="x", invoked=float(start), completed=float(start + length), **request)
        for number, ((start, length), request) in enumerate(asked)
    ]


MODELS: dict[str, tuple[Model, st.SearchStrategy[list[Operation]], list[Any]]] = {
    "register": (REGISTER, histories("put", "get", "delete"), [NOTHING, 1, 2, 3]),
    "compare-and-set": (CAS_REGISTER, histories("put", "get", "cas"), [NOTHING, 1, 2, 3]),
    "text": (TEXT, histories("put text", "get text", "append"), ["", "a", "b", "ab", "aa", "ba", "z"]),
}
for_all_models = pytest.mark.parametrize(("model", "small", "starts"), MODELS.values(), ids=MODELS)
