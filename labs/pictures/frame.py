"""Where things go: time to x, node to y, and the time axis.

Law of this module: numbers only. Every coordinate that it gives is finite and within a few widths of the picture,
whatever the events' times are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor, log10

PAD = 12.0
"""Room inside the plot before its first and behind its last moment, for symbols that stand there."""

LANE = 18.0
"""Height of one lane of network faults."""

CLIENTS = 46.0
"""Height of the clients' lane."""


@dataclass(frozen=True)
class Frame:
    """The geometry of one picture. `start` and `end` are event times, `zero` is the time that the axis calls 0."""

    width: float
    left: float
    right: float
    top: float
    bottom: float
    gap: float
    start: float
    end: float
    zero: float
    rows: dict[str, float]
    clients: float | None
    """The y of the clients' lane; None without one."""
    faults_top: float
    """The y of the topmost lane of network faults."""

    @property
    def scale(self) -> float:
        """Pixels a second."""
        return (self.right - self.left - 2 * PAD) / (self.end - self.start)

    def x(self, time: float) -> float:
        """Off the picture, times are squeezed: a line to another year must not become a number with twenty digits."""
        far = 3 * self.width
        return max(-far, min(self.left + PAD + (time - self.start) * self.scale, self.width + far))

    def shows(self, start: float, end: float) -> bool:
        return start <= self.end and end >= self.start

    def extent(self, start: float, end: float) -> tuple[float, float]:
        """The x of both ends; what goes on beyond the picture is drawn up to its edge."""
        x1 = self.left if start <= self.start else self.x(start)
        x2 = self.right if end >= self.end else self.x(end)
        return x1, x2

    @property
    def milliseconds(self) -> bool:
        return self.end - self.start <= 1 and self.end - self.zero < 2

    def clock(self, time: float) -> str:
        """A moment, as the axis counts: `1.234 s`."""
        return f"{time - self.zero:.3f} s"

    def ticks(self) -> Iterator[tuple[float, str]]:
        """x and label of each tick of the axis: round numbers, 70 pixels apart or more."""
        step = nice(70 / self.scale)
        first, last = ceil((self.start - self.zero) / step), floor((self.end - self.zero) / step)
        places = max(0, -floor(log10(step * (1000 if self.milliseconds else 1)) + 1e-9))
        for count in range(first, min(last, first + 200) + 1):
            value = count * step
            label = f"{value * 1000:.{places}f} ms" if self.milliseconds else f"{value:.{places}f} s"
            yield self.x(self.zero + value), label


def nice(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below `least`."""
    power = 10.0 ** floor(log10(least))
    return next((f * power for f in (1, 2, 5) if f * power >= least), 10 * power)


def build(
    node_ids: tuple[str, ...],
    window: tuple[float, float],
    zero: float,
    width: float,
    title: bool,
    lanes: int,
    clients: bool,
) -> Frame:
    """The frame for these nodes: `lanes` of network faults on top, then the `clients`, then a row for each node."""
    left = 22.0 + max((7.2 * len(shown(node)) for node in (*node_ids, "network")), default=60.0)
    faults_top = 40.0 if title else 16.0
    top = faults_top + lanes * LANE
    first = top + (CLIENTS if clients else 0.0) + 40
    gap = row_gap(len(node_ids))
    rows = {node: first + gap * place for place, node in enumerate(node_ids)}
    bottom = first + gap * max(0, len(node_ids) - 1) + 40
    start, end = widened(*window)
    lane = top + 24 if clients else None
    return Frame(width, left, width - 24, top, bottom, gap, start, end, zero, rows, lane, faults_top)


def widened(start: float, end: float) -> tuple[float, float]:
    """At least a microsecond, and enough for floats of that size to tell the ends apart."""
    least = max(1e-6, 2e-13 * abs(start), 2e-13 * abs(end))
    return (start, end) if end - start >= least else (start - least / 2, start + least)


def row_gap(nodes: int) -> float:
    return 92.0 if nodes <= 3 else 82.0 if nodes <= 5 else 66.0 if nodes <= 9 else 48.0


def shown(name: str, limit: int = 16) -> str:
    """A node's name as far as there is room for it."""
    return name if len(name) <= limit else name[: limit - 1] + "…"
