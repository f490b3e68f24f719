"""The systematic search finds what it must, by a shortest way, and nothing in what is correct."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from labs.simulation.explorer.search import Bound, Search
from labs.simulation.explorer.snapshot import EPOCH, CannotSnapshot, StateCodec
from labs.simulation.loading import election_from_source
from replstore.core.bully import Bully
from replstore.core.election import Election, ElectionContext
from replstore.core.lowest_id import LowestId
from replstore.core.messages import EntryId, HeartbeatReply, Message, NodeId
from solutions.ex3_election import MyElection, RequestVote, Vote
from tools.direct import changed_source
from tools.mutant_elections import HalfIsEnough, OwnVoteNotRecorded, Plain, TwoVotesInOneTerm, VoteForgottenInACrash


class TwoVotes(TwoVotesInOneTerm, Plain):
    """(Without pre-vote the traces are shorter.)"""


class ForgetsItsVote(VoteForgottenInACrash, Plain):
    pass


# -- what is wrong is found ------------------------------------------------------------------------------


def test_two_votes_in_one_term_are_found_by_the_shortest_way() -> None:
    """Two candidates, two requests to the third node, two votes: six steps, and no five will do."""
    [trace] = Search(TwoVotes, 3, Bound(depth=8)).run().traces

    assert trace.problem == "node-1 and node-2 are both leaders of term 1"
    assert len(trace.steps) == 6
    assert Search(TwoVotes, 3, Bound(depth=5)).run().traces == ()


def test_a_candidate_that_does_not_record_its_own_vote_is_found() -> None:
    [trace] = Search(OwnVoteNotRecorded, 3, Bound(depth=8)).run().traces

    assert len(trace.steps) == 6


def test_a_vote_forgotten_in_a_crash_is_found_only_where_nodes_may_crash() -> None:
    [trace] = Search(ForgetsItsVote, 3, Bound(depth=7, crashes=1)).run().traces

    assert len(trace.steps) == 7
    assert sum("crashes and starts again" in step for step in trace.steps) == 1
    assert Search(ForgetsItsVote, 3, Bound(depth=7)).run().traces == ()


def test_half_of_four_nodes_is_not_enough() -> None:
    class HalfOfAll(HalfIsEnough, Plain):
        pass

    [trace] = Search(HalfOfAll, 4, Bound(depth=6)).run().traces

    assert len(trace.steps) == 6
    assert Search(Plain, 4, Bound(depth=6)).run().traces == ()


def test_with_half_as_a_majority_each_of_three_elects_itself_at_once() -> None:
    [trace] = Search(HalfIsEnough, 3, Bound(depth=6)).run().traces

    assert len(trace.steps) == 2


@pytest.mark.parametrize("strategy", [LowestId, Bully])
def test_elections_without_votes_elect_two_leaders_of_a_term(strategy: type[Election]) -> None:
    result = Search(strategy, 3, Bound(depth=6, waits=(3.0,))).run()

    assert "both leaders of term 1" in str(result)


def test_all_pairs_of_leaders_are_found_where_all_are_wanted() -> None:
    result = Search(TwoVotes, 3, Bound(depth=6)).run(every=True)

    assert {trace.problem for trace in result.traces} == {
        f"{a} and {b} are both leaders of term 1"
        for a, b in (("node-1", "node-2"), ("node-1", "node-3"), ("node-2", "node-3"))
    }


def test_a_message_that_comes_twice_is_tried_where_duplicates_are_allowed() -> None:
    class CountsVotesNotVoters(Plain):
        def count(self, voter: NodeId, vote: Vote, now: float) -> None:
            super().count(voter if voter not in self.votes else f"{voter} again", vote, now)

    assert Search(CountsVotesNotVoters, 4, Bound(depth=8)).run().traces == ()
    assert Search(CountsVotesNotVoters, 4, Bound(depth=8, duplicates=True)).run().traces != ()


def test_an_exception_is_a_finding_with_its_trace() -> None:
    class Raises(Plain):
        def answer_vote(self, sender: NodeId, request: RequestVote, now: float) -> None:
            raise KeyError(sender)

    [trace] = Search(Raises, 3).run().traces

    assert trace.problem == "node-2 raises KeyError: 'node-1'"
    assert len(trace.steps) == 2


# -- what is right is left alone -------------------------------------------------------------------------


def test_the_reference_election_has_no_two_leaders_within_the_bound() -> None:
    result = Search(MyElection, 3, Bound(depth=7)).run()

    assert result.traces == ()
    assert result.depth == 7
    assert result.states > 10_000
    assert str(result) == f"Never two leaders in a term: {result.states} states, every order of up to 7 steps."


def test_nor_has_it_where_a_node_may_crash_and_messages_may_come_twice() -> None:
    result = Search(MyElection, 3, Bound(depth=6, crashes=1, duplicates=True)).run()

    assert result.traces == ()


def test_an_election_without_pre_vote_gets_through_whole_terms() -> None:
    result = Search(Plain, 3, Bound(depth=9)).run()

    assert result.traces == ()
    assert result.depth == 9


def test_a_search_that_is_given_too_few_states_says_how_deep_it_got() -> None:
    result = Search(MyElection, 3, Bound(depth=20, states=2000)).run()

    assert result.depth < 20
    assert 2000 <= result.states < 2100


# -- what a trace says -----------------------------------------------------------------------------------


def test_a_trace_reads_as_sentences() -> None:
    [trace] = Search(TwoVotes, 3).run().traces
    lines = str(trace).splitlines()

    assert lines[0] == "node-1 and node-2 are both leaders of term 1:"
    assert lines[1] == (
        "  1. node-1 hears nothing for 0.8 s; it enters term 1, votes for itself, sends"
        " RequestVote(term=1, last=(0, 0), pre=False) to node-2 and node-3"
    )
    assert "votes for node-1" in str(trace)
    assert lines[-1].count("BECOMES LEADER OF TERM 1") == 1


def test_the_same_search_gives_the_same_trace() -> None:
    first, second = (str(Search(TwoVotes, 3).run()) for _ in range(2))

    assert first == second


# -- states of strategies as values ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [None, True, 3, "node-1", 0.25, float("inf"), (1, (2, "x")), [1, [2]], {"a": {"b": [1]}}, {1, 2}, frozenset("ab")],
)
def test_a_value_comes_out_of_the_codec_as_it_went_in(value: object) -> None:
    codec = StateCodec(horizon=4.0)
    restored = codec.restore(codec.snapshot(value, EPOCH, "x"))

    assert restored == value
    assert type(restored) is type(value)


def test_times_are_kept_relative_to_the_clock_and_the_far_past_is_one() -> None:
    codec = StateCodec(horizon=4.0)
    frozen = [codec.snapshot(now + 0.5, now, "x") for now in (EPOCH, EPOCH + 100.0)]

    assert frozen[0] == frozen[1]
    assert codec.restore(frozen[0]) == pytest.approx(EPOCH + 0.5)
    assert codec.snapshot(EPOCH, EPOCH + 50.0, "x") == codec.snapshot(EPOCH, EPOCH + 90.0, "x")


def test_two_strategies_do_not_share_what_was_restored_pairs_twice() -> None:
    codec = StateCodec(horizon=4.0)
    frozen = codec.snapshot({"votes": {"node-1"}}, EPOCH, "x")
    codec.restore(frozen)["votes"].add("node-2")

    assert codec.restore(frozen) == {"votes": {"node-1"}}


def test_dice_and_helpers_of_the_strategys_own_are_kept() -> None:
    class Helper:
        def __init__(self) -> None:
            self.since = EPOCH

    codec = StateCodec(horizon=4.0)
    dice = Random(5)
    expected = Random(5).random()

    assert codec.restore(codec.snapshot(dice, EPOCH, "x")).random() == expected
    assert codec.restore(codec.snapshot(Helper(), EPOCH, "x")).since == EPOCH


class Window(deque[int]):
    """A container of one's own, with an attribute."""

    def __init__(self, items: Iterable[int] = (), title: str = "") -> None:
        super().__init__(items, 3)
        self.title = title


