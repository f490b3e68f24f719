"""Messages: an arrow from where and when it was sent to where and when it arrived; a cross where it never did.

Law of this module: no message is left out. Only heartbeats that arrived, when there are very many, share one path.
"""

from __future__ import annotations

from collections import defaultdict
from statistics import median

from labs.pictures.canvas import Canvas, LabelPlace
from labs.pictures.frame import Frame
from labs.pictures.svg import cross, head, line, tag, tooltip
from labs.trace.messages import Delivery
from labs.trace.timeline import Timeline

BUNDLED_FROM = 500
"""So many heartbeats that arrived are drawn one by one, each with its own tooltip."""

SHORT_OF = 21.0
"""A lost message ends this many pixels before the lifeline that it never reached."""

HEADS = {"heartbeat": 5.0, "replication": 8.0, "election": 9.0}

Line = tuple[float, float, float, float]


class Arrows:
    """Draws the messages of a run. `under` goes below the lifelines (heartbeats), `over` above them."""

    def __init__(self, canvas: Canvas, run: Timeline) -> None:
        self._canvas, self._frame = canvas, canvas.frame
        delays = [arrival - p.sent for p in run.deliveries for arrival in p.arrivals[:1] if not p.guessed]
        self._usual = median(delays) if delays else 0.0
        self._labelled: set[tuple[str, str, int]] = set()
        self.visible = [p for p in run.deliveries if p.sender in self._frame.rows and self._in_window(p)]
        self.under, self.over = self._draw()

    def _in_window(self, delivery: Delivery) -> bool:
        reach = delivery.last_seen if delivery.arrivals else delivery.sent + self._usual
        return self._frame.shows(delivery.sent, reach)

    def _draw(self) -> tuple[str, str]:
        quiet = [p for p in self.visible if self._is_quiet(p)]
        bundled = len(quiet) > BUNDLED_FROM
        under = self._bundles(quiet) if bundled else [self._message(p) for p in quiet]
        over = [self._message(p) for p in self.visible if not self._is_quiet(p)]
        return "".join(under), "".join(over)

    def _is_quiet(self, p: Delivery) -> bool:
        dull = p.family == "heartbeat" and p.outcome == "arrived" and len(p.arrivals) == 1
        return dull and not p.guessed and not self._canvas.chosen.message(p)

    # -- one message ----------------------------------------------------------------------------------

    def _message(self, p: Delivery) -> str:
        family = p.family
        self._canvas.used.add(family)
        hot = self._canvas.chosen.message(p)
        lost = p.outcome == "lost"
        states = (family, p.is_reply and "answer", lost and "gone", p.guessed and "guessed", hot and "hot")
        inside = self._reached(p) if p.arrivals and p.receiver in self._frame.rows else self._stopped(p)
        classes = " ".join(("st-m", *(f"st-{state}" for state in states if state)))
        return tag("g", tooltip(describe(p, self._frame)), inside, class_=classes, data_id=p.id)

    def _reached(self, p: Delivery) -> str:
        first, *again = [self._path(p, arrival) for arrival in p.arrivals]
        self._label(p, first)
        drawn = self._arrow(first, p)
        if again:
            self._canvas.used.add("duplicate")
        return drawn + "".join(tag("path", d=line(*path) + self._head(path, p), class_="st-again") for path in again)

    def _arrow(self, path: Line, p: Delivery) -> str:
        d, tip = line(*path), self._head(path, p)
        if self._is_quiet(p):
            return tag("path", d=d + tip)
        tip_class = "st-tip" if not p.is_reply else "st-tip st-hook"
        return tag("path", d=d, class_="st-hit") + tag("path", d=d) + tag("path", d=tip, class_=tip_class)

    def _head(self, path: Line, p: Delivery) -> str:
        return head(*path, HEADS[p.family], filled=not p.is_reply)

    def _stopped(self, p: Delivery) -> str:
        """Lost: a cross short of the goal. Still under way when the record ends: an open arrowhead half-way."""
        path = self._path(p, p.sent + self._usual)
        x1, y1, x2, y2 = path
        self._label(p, path)
        length = max(abs(y2 - y1), 1.0)
        share = max(0.3, 1 - SHORT_OF / length) if p.outcome == "lost" else 0.5
        x, y = x1 + (x2 - x1) * share, y1 + (y2 - y1) * share
        drawn = tag("path", d=line(x1, y1, x, y), class_="st-hit") + tag("path", d=line(x1, y1, x, y))
        if p.outcome != "lost":
            self._canvas.used.add("under way")
            return drawn + tag("path", d=head(x1, y1, x, y, 8, filled=False), class_="st-tip st-hook")
        self._canvas.used.add("lost")
        return drawn + tag("path", d=cross(x, y, 3.5 if p.family == "heartbeat" else 5.0), class_="st-cross")

    def _path(self, p: Delivery, arrival: float) -> Line:
        """From the edge of one lifeline to the edge of the other; to nobody, or to oneself: a short way up."""
        frame, y1 = self._frame, self._frame.rows[p.sender]
        x1, x2 = frame.x(p.sent), frame.x(arrival)
        y2 = frame.rows.get(p.receiver)
        if y2 is None or p.receiver == p.sender:
            return x1, y1 - 6, max(x2, x1 + 12), y1 - 30
        edge = 6.0 if y2 > y1 else -6.0
        return x1, y1 + edge, x2, y2 - edge

    # -- its name -------------------------------------------------------------------------------------

    def _label(self, p: Delivery, path: Line) -> None:
        """What is usual (heartbeats, confirmed copies) carries no name unless it stands out; of a broadcast one
        message is named for all."""
        hot = self._canvas.chosen.message(p)
        if not hot and (p.family == "heartbeat" or (p.kind == "Replicated" and p.details.get("ok") is not False)):
            return
        fan = (p.sender, name_of(p), int(path[0] // 6))
        if fan in self._labelled and not hot:
            return
        self._labelled.add(fan)
        importance = 80 if hot else {"election": 40, "replication": 30, "heartbeat": 10}[p.family] - 5 * p.is_reply
        self._canvas.label(importance, name_of(p), self._places(path), f"st-name st-{p.family}")

    def _places(self, path: Line) -> list[LabelPlace]:
        """Along the arrow's first gap between lifelines, on its right or on its left."""
        x1, y1, x2, y2 = path
        gap = self._frame.gap if y2 > y1 else -self._frame.gap
        places: list[LabelPlace] = []
        for part in (0.5, 0.36, 0.64):
            share = min(1.0, abs(gap * part / (y2 - y1))) if y2 != y1 else 0.5
            x, y = x1 + (x2 - x1) * share, y1 + (y2 - y1) * share + 4
            places += [(x + 5, y, "start"), (x - 5, y, "end")]
        return places

    # -- very many ------------------------------------------------------------------------------------

    def _bundles(self, quiet: list[Delivery]) -> list[str]:
        self._canvas.used.add("heartbeat")
        ways: dict[tuple[str, str, str], list[Delivery]] = defaultdict(list)
        for p in quiet:
            ways[p.kind, p.sender, p.receiver].append(p)
        return [self._bundle(*way, members) for way, members in ways.items()]

    def _bundle(self, kind: str, sender: str, receiver: str, members: list[Delivery]) -> str:
        paths = [self._path(p, p.arrivals[0]) for p in members]
        d = "".join(line(*path) for path in paths)
        state = " st-answer" if members[0].is_reply else ""
        text = tooltip(f"{len(members)} × {kind} {sender} → {receiver}, all arrived")
        return tag("g", text, tag("path", d=d), class_=f"st-m st-heartbeat{state}", data_count=len(members))


def name_of(p: Delivery) -> str:
    """A message's name for a label: its kind, with what matters most about it."""
    kind, count = ("pre-" if p.is_pre_vote else "") + p.kind[:24], p.details.get("count")
    if p.is_reply and p.vote is not None:
        return f"{kind} {'yes' if p.vote else 'no'}"
    if isinstance(count, int) and count > 1:
        return f"{kind} ×{count}"
    return f"{kind} t{p.term}" if p.family == "election" and p.term is not None else kind


def describe(p: Delivery, frame: Frame) -> str:
    """A message in full, for its tooltip."""
    sent = "not seen leaving" if p.guessed else f"sent {frame.clock(p.sent)}"
    arrivals = " and again ".join(f"{frame.clock(a)} ({(a - p.sent) * 1000:.1f} ms later)" for a in p.arrivals)
    came = f"received {arrivals}" if arrivals else "LOST" if p.outcome == "lost" else "still under way at the end"
    return f"{p.kind} {p.sender} → {p.receiver or '?'}\n{sent}, {came}{fields(p.details)}"


def fields(details: dict[str, object]) -> str:
    """Details as a line of a tooltip of their own."""
    text = ", ".join(f"{name} {str(value)[:60]}" for name, value in list(details.items())[:12])
    return f"\n{text}" if text else ""
