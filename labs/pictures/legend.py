"""The legend: what was drawn, and nothing that was not."""

from __future__ import annotations

from collections.abc import Callable

from labs.pictures.lifelines import WIDTHS
from labs.pictures.svg import CHARACTER, cross, head, line, symbol, tag, words

SWATCH = 30.0
ROW = 20.0


def _role(role: str, x: float, y: float) -> str:
    d = line(x, y, x + 26, y)
    hollow = tag("path", d=d, class_="st-hollow") if role == "paused" else ""
    return tag("path", d=d, class_=f"st-line st-{role}", stroke_width=WIDTHS[role]) + hollow  # type: ignore[index]


def _message(classes: str, x: float, y: float, filled: bool = True) -> str:
    d, tip = line(x, y, x + 26, y), head(x, y, x + 26, y, 8, filled)
    tip_class = "st-tip" if filled else "st-tip st-hook"
    return tag("g", tag("path", d=d), tag("path", d=tip, class_=tip_class), class_=f"st-m {classes}")


def _lost(x: float, y: float) -> str:
    path = tag("path", d=line(x, y, x + 20, y)) + tag("path", d=cross(x + 20, y, 4), class_="st-cross")
    return tag("g", path, class_="st-m st-replication st-gone")


def _again(x: float, y: float) -> str:
    d = line(x, y, x + 26, y) + head(x, y, x + 26, y, 7)
    return tag("g", tag("path", d=d, class_="st-again"), class_="st-m st-replication")


def _symbol(shape: str, style: str, x: float, y: float) -> str:
    return tag("g", tag("path", d=symbol(shape, x + 13, y)), class_=f"st-mark st-{style} st-is-{shape}")


def _wall(x: float, y: float) -> str:
    return tag("path", d=line(x, y, x + 26, y), class_="st-wall")


def _request(outcome: str, x: float, y: float) -> str:
    return tag("g", tag("rect", x=x + 2, y=y - 4, width=22, height=8, rx=2), class_=f"st-op st-{outcome}")


ENTRIES: dict[str, tuple[str, Callable[[float, float], str]]] = {
    "leader": ("leader", lambda x, y: _role("leader", x, y)),
    "candidate": ("candidate", lambda x, y: _role("candidate", x, y)),
    "follower": ("follower", lambda x, y: _role("follower", x, y)),
    "paused": ("paused", lambda x, y: _role("paused", x, y)),
    "down": ("down", lambda x, y: _role("down", x, y)),
    "heartbeat": ("heartbeat", lambda x, y: _message("st-heartbeat", x, y)),
    "replication": ("replication", lambda x, y: _message("st-replication", x, y)),
    "election": ("election", lambda x, y: _message("st-election", x, y)),
    "answer": ("answer", lambda x, y: _message("st-replication st-answer", x, y, filled=False)),
    "lost": ("lost message", _lost),
    "duplicate": ("arrives again", _again),
    "under way": ("under way at the end", lambda x, y: _message("st-replication", x, y, filled=False)),
    "elected": ("becomes leader", lambda x, y: _symbol("crown", "lead", x, y)),
    "election timeout": ("election timeout", lambda x, y: _symbol("diamond", "elect", x, y)),
    "steps down": ("steps down", lambda x, y: _symbol("fall", "elect", x, y)),
    "commit": ("commit", lambda x, y: _symbol("dot", "commit", x, y)),
    "write lost": ("write lost", lambda x, y: _symbol("lost", "bad", x, y)),
    "crash or stop": ("crash or stop", lambda x, y: _symbol("cross", "bad", x, y)),
    "error": ("error", lambda x, y: _symbol("cross", "bad", x, y)),
    "start, resume": ("start, resume", lambda x, y: _symbol("play", "good", x, y)),
    "pause": ("pause", lambda x, y: _symbol("bars", "pause", x, y)),
    "other fault": ("other fault", lambda x, y: _symbol("flag", "bad", x, y)),
    "other note": ("other note", lambda x, y: _symbol("square", "other", x, y)),
    "partition": ("cut by a partition", _wall),
    "request ok": ("request, answered", lambda x, y: _request("ok", x, y)),
    "request failed": ("request, refused", lambda x, y: _request("failed", x, y)),
    "request unknown": ("request, outcome unknown", lambda x, y: _request("unknown", x, y)),
}
"""In the legend's order: what it is called there, and its sample at (x, y), 26 pixels wide."""


def legend(used: set[str], left: float, right: float, top: float) -> tuple[str, float]:
    """The entries for what was `used`, in rows between `left` and `right`; and the y where they end."""
    x, y, drawn = left, top, []
    for key, (text, sample) in ENTRIES.items():
        if key not in used:
            continue
        width = SWATCH + CHARACTER * len(text) + 16
        if x + width > right and x > left:
            x, y = left, y + ROW
        drawn.append(sample(x, y) + words(text, x + SWATCH + 2, y + 4))
        x += width
    return tag("g", *drawn, class_="st-legend"), y + ROW
