"""Each row of the table of promises in `docs/protocol.md` names tests that there are; no mode and fault is left out."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
OWN = ("tests/simulation/test_promises.py", "tests/simulation/test_promise_limits.py")


def rows() -> list[list[str]]:
    """The cells of the table, without its head."""
    text = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8").split("## Promises")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def named(cell: str) -> list[tuple[tuple[str, ...], str]]:
    """Each test with the files in which it may be."""
    found: list[tuple[tuple[str, ...], str]] = []
    for name in re.findall(r"`((?:tests/[\w/]+\.py::)?test_\w+)`", cell):
        path, _, test = name.rpartition("::")
        found.append(((path,) if path else OWN, test))
    return found


def test_every_row_names_tests_that_there_are() -> None:
    for row in rows():
        tests = named(row[-1])
        assert tests, f"no test holds: {row[:2]}"
        for files, test in tests:
            assert any(test in names_in(file) for file in files), f"{files} have no {test}: {row[:2]}"


def test_every_mode_and_every_fault_has_its_row() -> None:
    faults = ("one node crashes", "all nodes crash", "a cut", "a pause", "lost")
    for mode in ("async", "quorum", "sync"):
        for fault in faults:
            assert any(row[0] == f"`{mode}`" and fault in row[1] for row in rows()), (mode, fault)


def test_every_promise_that_is_tested_is_in_the_table() -> None:
    in_table = {test for row in rows() for files, test in named(row[-1]) if files == OWN}

    assert set().union(*map(names_in, OWN)) == in_table
