"""A history as a picture: a lane for each client, a bar for each operation, from its call to its return.

Law of this module: one self-contained SVG text, no script, nothing loaded; legible on light and dark ground; what a
colour says is also said by shape: a solid frame is *ok*, a hatched bar with an open end *unknown*, a crossed-out
one *failed*, a double frame with a cross *stuck*. Bars are placed by the order of events, not by the clock: what
counts is what overlaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import NamedTuple
from xml.sax.saxutils import escape

from labs.cluster.base import Outcome
from labs.history.linearizability import LinearizabilityViolation
from labs.history.operations import History, Operation, by_client
from replstore.core.messages import natural_order

_LANE, _BAR, _TOP, _FOOT = 46, 16, 44, 40
_CHARACTER = 6.7
"""Width of a character of a label, in pixels, on the safe side."""

_TITLE_CHARACTERS, _TITLE_LINE = 84, 18

_MOST_ACROSS = 12
"""More writes than that, reaching into a window, would hide it."""

_STYLE = """
.history { --ink: #1f2328; --paper: #ffffff; --soft: #d0d7de; --ok: #cfe8d5; --ok-line: #1a7f37; --unknown: #fff3cd;
  --unknown-line: #8a6100; --failed: #eaeef2; --failed-line: #57606a; --stuck: #ffd7d5; --stuck-line: #cf222e;
  font: 11px ui-monospace, Menlo, Consolas, monospace; }
