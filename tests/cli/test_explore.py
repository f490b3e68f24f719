"""`replab explore`."""

from __future__ import annotations

from pathlib import Path

import pytest

from labs.cli import main

TWO_VOTES = """
from tools.mutant_elections import Plain, TwoVotesInOneTerm

class MyElection(TwoVotesInOneTerm, Plain):
    pass
"""


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["explore", *words])
    return int(ended.value.code or 0)


def test_a_planted_double_leader_is_found_by_the_shortest_trace_and_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises" / "ex3_election.py").write_text(TWO_VOTES)
    monkeypatch.chdir(tmp_path)

    assert run("ex3", "--depth", "8") == 1

    printed = capsys.readouterr().out
    assert printed.startswith("node-1 and node-2 are both leaders of term 1:")
    assert "  6. " in printed
    assert "  7. " not in printed
    assert (tmp_path / "explored.html").read_text().count('data-kind="became_leader"') == 2


def test_an_election_that_keeps_its_promise_is_said_to_up_to_the_bound(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("solutions.ex3_election:MyElection", "--depth", "5") == 0

    assert "Never two leaders in a term" in capsys.readouterr().out


def test_each_message_that_arrives_in_the_picture_was_sent_before(tmp_path: Path) -> None:
    from labs.simulation.explorer.search import Bound, Search
    from labs.trace.timeline import read_timeline
    from tools.mutant_elections import Plain, TwoVotesInOneTerm

    class TwoVotes(TwoVotesInOneTerm, Plain):
        pass

    [trace] = Search(TwoVotes, 3, Bound(depth=8)).run().traces
    arrived = [delivery for delivery in read_timeline(trace.events).deliveries if delivery.arrivals]

    assert len(arrived) == 4
    assert all(not delivery.guessed and delivery.sent < delivery.arrivals[0] for delivery in arrived)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("nowhere.py", "cannot be read"),
        ("no.such:Thing", "cannot import no.such"),
        ("raft", "expected one of"),
    ],
)
def test_an_election_that_cannot_be_found_is_named(
    name: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(name) == 2

    assert complaint in capsys.readouterr().err


def test_a_file_without_the_class_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text("x = 1\n")

    assert run(str(tmp_path / "mine.py")) == 2

    assert "mine.py: the code has no class MyElection" in capsys.readouterr().err
