"""`lab.losses`: the notebook's table of lost writes."""

from __future__ import annotations

import pytest

from labs.lesson.losses import losses


def test_async_loses_writes_and_a_vote_with_a_quorum_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    losses(nodes=3, schedules=4)

    head, lowest, _, vote = capsys.readouterr().out.splitlines()
    assert head.split() == ["async", "quorum", "sync"]
    assert lowest.startswith("lowest-id")
    assert "  0 of" not in lowest.split("writes lost")[0]
    assert "  0 of" in vote.split("writes lost")[1]


def test_an_election_that_is_not_here_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    losses(nodes=3, schedules=1, elections=["lowest-id", "no.such:Election"])

    assert "no.such" not in capsys.readouterr().out
