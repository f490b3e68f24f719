"""The lines of an election that throw other dice than its own, or read a clock.

Law of this module: it reads the text and runs nothing. What it finds may be harmless, so it only explains what was
seen: two runs that differed.
"""

from __future__ import annotations

import ast

DICE = frozenset(("random", "secrets", "uuid", "time"))
OTHERS = frozenset(("urandom", "id", "hash", "SystemRandom"))
MOST = 5


def forbidden_dice(source: str) -> tuple[str, ...]:
    """`line 12: random.random()`, the first few. Nothing for a text that is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    named: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named |= {(one.asname or one.name): one.name for one in node.names if one.name in DICE}
        elif isinstance(node, ast.ImportFrom) and node.module in DICE:
            named |= {(one.asname or one.name): f"{node.module}.{one.name}" for one in node.names}
    found = [
        (node.lineno, what) for node in ast.walk(tree) if isinstance(node, ast.Call) and (what := _what(node, named))
    ]
    return tuple(f"line {line}: {what}()" for line, what in sorted(found)[:MOST])


def _what(call: ast.Call, named: dict[str, str]) -> str:
    match call.func:
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module in named:
            what = f"{named[module]}.{name}"
        case ast.Name(id=name) if name in named or name in OTHERS:
            what = named.get(name, name)
        case ast.Attribute(attr=name) if name in OTHERS:
            what = name
        case _:
            return ""
    seeded = what == "random.Random" and call.args
    return "" if seeded else what
