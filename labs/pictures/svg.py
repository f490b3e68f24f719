"""SVG primitives: elements, paths, symbols, and labels that do not overlap.

Law of this module: any text becomes well-formed XML. Callers must pass finite numbers; coordinates are written with one
decimal. It knows nothing of runs.
"""

from __future__ import annotations

import re
from collections import defaultdict
from html import escape
from math import hypot

ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot contain, not even escaped."""


PLAIN = re.compile("[\t\n\r !#-%(-;=?-\u00ff\u0100-\ud7ff]*")
"""Text that can stay as it is: by far the most, and far cheaper to recognize than to rewrite."""


def safe(text: object) -> str:
    """`text` fit for an element's content or an attribute."""
    sentence = str(text)
    return sentence if PLAIN.fullmatch(sentence) else escape(ILLEGAL.sub("\ufffd", sentence))


def short(value: float) -> str:
    """A coordinate: a tenth of a pixel is exact enough."""
    return f"{value:.1f}".removesuffix(".0")


def tag(name: str, *content: str, **attributes: object) -> str:
    """`<name …>content</name>`. `content` is markup; attributes are escaped, `class_` and `data_id` become `class` and
    `data-id`, and those that are None or empty are left out."""
    text = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{short(value) if isinstance(value, float) else safe(value)}"'
        for key, value in attributes.items()
        if value is not None and value != ""
    )
    inside = "".join(content)
    return f"<{name}{text}>{inside}</{name}>" if inside else f"<{name}{text}/>"


def words(text: object, x: float, y: float, class_: str = "", anchor: str = "") -> str:
    return tag("text", safe(text), x=x, y=y, class_=class_, text_anchor=anchor)


def tooltip(text: str) -> str:
    return f"<title>{safe(text)}</title>" if text else ""


def line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"


def head(x1: float, y1: float, x2: float, y2: float, size: float, filled: bool = True) -> str:
    """The arrowhead of a line to (x2, y2): a triangle, or a hook where not `filled`."""
    length = hypot(x2 - x1, y2 - y1) or 1.0
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    bx, by, half = x2 - ux * size, y2 - uy * size, size * 0.42
    end = "Z" if filled else ""
    return f"{line(bx - uy * half, by + ux * half, x2, y2)}L{bx + uy * half:.1f} {by - ux * half:.1f}{end}"


def cross(x: float, y: float, r: float) -> str:
    return line(x - r, y - r, x + r, y + r) + line(x - r, y + r, x + r, y - r)


def polygon(x: float, y: float, *corners: tuple[float, float]) -> str:
    return "M" + "L".join(f"{short(x + dx)} {short(y + dy)}" for dx, dy in corners) + "Z"


def symbol(shape: str, x: float, y: float) -> str:
    """The path of a mark's symbol, around (x, y). Each shape has one meaning, so that none hangs on its colour."""
    if shape == "cross":
        return cross(x, y, 6)
    if shape == "lost":
        return polygon(x, y, (-4, -9), (4, -9), (9, -4), (9, 4), (4, 9), (-4, 9), (-9, 4), (-9, -4)) + cross(x, y, 4)
    return polygon(x, y, *CORNERS[shape])


CORNERS: dict[str, tuple[tuple[float, float], ...]] = {
    "crown": ((-10, 7), (-11, -7), (-5, 0), (0, -10), (5, 0), (11, -7), (10, 7)),
    "diamond": ((0, -8), (8, 0), (0, 8), (-8, 0)),
    "fall": ((-7, -5), (7, -5), (0, 8)),
    "play": ((-5, -7), (7, 0), (-5, 7)),
    "bars": ((-6, -7), (-2, -7), (-2, 7), (2, 7), (2, -7), (6, -7), (6, 7), (-6, 7)),
    "square": ((-3, -3), (3, -3), (3, 3), (-3, 3)),
    "dot": ((-2, -3), (2, -3), (3, 0), (2, 3), (-2, 3), (-3, 0)),
    "flag": ((0, -6), (9, -2), (0, 2), (0, 6), (-1, 6), (-1, -6)),
}

CHARACTER = 6.1
"""Width of an average character of an 11 px label; a guess on the safe side, since nobody can measure text here."""


def extent(text: str) -> float:
    return CHARACTER * len(text) + 4


class Labels:
    """Puts labels where there is room, first come first served: call it for the most important ones first."""

    HEIGHT = 13

    def __init__(self, left: float, right: float) -> None:
        self._left, self._right = left, right
        self._taken: dict[int, list[tuple[float, float, float]]] = defaultdict(list)
        self.drawn: list[str] = []

    def block(self, x1: float, x2: float, y: float) -> None:
        """Nothing may be written between x1 and x2 at baseline y."""
        self._taken[int(y // self.HEIGHT)].append((x1, x2, y))

    def put(self, text: str, places: list[tuple[float, float, str]], class_: str = "", title: str = "") -> bool:
        """Write `text` at the first of `places` (x, baseline, anchor) that is free; false if there is none."""
        size = extent(text)
        for x, y, anchor in places:
            x1 = x - size if anchor == "end" else x - size / 2 if anchor == "middle" else x
            if self._free(x1, x1 + size, y):
                self.block(x1, x1 + size, y)
                where = anchor if anchor != "start" else ""
                self.drawn.append(
                    tag("text", tooltip(title), safe(text), x=x, y=y, class_=class_.strip(), text_anchor=where)
                )
                return True
        return False

    def _free(self, x1: float, x2: float, y: float) -> bool:
        if x1 < self._left or x2 > self._right:
            return False
        row = int(y // self.HEIGHT)
        near = (taken for r in (row - 1, row, row + 1) for taken in self._taken.get(r, ()))
        return all(x2 <= a or x1 >= b or abs(y - other) >= self.HEIGHT for a, b, other in near)
