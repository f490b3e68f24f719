"""Mutants by machine: every place of a program's syntax tree where a small mistake can be made, and the mistake.

The kinds are those of mutation testing (R. DeMillo et al., "Hints on Test Data Selection", 1978), and some that are
frequent in distributed programs: state that is not reset or not kept, a message answered to the wrong node.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
NOT_ITS_BUSINESS = ("__str__", "__repr__")


@dataclass(frozen=True)
class Mutant:
    """`kind`, and `place`: the line in the source before it was changed, with its text."""

    kind: str
    line: int
    place: str
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """All of them, in the order of their lines. Comments and the form of the lines are lost in them."""
    lines = source.splitlines()
    tree = ast.parse(source)
    same = ast.unparse(tree)
    seen = {same}
    found: list[Mutant] = []
    for number, node in enumerate(ast.walk(tree)):
        for kind, change in _changes(node):
            changed = copy.deepcopy(tree)
            target = next(one for place, one in enumerate(ast.walk(changed)) if place == number)
            change(target)
            text = ast.unparse(ast.fix_missing_locations(changed))
            if text not in seen:
                seen.add(text)
                line = getattr(node, "lineno", 0)
                found.append(Mutant(kind, line, lines[line - 1].strip() if line else "", text))
    return iter(sorted(found, key=lambda mutant: mutant.line))


Change = Callable[[ast.AST], None]


def _changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    """What can be done wrong here: each changes a copy of the node in its place."""
    if isinstance(node, ast.Compare):
        yield from _comparisons(node)
    elif isinstance(node, ast.BoolOp):
        yield "and for or", lambda one: _set(one, op=ast.Or() if isinstance(one.op, ast.And) else ast.And())
        for place in range(len(node.values)):
            if len(node.values) > 1:
                yield "condition dropped", lambda one, place=place: one.values.pop(place)
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield "other arithmetic", lambda one: _set(one, op=ARITHMETIC[type(one.op)]())
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.If | ast.While):
        yield from _branches(node)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Match) and len(node.cases) > 1:
        for place in range(len(node.cases)):
            yield "case dropped", lambda one, place=place: one.cases.pop(place)
    elif isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
        yield "returns nothing", lambda one: _set(one, value=None)
    for name in ("body", "orelse"):
        statements = getattr(node, name, None)
        if isinstance(statements, list) and not isinstance(node, ast.Module | ast.ClassDef):
            yield from _statements(name, statements)
    if isinstance(node, ast.FunctionDef) and node.name not in NOT_ITS_BUSINESS:
        yield from _wrong_variables(node)


def _set(node: ast.AST, **fields: object) -> None:
    for name, value in fields.items():
        setattr(node, name, value)


def _comparisons(node: ast.Compare) -> Iterator[tuple[str, Change]]:
    for place, operator in enumerate(node.ops):
        for other in COMPARISONS.get(type(operator), ()):
            boundary = isinstance(operator, ast.Lt | ast.LtE | ast.Gt | ast.GtE) and other not in (ast.Gt, ast.Lt)
            yield (
                "boundary" if boundary else "comparison",
                lambda one, place=place, other=other: one.ops.__setitem__(place, other()),
            )


def _constants(node: ast.Constant) -> Iterator[tuple[str, Change]]:
    if isinstance(node.value, bool):
        yield "the other truth value", lambda one: _set(one, value=not one.value)
    elif isinstance(node.value, int):
        yield "off by one", lambda one: _set(one, value=one.value + 1)
        if node.value > 0:
            yield "off by one", lambda one: _set(one, value=one.value - 1)
    elif isinstance(node.value, float):
        yield "another number", lambda one: _set(one, value=one.value * 3)


def _branches(node: ast.If | ast.While) -> Iterator[tuple[str, Change]]:
    if isinstance(node, ast.If):
        yield "condition always true", lambda one: _set(one, test=ast.Constant(True))
        yield "branch never taken", lambda one: _set(one, test=ast.Constant(False))
        if node.orelse:
            yield "branches swapped", lambda one: _set(one, body=one.orelse, orelse=one.body)
    yield "condition turned round", lambda one: _set(one, test=ast.UnaryOp(ast.Not(), one.test))


def _calls(node: ast.Call) -> Iterator[tuple[str, Change]]:
    if len(node.args) >= 2:
        yield "arguments swapped", lambda one: one.args.__setitem__(slice(0, 2), one.args[1::-1])
    if isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
        yield "min for max", lambda one: _set(one.func, id="max" if one.func.id == "min" else "min")
    if isinstance(node.func, ast.Name) and node.func.id in ("any", "all"):
        yield "all for any", lambda one: _set(one.func, id="all" if one.func.id == "any" else "any")


def _statements(name: str, statements: list[ast.stmt]) -> Iterator[tuple[str, Change]]:
    for place, statement in enumerate(statements):
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue  # a docstring
        if isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign):
            kept = _targets(statement)
            kind = "state not kept or not reset" if kept else "assignment dropped"
        elif isinstance(statement, ast.Expr):
            kind = "call dropped"
        elif isinstance(statement, ast.Return | ast.Raise | ast.Continue | ast.Break):
            kind = "does not end here"
        else:
            continue
        yield kind, lambda one, name=name, place=place: getattr(one, name).__setitem__(place, ast.Pass())
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple):
            for part in range(len(statement.targets[0].elts)):
                yield (
                    "state not kept or not reset",
                    lambda one, name=name, place=place, part=part: _forget(getattr(one, name)[place], part),
                )


def _targets(statement: ast.Assign | ast.AugAssign | ast.AnnAssign) -> bool:
    """Whether it changes the state of an object."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return any(isinstance(one, ast.Attribute) for target in targets for one in ast.walk(target))


def _forget(statement: ast.AST, part: int) -> None:
    """One of several variables that are set together is not."""
    assert isinstance(statement, ast.Assign)
    target, value = statement.targets[0], statement.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        del target.elts[part], value.elts[part]
    elif isinstance(target, ast.Tuple):
        target.elts[part] = ast.Name("_", ast.Store())


def _wrong_variables(function: ast.FunctionDef) -> Iterator[tuple[str, Change]]:
    """A parameter in another one's place; and an attribute of oneself where a message's was meant, or the reverse."""
    names = [one.arg for one in function.args.args if one.arg != "self"]
    for number, node in enumerate(ast.walk(function)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
            for other in names:
                if other != node.id:
                    yield "wrong variable", lambda one, number=number, other=other: _set(_nth(one, number), id=other)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and isinstance(node.value, ast.Name):
            owner = node.value.id
            others = [name for name in ("self", *names) if name != owner]
            if node.attr in ("term", "vote", "leader", "last", "index") and (owner == "self" or owner in names):
                for other in others:
                    yield (
                        "wrong owner",
                        lambda one, number=number, other=other: _set(
                            _nth(one, number), value=ast.Name(other, ast.Load())
                        ),
                    )


def _nth(node: ast.AST, number: int) -> ast.AST:
    return next(one for place, one in enumerate(ast.walk(node)) if place == number)
