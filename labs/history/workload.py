"""A workload: clients that read and write a few keys all the time, so that there is a history to judge.

Law of this module: clients do what users do and nothing else; every operation goes through a `Recorder`.
"""

from __future__ import annotations

import threading
from heapq import heappop, heappush
from random import Random

from labs.cluster.base import Cluster
from labs.history.operations import Operation
from labs.history.record import Recorder, RecordingClient

KEYS = ("x", "y", "z")
CLIENTS = 3
PAUSE = 0.1
"""Mean seconds between a client's answer and its next request."""
TIMEOUT = 2.0
"""Seconds after which a client goes on without an answer; the outcome is then unknown."""


class Workload:
    """`CLIENTS` clients of `cluster`, each on a thread of its own. They write through the leader and read at any node:
    a stale read is part of what the history is to show. A context manager; or `run` it for some time."""

    def __init__(self, cluster: Cluster, seed: int = 0) -> None:
        self._cluster = cluster
        self._recorder = Recorder(cluster)
        self._ending = threading.Event()
        self._error: Exception | None = None
        self._clients = [(client, Random(f"{seed}/{client.name}")) for client in self._recorder.clients(CLIENTS)]
        self._threads = [threading.Thread(target=self._work, args=one, name=one[0].name) for one in self._clients]

    @property
    def operations(self) -> list[Operation]:
        """The history so far."""
        return self._recorder.operations

    def run(self, seconds: float) -> None:
        """Let the clients work for so many seconds of the cluster's own time. Those of a simulation take turns, without
        threads, so that one seed gives one history. Raises what a client raised."""
        if self._cluster.backend == "simulated":
            self._take_turns(seconds)
            return
        with self:
            self._cluster.sleep(seconds)

    def _take_turns(self, seconds: float) -> None:
        end = self._cluster.now() + seconds
        turns = [(self._cluster.now(), number) for number in range(CLIENTS)]
        count = 0
        while turns[0][0] < end:
            moment, number = heappop(turns)
            client, rng = self._clients[number]
            self._cluster.sleep(max(0.0, moment - self._cluster.now()))
            count += 1
            self._once(client, rng, count)
            heappush(turns, (self._cluster.now() + 2 * PAUSE * rng.random(), number))
        self._cluster.sleep(max(0.0, end - self._cluster.now()))

    def __enter__(self) -> Workload:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the clients. Raises what one of them raised."""
        self._ending.set()
        for thread in self._threads:
            thread.join()
        if self._error is not None:
            raise self._error

    def _work(self, client: RecordingClient, rng: Random) -> None:
        number = 0
        try:
            while not self._ending.is_set():
                number += 1
                self._once(client, rng, number)
                self._cluster.sleep(2 * PAUSE * rng.random())
        except Exception as error:  # noqa: BLE001 - kept for the thread that ends the workload
            self._error = error

    def _once(self, client: RecordingClient, rng: Random, number: int) -> None:
        key = rng.choice(KEYS)
        match rng.choices(("get", "put", "delete"), (10, 9, 1))[0]:
            case "get":
                client.get(key, via=rng.choice(self._cluster.node_ids), timeout=TIMEOUT)
            case "put":
                client.put(key, f"{client.name}-{number}", timeout=TIMEOUT)
            case _:
                client.delete(key, timeout=TIMEOUT)
