"""Values that hurt whoever takes them: each is the fault of the student's process that sent it, in a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.cluster.simulated import SimulatedCluster
from labs.grading.child.values import MAX_HASHED, BadValue, decode
from labs.grading.cluster_gateway import ClusterGateway
from labs.grading.election_gateway import RemoteElections
from labs.grading.errors import ErrorKind, StudentError
from labs.grading.sandbox.limits import DEFAULT
from labs.grading.sandbox.replies import Poison, read_reply
from labs.simulation.simulator import Simulator


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", "[-1e400]", '{"v": 1e999}'])
def test_a_number_without_end_is_no_json(text: str) -> None:
    with pytest.raises(Poison):
        read_reply(text.encode())


@pytest.mark.parametrize("text", [r'"\ud800"', r'"\uDFFF"', r'{"\udc00": 1}', r'[["a\ud83d"]]'])
def test_half_a_surrogate_pair_is_no_text(text: str) -> None:
    with pytest.raises(Poison, match="half a surrogate pair"):
        read_reply(text.encode())


@given(st.recursive(st.text() | st.floats(allow_nan=False, allow_infinity=False), st.lists, max_leaves=5))
def test_every_other_text_and_number_is_read(value: Any) -> None:
    try:
        text = json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    assert read_reply(text) == value
    assert read_reply(json.dumps(value).encode()) == value


@pytest.mark.parametrize("mark", ["set", "dict"])
def test_keys_that_may_all_collide_are_few(mark: str) -> None:
    def of(count: int) -> Any:
        items: list[Any] = [number * (2**61 - 1) % 2**62 for number in range(count)]
        return {"$": mark, "v": items if mark == "set" else [[item, 0] for item in items]}

    assert decode(of(MAX_HASHED))
    with pytest.raises(BadValue, match="more than 1,000"):
        decode(of(MAX_HASHED + 1))


@pytest.mark.parametrize("method", ["put", "get", "delete", "stop"])
def test_half_a_surrogate_pair_in_a_name_is_refused_by_the_cluster(method: str) -> None:
    with SimulatedCluster() as cluster:
        gateway = ClusterGateway(cluster)
        arguments: dict[str, dict[str, Any]] = {
            "put": {"key": "\ud800", "value": 1, "via": None, "timeout": None},
            "get": {"key": "\ud800", "via": None, "linearizable": False, "timeout": None},
            "delete": {"key": "\ud800", "via": None, "timeout": None},
            "stop": {"node": "\ud800"},
        }

        name, text = gateway.serve(method, arguments[method])["raise"]

    assert (name, "half a surrogate pair" in text) == ("ValueError", True)


class Answers:
    """A process that answers every question about an election with this. `reply`: in place of the answers to several
    calls, as they travel."""

    limits = DEFAULT

    def __init__(self, answer: list[Any], reply: Any = None) -> None:
        self._answer, self._reply, self._number = answer, reply, 0

    def ask(self, do: str, question: Any, limit: float) -> Any:
        if do == "seat":
            return [None, 0, None, [], []]
        return self._reply or [0, [self._answer for _ in question["steps"][0]]]

    def next_number(self) -> int:
        self._number += 1
        return self._number


POISON: dict[str, list[Any]] = {
    "a note's detail called self": [None, 0, None, [], [["n", {"self": 1}]]],
    "a note's detail called kind": [None, 0, None, [], [["n", {"kind": 1}]]],
    "a vote without end": [None, 0, float("inf"), [], []],
    "a term that is a truth value": [None, True, None, [], []],
    "a leader of another kind": [["node-1"], 0, None, [], []],
    "a message to oneself": [None, 0, None, [["node-9", "M", "{}"]], []],
    "a message that is none": [None, 0, None, [["node-2", "M", 7]], []],
    "notes that are no list": [None, 0, None, [], {}],
    "half an answer": [None, 0],
}


HARMLESS: dict[str, list[Any]] = {
    "a vote that looks like a mark": [None, 0, {"$": []}, [], []],
    "a vote that is nested": [None, 0, [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]], [], []],
}


REPLIES: tuple[Any, ...] = (
    *("nothing", {"0": []}, [0], [0, [], []], [0, []], [0, [[None, 0, None, [], []]] * 9], [0, {}], [0, None]),
    *([True, []], [-1, []], [0.0, []], ["0", []], [None, []], [10**9, []]),
)


def run(answer: list[Any], reply: Any = None) -> None:
    simulator = Simulator(3, RemoteElections(Answers(answer, reply), "MyElection"), seed=1)
    simulator.start()
    simulator.run_for(0.5)


@pytest.mark.parametrize("poison", POISON)
def test_such_an_answer_of_an_election_is_an_invalid_reply(poison: str) -> None:
    with pytest.raises(StudentError, match=r".") as caught:
        run(POISON[poison])

    assert caught.value.kind is ErrorKind.INVALID_REPLY


@pytest.mark.parametrize("reply", REPLIES, ids=repr)
def test_so_is_a_reply_that_answers_to_more_or_fewer_calls(reply: Any) -> None:
    with pytest.raises(StudentError, match=r"the (number of answers|answer to several calls)"):
        run([None, 0, None, [], []], reply)


@pytest.mark.parametrize("answer", HARMLESS)
def test_an_odd_vote_is_carried(answer: str) -> None:
    run(HARMLESS[answer])


def test_what_the_simulator_cannot_take_is_told_to_the_operator(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise KeyError("of the simulator's own")

    monkeypatch.setattr("labs.grading.election_gateway.ElectionProxy._pass_on", fails)

    with pytest.raises(StudentError, match="KeyError"):
        run([None, 0, None, [], [["n", {}]]])
    assert "KeyError" in capsys.readouterr().err
