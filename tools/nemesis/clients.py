"""Several clients at once, who write down what they were told.

Law of this module: each client does one thing at a time; every value is written once in the whole run, so that a read
tells which write it saw. Reads of a node's own copy promise nothing and go into a history of their own.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from random import Random

from labs.cluster import Cluster
from labs.history import Operation, Recorder, RecordingClient

PATIENCE = 1.0
"""Seconds that a client gives an operation."""


@dataclass(frozen=True)
class Habits:
    """What clients do. `pace`: seconds between two operations, on average; `hot`: keys that all of them share."""

    clients: int = 4
    pace: float = 0.02
    hot: int = 4
    largest: int = 1500
    """Characters of the longest value."""


class Crowd:
    """The clients of one round, each in a thread. `name` goes into all keys and values."""

    def __init__(self, cluster: Cluster, name: str, habits: Habits, seed: str) -> None:
        self._cluster = cluster
        self._name = name
        self._habits = habits
        self._recorder = Recorder(cluster)
        self._local = Recorder(cluster)
        self._over = threading.Event()
        self._sending = threading.Condition()
        self._sent = 0
        self._failures: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._live, args=(f"c{number}", Random(f"{seed}/c{number}")), daemon=True)
            for number in range(1, habits.clients + 1)
        ]

    # -- life -----------------------------------------------------------------------------------------

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def finish(self, patience: float) -> None:
        """Let everybody end what they are doing. Raises what a client raised, or `TimeoutError`."""
        self._over.set()
        for thread in self._threads:
            thread.join(patience)
        if any(thread.is_alive() for thread in self._threads):
            raise TimeoutError(f"a client did not come back within {patience:g} s")
        if self._failures:
            raise self._failures[0]

    @property
    def history(self) -> list[Operation]:
        """Writes and linearizable reads."""
        return self._recorder.operations

    @property
    def acknowledged(self) -> int:
        return sum(op.ok and not op.is_read for op in self.history)

    @property
    def local_reads(self) -> list[Operation]:
        return self._local.operations

    def wait_for_write(self, patience: float) -> bool:
        """Wait until some client sends its next write; False if none does."""
        with self._sending:
            before = self._sent
            return self._sending.wait_for(lambda: self._sent > before, patience)

    # -- one client -----------------------------------------------------------------------------------

    def _live(self, who: str, rng: Random) -> None:
        client = self._recorder.client(f"{self._name}.{who}")
        local = self._local.client(f"{self._name}.{who}")
        number = 0
        try:
            while not self._over.is_set():
                number += 1
                self._act(client, local, who, number, rng)
                self._over.wait(self._habits.pace * 2 * rng.random())
        except BaseException as error:  # noqa: BLE001 - told by `finish`, in the thread that started us
            self._failures.append(error)

    def _act(self, client: RecordingClient, local: RecordingClient, who: str, number: int, rng: Random) -> None:
        # Mostly as a program does that looks for the leader; sometimes whoever it is, also a leader of yesterday.
        via = rng.choice(self._cluster.node_ids) if rng.random() < 0.25 else None
        key = self._key(who, number, rng)
        match rng.choices(("put", "get", "delete", "local"), (45, 38, 7, 10))[0]:
            case "put":
                self._about_to_write()
                client.put(key, self._value(who, number, rng), via=via, timeout=PATIENCE)
            case "delete":
                self._about_to_write()
                client.delete(key, via=via, timeout=PATIENCE)
            case "get":
                client.get(key, via=via, linearizable=True, timeout=PATIENCE)
            case "local":
                local.get(key, via=rng.choice(self._cluster.node_ids), timeout=PATIENCE)

    def _key(self, who: str, number: int, rng: Random) -> str:
        """A key that all share, a new one, or one that this client used lately."""
        dice = rng.random()
        if dice < 0.45:
            return f"{self._name}.hot{rng.randrange(self._habits.hot)}"
        return f"{self._name}.{who}.{number if dice < 0.85 else rng.randint(max(1, number - 20), number)}"

    def _value(self, who: str, number: int, rng: Random) -> str:
        size = int(self._habits.largest * rng.random() ** 3)
        return "." * size + f"{self._name}.{who}.{number}"

    def _about_to_write(self) -> None:
        with self._sending:
            self._sent += 1
            self._sending.notify_all()
