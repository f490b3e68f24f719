"""Everything but the messages: lifelines, what happened on them, the network's weather, the clients' requests.

Law of this module: nothing is told by colour alone. A role is a width and a texture of its line, an occurrence is a
symbol of its own shape, and both have their words.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from labs.pictures.arrows import fields
from labs.pictures.canvas import Sheet
from labs.pictures.frame import LANE, Frame, shown
from labs.pictures.svg import extent, line, safe, short, symbol, tag, tooltip, words
from labs.trace.events import Event
from labs.trace.network import WEATHER, Spell
from labs.trace.requests import Operation
from labs.trace.roles import BIRTHS, Role, Stretch
from labs.trace.timeline import Run

# --------------------------------------------------------------------------------------------------------
# Lifelines

WIDTHS: dict[Role, float] = {"leader": 12, "candidate": 8, "follower": 4, "paused": 8, "down": 2}


def lifelines(sheet: Sheet, run: Run) -> str:
    """Each node's name and line; the terms are labelled where they change."""
    drawn = []
    for node, y in sheet.frame.rows.items():
        stretches = [s for s in run.stretches.get(node, []) if sheet.frame.shows(s.start, s.end)]
        drawn += [_stretch(sheet, stretch, y) for stretch in stretches]
        _terms(sheet, stretches, y)
    return "".join(drawn)


def _stretch(sheet: Sheet, stretch: Stretch, y: float) -> str:
    x1, x2 = _extent(sheet.frame, stretch.start, stretch.end)
    sheet.used.add(stretch.role)
    d = line(x1, y, max(x2, x1 + 0.5), y)
    inside = tag("path", d=d, class_=f"st-line st-{stretch.role}", stroke_width=WIDTHS[stretch.role])
    if stretch.role == "paused":  # two parallel lines: the middle of the line is taken out again
        inside += tag("path", d=d, class_="st-hollow")
    return tag("g", tooltip(told_of(stretch, sheet.frame)), inside)


def _extent(frame: Frame, start: float, end: float) -> tuple[float, float]:
    """Lines that go on beyond the picture's ends are drawn up to its edge."""
    x1 = frame.left if start <= frame.start else frame.x(start)
    x2 = frame.right if end >= frame.end else frame.x(end)
    return x1, x2


def told_of(stretch: Stretch, frame: Frame) -> str:
    term = "" if stretch.term is None else f" in term {stretch.term}"
    whom = f" of {stretch.leader}" if stretch.role == "follower" and stretch.leader else ""
    return f"{stretch.node}: {stretch.role}{whom}{term}\n{frame.clock(stretch.start)} – {frame.clock(stretch.end)}"


def _terms(sheet: Sheet, stretches: list[Stretch], y: float) -> None:
    before = None
    for stretch in stretches:
        if stretch.term in (None, before) or stretch.role == "down":
            continue
        before = stretch.term
        crown = next((s.start for s in stretches if s.role == "leader" and s.term == stretch.term), None)
        x = max(sheet.frame.x(stretch.start), sheet.frame.left + 3)
        if (
            crown is None or sheet.frame.x(crown) - x > 80 or crown < sheet.frame.start
        ):  # else the crown's label says it
            sheet.label(50, f"term {stretch.term}", [(x, y - 12, "start"), (x, y + 19, "start")], "st-term")


# --------------------------------------------------------------------------------------------------------
# What happened on a lifeline


@dataclass(frozen=True)
class Mark:
    """How a note or fault is drawn: `legend` names it there, `label` (if any) stands beside it, as important as
    `importance` says."""

    shape: str
    style: str
    legend: str
    label: str = ""
    importance: int = 0
    above: bool = True


NOTES = {
    "became_leader": Mark("crown", "lead", "elected", "leads term {term}", 90),
    "election_timeout": Mark("diamond", "elect", "election timeout", "timeout", 60),
    "stepped_down": Mark("fall", "elect", "steps down", "steps down", 65),
    "write_lost": Mark("lost", "bad", "write lost", "lost {key} = {value}", 100, above=False),
    "election_failed": Mark("cross", "bad", "error", "error in the strategy", 95, above=False),
    "truncated": Mark("square", "other", "other note", "log cut after {after}", 35, above=False),
    "installed_snapshot": Mark("square", "other", "other note", "snapshot", 35, above=False),
    "committed": Mark("dot", "commit", "commit"),
}

FAULTS = {
    "kill": Mark("cross", "bad", "crash or stop", "killed", 85, above=False),
    "crash": Mark("cross", "bad", "crash or stop", "crash", 85, above=False),
    "stop": Mark("cross", "bad", "crash or stop", "stopped", 85, above=False),
    "start": Mark("play", "good", "start, resume", "start", 45, above=False),
    "restart": Mark("play", "good", "start, resume", "restart", 84, above=False),
    "pause": Mark("bars", "pause", "pause", "paused", 84, above=False),
    "resume": Mark("play", "good", "start, resume", "resume", 84, above=False),
}

OTHER = Mark("square", "other", "other note")
UNKNOWN_FAULT = Mark("flag", "bad", "other fault", "{kind}", 75, above=False)

