"""Pyodide's list of packages, made anew from the wheels that a site really has.

Law of this module: every package that the list names is beside it, with its true hash, and whatever one depends on is
in the list, so that nothing is ever looked for elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Iterable
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

from labs.site.parts import CannotBuild

NOT_IN_A_PAGE = frozenset(("jupyterlab-widgets", "pexpect", "ipython-pygments-lexers", "colorama"))
"""Depended on, but for other front ends or other systems."""


def write_lock(folder: Path, wheels: Iterable[Path]) -> list[str]:
    """Rewrite `folder`/pyodide-lock.json to name these wheels, which are in `folder`, and no others; returns the names
    of all packages. Raises `CannotBuild` where a wheel needs one that is not there."""
    path = folder / "pyodide-lock.json"
    lock = json.loads(path.read_text(encoding="utf-8"))
    packages = {package["name"]: package for package in map(_package, wheels)}
    for name, package in packages.items():
        package["depends"] = [one for one in package["depends"] if one not in NOT_IN_A_PAGE]
        if missing := [one for one in package["depends"] if one not in packages]:
            raise CannotBuild(f"the wheel {package['file_name']} of {name} needs {missing[0]}, which the site lacks")
    lock["packages"] = packages
    path.write_text(json.dumps(lock, indent=1), encoding="utf-8")
    return sorted(packages)


def canonical(name: str) -> str:
    """As the list's keys are written: `prompt_toolkit` and `Prompt.Toolkit` are both `prompt-toolkit`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _package(wheel: Path) -> dict[str, Any]:
    name, version = wheel.name.split("-")[:2]
    return {
        "name": canonical(name), "version": version, "file_name": wheel.name, "install_dir": "site",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(), "package_type": "package",
        "imports": _imports(wheel), "depends": sorted(_needed(wheel)), "unvendored_tests": False,
    }  # fmt: skip


def _needed(wheel: Path) -> set[str]:
    """What the wheel always depends on; what it names for one system or one wish only is not."""
    with zipfile.ZipFile(wheel) as packed:
        place = next(name for name in packed.namelist() if name.endswith(".dist-info/METADATA"))
        lines = HeaderParser().parsestr(packed.read(place).decode()).get_all("Requires-Dist") or []
    found = re.compile(r"[A-Za-z0-9._-]+")
    return {canonical(match[0]) for line in lines if ";" not in line and (match := found.match(line))}


def _imports(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as packed:
        tops = {name.split("/")[0] for name in packed.namelist() if name.endswith(".py")}
    return sorted(top.removesuffix(".py") for top in tops if "." not in top.removesuffix(".py"))
