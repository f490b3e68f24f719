"""The benchmarks measure what they say: their generator counts honestly, and what they compare with works as described.

Nothing here is about speed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from benchmarks import processes
from benchmarks.baseline import copy_to
from benchmarks.bench_failover import histogram
from benchmarks.bench_store import Figure, Ratio, ratios, table
from benchmarks.load import LoadError, Rate, Workload, fill, measure, parse_answer, parse_wrk
from benchmarks.report import spread
from labs.cluster import ports

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ncontent-length: 2\r\n\r\n{}"


@pytest.fixture(scope="module")
def ceiling() -> Iterator[str]:
    with processes.ceiling() as served:
        yield served.url


@pytest.fixture
def baseline() -> Iterator[list[str]]:
    with processes.baseline() as nodes:
        yield [node.url for node in nodes]


def get(url: str) -> tuple[int, dict[str, object]]:
    with urlopen(url, timeout=10) as answer:
        return answer.status, json.load(answer)


def has(url: str, key: str) -> bool:
    try:
        return get(f"{url}/key/{key}")[0] == 200
    except HTTPError as refusal:
        if refusal.code != 404:
            raise
        return False


def put(url: str, value: object) -> dict[str, object]:
    with urlopen(Request(url, json.dumps(value).encode(), method="PUT"), timeout=10) as answer:
        found: dict[str, object] = json.load(answer)
    return found


# -- the generator's parsing ------------------------------------------------------------------------------


@pytest.mark.parametrize("length", range(len(ANSWER)))
def test_an_answer_that_is_not_all_there_yet_is_waited_for(length: int) -> None:
    assert parse_answer(ANSWER[:length]) is None


def test_of_two_answers_in_one_packet_the_first_is_taken_alone() -> None:
    assert parse_answer(ANSWER + ANSWER) == (200, len(ANSWER))


@pytest.mark.parametrize("status", [200, 404, 503, 504])
def test_the_status_of_an_answer_is_read(status: int) -> None:
    assert parse_answer(ANSWER.replace(b"200", str(status).encode())) == (status, len(ANSWER))


@pytest.mark.parametrize("strange", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"])
def test_what_is_no_answer_with_a_length_is_refused(strange: bytes) -> None:
    with pytest.raises(LoadError, match="not an answer with a length"):
        parse_answer(strange)


def test_the_figures_are_found_in_what_wrk_prints() -> None:
    figures = '{"requests": 10, "seconds": 2.0, "refused": 4, "lost": 1, "p50_ms": 0.5, "p99_ms": 1.5}'

    rate = parse_wrk(f"Running 2s test @ http://127.0.0.1:1\n  10 requests in 2.00s\nfigures {figures}\n")

    assert rate == Rate(requests=10, seconds=2.0, refused=4, lost=1, p50_ms=0.5, p99_ms=1.5)
    assert rate.per_second == 3.0
    assert not rate.clean


def test_wrk_without_figures_is_an_error_that_shows_what_it_said() -> None:
    with pytest.raises(LoadError, match="unable to connect"):
        parse_wrk("unable to connect to 127.0.0.1:1")


def test_load_is_sent_to_this_machine_only() -> None:
    with pytest.raises(LoadError, match="only ever sent to"):
        measure("http://192.0.2.1:80", Workload("GET", 1), connections=1, seconds=1, generator="wrk")


def test_a_workload_walks_over_all_of_its_keys() -> None:
    requests = [Workload("GET", 100).request(number, "127.0.0.1:1") for number in range(100)]

    assert {request.split()[1] for request in requests} == {f"/key/key-{number}".encode() for number in range(100)}


# -- against servers --------------------------------------------------------------------------------------


def test_the_ceiling_answers_every_request_with_the_same_value(ceiling: str) -> None:
    status, body = get(f"{ceiling}/key/anything")

    assert status == 200
    assert body == {"key": "key-0", "value": "value-0", "node_role": "leader"}


@pytest.mark.sample(1)
@pytest.mark.parametrize("generator", ["wrk", "asyncio"])
@pytest.mark.parametrize("connections", [1, 8])
def test_every_answer_is_counted(ceiling: str, generator: str, connections: int) -> None:
    if generator == "wrk" and shutil.which("wrk") is None:
        pytest.skip("wrk is not installed")

    rate = measure(ceiling, Workload("GET", 10), connections, seconds=0.2, generator=generator)

    assert rate.clean
    assert rate.requests >= connections
    assert rate.p50_ms <= rate.p99_ms


@pytest.mark.sample(1)
@pytest.mark.parametrize("generator", ["wrk", "asyncio"])
def test_a_refused_request_is_no_part_of_the_rate(baseline: list[str], generator: str) -> None:
    if generator == "wrk" and shutil.which("wrk") is None:
        pytest.skip("wrk is not installed")

    rate = measure(baseline[0], Workload("GET", 10), connections=1, seconds=0.2, generator=generator)

    assert rate.refused == rate.requests > 0
    assert rate.per_second == 0


def test_a_write_to_a_baseline_node_is_copied_to_its_peers(baseline: list[str]) -> None:
    put(f"{baseline[0]}/key/name", "Alice")
    answer = put(f"{baseline[0]}/key/more", [1, None])

    assert answer == {"success": True, "key": "more", "value": [1, None]}
    for url in baseline:
        assert get(f"{url}/key/name") == (200, {"key": "name", "value": "Alice"})
        assert get(f"{url}/key/more")[1]["value"] == [1, None]


def test_a_copy_takes_the_place_of_everything_a_baseline_node_had(baseline: list[str]) -> None:
    put(f"{baseline[1]}/key/old", 1)
    for url in baseline:
        copy_to(url, b'{"new": 2}')

    rate = measure(baseline[1], Workload("GET", 1), connections=1, seconds=0.1, generator="asyncio")

    assert get(f"{baseline[1]}/key/new")[1]["value"] == 2
    assert rate.refused == rate.requests


def test_filling_writes_each_key_once(baseline: list[str]) -> None:
    rate = fill(baseline[0], keys=20, connections=2, depth=3)

    assert (rate.requests, rate.clean) == (20, True)
    # (Asked where they were written: this baseline keeps an older copy that reaches it after a newer one.)
    assert all(has(baseline[0], f"key-{number}") for number in range(20))


def test_filling_a_server_that_is_not_there_says_so() -> None:
    (port,) = ports.choose(1)

    with pytest.raises(LoadError, match="is the node running"):
        fill(f"http://127.0.0.1:{port}", keys=1)


# -- telling ----------------------------------------------------------------------------------------------


def figure(node: str, operation: str, connections: int, keys: int, per_second: int, mode: str = "") -> Figure:
    rate = Rate(per_second, 1.0, 0, 0, 1.0, 1.0)
    return Figure(node, operation, connections, keys, rate, cpu_us=1e6 / per_second, mode=mode)


def test_ratios_are_taken_between_figures_of_the_same_kind() -> None:
    figures = [
        figure("ceiling", "read", 8, 1, 1000),
        figure("replstore", "read", 8, 0, 500, "async"),
        figure("replstore", "write", 1, 0, 200, "async"),
        figure("replstore", "write", 1, 1000, 190, "async"),
        figure("baseline", "write", 1, 0, 20),
    ]

    assert ratios(figures) == {
        "local reads, 8 connections / ceiling": Ratio(rate=0.5, cpu=2.0),
        "async writes, 1 connection / baseline": Ratio(rate=10.0, cpu=0.1),
        "replstore: writes at 1,000 keys / at 0 keys, 1 connection": Ratio(rate=0.95, cpu=1.053),
    }


def test_the_table_marks_figures_that_cannot_be_trusted() -> None:
    good = figure("ceiling", "read", 8, 1, 1000)
    bad = Figure("baseline", "read", 8, 1, Rate(1000, 1.0, 1, 0, 1.0, 1.0), cpu_us=10.0)

    drawn = table([good, bad], "rates", lambda one: "good" if one.rate.clean else "bad")

    assert list(drawn.columns[-1].cells) == ["good", "bad"]


def test_the_spread_of_one_value_is_that_value() -> None:
    assert spread([3.0]) == {"min": 3.0, "median": 3.0, "p90": 3.0, "max": 3.0}


def test_every_trial_is_in_the_histogram() -> None:
    counts = list(histogram([0.95, 0.97, 1.21]).columns[1].cells)

    assert counts == ["2", "0", "0", "1"]
