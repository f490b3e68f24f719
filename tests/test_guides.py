"""What README and the guides name exists: links, pictures, commands, options. And the hub's file can be loaded."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from typer.main import get_command

from labs.cli.app import app

PROJECT = Path(__file__).parents[1]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
COMMAND = re.compile(r"^(?:[^|`]*&& )?(replab [^#|`\n]*)|`(replab [^`]*)`", re.MULTILINE)


def commands(page: Path) -> list[str]:
    """`replab …` at the start of a line (of a code block) or between backticks."""
    return [" ".join((line or quoted).split()) for line, quoted in COMMAND.findall(page.read_text(encoding="utf-8"))]


def test_the_guides_show_commands() -> None:
    assert sum(len(commands(page)) for page in PAGES) > 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_picture_is_there(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))

    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]

    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_is_one_of_the_labs_and_takes_these_options(page: Path) -> None:
    known = get_command(app).commands  # type: ignore[attr-defined]
    for line in commands(page):
        _, *words = shlex.split(line)
        words = words[: words.index("--")] if "--" in words else words  # what follows is a program of the user's
        if not words:
            continue
        assert words[0] in known, line
        options = {name for option in known[words[0]].params for name in [*option.opts, *option.secondary_opts]}
        options.add("--help")
        assert [word for word in words if word.startswith("-") and word.split("=")[0] not in options] == [], line


def test_the_hubs_configuration_can_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    config = SimpleNamespace(Spawner=MagicMock(), Authenticator=MagicMock(), JupyterHub=MagicMock())

    runpy.run_path(str(PROJECT / "docs" / "jupyterhub_config.py"), init_globals={"get_config": lambda: config})

    assert config.Spawner.cmd == [str(tmp_path / "bin" / "replab"), "singleuser"]
