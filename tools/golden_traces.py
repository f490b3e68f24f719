"""Golden traces: short runs of a simulated cluster as readable text, in the way of etcd's data-driven tests.

A file in `tests/traces` is a row of blocks: comments (`#`), a line with a command, `----`, and what it printed.
A test runs every command again and compares. `python -m tools.golden_traces` writes the outputs anew, as
`pytest tests/traces --update-traces` does; then read the difference.

    cluster nodes=3 election=lowest-id mode=quorum    a new cluster (see `_cluster`); nothing has happened yet
    run 1.5                                           let so many virtual seconds pass; tells what happened
    run 0.5 heartbeats                                heartbeats and what answers them, too
    run 1.5 quietly                                   tells nothing
    put node-1 name "Alice"                           a client asks node-1 and has 0.2 s to get its answer
    delete node-1 name, get node-1 name               likewise; `get` is linearizable
    crash | crash_before_save | start | pause | resume node-1
    partition node-1 | node-2 node-3                  cut the network between the groups
    cut node-1 node-2, hold …, release …, heal        one direction; keep back; let go; mend everything
    show                                              each node: role, term, leader, log, store
    progress node-1                                   what a leader knows of its followers
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labs.simulation.hosts import Network
from labs.simulation.simulator import Simulator
from labs.trace.events import Event
from labs.trace.kinds import family_of
from replstore.core.bully import Bully
from replstore.core.contract import Command, Delete, Done, LinearizableGet, NotLeader, Put, Result, Unknown, Value
from replstore.core.election import Election, ElectionContext
from replstore.core.lowest_id import LowestId
from replstore.core.messages import Entry
from replstore.core.node import Node
from solutions.ex3_election import MyElection

FOLDER = Path(__file__).parent.parent / "tests" / "traces"
ELECTIONS: dict[str, Callable[[ElectionContext], Election]] = {
    "lowest-id": LowestId,
    "bully": Bully,
    "majority": MyElection,
}
PATIENCE = 0.2
"""Virtual seconds that a client's request has before the trace goes on."""

HIDDEN_NOTES = frozenset(("started", "following", "state"))


class Trace:
    """One file's cluster, and how far its trace has been told."""

    def __init__(self) -> None:
        self.sim: Simulator
        self._told = 0

    def do(self, command: str) -> str:
        """Carry one command out; returns what it prints. Raises `ValueError` for one that is none."""
        verb, *words = command.split()
        action = getattr(self, f"_{verb}", None)
        if action is None:
            raise ValueError(f"{command!r}: there is no command {verb!r}")
        lines: list[str] = action(*words)
        return "\n".join(lines) or "ok"

    def _cluster(self, *options: str) -> list[str]:
        wanted = {"nodes": "3", "election": "lowest-id", "mode": "quorum", "seed": "1"}
        wanted |= dict(option.split("=", 1) for option in options)
        self.sim = Simulator(
            int(wanted["nodes"]),
            ELECTIONS[wanted["election"]],
            seed=int(wanted["seed"]),
            mode=wanted["mode"],
            network=Network(0.001, 0.003),
        )
        self.sim.start()
        return []

    def _run(self, seconds: str, how: str = "") -> list[str]:
        self.sim.run_for(float(seconds))
        lines = self._news(how == "heartbeats")
        return [] if how == "quietly" else lines

    def _put(self, node: str, key: str, value: str) -> list[str]:
        return self._ask(node, Put(key, json.loads(value)))

    def _delete(self, node: str, key: str) -> list[str]:
        return self._ask(node, Delete(key))

    def _get(self, node: str, key: str) -> list[str]:
        return self._ask(node, LinearizableGet(key))

    def _ask(self, node: str, command: Command) -> list[str]:
        call = self.sim.request(node, command)
        self.sim.run_while(lambda: not call.done, PATIENCE)
        answer = _result(call.result) if call.done else f"no answer within {PATIENCE} s"
        return [*self._news(False), f"=> {answer}"]

    def _crash(self, node: str) -> list[str]:
        self.sim.crash(node)
        return []

    def _crash_before_save(self, node: str) -> list[str]:
        self.sim.crash_before_save(node)
        return []

    def _start(self, node: str) -> list[str]:
        self.sim.start(node)
        return []

    def _pause(self, node: str) -> list[str]:
        self.sim.pause(node)
        return []

    def _resume(self, node: str) -> list[str]:
        self.sim.resume(node)
        return []

    def _partition(self, *words: str) -> list[str]:
        self.sim.partition(*(group.split() for group in " ".join(words).split("|")))
        return []

    def _cut(self, sender: str, to: str) -> list[str]:
        self.sim.cut(sender, to)
        return []

    def _hold(self, sender: str, to: str) -> list[str]:
        self.sim.hold(sender, to)
        return []

    def _release(self, sender: str, to: str) -> list[str]:
        self.sim.release(sender, to)
        return []

    def _heal(self) -> list[str]:
        self.sim.heal()
        return []

    def _show(self) -> list[str]:
        return [_described(name, host.node) for name, host in self.sim.hosts.items()]

    def _progress(self, name: str) -> list[str]:
        node = self.sim.hosts[name].node
        if node is None or node.leading is None:
            return [f"{name} does not lead"]
        return [
            f"{peer}: {progress.state.name} match={progress.match} next={progress.next}"
            for peer, progress in node.leading.replication.progress.items()
        ]

    # -- telling --------------------------------------------------------------------------------------

    def _news(self, heartbeats: bool) -> list[str]:
        new, self._told = self.sim.trace[self._told :], len(self.sim.trace)
        arrivals = {event.id: event.time for event in new if event.event == "received"}
        dropped = {event.id for event in new if event.event == "dropped"}
        lines = []
        for event in new:
            text = self._sentence(event, heartbeats, arrivals, dropped)
            if text:
                lines.append(f"{event.time:6.3f}  {text}")
        return lines

    @staticmethod
    def _sentence(event: Event, heartbeats: bool, arrivals: dict[str, float], dropped: set[str]) -> str:
        match event.event:
            case "note" if event.kind not in HIDDEN_NOTES:
                return f"{event.node}  {event.kind}{_fields(event.details)}"
            case "sent" if heartbeats or family_of(event.kind) != "heartbeat":
                end = "lost" if event.id in dropped else f"at {arrivals[event.id]:.3f}" if event.id in arrivals else "…"
                return f"{event.node} -> {event.peer}  {event.kind}{_fields(event.details)}  [{end}]"
            case "fault":
                return f"{event.node or 'network'}  *{event.kind}*{_fields(event.details)}"
            case "request":
                return f"{event.node} <- client  {event.kind}{_fields(event.details)}"
        return ""


