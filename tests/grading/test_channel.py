"""The pipes to a sandboxed process, both ways of waiting for them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from labs.grading.sandbox.channel import Channel, Closed, Late, PolledChannel, ThreadedChannel, TooMuch

Start = Callable[..., Channel]


@pytest.fixture(params=[PolledChannel, ThreadedChannel])
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    running: list[tuple[subprocess.Popen[bytes], Channel]] = []

    def start(code: str, **options: object) -> Channel:
        pipe = subprocess.PIPE
        process = subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=pipe)
        limits = {"line_limit": 1000, "output_limit": 5000, "kept": 100} | options
        running.append((process, request.param(process, **limits)))
        return running[-1][1]

    yield start
    for process, channel in running:
        process.kill()
        process.wait()
        channel.close()


def soon(seconds: float = 20.0) -> float:
    return time.monotonic() + seconds


ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"


def test_lines_go_there_and_back(start: Start) -> None:
    channel = start(ECHO)
    for text in (b"one", b"", b"two"):
        channel.send(text, soon())
        assert channel.receive(soon()) == text


def test_several_lines_at_once_come_one_by_one(start: Start) -> None:
    channel = start("print('a\\nb')")

    assert [channel.receive(soon()), channel.receive(soon())] == [b"a", b"b"]
    assert not channel.pending


def test_the_deadline_is_kept(start: Start) -> None:
    channel = start("import time; time.sleep(60)")

    with pytest.raises(Late):
        channel.receive(soon(0.3))


def test_an_ended_process_is_noticed(start: Start) -> None:
    with pytest.raises(Closed):
        start("").receive(soon())


def test_a_line_too_long_is_refused(start: Start) -> None:
    with pytest.raises(TooMuch, match="a reply of more than 1,000 bytes"):
        start("print('x' * 1001)").receive(soon())


def test_a_line_without_end_is_refused(start: Start) -> None:
    with pytest.raises(TooMuch):
        start("while True: print('x', end='')").receive(soon())


@pytest.mark.sample(1)
def test_printing_is_kept_in_part(start: Start) -> None:
    channel = start("import sys; sys.stderr.write('e' * 300); sys.stderr.flush(); input()")

    with pytest.raises(Late):
        channel.receive(soon(1.5))
    assert channel.output == b"e" * 100


def test_a_flood_of_printing_is_stopped(start: Start) -> None:
    with pytest.raises(TooMuch, match="more than 5,000 bytes printed"):
        start("import sys\nwhile True: sys.stderr.write('e' * 100)").receive(soon())


def test_a_long_wait_looks_at_what_is_used_up(start: Start) -> None:
    def watch() -> None:
        raise TooMuch("disk")

    with pytest.raises(TooMuch, match="disk"):
        start("import time; time.sleep(60)", watch=watch).receive(soon())


def test_a_process_that_never_reads_does_not_hold_us_up(start: Start) -> None:
    channel = start("import time; time.sleep(60)")

    def talk() -> None:
        channel.send(b"x" * 1_000_000, soon(0.4))
        channel.receive(soon(0.4))

    with pytest.raises(Late):
        talk()


def test_what_was_printed_last_is_kept_after_the_end(start: Start) -> None:
    channel = start("import sys; sys.stderr.write('last words'); sys.stderr.flush(); sys.stdout.write('x' * 2000)")

    with pytest.raises(TooMuch):
        channel.receive(soon())
    channel.drain()
    assert channel.output == b"last words"