QUIET = {
    "state",
    "following",
    "appended",
    "waiting_for",
    "recovered",
    "stopping",
    "catching_up",
    "connected",
    "disconnected",
}
"""Notes that the lifelines and terms show already."""


def marks(sheet: Sheet, run: Run) -> str:
    """The symbols of notes and faults, and their labels."""
    started = {event.node for event in run.faults if event.kind in BIRTHS}
    drawn = [_fault(sheet, event) for event in run.faults if _wanted_fault(sheet, event)]
    last_commit: dict[str, float] = {}
    for event in run.notes:
        if not _wanted_note(sheet, event, started):
            continue
        if event.kind == "committed" and not sheet.chosen.event(event.node, event.seq):
            x = sheet.frame.x(event.time)
            if x - last_commit.get(event.node, -1e9) < 5:
                continue
            last_commit[event.node] = x
        mark = FAULTS["start"] if event.kind == "started" else NOTES.get(event.kind, OTHER)
        drawn.append(_mark(sheet, event, mark, sheet.frame.rows[event.node]))
    return "".join(drawn)


def _wanted_note(sheet: Sheet, event: Event, started: set[str]) -> bool:
    if event.node not in sheet.frame.rows or not sheet.frame.shows(event.time, event.time):
        return False
    if sheet.chosen.event(event.node, event.seq):
        return True
    return event.kind not in QUIET and not (event.kind == "started" and event.node in started)


def _wanted_fault(sheet: Sheet, event: Event) -> bool:
    """The network's weather has its own lanes, and a node's word on its settings only repeats the cluster's."""
    return sheet.frame.shows(event.time, event.time) and event.kind not in WEATHER


def _fault(sheet: Sheet, event: Event) -> str:
    y = sheet.frame.rows.get(event.node, sheet.frame.top + 6)
    return _mark(sheet, event, FAULTS.get(event.kind, UNKNOWN_FAULT), y)


def _mark(sheet: Sheet, event: Event, mark: Mark, y: float) -> str:
    x = sheet.frame.x(event.time)
    sheet.used.add(mark.legend)
    hot = sheet.chosen.event(event.node, event.seq)
    if mark.label or hot:
        text = filled(mark.label or event.kind.replace("_", " ")[:40], event)
        sheet.label(98 if hot else mark.importance, text, sheet.beside_row(x, y, mark.above), f"st-say st-{mark.style}")
    told = f"{event.node or 'network'}: {event.kind.replace('_', ' ')}\n{sheet.frame.clock(event.time)}"
    hot_class = " st-hot" if hot else ""
    return tag(
        "g",
        tooltip(told + fields(event.details)),
        tag("path", d=symbol(mark.shape, x, y)),
        class_=f"st-mark st-{mark.style} st-is-{mark.shape}{hot_class}",
        data_kind=event.kind,
    )


