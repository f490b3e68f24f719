"""The core does what its laws say: no socket, clock, thread, disk or dice of its own; and nothing from PyPI."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import replstore

PACKAGE = Path(replstore.__file__).parent
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py"))
DRIVERS = {
    *("__main__", "runtime", "server", "link", "addresses"),
    *("journal", "compaction", "folder", "disk", "api", "settings"),
}
WORLD = {"asyncio", "time", "socket", "threading", "os", "datetime", "secrets", "subprocess", "selectors", "signal"}


def imports_of(module: str) -> set[str]:
    tree = ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("module", MODULES)
def test_a_module_of_the_node_needs_the_standard_library_and_its_neighbours_only(module: str) -> None:
    foreign = {name for name in imports_of(module) if name.split(".")[0] not in sys.stdlib_module_names | {"replstore"}}

    assert foreign == set()


@pytest.mark.parametrize("module", sorted(set(MODULES) - DRIVERS))
def test_a_core_module_knows_neither_clock_nor_network_nor_disk(module: str) -> None:
    assert imports_of(module) & WORLD == set()


@pytest.mark.parametrize("module", sorted(set(MODULES) - DRIVERS))
def test_a_core_module_leaves_the_drivers_alone(module: str) -> None:
    drivers = {f"replstore.{name}" for name in DRIVERS}

    assert imports_of(module) & drivers == set()


@pytest.mark.parametrize("module", ["access", "http", "server", "link", "addresses"])
def test_what_speaks_http_knows_no_node(module: str) -> None:
    neighbours = {name for name in imports_of(module) if name.startswith("replstore")}

    assert neighbours <= {"replstore.http", "replstore.addresses"}


def test_the_runtime_does_not_know_who_asks_it() -> None:
    assert not {"replstore.api", "replstore.access", "replstore.__main__"} & imports_of("runtime")


@pytest.mark.parametrize("module", MODULES)
def test_no_module_draws_from_the_global_dice(module: str) -> None:
    tree = ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "random"
        for alias in node.names
    }

    assert "random" not in imports_of(module) or imported == {"Random"}


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"__main__"}))
def test_only_the_entry_point_reads_the_environment(module: str) -> None:
    text = (PACKAGE / f"{module}.py").read_text(encoding="utf-8")

    assert "environ" not in text.replace("from_environment", "").replace("the environment", "")
