"""A cluster panel on a page of its own, without a notebook: the whole Python program of that page's web worker.

Law of this module: the same panel and the same simulated cluster as in a notebook. What is done to the cluster is
written down with its moment, so that a link that carries the seed and these steps shows the same run elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import comm
from comm.base_comm import BaseComm

from labs.cluster.base import FAST, ClusterError
from labs.cluster.simulated import SimulatedCluster
from labs.panel import actions
from labs.panel.actions import PanelCommand
from labs.panel.panel import ClusterPanel

NODES = (3, 5, 7)
MODES = ("async", "quorum", "sync")
ELECTIONS = ("lowest-id", "bully")
MOST_STEPS = 200
STEPS = {*actions.CLUSTER, *actions.CLIENT, *actions.BY_HAND}
"""What a link may carry. (Undo and rewind take steps out of it.)"""
LONGEST = 3600.0
"""Seconds of simulated time that a link may stand for."""

Post = Callable[[str], object]
Step = tuple[float, str, dict[str, Any]]


class BadLink(ClusterError):
    """A link that no page has made."""


class SteppedPanel(ClusterPanel):
    """A panel that writes down what is done to its cluster, and when; `told` is called after each step."""

    def __init__(self, cluster: SimulatedCluster, steps: list[Step], told: Callable[[list[Step]], None]) -> None:
        self.steps = steps
        self._told = told
        super().__init__(cluster, availability=False, playing=True, in_cell=False)

    def _do(self, command: PanelCommand) -> None:
        before = self.cluster.now()
        super()._do(command)
        if command.verb in STEPS:
            self.steps.append((before, command.verb, dict(command.arguments)))
        elif command.verb == "rewind":
            self.steps[:] = [step for step in self.steps if step[0] <= command.arguments["to"]]
        elif command.verb == "undo" and self.steps and self.steps[-1][0] == self.cluster.now():
            self.steps.pop()
        else:
            return
        self._told(self.steps[:MOST_STEPS])


class Page:
    """What the page's script talks to. Every message is JSON text."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._panel: SteppedPanel | None = None
        self._comms: dict[str, BaseComm] = {}
        comm.create_comm = self._open

    def start(self, wish: str) -> None:
        """`{nodes, mode, election, seed, steps}`: begin this run, and show it. Raises `BadLink`."""
        asked = read_wish(wish)
        settings = replace(FAST, **{name: asked[name] for name in ("nodes", "mode", "election", "seed")})
        cluster = SimulatedCluster(settings)
        cluster.start()
        for moment, verb, arguments in asked["steps"]:
            cluster.simulator.run_until(max(moment, cluster.now()))  # to the very moment, and not nearly
            try:
                actions.act(cluster, actions.parse({"do": verb, **arguments}, cluster.node_ids))
            except ClusterError as error:
                raise BadLink(f"this link cannot be carried out: {error}") from None
        if self._panel is not None:
            self._panel.close()
        self._panel = SteppedPanel(cluster, asked["steps"], lambda steps: self._tell("steps", steps=steps))
        self._tell("shown", model=self._panel.comm.comm_id, steps=asked["steps"])

    def hear(self, model: str, data: str) -> None:
        """A message of the page's copy of a widget."""
        found = self._comms.get(model)
        if found is not None:
            found.handle_msg({"content": {"data": json.loads(data)}, "buffers": []})

    def _open(self, *given: Any, **options: Any) -> BaseComm:
        return _PageComm(self, *given, **options)

    def _tell(self, kind: str, **more: Any) -> None:
        self._post(json.dumps({"type": kind, **more}))


class _PageComm(BaseComm):  # type: ignore[misc,unused-ignore]
    """Carries a widget's state to the page by its messages."""

    def __init__(self, page: Page, *given: Any, **options: Any) -> None:
        self._page = page
        super().__init__(*given, **options)
        page._comms[self.comm_id] = self

    def publish_msg(self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any) -> None:
        self._page._tell(msg_type, model=self.comm_id, data=data or {})


def read_wish(text: str) -> dict[str, Any]:
    """The wish with everything in it checked. Raises `BadLink`."""
    try:
        asked = json.loads(text)
        steps = [(float(moment), str(verb), dict(arguments)) for moment, verb, arguments in asked.get("steps", [])]
        wish = {
            "nodes": int(asked.get("nodes", 3)), "mode": asked.get("mode", "async"),
            "election": asked.get("election", "lowest-id"), "seed": int(asked.get("seed", 0)),
        }  # fmt: skip
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BadLink(f"this link cannot be read: {error}") from None
    fine = wish["nodes"] in NODES and wish["mode"] in MODES and wish["election"] in ELECTIONS
    if not fine or len(steps) > MOST_STEPS or any(not 0 <= step[0] <= LONGEST for step in steps):
        raise BadLink("this link asks for a cluster that this page does not have")
    ids = replace(FAST, nodes=wish["nodes"]).node_ids
    for _, verb, arguments in steps:
        try:
            if verb not in STEPS:
                raise BadLink(f"this link asks for {verb!r}, which is no step")
            actions.parse({"do": verb, **arguments}, ids)
        except actions.BadCommand as error:
            raise BadLink(f"this link cannot be carried out: {error}") from None
    return {**wish, "steps": sorted(steps, key=lambda step: step[0])}
