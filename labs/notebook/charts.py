"""Small charts of what was measured. Where there is no matplotlib, as in a web page, the numbers are printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Points = Sequence[tuple[float, float]]


def curves(lines: Mapping[str, Points], x: str, y: str, *, steps: bool = False) -> None:
    """A line for each name, over the same axes. `x` and `y` name the axes; `y` goes from 0 to 1. `steps`: a value holds
    until the next one. A name that begins with “expected” is drawn dashed."""
    plot = _pyplot()
    if plot is None:
        for name, points in lines.items():
            print(f"{name}: " + ", ".join(f"{a:.4g} → {b:.2f}" for a, b in points))
        return
    figure, axes = plot.subplots(figsize=(8, 3))
    for name, points in lines.items():
        style = (
            {"linestyle": "--", "color": "gray"} if name.startswith("expected") else {} if steps else {"marker": "o"}
        )
        xs, ys = [a for a, _ in points], [b for _, b in points]
        axes.plot(xs, ys, label=name, drawstyle="steps-post" if steps else "default", **style)
    axes.set(xlabel=x, ylabel=y, ylim=(-0.05, 1.05))
    axes.legend()
    figure.tight_layout()
    plot.show()


def places(points: Mapping[str, tuple[float, float]], x: str, y: str, title: str, bad: Sequence[str] = ()) -> None:
    """A point for each name, with the name beside it; those that are `bad` in red. `y` goes from 0 to 100."""
    plot = _pyplot()
    if plot is None:
        for name, (a, b) in points.items():
            print(f"{name}: {x} {a:.4g}, {y} {b:.3g}")
        return
    figure, axes = plot.subplots(figsize=(8, 4))
    for name, place in points.items():
        axes.scatter(*place, s=120, color="crimson" if name in bad else "seagreen", marker="X" if name in bad else "o")
        axes.annotate(name, place, xytext=(10, 8), textcoords="offset points")
    widest = max(a for a, _ in points.values()) or 1.0
    axes.set(xlabel=x, ylabel=y, ylim=(0, 100), xlim=(-0.05 * widest, 1.8 * widest), title=title)
    axes.grid(alpha=0.3)
    figure.tight_layout()
    plot.show()


def _pyplot() -> Any:
    try:
        from matplotlib import pyplot
    except ImportError:
        return None
    return pyplot