@media (prefers-color-scheme: dark) { .history { --ink: #e6edf3; --paper: #161b22; --soft: #3d444d; --ok: #16402a;
  --ok-line: #3fb950; --unknown: #453408; --unknown-line: #d29922; --failed: #2a3038; --failed-line: #9198a1;
  --stuck: #5c1a1c; --stuck-line: #ff7b72; } }
.history text { fill: var(--ink); } .history .title { font-size: 13px; font-weight: bold; }
.history .paper { fill: var(--paper); } .history .lane { stroke: var(--soft); }
.history .ok { fill: var(--ok); stroke: var(--ok-line); }
.history .unknown { fill: var(--unknown); stroke: var(--unknown-line); stroke-dasharray: 4 3; }
.history .hatch { fill: none; stroke: var(--unknown-line); }
.history .failed { fill: var(--failed); stroke: var(--failed-line); stroke-dasharray: 1 2; }
.history .cross { stroke: var(--failed-line); fill: none; }
.history .stuck { fill: var(--stuck); stroke: var(--stuck-line); stroke-width: 2; }
.history .frame, .history .point { fill: none; stroke: var(--stuck-line); stroke-width: 1.5; }
.history .point { stroke-dasharray: 6 3; } .history .alarm { fill: var(--stuck-line); font-weight: bold; }
"""


class _Span(NamedTuple):
    left: float
    right: float


@dataclass(frozen=True)
class _Sheet:
    """Where everything stands."""

    lanes: dict[str, int]
    spans: dict[int, _Span]
    width: float

    @property
    def height(self) -> float:
        return _TOP + _LANE * len(self.lanes) + _FOOT


def draw(
    operations: History, *, title: str = "", stuck: Operation | None = None, order: Sequence[Operation] = ()
) -> str:
    """The operations as SVG. `stuck` is marked; operations in `order` carry their number in it, from 1.

    Meant for some dozens of operations; a long history gets a wide picture.
    """
    visible = sorted(operations, key=lambda op: op.invoked)
    sheet = _lay_out(visible)
    numbers = {_name(op): str(n) for n, op in enumerate((o for o in order if _holds(visible, o)), 1)}
    parts = [_lane(client, y, sheet.width) for client, y in sheet.lanes.items()]
    for place, op in enumerate(visible):
        is_stuck = stuck is not None and _name(op) == _name(stuck)
        parts.append(_bar(op, sheet.spans[place], sheet.lanes[op.client], is_stuck, numbers.get(_name(op), "")))
        if is_stuck:
            parts.append(_stuck_point(sheet.spans[place].right, sheet.height))
    return _wrap(sheet, title, parts, bool(numbers))


def draw_violation(violation: LinearizabilityViolation) -> str:
    """The culprit window with the writes that reach into it, the stuck point marked.

    Numbers tell how far an order was found: each operation's turn in the longest linearizable prefix.
    """
    reaching = violation.across[-_MOST_ACROSS:]
    left_out = len(violation.across) - len(reaching)
    more = f" ({left_out} older writes of unknown outcome not shown)" if left_out else ""
    return draw(
        [*violation.window, *(op for op in reaching if op is not violation.stuck)],
        title=violation.sentence + more,
        stuck=violation.stuck,
        order=violation.order,
    )


# --------------------------------------------------------------------------------------------------------
# Laying out


def _name(op: Operation) -> tuple[str, float]:
    """A client does one thing at a time, so this tells operations apart."""
    return op.client, op.invoked


def _holds(shown: Sequence[Operation], op: Operation) -> bool:
    return any(_name(op) == _name(other) for other in shown)


def _lay_out(shown: list[Operation]) -> _Sheet:
    clients = sorted(by_client(shown), key=natural_order)
    left = 24 + _CHARACTER * max((len(client) for client in clients), default=0)
    # A bar spans two columns at least (its call and its return), so half a label must fit into one.
    step = max(30.0, 6 + _CHARACTER / 2 * max((len(op.label) + 3 for op in shown), default=0))
    calls, ends, columns = _columns(shown)
    spans = {n: _Span(left + calls[n] * step, left + ends[n] * step) for n in range(len(shown))}
    lanes = {client: _TOP + _LANE * number for number, client in enumerate(clients)}
    return _Sheet(lanes, spans, max(left + (columns + 1) * step, 640))


def _columns(shown: list[Operation]) -> tuple[dict[int, int], dict[int, int], int]:
    """The column of each call and each return, and how many there are. What never returns ends where its client
    goes on."""
    moments = [(op.invoked, False, n) for n, op in enumerate(shown)]
    moments += [(op.completed, True, n) for n, op in enumerate(shown) if op.completed is not None]
    calls: dict[int, int] = {}
    ends: dict[int, int] = {}
    running: dict[str, int] = {}
    for column, (_, is_return, n) in enumerate(sorted(moments)):
        if is_return:
            ends[n] = column
            continue
        calls[n] = column
        before = running.get(shown[n].client)
        if before is not None and before not in ends:
            ends[before] = column
        running[shown[n].client] = n
    return calls, {n: ends.get(n, len(moments)) for n in calls}, len(moments)


# --------------------------------------------------------------------------------------------------------
# Drawing


def _lane(client: str, y: float, width: float) -> str:
    middle = y + 20 + _BAR / 2
    return (
        f'<line class="lane" x1="12" x2="{width - 12:.0f}" y1="{middle}" y2="{middle}"/>'
        f'<text x="12" y="{middle - 6}">{escape(_printable(client))}</text>'
    )


def _bar(op: Operation, span: _Span, y: float, stuck: bool, number: str) -> str:
    left, right = span
    top = y + 20
    kind = "stuck" if stuck else op.outcome.value
    shape = f'<rect class="{kind}" x="{left:.1f}" y="{top}" width="{right - left:.1f}" height="{_BAR}" rx="3"/>'
    extra = _MARKS[kind](left, right, top)
    inside = f'<text x="{left + 5:.1f}" y="{top + 12}">{number}</text>' if number else ""
    label = ("✖ " if stuck else "") + op.label + (" ?" if op.outcome is Outcome.UNKNOWN else "")
    return f'<g>{_tooltip(op)}{shape}{extra}{inside}<text x="{left:.1f}" y="{top - 7}">{escape(label)}</text></g>'


def _tooltip(op: Operation) -> str:
    asked = f" at {op.node}" if op.node else ""
    until = "never answered" if op.completed is None else f"{op.completed:g}"
    text = f"{op.client}: {op.label} of {op.key}{asked}, {op.outcome.value}, {op.invoked:g} to {until}"
    return f"<title>{escape(_printable(text))}</title>"


def _printable(text: str) -> str:
    """XML has no control characters."""
    return "".join(character if character.isprintable() else "�" for character in text)


def _hatching(left: float, right: float, top: float) -> str:
    """Slanted strokes, and an open end instead of a right edge: it may take effect later still."""
    lines = "".join(
        f"M{x},{top + _BAR}l6,{-_BAR}" for x in range(round(left) + 4, max(round(right) - 8, round(left) + 5), 9)
    )
    return f'<path class="hatch" d="{lines}M{right - 5:.1f},{top - 2}l7,{_BAR / 2 + 2}l-7,{_BAR / 2 + 2}"/>'


def _crossing(left: float, right: float, top: float) -> str:
    bottom = top + _BAR
    return f'<path class="cross" d="M{left:.1f},{top}L{right:.1f},{bottom}M{left:.1f},{bottom}L{right:.1f},{top}"/>'


def _framing(left: float, right: float, top: float) -> str:
    return (
        f'<rect class="frame" x="{left - 4:.1f}" y="{top - 4}" width="{right - left + 8:.1f}"'
        f' height="{_BAR + 8}" rx="5"/>'
    )


_MARKS = {
    "ok": lambda left, right, top: "",
    "unknown": _hatching,
    "failed": _crossing,
    "stuck": _framing,
}


def _stuck_point(x: float, height: float) -> str:
    bottom = height - _FOOT + 4
    return (
        f'<line class="point" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 4}" y2="{bottom}"/>'
        f'<text class="alarm" x="{x:.1f}" y="{bottom + 8}" text-anchor="middle">▲ stuck</text>'
    )


_LEGEND = "solid: ok   hatched, open end, ?: outcome unknown   crossed out: failed   double frame, ✖: fits nowhere"


def _wrap(sheet: _Sheet, title: str, parts: list[str], numbered: bool) -> str:
    lines = wrap(_printable(title), _TITLE_CHARACTERS) or [""]
    legend = _LEGEND + ("   number: turn in the order found" if numbered else "")
    width = max(sheet.width, 24 + _CHARACTER * len(legend))
    up = _TITLE_LINE * (len(lines) - 1)
    head = "".join(
        f'<text class="title" x="12" y="{22 + _TITLE_LINE * number - up}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    height = f"{sheet.height + up:.0f}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="history" role="img" width="{width:.0f}" height="{height}"'
        f' viewBox="0 {-up} {width:.0f} {height}"><title>{escape(" ".join(lines)) or "A history"}</title>'
        f'<style>{_STYLE}</style><rect class="paper" y="{-up}" width="100%" height="100%" rx="6"/>'
        f'{head}{"".join(parts)}<text x="12" y="{sheet.height - 8:.0f}" xml:space="preserve">{legend}</text></svg>\n'
    )
