"""One version, told alike wherever it stands; and the records of decisions are complete."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import replstore

ROOT = Path(__file__).parent.parent


def test_the_package_says_the_version_that_was_installed() -> None:
    assert version("replication-lab") == replstore.__version__


def test_the_citation_names_this_version() -> None:
    (cited,) = re.findall(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)

    assert cited == replstore.__version__


def test_the_changelog_begins_with_what_is_unreleased_or_with_this_version() -> None:
    headings = re.findall(r"^## \[?([^\]\s]+)\]?", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert headings[0] in ("Unreleased", replstore.__version__)


def test_every_decision_is_listed_and_has_the_three_parts() -> None:
    folder = ROOT / "docs" / "decisions"
    records = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
    index = (folder / "README.md").read_text(encoding="utf-8")

    assert len(records) >= 10
    for record in records:
        text = record.read_text(encoding="utf-8")
        assert f"({record.name})" in index
        assert all(f"**{part}.**" in text for part in ("Decision", "Why", "Price")), record.name
