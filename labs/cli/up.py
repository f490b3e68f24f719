"""`replab up`: a cluster to play with, until Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from labs.cli.commands import CommandArgument, NamedPeersOption, NodeOption, cluster_of_commands
from labs.cli.join import join as join_others
from labs.cli.options import (
    Backend,
    BackendOption,
    HeartbeatOption,
    Mode,
    ModeOption,
    TimeoutOption,
    settings_from,
)
from labs.cluster.base import Cluster
from labs.cluster.opening import open_cluster
from labs.cluster.registry import announced
from labs.history import save
from labs.history.workload import Workload
from labs.trace.events import Event
from labs.trace.kinds import ELECTION_FAILED
from labs.trace.sentences import fill
from replstore.wire.log_lines import LOG_LINES

LOOK_EVERY = 0.3
"""Seconds between two looks at what happened."""
LOG_KEPT = 200
"""Lines of a node's log in which a traceback is looked for."""


def register(app: typer.Typer) -> None:
    app.command()(up)


def up(
    command: CommandArgument = None,
    nodes: Annotated[int, typer.Option(min=1, max=25, help="How many nodes.")] = 3,
    heartbeat: HeartbeatOption = None,
    election_timeout: TimeoutOption = None,
    mode: ModeOption = Mode.asynchronous,
    election: Annotated[str, typer.Option(help="lowest-id, bully, or module:Class of your own.")] = "lowest-id",
    backend: BackendOption = Backend.auto,
    first_port: Annotated[int, typer.Option(help="node-1's port; 0: any free ones.")] = 4001,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Let clients read and write, and save what they saw to FILE.")
    ] = None,
    node: NodeOption = None,
    named_peers: NamedPeersOption = False,
    join: Annotated[
        str | None,
        typer.Option(metavar="ADDRESSES", help="One node here, the others elsewhere: 192.168.0.11,192.168.0.12,…"),
    ] = None,
    own: Annotated[
        str | None, typer.Option("--as", metavar="ID", help="With --join: which of these nodes is this machine's.")
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(metavar="WORD", envvar="CLUSTER_TOKEN", help="With --join: what the nodes show each other."),
    ] = None,
) -> None:
    """Keep a cluster running until Ctrl-C, and print what happens in it.

    With -- CMD the nodes are that command, in any language; with --node only one of them is.

    With --record three clients write through the leader and read at any node. Break the cluster meanwhile, and judge
    the history afterwards: replab linearizable FILE.

    With --join this machine runs one node of a cluster, and every other machine one of the others: all give the same
    addresses, in the order node-1, node-2, …, and the same --token.
    """
    _refuse_what_is_not_for(join, {"--record": record, "--node": node}, {"--as": own})
    if backend is Backend.simulated:
        raise typer.BadParameter("a simulated cluster has no addresses to play with; choose process or docker")
    settings = settings_from(nodes, heartbeat, election_timeout, mode=mode, election=election,
                             first_port=first_port or None)  # fmt: skip
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    asked_to_end = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: asked_to_end.set())
    signal.signal(signal.SIGINT, _first_politely(asked_to_end))
    if join is not None:
        join_others(join, own, token, settings, command or (), named_peers, console, asked_to_end)
        return
    given = cluster_of_commands(settings, command, node, named_peers)
    with given or open_cluster(backend.value, settings, console.print) as cluster:
        cluster.start()
        urls = {node: cluster.url(node) or "" for node in cluster.node_ids}
        _introduce(urls, console)
        with announced(cluster.backend, urls):
            if record is None:
                _tell(cluster, console, asked_to_end)
            else:
                _record(cluster, record, console, asked_to_end)
        console.print("Ending the cluster …")
    console.print("Nothing is left running.")


def _refuse_what_is_not_for(join: str | None, not_with: dict[str, object], only_with: dict[str, object]) -> None:
    for options, why in ((not_with, "cannot be used with"), (only_with, "is only for a cluster with")):
        for option, value in options.items():
            if value and (join is None) == (options is only_with):
                raise typer.BadParameter(f"{option} {why} --join")


