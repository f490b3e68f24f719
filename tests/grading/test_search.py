"""The search in Exercise 3's checks: it finds what no schedule finds, and only what real nodes repeat counts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from labs.grading.checks import SUITE
from labs.grading.checks.ex3 import PARTS
from labs.grading.child.main import Worker
from labs.grading.results import Status
from labs.grading.runner import grade
from labs.grading.session import Session
from labs.grading.settings import GradingSettings
from labs.grading.submission.submission import Submission
from labs.lesson.exercises import BY_ID
from labs.rules import Claims, check_run
from labs.simulation.explorer.findings import essence, suspicious_walks
from labs.simulation.explorer.walks import Extent, Walks
from labs.simulation.loading import election_from_source
from labs.simulation.repeating import MOST_STEPS, MOST_TEXT, is_walk, schedules_of
from labs.simulation.schedule import Schedule, carry_out
from tools.direct import DirectSession, changed_source, planted_source

NODES = ("node-1", "node-2", "node-3")
SAFETY = Claims(votes=True, by_messages=True)

ANSWERS = "            case Vote() | HeartbeatReply():"
FORGETS = planted_source(
    "ex3",
    (
        ANSWERS,
        "            case Vote(pre=False) if message.term == self.term and not self.leader and self.vote != self.me:\n"
        f"                self.vote = None\n{ANSWERS}",
    ),
)
"""A refusal that comes late makes a node forget its vote for another. No schedule of the checks shows it."""

RARE = {
    "a log checked in the pre-vote only": (
        "acknowledged writes stay",
        ("request.term == self.term and free and request.last >= self.log.last", "request.term == self.term and free"),
    ),
    "a request of an old term frees the vote": (
        "one vote a term",
        (
            "        if granted:\n",
            "        if request.term < self.term:\n            self.vote = None\n        if granted:\n",
        ),
    ),
}


VOTES = next(part for part in PARTS if part.id == "votes")


def session(source: str) -> Session:
    return Session(BY_ID["ex3"], {"ex3_election.py": source})


# -- what is found ---------------------------------------------------------------------------------------


@pytest.mark.sample(1)
@pytest.mark.parametrize("mistake", RARE)
def test_a_rare_mistake_is_found_and_real_nodes_repeat_it(mistake: str) -> None:
    rule, change = RARE[mistake]
    election = election_from_source(planted_source("ex3", change))

    [schedule, *_] = schedules_of(suspicious_walks(election))
    run = carry_out(schedule, election)

    assert rule in {violation.rule for violation in check_run(run, SAFETY)}


def test_a_mistake_that_only_the_search_finds_is_told_with_its_run() -> None:
    with session(FORGETS) as code:
        found = VOTES._searched(code)

    assert found is not None
    assert not found.passed
    assert "voted for node-" in found.message
    assert "A search through orders of messages" in found.message
    assert found.picture is not None
    assert found.replay == "replab check ex3 --only ex3.votes"


@pytest.mark.slow
def test_it_costs_the_part_of_its_rule() -> None:
    handed_in = Submission("test", {"ex3": FORGETS}, {})
    [found] = grade(handed_in, SUITE, GradingSettings(seeds=(0,), only=("ex3.votes",))).checks

    assert (found.status, found.deterministic) == (Status.FAILED, True)
    assert "A search through orders of messages" in found.message


@pytest.mark.slow
def test_a_clock_that_was_put_forward_is_waited_for_and_reached() -> None:
    """Rounding made a node wake up just before its time, again and again at the same moment."""
    change = ("(self.poll.kind, self.poll.term) == (message.poll, message.about)", "self.poll.term == message.about")
    election = election_from_source(changed_source("alternatives.ex3_one_message", change))
    with_dice = DirectSession(SimpleNamespace(MyElection=election)).elections()

    runs = [carry_out(schedule, with_dice) for schedule in schedules_of(suspicious_walks(election))]

    assert runs
    assert all(run.trace[-1].time > run.schedule.length for run in runs)


@pytest.mark.sample(1)
@pytest.mark.parametrize("design", ["ledger", "one_message", "polls", "states", "without_pre_vote"])
def test_nothing_is_found_in_a_right_design(design: str) -> None:
    assert suspicious_walks(election_from_source(changed_source(f"alternatives.ex3_{design}"))) == []


def test_the_search_ends_after_so_many_steps_and_questions() -> None:
    election = election_from_source(changed_source("ex3_election"))
    walks = Walks(election, Extent(steps=2000, outcomes=300))

    assert walks.run() == []
    assert 300 <= walks.asked <= 300
    assert 2000 <= walks.steps < 2000 + 60


@pytest.mark.slow
def test_the_same_election_gives_the_same_walks() -> None:
    assert suspicious_walks(election_from_source(FORGETS)) == suspicious_walks(election_from_source(FORGETS))


# -- nothing that the student's process says counts by itself --------------------------------------------


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "answer",
    [
        "sys.exit(3)",
        "return None",
        "return 'nonsense'",
        "return [[['wait', 'node-9']], [['take', 'node-1']], [[]], [None], 7]",
        "return [[['take', 'node-1', 'node-2', '{' * 1900]]]",
        "return [[['wait', 'node-1']] * 1000] * 1000",
        "raise RuntimeError('no')",
        "return WALKS_THAT_BREAK_ANOTHER_ELECTION",
    ],
)
def test_a_process_that_says_nonsense_about_walks_changes_nothing(answer: str) -> None:
    """A walk that breaks another election proves nothing about this one."""
    if answer.endswith("ANOTHER_ELECTION"):
        other = planted_source("ex3", RARE["a request of an old term frees the vote"][1])
        answer = f"return {suspicious_walks(election_from_source(other))!r}"
    talks = (
        "\nimport sys\nfrom labs.grading.child.main import Worker\n"
        f"def _search(self, question):\n    {answer}\nWorker._search = _search\n"
    )
    assert hasattr(Worker, "_search")

    with session(planted_source("ex3") + talks) as code:
        assert VOTES._searched(code) is None
        code.load()  # it can still be asked


def test_an_election_that_never_comes_back_in_a_search_has_found_nothing() -> None:
    source = planted_source(
        "ex3", ("        self.heard[sender] = now\n", "        self.heard[sender] = now\n        loop(self)\n")
    )
    loops = (
        "\nimport sys\n\ndef loop(self):\n    while 'labs.simulation.explorer.model' in sys.modules:\n        pass\n"
    )
    with session(source + loops) as open_session:
        open_session.limits = type(open_session.limits)(search=1.0)

        assert open_session.suspects() == ()
        open_session.load()


def test_the_second_run_of_a_check_searches_nothing() -> None:
    with Session(BY_ID["ex3"], {"ex3_election.py": FORGETS}, hash_seed=1) as second:
        assert second.suspects() == ()


@pytest.mark.parametrize(
    "walk",
    [
        None,
        {},
        [["wait"]],
        [["wait", "node-4"]],
        [["wait", 1]],
        [["take", "node-1", "node-1", "Vote {}"]],
        [["take", "node-1", "node-2"]],
        [["take", "node-1", "node-2", "x" * (MOST_TEXT + 1)]],
        [["commit", "node-1", "node-2", "more"]],
        [["crash_leader"]],
        [[]],
        [["wait", "node-1"]] * (MOST_STEPS + 1),
    ],
)
def test_what_is_no_walk_becomes_no_schedule(walk: Any) -> None:
    assert not is_walk(walk, NODES)
    assert schedules_of([walk]) == ()


def test_a_walk_becomes_a_schedule_that_can_be_kept() -> None:
    [schedule] = schedules_of([[["wait", "node-1"], ["commit", "node-1", "node-2"], ["restart", "node-3"]]])

    assert Schedule.from_json(schedule.to_json()) == schedule


def test_a_message_is_the_same_whatever_module_its_class_is_in() -> None:
    assert essence('{"type":"exercises.ex3_election.Vote","term":1}') == essence('{"type":"replayed_7.Vote","term":1}')
