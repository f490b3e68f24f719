"""Free ports for tests of clusters whose ports were asked for."""

from __future__ import annotations

from labs.cluster import ports


def in_a_row(count: int) -> int:
    """The first of so many free ports in a row."""
    while True:
        [first] = ports.choose(1)
        if all(ports.is_free(first + number) for number in range(1, count)):
            return first