@dataclass(slots=True)
class Slotted:
    since: float
    votes: set[NodeId]


@pytest.mark.parametrize(
    "value",
    [
        defaultdict(set, {1: {"node-1"}}),
        Counter("abca"),
        OrderedDict([("b", 1), ("a", 2)]),
        deque([1, 2], maxlen=2),
        Window([1, 2, 3, 4], "last"),
        Slotted(EPOCH, {"node-1"}),
        [EntryId(1, 2, "node-1"), {"a": defaultdict(list)}],
    ],
)
def test_containers_and_classes_of_ones_own_come_back_as_what_they_were(value: Any) -> None:
    codec = StateCodec(horizon=4.0)
    frozen = codec.snapshot(value, EPOCH, "x")
    restored = codec.restore(frozen)

    assert restored == value
    assert type(restored) is type(value)
    assert restored is not value
    assert getattr(restored, "default_factory", None) is getattr(value, "default_factory", None)
    assert getattr(restored, "maxlen", None) == getattr(value, "maxlen", None)
    assert getattr(restored, "title", None) == getattr(value, "title", None)
    assert codec.snapshot(restored, EPOCH, "x") == frozen


def test_what_two_places_share_they_share_again() -> None:
    codec = StateCodec(horizon=4.0)
    round_one: set[str] = set()
    restored = codec.restore(codec.snapshot({"rounds": [round_one], "present": round_one}, EPOCH, "x"))
    restored["present"].add("node-1")

    assert restored["rounds"] == [{"node-1"}]


