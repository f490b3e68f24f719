"""The recorder, on a cluster that answers from a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from labs.cluster.base import Answer, Cluster, ClusterError, NodeStatus, Outcome, Settings
from labs.history import Operation, Recorder, check, read_back
from labs.trace.events import Event

OK, FAILED, UNKNOWN = Outcome.OK, Outcome.FAILED, Outcome.UNKNOWN


class OneStore(Cluster):
    """A whole cluster that is one dictionary. `answer` may change what it says, or raise. Its clock stands still."""

    backend = "pretended"
    settings = Settings(nodes=2)

    def __init__(self, answer: Callable[[Answer], Answer] = lambda answer: answer) -> None:
        self.data: dict[str, Any] = {}
        self.writes = 0
        self.answer = answer
        self.down: set[str] = set()

    def put(self, key: str, value: Any, via: str | None = None, timeout: float | None = None) -> Answer:
        self.data[key] = value
        self.writes += 1
        body = {"success": True, "key": key, "value": value, "leader_id": "node-1", "term": 3, "index": self.writes}
        return self.answer(Answer(OK, 200, body, via or "node-1"))

    def get(self, key: str, via: str | None = None, linearizable: bool = False, timeout: float | None = None) -> Answer:
        if key not in self.data:
            return self.answer(Answer(OK, 404, {"error": "Key not found", "key": key}, via or "node-1"))
        return self.answer(Answer(OK, 200, {"key": key, "value": self.data[key]}, via or "node-1"))

    def delete(self, key: str, via: str | None = None, timeout: float | None = None) -> Answer:
        code = 404 if self.data.pop(key, self) is self else 200
        return self.answer(Answer(OK, code, {"key": key}, via or "node-1"))

    def now(self) -> float:
        return 100.0

    def status(self) -> dict[str, NodeStatus]:
        return {node: NodeStatus(node, "running", answers=node not in self.down) for node in self.node_ids}

    def start(self, node: str | None = None) -> None: ...
    def stop(self, node: str) -> None: ...
    def kill(self, node: str) -> None: ...
    def pause(self, node: str) -> None: ...
    def resume(self, node: str) -> None: ...
    def partition(self, *groups: Sequence[str]) -> None: ...
    def cut(self, sender: str, to: str) -> None: ...
    def heal(self) -> None: ...
    def delay_replication(self, ms: float, jitter_ms: float = 0) -> None: ...
    def lose_messages(self, drop: float, duplicate: float = 0.0) -> None: ...
    def sleep(self, seconds: float) -> None: ...
    def close(self) -> None: ...

    def events(self) -> list[Event]:
        return []

    def url(self, node: str) -> str | None:
        return None

    def logs(self, node: str, lines: int = 20) -> list[str]:
        return []


def test_what_clients_do_is_recorded_with_times_results_and_places() -> None:
    recorder = Recorder(OneStore())
    anna, bert = recorder.clients(2)

    anna.put("x", {"a": 1})
    bert.get("x", via="node-2")
    bert.get("y")
    anna.delete("x")
    anna.delete("x")

    put, get, missing, delete, again = recorder.operations
    assert (put.client, put.kind, put.key, put.value, put.place) == ("client-1", "put", "x", {"a": 1}, (3, 1))
    assert (get.client, get.result, get.found, get.node, get.place) == ("client-2", {"a": 1}, True, "node-2", None)
    assert (missing.outcome, missing.found, missing.result) == (OK, False, None)
    assert (delete.found, again.found) == (True, False)


def test_a_client_gives_the_clusters_own_answer() -> None:
    client = Recorder(OneStore()).client("anna")

    assert client.put("x", 7).body["index"] == 1
    assert client.get("x").value == 7


def test_no_two_moments_are_equal_even_where_the_clock_stands_still() -> None:
    recorder = Recorder(OneStore())
    client = recorder.client("anna")

    client.put("x", 1)
    client.get("x")

    put, get = recorder.operations
    assert put.completed is not None
    assert get.completed is not None
    assert 100.0 <= put.invoked < put.completed < get.invoked < get.completed < 100.001


def test_a_refused_write_is_failed_and_a_lost_answer_leaves_it_open() -> None:
    recorder = Recorder(OneStore(lambda answer: Answer(FAILED, 503, {}, "node-2")))
    recorder.client("anna").put("x", 1)
    (refused,) = recorder.operations
    assert (refused.outcome, refused.place) == (FAILED, None)
    assert refused.completed is not None

    recorder = Recorder(OneStore(lambda answer: Answer(UNKNOWN, None, {}, "node-2")))
    recorder.client("anna").put("x", 1)
    (lost,) = recorder.operations
    assert (lost.outcome, lost.completed, lost.node) == (UNKNOWN, None, "node-2")


def test_an_operation_whose_call_raises_stays_with_outcome_unknown() -> None:
    def broken(answer: Answer) -> Answer:
        raise ClusterError("it fell over")

    recorder = Recorder(OneStore(broken))

    with pytest.raises(ClusterError, match="fell over"):
        recorder.client("anna").put("x", 1)

    assert recorder.operations == [Operation("anna", "put", "x", 1, recorder.operations[0].invoked, outcome=UNKNOWN)]


def test_an_operation_is_in_the_history_while_it_is_still_under_way() -> None:
    seen: list[list[Operation]] = []

    def look(answer: Answer) -> Answer:
        seen.append(recorder.operations)
        return answer

    recorder = Recorder(OneStore(look))
    recorder.client("anna").put("x", 1)

    assert [operation.outcome for operation in seen[0]] == [UNKNOWN]
    assert recorder.operations[0].outcome is OK


def test_clients_in_several_threads_make_one_history() -> None:
    recorder = Recorder(OneStore())

    def work(number: int) -> None:
        client = recorder.client(f"client-{number}")
        for round_ in range(50):
            client.put(f"key-{number}", round_)
            client.get(f"key-{number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    assert len(recorder.operations) == 400
    assert check(recorder.operations).ok


def test_reading_back_leaves_out_nodes_that_do_not_answer() -> None:
    cluster = OneStore()
    cluster.put("x", None)

    assert read_back(cluster, ["x", "y"]) == {"node-1": {"x": None}, "node-2": {"x": None}}

    cluster.down = {"node-2"}
    assert read_back(cluster, ["x"]) == {"node-1": {"x": None}}
