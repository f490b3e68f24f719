"""Banks of Exercises 1 and 2 as students write them: `data/bank_ex1.toml`, `data/bank_ex2.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tools.direct import changed


@dataclass(frozen=True)
class Entry:
    """A design of `solutions` with some texts replaced. `checks`: all of these name its mistake; `one_of`: one does."""

    exercise: str
    design: str
    changes: tuple[tuple[str, str], ...] = ()
    checks: frozenset[str] = frozenset()
    one_of: frozenset[str] = frozenset()

    def module(self) -> ModuleType:
        return changed(self.design, *self.changes)

    def is_caught(self, lost: dict[str, str]) -> bool:
        return self.checks <= lost.keys() and (not self.one_of or bool(self.one_of & lost.keys()))


def bank(exercise: str) -> tuple[dict[str, Entry], dict[str, Entry]]:
    """The wrong ones and the right ones, by name."""
    text = (Path(__file__).parent / "data" / f"bank_{exercise}.toml").read_text(encoding="utf-8")
    found = tomllib.loads(text)
    return _entries(exercise, found["wrong"]), _entries(exercise, found["right"])


def _entries(exercise: str, found: dict[str, dict[str, Any]]) -> dict[str, Entry]:
    def ids(names: list[str]) -> frozenset[str]:
        return frozenset(f"{exercise}.{name}" for name in names)

    return {
        name: Entry(
            exercise,
            one["design"],
            tuple((old, new) for old, new in one.get("changes", ())),
            ids(one.get("checks", [])),
            ids(one.get("one_of", [])),
        )
        for name, one in found.items()
    }
