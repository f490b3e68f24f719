"""The packages of the node do what their laws say: no I/O in the core, no node in HTTP, nothing from PyPI."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import replstore

PACKAGE = Path(replstore.__file__).parent
MODULES = sorted(path.relative_to(PACKAGE).with_suffix("").as_posix() for path in PACKAGE.rglob("*.py"))
FORMER_PLACES = {"election", "messages", "lowest_id", "bully"}
PURE = [name for name in MODULES if name.split("/")[0] in ("core", "wire", "json_text")]
WORLD = {"asyncio", "time", "socket", "threading", "os", "datetime", "secrets", "subprocess", "selectors", "signal"}

MAY_IMPORT = {
    "json_text": {"json_text"},
    "core": {"core", "json_text"},
    "wire": {"wire", "core", "json_text"},
    "journal": {"journal", "wire", "core", "json_text"},
    "http": {"http"},
}
"""For each folder those whose modules it may know. The modules beside the folders are drivers: they know them all."""


def tree_of(module: str) -> ast.Module:
    return ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))


def imports_of(module: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def rooms_known_to(module: str) -> set[str]:
    return {name.split(".")[1] for name in imports_of(module) if name.startswith("replstore.")}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_of_the_node_needs_the_standard_library_and_its_neighbours_only(module: str) -> None:
    foreign = {name for name in imports_of(module) if name.split(".")[0] not in sys.stdlib_module_names | {"replstore"}}

    assert foreign == set()


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_knows_neither_clock_nor_network_nor_disk(module: str) -> None:
    assert imports_of(module) & WORLD == set()


@pytest.mark.parametrize("module", [name for name in MODULES if "/" in name])
def test_a_folder_knows_only_those_below_it(module: str) -> None:
    assert rooms_known_to(module) <= MAY_IMPORT[module.split("/")[0]]


def test_of_json_the_core_needs_to_know_only_how_large_a_value_is() -> None:
    users = [name for name in MODULES if name.startswith("core/") and "json_text" in rooms_known_to(name)]

    assert users == ["core/log"]


@pytest.mark.parametrize("module", MODULES)
def test_a_file_can_be_read_in_one_sitting(module: str) -> None:
    lines = (PACKAGE / f"{module}.py").read_text(encoding="utf-8").count("\n")

    assert lines <= (250 if module.startswith("core/") else 400)


@pytest.mark.parametrize("module", sorted(set(MODULES) - FORMER_PLACES - {"__init__"}))
def test_nobody_here_imports_from_a_former_place(module: str) -> None:
    assert rooms_known_to(module) & FORMER_PLACES == set()


def test_the_runtime_does_not_know_who_asks_it() -> None:
    assert not {"replstore.api", "replstore.http.access", "replstore.__main__"} & imports_of("runtime")


@pytest.mark.parametrize("module", MODULES)
def test_no_module_draws_from_the_global_dice(module: str) -> None:
    imported = {
        alias.name
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.ImportFrom) and node.module == "random"
        for alias in node.names
    }

    assert "random" not in imports_of(module) or imported == {"Random"}


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"__main__"}))
def test_only_the_entry_point_reads_the_environment(module: str) -> None:
    text = (PACKAGE / f"{module}.py").read_text(encoding="utf-8")

    assert "environ" not in text.replace("from_environment", "").replace("the environment", "")
