"""A cluster as one still picture: who leads, who follows, who is down. For pages on which no panel can run.

Law of this module: values in, markup out; the same nodes give the same text.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin

from labs.cluster.base import NodeStatus
from labs.pictures.svg import tag, words

WIDTH, HEIGHT, RADIUS = 480.0, 300.0, 34.0
LEADER, FOLLOWER, DOWN = ("#f5b301", "#7a5900"), ("#ffffff", "#3b7fb8"), ("#e5e7eb", "#6b7280")
"""Fill and outline."""


def still(nodes: Sequence[NodeStatus], sentence: str) -> str:
    """An SVG of these nodes in a ring, with `sentence` below it."""
    drawn = []
    for number, node in enumerate(nodes):
        angle = 2 * pi * number / max(1, len(nodes)) - pi / 2
        x, y = WIDTH / 2 + 165 * cos(angle), 130 + 85 * sin(angle)
        drawn.append(_node(node, x, y))
    text = tag("text", sentence_of(sentence), x=WIDTH / 2, y=HEIGHT - 12, text_anchor="middle", font_size=13)
    label = f"{', '.join(said(node) for node in nodes)}. {sentence}"
    return tag(
        "svg",
        tag("rect", x=0, y=0, width=WIDTH, height=HEIGHT, rx=6, fill="#fafafa", stroke="#d1d5db"),
        *drawn,
        text,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}",
        width=WIDTH,
        height=HEIGHT,
        font_family="sans-serif",
        role="img",
        aria_label=label,
    )


def said(node: NodeStatus) -> str:
    """One node in a few words."""
    if not node.answers:
        return f"{node.node_id} {node.state}"
    term = "" if node.term is None else f" in term {node.term}"
    return f"{node.node_id} {'leads' if node.role == 'leader' else 'follows'}{term}"


def sentence_of(text: str) -> str:
    return words(text, 0, 0).partition(">")[2].removesuffix("</text>")


def _node(node: NodeStatus, x: float, y: float) -> str:
    fill, edge = LEADER if node.role == "leader" and node.answers else FOLLOWER if node.answers else DOWN
    dashes = None if node.answers else "4 4"
    disc = tag("circle", cx=x, cy=y, r=RADIUS, fill=fill, stroke=edge, stroke_width=3, stroke_dasharray=dashes)
    role = "leader" if fill == LEADER[0] else "follower" if node.answers else node.state
    name = tag("text", sentence_of(node.node_id), x=x, y=y - 2, text_anchor="middle", font_size=12, font_weight="bold")
    below = tag("text", sentence_of(role), x=x, y=y + 14, text_anchor="middle", font_size=11)
    term = "" if node.term is None else f"term {node.term}"
    return disc + name + below + tag("text", term, x=x, y=y + RADIUS + 15, text_anchor="middle", font_size=11)
