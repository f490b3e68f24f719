"""Network faults as bars in lanes above the nodes' lines; a partition also as a wall between the nodes.

Law of this module: nothing is told by colour alone; each bar has its words.
"""

from __future__ import annotations

from itertools import pairwise

from labs.pictures.canvas import Canvas
from labs.pictures.frame import LANE, Frame
from labs.pictures.svg import extent, line, tag, tooltip, words
from labs.trace import kinds
from labs.trace.network import FaultInterval

MOST_LANES = 5


def lanes_of(faults: list[FaultInterval]) -> list[int]:
    """The lane of each fault: the topmost one that is free by then."""
    free: list[float] = []
    lanes = []
    for fault in faults:
        lane = next((number for number, end in enumerate(free) if end <= fault.start), len(free))
        lane = min(lane, MOST_LANES - 1)
        free[lane : lane + 1] = [fault.end]
        lanes.append(lane)
    return lanes


def fault_bars(canvas: Canvas, faults: list[FaultInterval], lanes: list[int]) -> str:
    """Bars in the lanes on top. A partition also tints the plot and has walls between the nodes that it separates."""
    drawn = []
    for fault, lane in zip(faults, lanes, strict=True):
        x1, x2 = canvas.frame.extent(fault.start, fault.end)
        x2 = max(x2, x1 + 2)
        if fault.kind == kinds.PARTITION:
            drawn.append(_walls(canvas, fault, x1, x2))
        drawn.append(_bar(canvas.frame, fault, x1, x2, canvas.frame.faults_top + lane * LANE))
    return "".join(drawn)


def _bar(frame: Frame, fault: FaultInterval, x1: float, x2: float, y: float) -> str:
    bar = tag("rect", x=x1, y=y, width=x2 - x1, height=LANE - 4, rx=2)
    texts = _texts(fault)
    fitting = next((text for text in texts if extent(text) <= x2 - x1), "")
    label = words(fitting, (x1 + x2) / 2, y + 11, anchor="middle") if fitting else ""
    times = f"{frame.clock(fault.start)} – {frame.clock(fault.end)}"
    return tag("g", tooltip(f"{texts[0]}\n{times}"), bar, label, class_=f"st-fault st-{fault.kind}")


def _texts(fault: FaultInterval) -> list[str]:
    """The fault in words, the longest version first."""
    details = fault.details
    if fault.kind == kinds.PARTITION:
        full = " | ".join(", ".join(group) for group in fault.groups)
        brief = " | ".join(" ".join(name.rpartition("-")[2] for name in group) for group in fault.groups)
        return [f"partition: {full}" if full else "partition", f"partition {brief}", brief or "cut", "cut"]
    if fault.kind == kinds.CUT:
        one, other = str(details.get("from", "?")), str(details.get("to", "?"))
        return [f"cut: {one} ↛ {other}", f"cut {one.rpartition('-')[2]} ↛ {other.rpartition('-')[2]}", "cut"]
    if fault.kind == kinds.DELAY:
        ms = details.get("replication_delay_ms", details.get("ms", "?"))
        jitter = details.get("jitter_ms")
        return [f"replication delayed by {ms} ms" + (f" + 0–{jitter} ms" if jitter else ""), f"delay {ms} ms", "delay"]
    shares = [(name, share) for name in ("drop", "duplicate") if (share := details.get(name))]
    text = ", ".join(f"{name} {share:.0%}" if isinstance(share, float) else f"{name} {share}" for name, share in shares)
    return [f"messages: {text}" if text else "message loss", "loss"]


def _walls(canvas: Canvas, fault: FaultInterval, x1: float, x2: float) -> str:
    canvas.used.add("partition")
    frame = canvas.frame
    height = frame.bottom - frame.faults_top
    band = tag("rect", x=x1, y=frame.faults_top, width=x2 - x1, height=height, class_="st-tint")
    nodes = list(frame.rows)
    heights = [(frame.rows[a] + frame.rows[b]) / 2 for a, b in pairwise(nodes) if fault.separates(a, b)]
    sides = line(x1, frame.faults_top, x1, frame.bottom) + line(x2, frame.faults_top, x2, frame.bottom)
    walls = "".join(line(x1, y, x2, y) for y in heights)
    return band + tag("path", d=sides, class_="st-side") + (tag("path", d=walls, class_="st-wall") if walls else "")
