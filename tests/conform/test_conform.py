"""`replab conform`: right nodes get full marks, wrong ones fail exactly in the sentences that they break."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest

from labs.cluster.foreign import PATIENT
from labs.cluster.watchdog import MARK
from labs.conform import runner
from labs.conform.bench import Nodes
from labs.conform.check import LEVELS
from labs.grading import reports
from labs.grading.results import Report, Status
from tests import typescript_node

pytestmark = pytest.mark.processes

LESSON_NODE = [sys.executable, str(Path(__file__).with_name("lesson_node.py"))]
PYTHON_NODE = [sys.executable, "-m", "replstore"]
LESSON = ("wire", "steps", "faults")


def examine(command: Sequence[str], *levels: str, named_peers: bool = False, only: Sequence[str] = ()) -> Report:
    nodes = Nodes(dict.fromkeys(PATIENT.node_ids, command), PATIENT, named_peers)
    return runner.examine(nodes, ["replab", "conform", "--", *command], runner.Wish(levels, tuple(only)))


def ids(report: Report, status: Status) -> set[str]:
    return {result.id for result in report.checks if result.status is status}


def full(report: Report) -> bool:
    wrong = [(r.id, r.message, r.evidence) for r in report.checks if r.status is not Status.PASSED]
    assert wrong == []
    return report.earned == report.points > 0


# -- right nodes ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_right_node_gets_full_marks_for_what_it_answers_and_for_the_steps() -> None:
    report = examine(LESSON_NODE, "wire", "steps")

    assert full(report)
    assert {result.check["exercise"] for result in report.checks} == {"wire", "steps"}


@pytest.mark.slow
def test_a_right_node_gets_full_marks_under_faults() -> None:
    assert full(examine(LESSON_NODE, "faults"))


@pytest.mark.slow
def test_the_typescript_example_gets_full_marks_for_all_that_the_lesson_asks() -> None:
    assert full(examine(typescript_node.command_or_skip(), *LESSON))


@pytest.mark.slow
def test_the_labs_own_node_gets_full_marks_at_every_level() -> None:
    report = examine(PYTHON_NODE, named_peers=True)

    assert full(report)
    assert {result.check["exercise"] for result in report.checks} == set(LEVELS)


def test_the_peer_protocol_alone_is_asked_with_named_peers_without_being_told() -> None:
    """A node that speaks it refuses bare addresses, so without their names it would not even start."""
    assert full(examine(PYTHON_NODE, "peers", only=["peers.heartbeats"]))


@pytest.mark.slow
def test_the_full_typescript_node_gets_full_marks_at_every_level() -> None:
    report = examine(typescript_node.command_or_skip("node-typescript-full"), named_peers=True)

    assert full(report)
    assert {result.check["exercise"] for result in report.checks} == set(LEVELS)


@pytest.mark.slow
def test_a_node_that_elects_by_votes_gets_full_marks_under_faults_and_for_durability() -> None:
    """Any node may be the first leader then, so Steps 1-8 do not apply."""
    command = typescript_node.command_or_skip("node-typescript-full")

    assert full(examine(["env", "ELECTION=majority", *command], "faults", "durable", named_peers=True))


@pytest.mark.slow
def test_a_node_that_keeps_nothing_and_speaks_a_protocol_of_its_own_is_not_wrong() -> None:
    report = examine(LESSON_NODE, only=["durable.no-quorum", "peers.entries"])

    assert ids(report, Status.PASSED) == {"faults.elects"}
    assert {note for note in report.notes if "not tried" in note} == {
        f"Level {level} was not tried; the lesson does not ask for it." for level in ("durable", "peers")
    }
    assert ids(report, Status.FAILED) == set()
    assert runner.is_right(report)
    assert report.earned == report.points > 0, "what was not tried is worth no points"


@pytest.mark.slow
def test_who_asks_for_a_level_that_a_node_does_not_try_is_told_that_it_fails() -> None:
    report = examine(LESSON_NODE, "durable")

    assert ids(report, Status.FAILED) == {"durable.crash-of-all"}
    assert not runner.is_right(report)


# -- wrong nodes ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_answers_that_are_not_the_lessons_fail_in_their_own_sentences() -> None:
    flaws = ("null-is-missing", "tidies-paths", "latin-1", "takes-garbage", "both-spellings", "no-cors")
    report = examine([*LESSON_NODE, *flaws, "ignores-sigterm"], "wire")

    assert ids(report, Status.FAILED) == {
        *("wire.null", "wire.keys", "wire.utf8", "wire.invalid-json", "wire.spelling", "wire.cors", "wire.leaves"),
    }
    assert ids(report, Status.SKIPPED) == set()


@pytest.mark.slow
def test_a_node_that_never_elects_fails_in_the_first_step_and_is_not_waited_for_again() -> None:
    """As a lesson's node does that sorts its own id with its peers' addresses."""
    report = examine([*LESSON_NODE, "sorts-urls", "no-deletes", "asks-for-ever"], *LESSON)

    assert ids(report, Status.FAILED) == {"steps.1", "faults.elects"}
    assert "twice" in next(result.message for result in report.checks if result.id == "steps.1")
    assert {"wire.status", "wire.missing", "wire.cors"} <= ids(report, Status.PASSED)
    assert {"wire.put", "steps.2", "faults.killed-leader"} <= ids(report, Status.SKIPPED)


BROKEN_SENTENCES = {
    # The lesson's node, its election repaired: deletes stay with the leader, and a peer is asked without a limit.
    ("no-deletes", "asks-for-ever"): {"faults.deletes", "faults.paused-leader", "faults.cut-leader"},
    ("no-catch-up", "takes-anything"): {"steps.8", "faults.returning", "faults.late-replicate"},
    ("waits-for-peers",): {"faults.paused-follower"},
    ("never-steps-down",): {"faults.paused-leader", "faults.cut-leader"},
    ("one-at-a-time",): {"faults.paused-leader", "faults.cut-leader"},
    ("same-term",): {"steps.6", "faults.killed-leader"},
    ("leader-empty",): {"wire.status"},
    ("takes-older",): {"faults.overtaking"},
}
BY_CHANCE = {
    # Who ships nothing again lacks what a cut kept back, unless it was shipped just as the network was healed.
    "no-catch-up": {"faults.cut-leader"},
    # A message may also be late by itself, most often among lost and repeated ones.
    "takes-older": {"faults.repeated", "faults.lost"},
}


@pytest.mark.slow
def test_a_node_fails_exactly_in_the_sentences_that_it_breaks() -> None:
    """Several nodes are asked side by side: nearly all of the time is waiting for what does not come."""

    def failed(flaws: tuple[str, ...]) -> set[str]:
        levels = {"wire"} if flaws == ("leader-empty",) else {"steps", "faults"}
        by_chance = set().union(*(BY_CHANCE.get(flaw, set()) for flaw in flaws))
        return ids(examine([*LESSON_NODE, *flaws], *levels), Status.FAILED) - by_chance

    with ThreadPoolExecutor(4) as pool:
        found = dict(zip(BROKEN_SENTENCES, pool.map(failed, BROKEN_SENTENCES), strict=True))

    assert found == BROKEN_SENTENCES


# -- what is told of a failure ----------------------------------------------------------------------------


def test_a_failure_shows_what_was_sent_what_came_back_the_messages_and_how_to_repeat_it(tmp_path: Path) -> None:
    report = examine([*LESSON_NODE, "null-is-missing"], only=["wire.null"])
    reports.write(report, tmp_path, ("html", "junit"))

    [failed] = [result for result in report.checks if result.status is Status.FAILED]
    assert failed.id == "wire.null"
    assert failed.message == "GET of a stored null: 200 was expected, 404 came"
    leader = failed.evidence[0].split()[1]
    assert failed.evidence[-2:] == (
        f"> {leader} GET /key/empty",
        '< 404 {"error": "Key not found", "key": "empty"}',
    )
    assert failed.replay_command.startswith("replab conform --only wire.null -- ")
    assert "Heartbeat" in report.pictures["wire.null.svg"] or "heartbeat" in report.pictures["wire.null.svg"]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "data:image/svg+xml" in page
    assert "GET /key/empty" in page
    cases = ElementTree.parse(tmp_path / "junit.xml").iter("testcase")
    assert {case.get("name"): case.find("failure") is not None for case in cases} == {
        "wire.put": False, "wire.null": True,
    }  # fmt: skip
    assert json.loads((tmp_path / "report.json").read_text())["suite"] == "conform"


def test_every_check_is_one_sentence_with_points_and_needs_only_earlier_ones() -> None:
    seen: set[str] = set()
    for check in runner.CHECKS:
        assert check.says.endswith("."), check.id
        assert check.points > 0
        assert set(check.needs) <= seen, check.id
        assert check.level in LEVELS
        seen.add(check.id)
    assert len(seen) == len(runner.CHECKS)


# -- the command line -------------------------------------------------------------------------------------


def replab(*words: str, mark: str = "") -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "CONFORM_TEST": mark or str(os.getpid())}
    command = [sys.executable, "-m", "labs", "conform", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=variables)


def left_running(mark: str) -> list[int]:
    found = []
    for process in psutil.process_iter():
        try:
            variables = process.environ()
        except (psutil.Error, OSError):
            continue
        if MARK in variables and variables.get("CONFORM_TEST") == mark:
            found.append(process.pid)
    return found


def python(source: str) -> list[str]:
    return ["--", sys.executable, "-c", source]


LISTEN = "import os, socket, time\ns = socket.create_server(('127.0.0.1', {port}))\n"
TALK = LISTEN.format(port="int(os.environ['PORT'])") + "while 1:\n  c, _ = s.accept(); c.sendall({!r}); c.close()"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (python("import time; time.sleep(60)"), "runs, but listens on no port"),
        (python("raise SystemExit('cannot find dist/main.js')"), "ended at once, with exit code 1"),
        (python(LISTEN.format(port=0) + "time.sleep(60)"), "it must listen on the port in PORT"),
        (python(TALK.format(b"hello\r\n\r\n")), "but GET /status is wrong"),
        (python("while True: pass"), "runs, but listens on no port"),
        (["--", "sh", "-c", "setsid sleep 60 & exit 0"], "a node must stay in the foreground"),
        (["--", "/no/such/program"], "could not be started"),
    ],
    ids=["prints nothing", "exits", "wrong port", "garbage", "never ends", "forks", "no program"],
)
def test_a_command_that_is_no_node_ends_with_one_sentence_and_leaves_nothing(
    words: list[str], sentence: str, tmp_path: Path
) -> None:
    done = replab("--start-timeout", "3", *words, mark=str(tmp_path))

    assert done.returncode == 1
    assert done.stdout == ""
    first = done.stderr.splitlines()[0]
    assert first.startswith("replab: node-1")
    assert sentence in first
    assert left_running(str(tmp_path)) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "complaint"),
    [(["--level", "fast", "--", "true"], "no level 'fast'"), (["--only", "wire.x", "--", "true"], "no check 'wire.x'"),
     (["--format", "pdf", "--", "true"], "no format 'pdf'"), ([], "conform needs the command of a node")],
)  # fmt: skip
def test_a_wrong_command_line_is_refused_in_one_line(words: list[str], complaint: str) -> None:
    done = replab(*words)

    assert done.returncode == 2
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_the_exit_code_is_1_when_a_sentence_does_not_hold(tmp_path: Path) -> None:
    right = replab("--only", "wire.missing", "--", *LESSON_NODE)
    wrong = replab("--only", "wire.cors", "--format", "json", "--out", str(tmp_path), "--", *LESSON_NODE, "no-cors")

    assert (right.returncode, right.stdout.splitlines()[-1]) == (0, "1 of 1 points")
    assert wrong.returncode == 1
    assert "✗ 0/1" in wrong.stdout
    assert [path.name for path in tmp_path.glob("*.json")] == ["report.json"]
