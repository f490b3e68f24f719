"""The panels' scripts and stylesheets: each panel is one ES module and one stylesheet.

Law of this module: it reads the bundles in `static/` as they are. Their sources, in TypeScript, and how they are
bundled: `frontend/`.
"""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).parent / "static"


def script(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def style(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")
