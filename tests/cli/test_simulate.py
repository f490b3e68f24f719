"""`replab simulate` and `replab replay`: the same runs, counted and told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labs.cli.app import app
from labs.rules import Claims
from labs.rules.survey import SurveyJob, Tally, count, count_all
from labs.simulation.schedule import Schedule, Step, random_schedule
from replstore.core.lowest_id import LowestId

RUNNER = CliRunner()
REFERENCE = "solutions.ex3_election:MyElection"


def replab(*arguments: str) -> tuple[int, str]:
    result = RUNNER.invoke(app, arguments, env={"COLUMNS": "160", "TERM": "dumb"})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


# -- counting --------------------------------------------------------------------------------------------


def test_async_loses_acknowledged_writes_under_lowest_id_and_quorum_does_not_under_voting() -> None:
    lowest = sum((count(SurveyJob("lowest-id", "async", 5, seed)) for seed in range(6)), Tally())
    voting = sum((count(SurveyJob(REFERENCE, "quorum", 5, seed)) for seed in range(6)), Tally())

    assert lowest.lost > 0
    assert lowest.runs_with_two_leaders > 0
    assert voting.acknowledged > 0
    assert voting.lost == voting.runs_with_two_leaders == 0
    assert voting.broken == {}


@pytest.mark.slow
def test_more_copies_serve_fewer_writes() -> None:
    shares = [
        sum((count(SurveyJob("lowest-id", mode, 5, seed)) for seed in range(5)), Tally()).unserved
        for mode in ("async", "quorum", "sync")
    ]

    assert shares == sorted(shares)
    assert shares[0] < shares[2]


def test_two_processes_count_what_one_does() -> None:
    jobs = [SurveyJob("lowest-id", "async", 3, seed) for seed in range(4)]

    assert dict(count_all(jobs, 2)) == dict(count_all(jobs, 1))


def test_a_broken_promise_is_counted_with_its_seed() -> None:
    tally = count(SurveyJob("lowest-id", "async", 5, 1, Claims(votes=True)))

    assert tally.broken["elected by a majority"] == (1,)


def test_a_job_names_the_command_that_shows_it() -> None:
    job = SurveyJob("bully", "sync", 3, 7, Claims(votes=True, pre_vote=True))

    assert job.replay == "replab replay --election bully --mode sync --nodes 3 --seed 7 --claim votes --claim pre-vote"


# -- the commands ----------------------------------------------------------------------------------------


def test_the_table_has_a_row_for_each_election_and_a_column_for_each_mode() -> None:
    options = ["--election", "lowest-id", "--election", "bully", "--mode", "async", "--mode", "quorum"]
    code, text = replab("simulate", *options, "--nodes", "3", "--schedules", "2", "-j", "1")

    assert code == 0
    assert re.search(r"election\W+async\W+quorum", text)
    assert re.search(r"lowest-id.*acknowledged.*acknowledged", text)
    assert "2 runs each, 3 nodes" in text
    assert text.count("not served:") >= 4


def test_a_broken_rule_comes_with_a_command_that_shows_it_breaking() -> None:
    options = ["--election", "bully", "--mode", "async", "--claim", "votes", "--schedules", "1", "-j", "1"]
    code, text = replab("simulate", *options)
    [command] = {line.strip() for line in text.splitlines() if "replab replay" in line}

    code, told = replab(*command.split()[1:])

    assert code == 1
    assert "elected by a majority at" in told
    assert f"again: {command}" in told


@pytest.mark.parametrize("option", [("--election", "nobody:Nothing"), ("--claim", "magic"), ("--schedules", "0")])
def test_a_wrong_option_is_one_clear_error(option: tuple[str, str]) -> None:
    code, text = replab("simulate", *option)

    assert code == 2
    assert "Traceback" not in text


def test_a_schedule_that_was_saved_is_replayed(tmp_path: Path) -> None:
    saved, picture = tmp_path / "schedule.json", tmp_path / "run.html"
    code, text = replab("replay", "--election", REFERENCE, "--seed", "4", "--save", str(saved))
    again, retold = replab("replay", str(saved), "--election", REFERENCE, "--picture", str(picture))

    assert (code, again) == (0, 0)
    assert Schedule.from_json(saved.read_text()) == random_schedule(4, Schedule(nodes=5, mode="quorum"))
    assert text.splitlines()[:10] == retold.splitlines()[:10]
    assert "<svg" in picture.read_text()


def test_a_replayed_run_is_told_in_sentences(tmp_path: Path) -> None:
    file = tmp_path / "schedule.json"
    steps = (Step(2.0, "crash", ("node-1",)),)
    file.write_text(Schedule(nodes=3, steps=steps, length=4.0, calm=1.0).to_json())
    code, text = replab("replay", str(file), "--whole")

    assert code == 0
    assert f"{LowestId.__name__} with 3 nodes, mode quorum, seed 0" in text
    assert re.search(r"at \d\.\d\d s node-1 became leader of term 1", text)
    assert "at 2.00 s node-1 crashed" in text
    assert "No rule is broken." in text


def test_a_file_that_holds_no_schedule_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "schedule.json"
    file.write_text(json.dumps({"steps": 3}))
    code, text = replab("replay", str(file))

    assert code == 2
    assert "not a schedule" in text