def _fields(details: dict[str, Any]) -> str:
    return "".join(f" {name}={json.dumps(value)}" for name, value in details.items() if name != "gives_up_in_ms")


def _result(result: Result | None) -> str:
    match result:
        case None:
            return "no answer: the node is down"
        case Done(entry, found):
            return f"done: entry {_name(entry)}{'' if entry.op == 'put' or found else ', the key was absent'}"
        case Value(key, entry):
            return f"{key} is absent" if entry is None else f"{key} = {json.dumps(entry.value)}, entry {_name(entry)}"
        case NotLeader(role, leader):
            return f"not the leader ({role}); ask {leader or 'again later'}"
        case Unknown():
            return "outcome unknown"
    return type(result).__name__


def _name(entry: Entry) -> str:
    """`index.term@leader`, as in a log."""
    return f"{entry.index}.{entry.term}@{entry.leader}"


def _described(name: str, node: Node | None) -> str:
    if node is None:
        return f"{name}: down"
    entries = node.log.after(node.log.base.index)
    log = " ".join(f"{_name(entry)}{'' if entry.op == 'noop' else ':' + entry.key}" for entry in entries)
    store = {key: live.value for key in node.store.keys(100) if (live := node.store.get(key))}
    return (
        f"{name}: {node.role} term={node.election.term} leader={node.leader or '-'} commit={node.commit.index}"
        f" log=[{log}] store={json.dumps(store)}"
    )


# --------------------------------------------------------------------------------------------------------
# Files

_BLOCK = re.compile(r"((?:#[^\n]*\n|\n)*)([^\n#]+)\n----\n(.*?)(?:\n\n|\Z)", re.DOTALL)


def run_again(text: str) -> str:
    """The file as its commands print it now. Raises `ValueError` for text that is no trace."""
    trace = Trace()
    made, end = [], 0
    for block in _BLOCK.finditer(text):
        if block.start() != end:
            break
        comments, command, _ = block.groups()
        made.append(f"{comments}{command}\n----\n{trace.do(command)}\n")
        end = block.end()
    if text[end:].strip():
        raise ValueError(f"expected a command and `----` at: {text[end:][:60]!r}")
    return "\n".join(made)


def files() -> list[Path]:
    return sorted(FOLDER.glob("*.txt"))


def main() -> None:
    for path in files():
        path.write_text(run_again(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
