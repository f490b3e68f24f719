"""Histories made to order: what a correct store with concurrent clients could have answered.

Law of this module: linearizable by construction. Every operation is given one moment inside its interval (or, its
answer being lost, after its invocation); the operations are carried out on one plain dictionary in the order of
these moments, and what they return is noted. Same arguments, same history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from labs.cluster.base import Outcome
from labs.history.operations import Operation

REGISTER_MIX = {"put": 4, "get": 5, "delete": 1}
CAS_MIX = {"put": 1, "get": 1, "cas": 1}
TEXT_MIX = {"put": 1, "get": 8, "append": 8}


def linearizable_history(
    operations: int,
    keys: int = 1,
    clients: int = 5,
    seed: int = 0,
    *,
    mix: Mapping[str, int] = REGISTER_MIX,
    unknown: float = 0.0,
    values: int | None = None,
) -> list[Operation]:
    """A linearizable history of this many operations, in order of invocation.

    `mix`: how often each kind comes, relative to the others. `unknown`: the share of writes whose answer is lost;
    half of them take effect, perhaps much later. `values`: how many different ones there are; None gives each write
    its own.
    """
    rng = Random(seed)
    free_at = [rng.random() for _ in range(clients)]
    planned: list[tuple[float, Operation]] = []
    for number in range(operations):
        client = min(range(clients), key=free_at.__getitem__)
        kind = rng.choices(list(mix), list(mix.values()))[0]
        content = number if values is None else rng.randrange(values)
        value = _argument(kind, f"<{content}>" if "append" in mix else content, rng, values or operations)
        invoked = free_at[client] + rng.expovariate(2)
        completed = free_at[client] = invoked + rng.expovariate(1)
        moment = rng.uniform(invoked, completed)
        op = Operation(f"client-{client + 1}", kind, f"key-{rng.randrange(keys) + 1}", value, invoked, completed)
        if kind == "get" or rng.random() >= unknown:
            planned.append((moment, replace(op, outcome=Outcome.OK)))
        else:
            late = float("inf") if rng.random() < 0.5 else moment + rng.expovariate(0.2)
            planned.append((late, replace(op, completed=None)))
    return sorted(_carry_out(planned), key=lambda op: op.invoked)


def _argument(kind: str, content: int | str, rng: Random, values: int) -> Any:
    if kind == "cas":
        return [rng.randrange(values), content]
    return None if kind in ("get", "delete") else content


def _carry_out(planned: list[tuple[float, Operation]]) -> list[Operation]:
    """Let each operation happen at its moment (never, if that is infinite) and note what it returns."""
    store: dict[str, Any] = {}
    done: list[Operation] = []
    for moment, op in sorted(planned, key=lambda item: item[0]):
        found, before = op.key in store, store.get(op.key)
        matched = op.kind == "cas" and found and before == op.value[0]
        if moment != float("inf"):
            _apply(op, store, matched)
        done.append(_answered(op, found, before, matched) if op.ok else op)
    return done


def _apply(op: Operation, store: dict[str, Any], matched: bool) -> None:
    if op.kind == "delete":
        store.pop(op.key, None)
    elif op.kind == "put" or matched:
        store[op.key] = op.written
    elif op.kind == "append":
        store[op.key] = store.get(op.key, "") + op.value


def _answered(op: Operation, found: bool, before: Any, matched: bool) -> Operation:
    if op.kind == "get":
        return replace(op, result=before, found=found)
    if op.kind == "delete":
        return replace(op, found=found)
    return replace(op, result=matched) if op.kind == "cas" else op
