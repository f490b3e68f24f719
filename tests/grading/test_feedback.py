"""What a student is told: what happened to whom, once, and soon."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from labs.cli.app import main
from labs.grading.check import CheckOutcome
from labs.grading.checks import SUITE
from labs.grading.checks.ex3 import PARTS
from labs.grading.pulse import LONG, Pulse
from labs.grading.reports.words import not_loaded
from labs.grading.results import Report
from labs.grading.runner import grade
from labs.grading.settings import GradingSettings
from labs.grading.submission.submission import Submission
from replstore.core.election import Election
from tools import mutant_elections as mutants
from tools.direct import DirectSession


def judged(part_id: str, election: type[Election]) -> CheckOutcome:
    """By the part's check, without a sandbox."""
    part = next(part for part in PARTS if part.id == part_id)
    return part._judge(DirectSession(SimpleNamespace(MyElection=election)))


def test_a_lost_write_is_told_first_with_who_was_told_and_who_led_without_it() -> None:
    outcome = judged("log", mutants.AnyLogWins)

    assert outcome.message.startswith(
        "A client was told by node-2 that kept = 1 is stored; node-1 became leader of term 4 without it, and node-3"
    )
    assert re.search(r"It fails in [1-9] of [1-9]\d* runs with this seed\.$", outcome.message)


def test_all_that_was_done_stands_in_the_evidence_as_sentences() -> None:
    evidence = "\n".join(judged("log", mutants.AnyLogWins).evidence)

    assert "0.00 s: node-2, node-3, node-4 and node-5 are paused" in evidence
    assert "1.30 s: node-2, node-3, node-4 and node-5 are resumed" in evidence
    assert "1.70 s: The network is cut: node-1 | node-2, node-3, node-4, node-5" in evidence
    assert "a client writes kept = 1 at node-2 and is told that it is stored" in evidence
    assert "3.90 s: node-2 and node-5 crash" in evidence
    assert "_" not in evidence, "no names of the simulator's actions"


@pytest.mark.parametrize(
    ("part", "election"),
    [
        ("log", mutants.AnyLogWins),
        ("quorum", mutants.NeverStepsDown),
        ("pre-vote", mutants.Plain),
        ("randomized-timeout", mutants.NoRandomization),
    ],
)
def test_the_picture_says_that_something_is_broken_and_the_rule_comes_after_what_happened(
    part: str, election: type[Election]
) -> None:
    outcome = judged(part, election)

    assert "✗ Broken: " in (outcome.picture or "")
    assert outcome.evidence[0].startswith("Broken: ")
    assert not outcome.message.startswith("Broken")
    assert "_" not in " ".join(outcome.evidence)


def test_what_happened_comes_before_the_rule_in_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ex1_fault_tolerance.py").write_text("def availability(cluster):\n    return []\n")

    with pytest.raises(SystemExit):
        main(["check", "ex1", "--only", "ex1.availability", "--file", str(tmp_path)])

    said = capsys.readouterr().out
    assert said.index("See it again") > said.index("Rule: ") > said.index("✗")
    assert not said.split("\n")[3].strip().startswith("Rule")


def graded(text: str, *only: str) -> Report:
    return grade(Submission("test", {"ex1": text}, {}), SUITE, GradingSettings(only=only or ("ex1",)))


@pytest.mark.parametrize(
    "text", ["import itertools(", "x = = 1", "def f(:\n  pass", "1/0", "import no_such_module", "return 1"]
)
def test_a_file_that_cannot_be_run_is_told_once_with_its_line(text: str) -> None:
    report = graded(text)

    said = not_loaded(report)
    assert said.startswith("Nothing was checked: ")
    assert "line 1" in said
    assert said.count(text.splitlines()[0]) >= 1


def test_checks_that_ran_are_told_one_by_one() -> None:
    assert not_loaded(graded("def availability(cluster):\n    return 1\ndef survives(cluster):\n    return 1\n")) == ""


@pytest.mark.sample(1)
@pytest.mark.parametrize("what", ["ex1", "ex2", "ex3"])
def test_a_starter_says_in_words_what_to_do(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    starters = Path(__file__).parents[2] / "exercises"

    with pytest.raises(SystemExit):
        main(["check", what, "--file", str(starters)])

    said = " ".join(capsys.readouterr().out.split())
    assert f"not attempted yet. Open {what}_" in said
    assert "save the file, and run this again" in said


def test_a_syntax_error_is_one_line_in_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ex1_fault_tolerance.py").write_text("import itertools(\n")

    with pytest.raises(SystemExit):
        main(["check", "ex1", "--file", str(tmp_path)])

    said = capsys.readouterr().out
    assert said.count("✗") == 1
    assert "Hint" not in said


def test_a_silent_loop_is_told_after_eight_seconds_and_a_touch_of_the_cluster_counts() -> None:
    now = 0.0
    pulse = Pulse(clock=lambda: now)
    pulse.asked()
    now = LONG - 1
    assert pulse.sentence() == ""
    pulse.touched()
    now = LONG + 1
    assert pulse.sentence() == ""
    now = 2 * LONG + 1
    assert pulse.sentence().startswith("Your code has been running for 10 s without touching the cluster.")

    pulse.answered()

    assert pulse.sentence() == ""
    assert pulse.elapsed == now


def test_the_grader_keeps_a_pulse_while_code_works_and_touches_its_cluster() -> None:
    seen: list[str] = []

    class Listening(Pulse):
        def asked(self) -> None:
            seen.append("asked")

        def touched(self) -> None:
            seen.append("touched")

        def answered(self) -> None:
            seen.append("answered")

    text = "def availability(cluster):\n    cluster.status()\n    return []\ndef survives(cluster):\n    return True\n"
    settings = GradingSettings(only=("ex1.availability",))
    grade(Submission("test", {"ex1": text}, {}), SUITE, settings, stop=Listening())

    assert "touched" in seen[seen.index("asked") : len(seen) - 1]
    assert seen[-1] == "answered"
