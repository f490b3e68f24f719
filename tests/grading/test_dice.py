"""Graded runs cannot be known beforehand, and can be repeated afterwards."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
from typer.testing import CliRunner

from labs.cli.app import app
from labs.grading.checks import SUITE
from labs.grading.checks.clusters import STUDENT_KINDS, make
from labs.grading.checks.ex3 import PARTS
from labs.grading.dice import FILE, secret_in
from labs.grading.errors import GraderError
from labs.grading.results import Report
from labs.grading.runner import grade
from labs.grading.settings import VISIBLE_SEEDS, GradingSettings
from labs.grading.submission.submission import Submission
from labs.simulation.schedule import Schedule, carry_out
from replstore.core.lowest_id import LowestId
from tests.grading.conftest import write_files
from tests.grading.toys import GOOD_EX1, SUITE_SPEC

SECRET = "drawn by the grader"
PART = PARTS[0]


def first_dice(seed: int) -> set[float]:
    """What the strategies of a public seed's runs draw first, as anybody can find out at home."""
    found = set()
    for schedule in PART.schedules(seed):
        for number, start in itertools.product(range(1, schedule.nodes + 1), (1, 2)):
            node = Random(f"{schedule.seed}/node-{number}/{start}")
            found.add(Random(node.getrandbits(64)).random())
    return found


def recognizes(known: set[float]) -> str:
    """An election that leads at once, without asking anybody, where it knows the run."""
    return f"""\
from replstore.election import Election

KNOWN = {known!r}

class MyElection(Election):
    def tick(self, now):
        if not hasattr(self, "known"):
            self.known = self.rng.random() in KNOWN
            if self.known:
                self.note("i_know_this_run")

    def receive(self, sender, message, now):
        pass
"""


def graded(settings: GradingSettings) -> tuple[Report, int]:
    """The report, and how many strategies of the failed run knew it."""
    source = recognizes(set().union(*map(first_dice, (*VISIBLE_SEEDS, *range(1000, 1005)))))
    knew = []
    report = grade(
        Submission("test", {"ex3": source}, {}),
        SUITE,
        settings,
        lambda _, outcome: knew.append(
            sum(event.kind == "i_know_this_run" for event in outcome.scene.run.trace)
            if outcome.scene is not None and outcome.scene.run is not None
            else 0
        ),
    )
    return report, sum(knew)


@pytest.mark.slow
def test_a_strategy_recognizes_the_public_runs_and_none_of_the_graded_ones() -> None:
    only = (f"ex3.{PART.id}",)
    at_home, knew_at_home = graded(GradingSettings(only=only))
    in_earnest, knew_in_earnest = graded(GradingSettings(only=only, secret=SECRET))

    assert knew_at_home >= 3, "otherwise this test would show nothing"
    assert knew_in_earnest == 0
    assert at_home.dice == ""
    assert in_earnest.dice
    assert SECRET not in json.dumps(in_earnest.to_json())


def test_equal_files_have_equal_dice_and_others_have_others() -> None:
    settings = GradingSettings(secret=SECRET)
    one, same, other = (Submission(name, {"ex1": text}, {}) for name, text in (("a", "x"), ("b", "x"), ("c", "y")))

    assert settings.dice_of(one) == settings.dice_of(same) != settings.dice_of(other)
    assert settings.dice_of(one) != GradingSettings(secret="another").dice_of(one)
    assert settings.fingerprint(one, SUITE) != GradingSettings(secret="another").fingerprint(one, SUITE)
    assert SECRET not in repr(settings)


def test_a_schedule_with_dice_is_another_run_each_time_the_same_and_survives_as_text() -> None:
    plain = Schedule(nodes=3, length=2.0, calm=0.0)
    mixed = Schedule.from_json(Schedule(nodes=3, length=2.0, calm=0.0, dice="d").to_json())

    assert carry_out(mixed, LowestId).digest == carry_out(mixed, LowestId).digest != carry_out(plain, LowestId).digest
    assert mixed.dice == "d"
    assert "dice" not in plain.to_json(), "schedules that were saved before look as before"


def test_the_clusters_of_a_seed_have_other_timings_with_other_dice() -> None:
    def ticks(dice: str) -> list[float]:
        with make(STUDENT_KINDS[0], 0, dice=dice) as cluster:
            return [event.time for event in cluster.events() if event.event == "received"][:20]

    assert ticks("") == ticks("") != ticks("a") == ticks("a") != ticks("b")


@pytest.mark.slow
def test_a_grading_draws_its_secret_once_and_keeps_it_to_itself(tmp_path: Path) -> None:
    ann = write_files(tmp_path / "class" / "ann", {"ex1_fault_tolerance.py": GOOD_EX1})
    out = tmp_path / "out"
    words = ["grade", str(ann), "--out", str(out), "--suite", SUITE_SPEC, "--only", "double", "--format", "html"]

    assert CliRunner().invoke(app, words).exit_code == 0
    secret, report = (out / FILE).read_text().strip(), (out / "ann" / "report.json").read_text()
    assert CliRunner().invoke(app, words).exit_code == 0

    assert (out / FILE).read_text().strip() == secret
    assert (out / "ann" / "report.json").read_text() == report, "nothing is done again"
    assert (out / FILE).stat().st_mode & 0o077 == 0
    dice = json.loads(report)["dice"]
    assert dice
    assert secret not in report
    shown = (out / "ann" / "report.html").read_text()
    assert dice in shown
    assert secret not in shown


def test_graders_that_begin_together_agree_on_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as several:
        drawn = set(several.map(lambda _: secret_in(tmp_path / "out"), range(40)))

    assert len(drawn) == 1
    assert len(drawn.pop()) == 32
    assert [path.name for path in (tmp_path / "out").iterdir()] == [FILE]


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("\n")
    with pytest.raises(GraderError, match="must hold a line of text"):
        secret_in(tmp_path)
