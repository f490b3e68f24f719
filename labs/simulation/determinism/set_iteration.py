"""Where does a class go through a set? Found in its source, to name the line that makes a run unrepeatable.

Law of this module: a hint, no proof. It reads the source of the class and of its own bases' modules, and looks for
names that were given a set and are then gone through.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

_MAKERS = {"set", "frozenset"}
_ORDERLY = {"list", "tuple", "iter", "enumerate", "map", "filter", "zip"}
"""Calls that keep the order of what they are given. (`sorted`, `len`, `sum`, `min` of plain values do not show it.)"""


def set_iterations(cls: type) -> list[str]:
    """`file, line N: text` for each place in the modules of `cls` and its bases, those of the lab excepted."""
    found = []
    for module in dict.fromkeys(base.__module__ for base in cls.__mro__):
        if module.partition(".")[0] in ("replstore", "builtins"):
            continue
        file = inspect.getsourcefile(next(base for base in cls.__mro__ if base.__module__ == module))
        if file is not None:
            lines = Path(file).read_text(encoding="utf-8").splitlines()
            for line in sorted({place.lineno for place in _places(ast.parse("\n".join(lines)))}):
                found.append(f"{Path(file).name}, line {line}: `{lines[line - 1].strip()}`")
    return found


def _places(tree: ast.AST) -> Iterator[ast.expr]:
    names = {name for node in ast.walk(tree) for name in _names_of_sets(node)}
    for node in ast.walk(tree):
        for expression in _gone_through(node):
            if _is_set(expression) or ast.unparse(expression) in names:
                yield expression


def _names_of_sets(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Assign) and _is_set(node.value):
        yield from map(ast.unparse, node.targets)
    elif isinstance(node, ast.AnnAssign | ast.arg) and _says_set(node.annotation):
        yield node.arg if isinstance(node, ast.arg) else ast.unparse(node.target)


def _says_set(annotation: ast.expr | None) -> bool:
    return annotation is not None and ast.unparse(annotation).partition("[")[0] in _MAKERS


def _is_set(node: ast.expr) -> bool:
    called = isinstance(node, ast.Call) and ast.unparse(node.func) in _MAKERS
    return called or isinstance(node, ast.Set | ast.SetComp)


def _gone_through(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.For | ast.comprehension):
        yield node.iter
    elif isinstance(node, ast.Call):
        function = node.func
        if isinstance(function, ast.Name) and function.id in _ORDERLY:
            yield from node.args
        elif isinstance(function, ast.Attribute) and function.attr == "pop" and not node.args:
            yield function.value
