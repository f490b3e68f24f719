"""The documentation is a site: every link leads somewhere, it can be searched, and it asks no other host."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import labs
from tools.docs_links import on_page_markdown

ROOT = Path(labs.__path__[0]).parent
LOADED = re.compile(r"""<(?:script|img|iframe)[^>]*\ssrc="([^"]+)"|<link[^>]*\shref="([^"]+)"[^>]*>""")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs", reason="the packages of the extra `docs` are not installed")
    target = tmp_path_factory.mktemp("documentation") / "public"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(target)],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return target


@pytest.mark.slow
def test_it_is_built_without_a_warning_and_asks_no_other_host(built: Path) -> None:
    pages = list(built.rglob("*.html"))
    loaded = {one or other for page in pages for one, other in LOADED.findall(page.read_text(encoding="utf-8"))}

    assert len(pages) > 20
    assert {url for url in loaded if re.match(r"(https?:)?//", url)} == set()
    styles = "".join(path.read_text(encoding="utf-8") for path in built.rglob("*.css"))
    assert re.findall(r"url\(\"?https?:", styles) == []


@pytest.mark.slow
def test_it_can_be_searched_and_holds_the_python_interface(built: Path) -> None:
    index = json.loads((built / "search" / "search_index.json").read_text(encoding="utf-8"))

    assert any("quorum" in page["text"] for page in index["docs"])
    assert "delay_replication" in (built / "api.html").read_text(encoding="utf-8")


class Page:
    """As much of MkDocs' page as the hook looks at."""

    class file:  # noqa: N801
        abs_src_path = str(ROOT / "docs" / "grading.md")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("see [the guide](student-guide.md#set-up)", "see [the guide](student-guide.md#set-up)"),
        ("see [the reference](../README.md)", "see the reference (`README.md`)"),
        ("see [`README.md`](../README.md)", "see `README.md`"),
        ("see [it](https://example.org/a.md)", "see [it](https://example.org/a.md)"),
        ("see [nothing](../no-such-file.md)", "see [nothing](../no-such-file.md)"),
        (
            "```mermaid\nstateDiagram-v2\n    [*] --> new\n    new --> old : time, Taken\n```\nmore",
            "| state | on | next state |\n|---|---|---|\n| (begin) |  | `new` |\n| `new` | time, Taken | `old` |\nmore",
        ),
        ("```http quorum, node-1 alone\n> GET\n```", "```http\n> GET\n```"),
    ],
)
def test_links_out_of_the_documentation_become_text(written: str, read: str) -> None:
    assert on_page_markdown(written, Page, {"docs_dir": str(ROOT / "docs")}, None) == read
