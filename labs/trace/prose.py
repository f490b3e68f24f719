"""Small helps for sentences: lists, counts, durations.

Law of this module: text only, and no knowledge of runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a story. `time` is the event time that it belongs to. Of a story that is too
    long, sentences of little `weight` are left out first."""

    time: float
    weight: int
    text: str


def listed(names: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, end = list(names) or ["nobody"]
    return f"{', '.join(first)} {last} {end}" if first else end


def counted(count: int, thing: str, things: str = "") -> str:
    return f"{count} {thing if count == 1 else things or thing + 's'}"


def duration(seconds: float) -> str:
    """`400 ms` below two seconds, `2.3 s` from there on."""
    return f"{seconds * 1000:.0f} ms" if seconds < 2 else f"{seconds:.1f} s"


def brief(value: object, limit: int = 40) -> str:
    text = str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def pairs(details: dict[str, object]) -> str:
    """Details in brackets; nothing where there are none."""
    text = ", ".join(f"{name} {brief(value)}" for name, value in list(details.items())[:8])
    return f" ({text})" if text else ""