class _Details(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "?"


def filled(template: str, event: Event) -> str:
    """`template` with the event's details in their places, each cut to a label's length."""
    told = {name: str(value)[:18] for name, value in event.details.items()}
    return template.format_map(_Details(told | {"kind": event.kind[:24]})) if "{" in template else template


# --------------------------------------------------------------------------------------------------------
# The network's weather


MOST_LANES = 5


def lanes_of(spells: list[Spell]) -> list[int]:
    """The lane of each spell: the topmost one that is free by then."""
    free: list[float] = []
    lanes = []
    for spell in spells:
        lane = next((number for number, end in enumerate(free) if end <= spell.start), len(free))
        lane = min(lane, MOST_LANES - 1)
        free[lane : lane + 1] = [spell.end]
        lanes.append(lane)
    return lanes


def weather(sheet: Sheet, spells: list[Spell], lanes: list[int]) -> str:
    """Bars in the lanes on top; a partition also tints the plot and builds walls between the nodes that it parts."""
    drawn = []
    for spell, lane in zip(spells, lanes, strict=True):
        x1, x2 = _extent(sheet.frame, spell.start, spell.end)
        x2 = max(x2, x1 + 2)
        if spell.kind == "partition":
            drawn.append(_walls(sheet, spell, x1, x2))
        drawn.append(_bar(sheet.frame, spell, x1, x2, sheet.frame.weather + lane * LANE))
    return "".join(drawn)


def _bar(frame: Frame, spell: Spell, x1: float, x2: float, y: float) -> str:
    bar = tag("rect", x=x1, y=y, width=x2 - x1, height=LANE - 4, rx=2)
    text = next((text for text in texts_of(spell) if extent(text) <= x2 - x1), "")
    told = f"{texts_of(spell)[0]}\n{frame.clock(spell.start)} – {frame.clock(spell.end)}"
    written = words(text, (x1 + x2) / 2, y + 11, anchor="middle") if text else ""
    return tag("g", tooltip(told), bar, written, class_=f"st-spell st-{spell.kind}")


def texts_of(spell: Spell) -> list[str]:
    """The spell in words, the longest version first."""
    details = spell.details
    if spell.kind == "partition":
        full = " | ".join(", ".join(group) for group in spell.groups)
        brief = " | ".join(" ".join(name.rpartition("-")[2] for name in group) for group in spell.groups)
        return [f"partition: {full}" if full else "partition", f"partition {brief}", brief or "cut", "cut"]
    if spell.kind == "cut":
        one, other = str(details.get("from", "?")), str(details.get("to", "?"))
        return [f"cut: {one} ↛ {other}", f"cut {one.rpartition('-')[2]} ↛ {other.rpartition('-')[2]}", "cut"]
    if spell.kind == "delay":
        ms = details.get("replication_delay_ms", details.get("ms", "?"))
        jitter = details.get("jitter_ms")
        return [f"replication delayed by {ms} ms" + (f" + 0–{jitter} ms" if jitter else ""), f"delay {ms} ms", "delay"]
    shares = [(name, share) for name in ("drop", "duplicate") if (share := details.get(name))]
    told = ", ".join(f"{name} {share:.0%}" if isinstance(share, float) else f"{name} {share}" for name, share in shares)
    return [f"messages: {told}" if told else "message loss", "loss"]


def _walls(sheet: Sheet, spell: Spell, x1: float, x2: float) -> str:
    sheet.used.add("partition")
    frame = sheet.frame
    band = tag("rect", x=x1, y=frame.weather, width=x2 - x1, height=frame.bottom - frame.weather, class_="st-tint")
    nodes = list(frame.rows)
    heights = [(frame.rows[a] + frame.rows[b]) / 2 for a, b in pairwise(nodes) if spell.parts(a, b)]
    sides = line(x1, frame.weather, x1, frame.bottom) + line(x2, frame.weather, x2, frame.bottom)
    walls = "".join(line(x1, y, x2, y) for y in heights)
    return band + tag("path", d=sides, class_="st-side") + (tag("path", d=walls, class_="st-wall") if walls else "")


# --------------------------------------------------------------------------------------------------------
# Clients

FEW = 80
"""Up to this many requests also get a line to the node that was asked."""


def clients(sheet: Sheet, operations: list[Operation]) -> str:
    """A bar for each request on the clients' lane, from asking to answer, and dotted lines to the node and back."""
    y, frame = sheet.frame.clients, sheet.frame
    if y is None:
        return ""
    seen = [o for o in operations if frame.shows(o.start, o.start if o.end is None else o.end)]
    free = [-1e9, -1e9, -1e9]
    drawn = []
    for operation in seen:
        x1 = frame.x(operation.start)
        x2 = max(x1 + 4, frame.x(operation.end) if operation.end is not None else x1 + 26)
        lane = next((number for number in range(3) if free[number] <= x1), free.index(min(free)))
        free[lane] = x2 + 3
        drawn.append(_operation(sheet, operation, x1, x2, y + 11 * lane - 8, len(seen) <= FEW))
    return "".join(drawn)


def _operation(sheet: Sheet, o: Operation, x1: float, x2: float, y: float, lines: bool) -> str:
    sheet.used.add(f"request {o.outcome}")
    hot = " st-hot" if sheet.chosen.operation(o.id) else ""
    row = sheet.frame.rows.get(o.node)
    way = ""
    if lines and row is not None:
        d = line(x1, y + 4, x1, row - 4)
        d += line(x2, row - 4, x2, y + 4) if o.end is not None else ""
        way = tag("path", d=d, class_="st-way")
    bar = tag("rect", x=x1, y=y - 4, width=x2 - x1, height=8, rx=2)
    sign = "" if o.outcome == "ok" else tag("path", d=_sign(o.outcome, x2 + 7, y), class_="st-sign")
    text = f"{o.kind} {o.details.get('key', '')}"[:24]
    if "value" in o.details and o.kind == "put":
        text += f" = {str(o.details['value'])[:12]}"
    base = (sheet.frame.clients or 0) - 15
    sheet.label(20, text, [(x1, base, "start"), ((x1 + x2) / 2, base, "middle")], "st-name st-client")
    told = tooltip(told_of_operation(o, text, sheet.frame))
    return tag("g", told, way, bar, sign, class_=f"st-op st-{o.outcome}{hot}", data_id=o.id)


def _sign(outcome: str, x: float, y: float) -> str:
    if outcome == "failed":
        return line(x - 3, y - 3, x + 3, y + 3) + line(x - 3, y + 3, x + 3, y - 3)
    return f"M{short(x - 3)} {short(y - 2)}q0 -3 3 -3t3 3q0 2 -3 3v1m0 2v1"  # a question mark


def told_of_operation(o: Operation, text: str, frame: Frame) -> str:
    answer = f"answered {frame.clock(o.end)}: {o.outcome}" if o.end is not None else "no answer"
    return f"client: {text} at {o.node or '?'}\nasked {frame.clock(o.start)}, {answer}{fields(o.answer)}"


def names(frame: Frame) -> str:
    """The names at the lines' left ends."""
    drawn = [
        tag("text", tooltip(node), safe(shown(node)), x=frame.left - 10, y=y + 4, class_="st-node", text_anchor="end")
        for node, y in frame.rows.items()
    ]
    if frame.clients is not None:
        drawn.append(words("clients", frame.left - 10, frame.clients + 7, "st-lane", "end"))
    return "".join(drawn)
