"""Mutants by machine: every place of a program's syntax tree where a small mistake can be made, and the mistake.

The kinds are those of mutation testing (R. DeMillo et al., "Hints on Test Data Selection", 1978), and some that are
frequent in distributed programs: state that is not reset or not kept, a message answered to the wrong node.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add}
PLAIN = ("float", "int", "bool", "str", "NodeId")
SHARED = ("term", "vote", "leader", "last", "index")
"""What messages have, and strategies, too."""
NOT_ITS_BUSINESS = ("__str__", "__repr__")


@dataclass(frozen=True)
class Mutant:
    """`kind`; `line`: where the statement or the function begins in the source; `place`: what was changed to what."""

    kind: str
    line: int
    place: str
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """All of them, in the order of their lines. Comments and the form of the lines are lost in them."""
    tree = ast.parse(source)
    same = ast.unparse(tree)
    seen = {same}
    found: list[Mutant] = []
    for number, node in enumerate(ast.walk(tree)):
        for kind, change in _changes(node):
            changed = ast.parse(source)
            target = next(one for place, one in enumerate(ast.walk(changed)) if place == number)
            change(target)
            text = ast.unparse(ast.fix_missing_locations(changed))
            if text not in seen:
                seen.add(text)
                found.append(Mutant(kind, getattr(node, "lineno", 0), _difference(same, text), text))
    return iter(sorted(found, key=lambda mutant: mutant.line))


def _difference(before: str, after: str) -> str:
    """The first line that differs, and what became of it."""
    pairs = zip_longest(before.splitlines(), after.splitlines(), fillvalue="")
    old, new = next((a.strip(), b.strip()) for a, b in pairs if a != b)
    return f"{old} → {new}"


Change = Callable[[Any], None]
"""Changes a copy of a node, in its place."""


def _set(**fields: object) -> Change:
    def change(node: Any) -> None:
        for name, value in fields.items():
            setattr(node, name, value)

    return change


def _put(field: str, place: int, new: Any) -> Change:
    return lambda node: getattr(node, field).__setitem__(place, new)


def _drop(field: str, place: int) -> Change:
    return lambda node: getattr(node, field).pop(place)


def _within(number: int, change: Change) -> Change:
    """The change in the node of this number below."""
    return lambda node: change(next(one for place, one in enumerate(ast.walk(node)) if place == number))


def _changes(node: Any) -> Iterator[tuple[str, Change]]:
    """What can be done wrong here."""
    if isinstance(node, ast.Compare):
        yield from _comparisons(node)
    elif isinstance(node, ast.BoolOp):
        yield "and for or", _set(op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        for place in range(len(node.values)):
            yield "condition dropped", _drop("values", place)
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield "other arithmetic", _set(op=ARITHMETIC[type(node.op)]())
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.If | ast.While):
        yield from _branches(node)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Match) and len(node.cases) > 1:
        for place in range(len(node.cases)):
            yield "case dropped", _drop("cases", place)
    elif isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
        yield "returns nothing", _set(value=None)
    for name in ("body", "orelse"):
        statements = getattr(node, name, None)
        if isinstance(statements, list) and not isinstance(node, ast.Module | ast.ClassDef):
            yield from _statements(name, statements)
    if isinstance(node, ast.FunctionDef) and node.name not in NOT_ITS_BUSINESS:
        yield from _wrong_variables(node)


def _comparisons(node: ast.Compare) -> Iterator[tuple[str, Change]]:
    for place, operator in enumerate(node.ops):
        for other in COMPARISONS.get(type(operator), ()):
            boundary = isinstance(operator, ast.Lt | ast.LtE | ast.Gt | ast.GtE) and other not in (ast.Gt, ast.Lt)
            yield "boundary" if boundary else "comparison", _put("ops", place, other())


def _constants(node: ast.Constant) -> Iterator[tuple[str, Change]]:
    value = node.value
    if isinstance(value, bool):
        yield "the other truth value", _set(value=not value)
    elif isinstance(value, int):
        yield "off by one", _set(value=value + 1)
        if value > 0:
            yield "off by one", _set(value=value - 1)
    elif isinstance(value, float):
        yield "another number", _set(value=value * 3)


def _branches(node: ast.If | ast.While) -> Iterator[tuple[str, Change]]:
    if isinstance(node, ast.If):
        yield "condition always true", _set(test=ast.Constant(True))
        yield "branch never taken", _set(test=ast.Constant(False))
        if node.orelse:
            yield "branches swapped", lambda one: _set(body=one.orelse, orelse=one.body)(one)
    yield "condition turned round", lambda one: _set(test=ast.UnaryOp(ast.Not(), one.test))(one)


OPPOSITES = {"min": "max", "max": "min", "any": "all", "all": "any"}


def _calls(node: ast.Call) -> Iterator[tuple[str, Change]]:
    if len(node.args) >= 2:
        yield "arguments swapped", lambda one: one.args.__setitem__(slice(0, 2), one.args[1::-1])
    if isinstance(node.func, ast.Name) and node.func.id in OPPOSITES:
        yield "the opposite function", _set(func=ast.Name(OPPOSITES[node.func.id], ast.Load()))


def _statements(name: str, statements: list[ast.stmt]) -> Iterator[tuple[str, Change]]:
    for place, statement in enumerate(statements):
        if kind := _kind_of_loss(statement):
            yield kind, _put(name, place, ast.Pass())
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple):
            for part in range(len(statement.targets[0].elts)):
                yield "state not kept or not reset", _forget(name, place, part)


def _kind_of_loss(statement: ast.stmt) -> str:
    """What it is to leave this statement out; empty: that is no mistake, or another one."""
    if isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        kept = any(isinstance(one, ast.Attribute) for target in targets for one in ast.walk(target))
        return "state not kept or not reset" if kept else "assignment dropped"
    if isinstance(statement, ast.Expr):
        return "" if isinstance(statement.value, ast.Constant) else "call dropped"
    return "does not end here" if isinstance(statement, ast.Return | ast.Raise | ast.Continue | ast.Break) else ""


def _forget(name: str, place: int, part: int) -> Change:
    """One of several variables that are set together is not."""

    def change(node: Any) -> None:
        statement = getattr(node, name)[place]
        target, value = statement.targets[0], statement.value
        if isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            del target.elts[part], value.elts[part]
        else:
            target.elts[part] = ast.Name("_", ast.Store())

    return change


def _wrong_variables(function: ast.FunctionDef) -> Iterator[tuple[str, Change]]:
    """A parameter in the place of another of its type; and one's own attribute where a message's was meant, or the
    reverse."""
    types = {one.arg: ast.unparse(one.annotation) if one.annotation else "" for one in function.args.args}
    owners = [name for name, kind in types.items() if kind not in PLAIN]
    for number, node in enumerate(ast.walk(function)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in types:
            for other in types:
                if other != node.id and types[other] == types[node.id]:
                    yield "wrong variable", _within(number, _set(id=other))
        if not (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and node.attr in SHARED):
            continue
        if isinstance(node.value, ast.Name) and node.value.id in owners:
            for other in owners:
                if other != node.value.id:
                    yield "wrong owner", _within(number, _set(value=ast.Name(other, ast.Load())))
