"""The state diagrams in the docs are those of the code."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import pytest

from replstore.core import progress
from tools import state_diagrams
from tools.state_diagrams import PROJECT, pages

made = cache(pages)


@pytest.mark.parametrize("name", ["docs/state-machines.md", "solutions/state-machine.md"])
def test_the_committed_diagrams_are_what_the_code_makes(name: str) -> None:
    committed = (PROJECT / name).read_text(encoding="utf-8")

    assert committed == made()[name], "run `python -m tools.state_diagrams` and read the difference"


def test_a_transition_more_in_the_code_is_one_more_in_the_diagram(monkeypatch: pytest.MonkeyPatch) -> None:
    before = state_diagrams.of_progress()
    changed = defaultdict(dict, {state: dict(row) for state, row in progress.TRANSITIONS.items()})
    changed[progress.SNAPSHOT][progress.Event.SILENT] = progress.STREAMING
    monkeypatch.setattr(progress, "TRANSITIONS", dict(changed))

    assert state_diagrams.of_progress() != before
