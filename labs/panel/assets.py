"""The panels' scripts and stylesheets, put together: each panel is one ES module and one stylesheet.

Law of this module: it joins files of `static/`. `base.js` stands in front of every script; every panel has the cluster
panel's stylesheet, so that all look alike, and its own after it.
"""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).parent / "static"


def script(name: str) -> str:
    return "\n".join((STATIC / part).read_text(encoding="utf-8") for part in ("base.js", name))


def style(name: str) -> str:
    return "\n".join((STATIC / part).read_text(encoding="utf-8") for part in dict.fromkeys(("panel.css", name)))
