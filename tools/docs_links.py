"""For the site of the documentation: what is written for readers of the source is made fit for a site.

A link from `docs/` to a file elsewhere in the source tree becomes plain text, for the site does not contain it. What
stands behind a code block's language (who is asked, for the test of the guides) is left out. A state diagram, which
GitHub draws with a script from elsewhere, becomes a table of its transitions.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_FENCE = re.compile(r"^(```\w+) .*$", re.MULTILINE)
_DIAGRAM = re.compile(r"^```mermaid\nstateDiagram-v2\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TRANSITION = re.compile(r"^\s*(\S+) --> (\S+)(?: : (.*))?$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(((?!\w+:|#)[^)\s]+)\)")


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Called by MkDocs for each page."""
    docs = Path(config["docs_dir"]).resolve()
    here = Path(page.file.abs_src_path).parent
    plain = _DIAGRAM.sub(_transitions, _FENCE.sub(r"\1", markdown))
    return _LINK.sub(lambda link: _within(link, here, docs), plain)


def _transitions(diagram: re.Match[str]) -> str:
    rows = [[part or "" for part in found] for found in _TRANSITION.findall(diagram[1])]
    shown = [f"| {'(begin)' if old == '[*]' else f'`{old}`'} | {why} | `{new}` |" for old, new, why in rows]
    return "\n".join(["| state | on | next state |", "|---|---|---|", *shown])


def _within(link: re.Match[str], here: Path, docs: Path) -> str:
    text, target = link[1], link[2].partition("#")[0]
    place = (here / target).resolve()
    if place.is_relative_to(docs) and place.suffix == ".md":
        return link[0]
    if not place.exists():
        return link[0]  # MkDocs says what is wrong with it
    name = place.relative_to(docs.parent).as_posix()
    return text if name in text else f"{text} (`{name}`)"
