"""The grader's ends of the pipes to a sandboxed process, every wait with a deadline.

Law of this module: whatever the process does to its ends (closes them, floods them, never reads) costs the grader at
most the deadline and the caps, and is told apart by a `Broken` exception.
"""

from __future__ import annotations

import os
import queue
import select
import subprocess
import threading
import time
from collections.abc import Callable
from typing import IO

_CHUNK = 65536
_PIPE = 1024 * 1024
"""More than a pipe holds."""
_SLICE = 0.25
"""Seconds between two looks at what the process takes up (disk) during a long wait."""


class Broken(Exception):
    """The conversation cannot go on."""


class Late(Broken):
    """The deadline passed."""


class Closed(Broken):
    """The process closed its end, most likely because it ended."""


class TooMuch(Broken):
    """More than it may: the message says of what."""


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    assert end is not None, "the process was started with three pipes"
    return end


class Channel:
    """Lines to and from `process`; what it prints on the side is kept in `output`, up to `kept` bytes.

    `watch` is called during long waits and may raise `TooMuch`.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        *,
        line_limit: int,
        output_limit: int,
        kept: int,
        watch: Callable[[], None] | None = None,
    ) -> None:
        self._in, self._out, self._err = (_pipe(one) for one in (process.stdin, process.stdout, process.stderr))
        self._line_limit = line_limit
        self._output_limit = output_limit
        self._kept = kept
        self._watch = watch or (lambda: None)
        self._buffer = bytearray()
        self._printed = 0
        self.output = bytearray()

    @property
    def pending(self) -> bool:
        """Whether the process has said something that nobody has read yet."""
        return bool(self._buffer)

    def forget_output(self) -> None:
        self.output.clear()
        self._printed = 0

    def receive(self, deadline: float) -> bytes:
        """The next line, without its end. `deadline` is on `time.monotonic()`. Raises `Broken`."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > self._line_limit:
                raise TooMuch(f"a reply of more than {self._line_limit:,} bytes")
            self._fill(self._slice(deadline))
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        if len(line) > self._line_limit:
            raise TooMuch(f"a reply of more than {self._line_limit:,} bytes")
        return line

    def _slice(self, deadline: float) -> float:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Late
        return min(left, _SLICE)

    def _keep(self, data: bytes) -> None:
        self.output += data[: max(0, self._kept - len(self.output))]

    def _print(self, data: bytes) -> None:
        self._printed += len(data)
        self._keep(data)
        if self._printed > self._output_limit:
            raise TooMuch(f"more than {self._output_limit:,} bytes printed")

    def send(self, line: bytes, deadline: float) -> None:
        raise NotImplementedError

    def _fill(self, seconds: float) -> None:
        """Wait up to `seconds` for anything to arrive, and take it in."""
        raise NotImplementedError

    def drain(self) -> None:
        """Take in what an ended process had printed before."""
        raise NotImplementedError

    def close(self) -> None:
        for pipe in (self._in, self._out, self._err):
            try:
                pipe.close()
            except OSError:  # unsent bytes for a process that is gone
                continue


class PolledChannel(Channel):
    """With `poll`, where pipes can be polled: everywhere but on Windows. Twice as fast as threads."""

    def __init__(self, process: subprocess.Popen[bytes], **options: object) -> None:
        super().__init__(process, **options)  # type: ignore[arg-type]
        for pipe in (self._in, self._out, self._err):
            os.set_blocking(pipe.fileno(), False)
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLIN)
        self._poll.register(self._err, select.POLLIN)
        self._sources = {self._out.fileno(): self._take_line, self._err.fileno(): self._print}

    def send(self, line: bytes, deadline: float) -> None:
        rest = line + b"\n"
        while rest := rest[self._write(rest) :]:
            self._poll.register(self._in, select.POLLOUT)
            self._fill(self._slice(deadline))
            self._poll.unregister(self._in)

    def _write(self, data: bytes) -> int:
        try:
            return os.write(self._in.fileno(), data)
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            raise Closed from None

    def _fill(self, seconds: float) -> None:
        ready = self._poll.poll(seconds * 1000)
        if not ready:
            self._watch()
        for handle, _ in ready:
            take = self._sources.get(handle)
            if take is not None:
                self._read(handle, take)

    def _read(self, handle: int, take: Callable[[bytes], None]) -> None:
        try:
            data = os.read(handle, _CHUNK)
        except BlockingIOError:
            return
        if data:
            take(data)
        elif handle == self._out.fileno():
            raise Closed
        else:
            self._poll.unregister(handle)

    def drain(self) -> None:
        left = _PIPE
        while left > 0:
            try:
                data = os.read(self._err.fileno(), _CHUNK)
            except BlockingIOError:
                return
            if not data:
                return
            self._keep(data)
            left -= len(data)

    def _take_line(self, data: bytes) -> None:
        self._buffer += data


class ThreadedChannel(Channel):
    """With a thread for each pipe, for Windows."""

    def __init__(self, process: subprocess.Popen[bytes], **options: object) -> None:
        super().__init__(process, **options)  # type: ignore[arg-type]
        # Bounded: a process that floods its pipes fills this and then has to wait, too.
        self._arrived: queue.Queue[tuple[bool, bytes]] = queue.Queue(maxsize=64)
        self._to_send: queue.Queue[bytes] = queue.Queue()
        self._stopped = False
        for work in (lambda: self._reader(self._out, True), lambda: self._reader(self._err, False), self._writer):
            threading.Thread(target=work, daemon=True).start()

    def send(self, line: bytes, deadline: float) -> None:
        self._to_send.put(line + b"\n")

    def _writer(self) -> None:
        while (line := self._to_send.get()) and not self._stopped:
            try:
                self._in.write(line)
                self._in.flush()
            except (OSError, ValueError):
                return  # the process is gone: its reader says so

    def _reader(self, pipe: IO[bytes], is_reply: bool) -> None:
        data = b"start"
        while data and not self._stopped:
            try:
                data = os.read(pipe.fileno(), _CHUNK)
            except (OSError, ValueError):
                data = b""
            while not self._stopped:
                try:
                    self._arrived.put((is_reply, data), timeout=1)
                    break
                except queue.Full:
                    continue

    def _fill(self, seconds: float) -> None:
        try:
            is_reply, data = self._arrived.get(timeout=seconds)
        except queue.Empty:
            return self._watch()
        if not is_reply:
            return self._print(data)
        if not data:
            raise Closed
        self._buffer += data
        return None

    def drain(self) -> None:
        while True:
            try:
                is_reply, data = self._arrived.get(timeout=0.1)
            except queue.Empty:
                return
            if not is_reply:
                self._keep(data)

    def close(self) -> None:
        self._stopped = True
        self._to_send.put(b"")
        super().close()


def open_channel(process: subprocess.Popen[bytes], **options: object) -> Channel:
    return (PolledChannel if hasattr(select, "poll") else ThreadedChannel)(process, **options)