def test_what_refers_to_the_strategy_refers_to_the_one_it_is_put_into() -> None:
    """Bound methods in a table, and a helper that knows its election."""

    class Helper:
        def __init__(self, election: Election) -> None:
            self.election = election

    class ByTable(TwoVotes):
        def __init__(self, seat: ElectionContext) -> None:
            super().__init__(seat)
            self.helper = Helper(self)
            self.table = {RequestVote: self.requested}

        def requested(self, sender: NodeId, message: RequestVote, now: float) -> None:
            super().receive(sender, message, now)

        def receive(self, sender: NodeId, message: Message, now: float) -> None:
            if isinstance(message, RequestVote):
                self.table[RequestVote](sender, message, now)
                assert self.helper.election is self
            else:
                super().receive(sender, message, now)

    [trace] = Search(ByTable, 3, Bound(depth=8)).run().traces

    assert trace.problem == "node-1 and node-2 are both leaders of term 1"


def test_messages_that_can_change_are_searched_too_and_each_arrives_as_it_was_sent() -> None:
    @dataclass
    class Ask(Message):
        term: int
        seen: list[str]

    class Asks(Election):
        def tick(self, now: float) -> None:
            if self.vote is None and now > EPOCH:
                self.term, self.vote = 1, self.me
                self.broadcast(Ask(1, []))

        def receive(self, sender: NodeId, message: Message, now: float) -> None:
            assert isinstance(message, Ask)
            assert message.seen == []
            message.seen.append(self.me)
            self.last = message

    report = Search(Asks, 3, Bound(depth=6, duplicates=True)).run()

    assert report.traces == ()
    assert report.states > 20


@pytest.mark.parametrize("design", ["ledger", "one_message", "polls", "states", "without_pre_vote"])
def test_right_designs_of_other_structure_are_searched_and_elect(design: str) -> None:
    election = election_from_source(changed_source(f"alternatives.ex3_{design}"))
    search = Search(election, 3, Bound(depth=6, states=6000))

    assert search.run().traces == ()
    assert search.model.mail


def test_a_function_that_remembers_variables_cannot_be_copied() -> None:
    def remembering(votes: set[NodeId]) -> Callable[[], int]:
        return lambda: len(votes)

    with pytest.raises(CannotSnapshot, match="remembers variables"):
        StateCodec(horizon=4.0).snapshot({"count": remembering(set())}, EPOCH, "x")


def test_what_cannot_be_copied_is_named() -> None:
    class Generates(Plain):
        def __init__(self, seat: ElectionContext) -> None:
            super().__init__(seat)
            self.numbers = (number for number in range(3))

    with pytest.raises(CannotSnapshot, match=r"Generates\['numbers'\] holds a generator"):
        Search(Generates, 3).run()


def test_a_strategy_hears_the_answers_to_its_heartbeats() -> None:
    heard: set[type[Message]] = set()

    class Listens(Plain):
        def receive(self, sender: NodeId, message: Message, now: float) -> None:
            heard.add(type(message))
            super().receive(sender, message, now)

    Search(Listens, 3, Bound(depth=6)).run()

    assert HeartbeatReply in heard


# -- bounds that find it ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_double_vote_behind_a_pre_vote_is_within_the_usual_bound() -> None:
    [trace] = Search(TwoVotesInOneTerm).run().traces

    assert len(trace.steps) == 10


def test_an_election_that_cannot_begin_is_refused_in_a_sentence() -> None:
    class NotWritten(Plain):
        def tick(self, now: float) -> None:
            raise NotImplementedError("MyElection.tick")

    with pytest.raises(CannotSnapshot, match=r"its start raises NotImplementedError: MyElection\.tick"):
        Search(NotWritten).run()


def test_an_election_that_ends_the_program_has_not_been_found_right() -> None:
    class Leaves(Plain):
        def receive(self, sender: NodeId, message: Message, now: float) -> None:
            raise SystemExit

    with pytest.raises(CannotSnapshot, match="ends the program"):
        Search(Leaves).run()
    with pytest.raises(ValueError, match="cannot be imported here: SystemExit"):
        election_from_source("raise SystemExit")


def test_a_term_that_is_no_number_is_the_elections_problem() -> None:
    class Termless(Plain):
        def campaign(self, now: float, pre: bool) -> None:
            self.term = None  # type: ignore[assignment]

    [trace] = Search(Termless).run().traces

    assert trace.problem == "node-1 raises TypeError: its term is None, not a whole number"
