"""What the browser may ask for: checked, queued, and carried out beside the cells.

Law of this module: nothing acts on the caller's thread. A widget's callback only hands a message to `submit`, which
either refuses it with a sentence or puts it into a queue, so the kernel stays free however long a node takes to start.

There are two queues, because a client's request may wait seconds for an answer, and the click that would end its
waiting ("resume the leader") must not stand in line behind it.
"""

from __future__ import annotations

import contextlib
import json
import queue
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any
from urllib.parse import quote

from labs.cluster.base import Answer, Cluster
from labs.panel.background import turns
from labs.panel.node_view import PROBES
from labs.trace.sentences import key_text
from replstore.wire.values import BadValue, NotJson, read_key, read_value

Report = Callable[[str, BaseException], None]


class BadCommand(ValueError):
    """A message from the browser that cannot be carried out; the text says what is wrong with it."""


@dataclass(frozen=True)
class PanelCommand:
    """A checked message. `id` is the browser's number for it, `arguments` are complete and of the right types."""

    verb: str
    arguments: dict[str, Any] = field(default_factory=dict)
    id: int = 0

    @property
    def node(self) -> str | None:
        return self.arguments.get("node")


# -- checking ----------------------------------------------------------------------------------------------

CommandCheck = Callable[[Any, Sequence[str]], Any]


def _node(value: Any, nodes: Sequence[str]) -> str:
    if value not in nodes:
        raise BadCommand(f"there is no node {value!r}; the nodes are {', '.join(nodes)}")
    return str(value)


def _any_node(value: Any, nodes: Sequence[str]) -> str | None:
    return None if value in (None, "") else _node(value, nodes)


def _number(low: float, high: float) -> CommandCheck:
    def check(value: Any, _: Sequence[str]) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise BadCommand(f"{value!r} is not a number from {low:g} to {high:g}")
        return int(value) if value == int(value) else value  # "2000 ms", not "2000.0 ms"

    return check


def _key(value: Any, _: Sequence[str]) -> str:
    if not isinstance(value, str) or not value:
        raise BadCommand("a key is needed: any text that is not empty")
    try:
        return read_key(quote(value, safe=""))
    except UnicodeEncodeError:
        raise BadCommand("it holds half a surrogate pair, which is not Unicode text") from None
    except BadValue as error:
        raise BadCommand(str(error)) from None


def _text(value: Any, _: Sequence[str]) -> str:
    if not isinstance(value, str):
        raise BadCommand(f"{value!r} is not text")
    return value


def _value(value: Any, _: Sequence[str]) -> str:
    try:
        value_of(_text(value, _))
    except BadValue as error:
        raise BadCommand(str(error).rstrip(".")) from None
    return str(value)


def _flag(value: Any, _: Sequence[str]) -> bool:
    if not isinstance(value, bool):
        raise BadCommand(f"{value!r} is neither true nor false")
    return value


def _one_of(names: Sequence[str]) -> CommandCheck:
    def check(value: Any, _: Sequence[str]) -> str:
        if value not in names:
            raise BadCommand(f"{value!r} is none of {', '.join(names)}")
        return str(value)

    return check


def _groups(value: Any, nodes: Sequence[str]) -> list[list[str]]:
    if not isinstance(value, list) or not all(isinstance(group, list) for group in value):
        raise BadCommand("groups are lists of node names")
    named = [_node(name, nodes) for group in value for name in group]
    if len(set(named)) != len(named):
        raise BadCommand("a node can be in one group only")
    groups = [[str(name) for name in group] for group in value if group]
    if len(groups) < 2:
        raise BadCommand("put the nodes into at least two groups")
    return groups


CLIENT: dict[str, dict[str, CommandCheck]] = {
    "put": {"key": _key, "value": _value, "via": _any_node},
    "get": {"key": _key, "via": _any_node, "linearizable": _flag},
    "delete": {"key": _key, "via": _any_node},
}
CLUSTER: dict[str, dict[str, CommandCheck]] = {
    **{verb: {"node": _node} for verb in ("start", "stop", "kill", "pause", "resume")},
    "partition": {"groups": _groups},
    "heal": {},
    "delay": {"ms": _number(0, 2000), "jitter_ms": _number(0, 2000)},
    "loss": {"drop": _number(0, 1), "duplicate": _number(0, 1)},
}
PANEL: dict[str, dict[str, CommandCheck]] = {
    "spacetime": {"start": _number(-1e12, 1e12), "end": _number(-1e12, 1e12), "width": _number(400, 2400)},
    "why": {"at": _number(-1e12, 1e12)},
    "availability": {"does": _one_of(PROBES)},
    "rows": {"all": _flag},
    "again": {},
    "step": {"seconds": _number(0.001, 60)},
    "play": {"speed": _number(0.1, 10)},
    "halt": {},
    "rewind": {"to": _number(0, 1e12)},
    **{verb: {"message": _text} for verb in ("deliver", "drop", "hold")},
    "run_out": {"node": _node},
    "undo": {},
    "save": {},
}
BY_HAND = {"deliver": "deliver", "drop": "drop_message", "hold": "hold_back", "run_out": "run_out"}
"""What one does by hand in a simulation that stands still: the verb, and its method of `SimulatedCluster`."""
VERBS = {**CLIENT, **CLUSTER, **PANEL}


