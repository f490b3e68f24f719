"""What walks have found, as plain data that can be taken out of a sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable

from labs.simulation.explorer.model import ElectionModel, Restart, Wait
from labs.simulation.explorer.snapshot import CannotSnapshot
from labs.simulation.explorer.walks import Commit, Suspicion, Take, Walks, WalkStep
from replstore.core.election import Election, ElectionContext
from replstore.core.messages import Heartbeat, HeartbeatReply


def essence(text: str) -> str:
    """An encoded message without the module of its class, which another import of the same code has another name for;
    of a heartbeat only the term."""
    data = json.loads(text)
    name = str(data.pop("type")).rpartition(".")[2]
    if name == Heartbeat.wire_name:
        data = {"term": data["term"]}
    elif name == HeartbeatReply.wire_name:
        data = {"term": data["term"], "follows": data["follows"]}
    return f"{name} {json.dumps(data, sort_keys=True)}"


def suspicious_walks(strategy: Callable[[ElectionContext], Election]) -> list[list[list[str]]]:
    """The walks that seem to break a promise; none for a strategy whose states cannot be copied."""
    walks = Walks(strategy)
    try:
        return [as_data(walks.model, suspicion) for suspicion in walks.run()]
    except CannotSnapshot:
        return []


def as_data(model: ElectionModel, suspicion: Suspicion) -> list[list[str]]:
    """Each step as a list of its name and of texts."""
    return [_step_as_data(model, step) for step in suspicion.steps]


def _step_as_data(model: ElectionModel, step: WalkStep) -> list[str]:
    match step:
        case Wait(node):
            return ["wait", node]
        case Restart(node):
            return ["restart", node]
        case Commit(leader, follower):
            return ["commit", leader, follower]
        case Take(number):
            mail = model.mail[number]
            return ["take", mail.node, mail.sender, essence(mail.text)]