def _first_politely(asked_to_end: threading.Event) -> Callable[[int, FrameType | None], None]:
    """Ctrl-C ends the cluster in order; a second one interrupts whatever is going on."""

    def handler(number: int, frame: FrameType | None) -> None:
        if asked_to_end.is_set():
            raise KeyboardInterrupt
        asked_to_end.set()

    return handler


def _introduce(urls: dict[str, str], console: Console) -> None:
    for node, url in urls.items():
        console.print(f"  {node}  {url}", style="bold")
    first, last = next(iter(urls.values())), list(urls.values())[-1]
    console.print("\nTry in another terminal:")
    console.print(f"  curl {first}/status")
    console.print(f"""  curl -X PUT {first}/key/name -H "Content-Type: application/json" -d '"Alice"'""")
    console.print(f"  curl {last}/key/name")
    console.print("  replab status")
    console.print("\nCtrl-C ends the cluster.\n")


def _record(cluster: Cluster, file: Path, console: Console, asked_to_end: threading.Event) -> None:
    """As `_tell`, while clients are at work; their history is saved, however it ends."""
    workload = Workload(cluster)
    try:
        with workload:
            _tell(cluster, console, asked_to_end)
    finally:
        save(file, workload.operations)
        console.print(f"{len(workload.operations)} operations: replab linearizable --explain {file}")


def _tell(cluster: Cluster, console: Console, asked_to_end: threading.Event) -> None:
    """Print what the nodes note, as it happens, until asked to end."""
    position = 0
    states = dict.fromkeys(cluster.node_ids, "running")
    raised = RaisedErrors(cluster, console)
    while not asked_to_end.wait(LOOK_EVERY):
        news, position = cluster.events_since(position)
        for event in sorted(news, key=lambda event: event.time):
            if event.event == "note" and event.kind == ELECTION_FAILED:
                raised.take(event)
            elif event.event == "note" and event.kind in LOG_LINES:
                text = fill(LOG_LINES[event.kind], event)
                console.print(f"{_clock(event)} [{event.node}] {text}")
        for node, status in cluster.status().items():
            if status.state != states[node]:
                states[node] = status.state
                console.print(f"{datetime.now():%H:%M:%S} [{node}] is {status.state}", style="red")
    raised.sum_up()


class RaisedErrors:
    """What election strategies raise: told once a node, with the traceback; after that it is only counted."""

    def __init__(self, cluster: Cluster, console: Console) -> None:
        self._cluster = cluster
        self._console = console
        self._counts: Counter[tuple[str, str]] = Counter()

    def take(self, event: Event) -> None:
        error = str(event.details.get("error", ""))
        self._counts[event.node, error] += 1
        if self._counts[event.node, error] > 1:
            return
        text = fill(LOG_LINES[event.kind], event)
        self._console.print(f"{_clock(event)} [{event.node}] {text} (told once; the node goes on)", style="red")
        for line in last_traceback(self._cluster.logs(event.node, LOG_KEPT)):
            self._console.print(f"    {line}", style="dim")

    def sum_up(self) -> None:
        for (node, error), count in self._counts.items():
            if count > 1:
                self._console.print(f"{node} raised {error} {count} times in all.", style="red")


def last_traceback(log: Sequence[str]) -> list[str]:
    """The lines of the last complete traceback in a node's log; empty where there is none."""
    begins = [number for number, line in enumerate(log) if line.startswith("Traceback (most recent call last):")]
    for begin in reversed(begins):
        for number in range(begin + 1, len(log)):
            if log[number].strip() and not log[number].startswith(" "):
                return [line.rstrip() for line in log[begin : number + 1]]
    return []


def _clock(event: Event) -> str:
    return f"{datetime.fromtimestamp(event.time):%H:%M:%S}"