def parse(message: Mapping[str, Any], nodes: Sequence[str]) -> PanelCommand:
    """The message `{do: verb, id: number, …arguments}` as a `PanelCommand`. Raises `BadCommand`."""
    verb = message.get("do")
    if not isinstance(verb, str) or verb not in VERBS:
        raise BadCommand(f"Unknown command {verb!r}.")
    number = message.get("id", 0)
    arguments = {}
    for name, check in VERBS[verb].items():
        try:
            arguments[name] = check(message.get(name), nodes)
        except BadCommand as wrong:
            raise BadCommand(f"Cannot {verb}: {name}: {wrong}.") from None
    return PanelCommand(verb, arguments, number if isinstance(number, int) else 0)


def value_of(text: str) -> Any:
    """What the user's text stands for: JSON where it is JSON (`5`, `true`, `{"a": 1}`), otherwise the text itself.

    Raises `BadValue` for what a node does not take.
    """
    try:
        return read_value(text.encode(errors="surrogatepass"))
    except NotJson:
        return read_value(json.dumps(text).encode())


# -- acting ------------------------------------------------------------------------------------------------


def act(cluster: Cluster, command: PanelCommand) -> Answer | None:
    """Carry out a client's or cluster's command, or one by hand; blocks until it is done."""
    verb, given = command.verb, command.arguments
    if verb == "put":
        return cluster.put(given["key"], value_of(given["value"]), via=given["via"])
    if verb == "get":
        return cluster.get(given["key"], via=given["via"], linearizable=given["linearizable"])
    if verb == "delete":
        return cluster.delete(given["key"], via=given["via"])
    if verb == "partition":
        cluster.partition(*given["groups"])
    elif verb == "delay":
        cluster.delay_replication(given["ms"], given["jitter_ms"])
    elif verb == "loss":
        cluster.lose_messages(given["drop"], given["duplicate"])
    elif verb == "heal":
        cluster.heal()
    elif verb in BY_HAND:
        getattr(cluster, BY_HAND[verb])(*given.values())
    else:
        getattr(cluster, verb)(given["node"])
    return None


def curl(command: PanelCommand, url: str | None) -> str:
    """The same request as a shell line; empty where the node has no address."""
    if not url:
        return ""
    given = command.arguments
    target = f"{url}/key/{quote(given['key'], safe='')}"
    if command.verb == "put":
        body = json.dumps(value_of(given["value"]), ensure_ascii=False)
        return f"curl -i -X PUT {shlex.quote(target)} -d {shlex.quote(body)}"
    if command.verb == "delete":
        return f"curl -i -X DELETE {shlex.quote(target)}"
    if given["linearizable"]:
        target += "?read=linearizable"
    return f"curl -i {shlex.quote(target)}"


def python(command: PanelCommand) -> str:
    """The same request as a line of Python, for clusters that no shell can reach."""
    given = command.arguments
    arguments = [repr(given["key"])]
    if command.verb == "put":
        arguments.append(repr(value_of(given["value"])))
    if given["via"]:
        arguments.append(f"via={given['via']!r}")
    if given.get("linearizable"):
        arguments.append("linearizable=True")
    return f"cluster.{command.verb}({', '.join(arguments)})"


def doing(command: PanelCommand) -> str:
    """What the panel says while the command runs: "node-1 is being stopped"."""
    verbs = {"start": "started", "stop": "stopped", "kill": "killed", "pause": "paused", "resume": "resumed"}
    if command.verb in verbs:
        return f"{command.node} is being {verbs[command.verb]}"
    if command.verb in CLIENT:
        return f"waiting for the answer to {command.verb} {key_text(command.arguments['key'])}"
    return {
        "partition": "cutting the network", "heal": "healing the network", "delay": "setting the delay",
        "loss": "setting the loss", "spacetime": "drawing the space–time diagram",
        "rewind": "running again from the seed", "undo": "taking back what was done last",
        "deliver": "delivering the message", "drop": "losing the message", "hold": "holding the message back",
        "run_out": "letting the timer run out", "save": "saving the run", "again": "starting a new cluster",
        "why": "looking for the reasons",
        "run": "running the checks", "diagram": "drawing the diagram",
        "open": "opening the cluster", "real": "starting real nodes", "leave": "closing the cluster",
        "search": "trying every order of messages",
    }.get(command.verb, command.verb)  # fmt: skip


class CommandWorker:
    """One queue, emptied beside the cells. `carry_out` may raise: `report` then gets a sentence."""

    def __init__(self, name: str, carry_out: Callable[[PanelCommand], None], report: Report) -> None:
        self._queue: queue.SimpleQueue[PanelCommand] = queue.SimpleQueue()
        self._carry_out = carry_out
        self._report = report
        self._turns = turns(name, self._empty)
        self._turns.begin()

    def submit(self, command: PanelCommand) -> None:
        self._queue.put(command)
        self._turns.wake()

    @property
    def alive(self) -> bool:
        return self._turns.alive

    def end(self, timeout: float = 0.0) -> None:
        """No more commands; those that were submitted are carried out. Waits up to `timeout` seconds for them."""
        self._turns.end(timeout, last=True)

    def _empty(self) -> float:
        with contextlib.suppress(queue.Empty):
            while True:
                self._do(self._queue.get_nowait())
        return inf

    def _do(self, command: PanelCommand) -> None:
        try:
            self._carry_out(command)
        except Exception as error:  # noqa: BLE001 - whatever a backend raises belongs on the panel, see `report`
            self._report(f"Could not finish: {doing(command)}", error)
