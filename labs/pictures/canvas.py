"""The state that the parts of one picture share: geometry, labels, the legend's entries, and what is highlighted.

Law of this module: it draws nothing but labels.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from labs.pictures.frame import Frame
from labs.pictures.svg import Labels
from labs.trace.events import Event
from labs.trace.messages import Delivery

Highlight = Collection[str | int | tuple[str, int]]
LabelPlace = tuple[float, float, str]


class Chosen:
    """What is highlighted: a text is a message's id, a number an event's `seq` at any node, a pair `(node, seq)`."""

    def __init__(self, highlight: Highlight, events: Iterable[Event]) -> None:
        wanted = set(highlight)
        self._ids = {item for item in wanted if isinstance(item, str)}
        self._events = {item for item in wanted if not isinstance(item, str)}
        if self._events:
            traffic = (e for e in events if e.id and e.event in ("sent", "received", "dropped", "request", "reply"))
            self._ids |= {e.id for e in traffic if self.event(e.node, e.seq)}

    def __bool__(self) -> bool:
        return bool(self._ids or self._events)

    def message(self, delivery: Delivery) -> bool:
        return delivery.id in self._ids or (bool(self._events) and self.event(delivery.sender, delivery.seq))

    def event(self, node: str, seq: int) -> bool:
        return seq in self._events or (node, seq) in self._events

    def request(self, id: str) -> bool:
        return id in self._ids


@dataclass
class Canvas:
    """One picture in the making."""

    frame: Frame
    chosen: Chosen
    used: set[str] = field(default_factory=set)
    """The legend's entries that are needed."""
    _wanted: list[tuple[int, int, str, list[LabelPlace], str, str]] = field(default_factory=list)

    def label(self, importance: int, text: str, places: list[LabelPlace], class_: str = "", title: str = "") -> None:
        """Ask for a label at the first of `places` that is free. Less important labels are placed last, or left out."""
        self._wanted.append((-importance, len(self._wanted), text, places, class_, title))

    def labels(self) -> str:
        """Every label for which there is room."""
        board = Labels(self.frame.left, self.frame.width - 2)
        for _, _, text, places, class_, title in sorted(self._wanted, key=lambda one: one[:2]):
            board.put(text, places, class_, title)
        return "".join(board.drawn)

    def beside_row(self, x: float, y: float, above: bool = True) -> list[LabelPlace]:
        """Where a label of something on a lifeline may stand: near it, on either side, starting or ending there."""
        up, down = (y - 13, y - 26), (y + 22, y + 34)
        heights = (*up, *down) if above else (*down, *up)
        return [place for level in heights for place in ((x, level, "middle"), (x, level, "start"), (x, level, "end"))]
