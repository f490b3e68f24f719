"""A cluster panel on a page of its own, without a notebook: the whole Python program of that page's web worker.

Law of this module: the same panel and the same simulated cluster as in a notebook. What is done to the cluster is
written down with its moment, so that a link that carries the seed and these steps shows the same run elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import comm
from comm.base_comm import BaseComm

from labs.cluster.base import FAST, Answer, Cluster, ClusterError
from labs.cluster.simulated import SimulatedCluster
from labs.panel import actions
from labs.panel.actions import PanelCommand
from labs.panel.panel import ClusterPanel
from labs.panel.poller import write_probe

NODES = (3, 5, 7)
MODES = ("async", "quorum", "sync")
ELECTIONS = ("lowest-id", "bully")
MOST_STEPS = 200
"""Steps that a link carries."""
MOST_IN_FILE = 20_000
LONGEST_LINK = 32_000
"""Characters of a link's text: browsers take more, but what sends links to friends often does not."""
STEPS = {*actions.CLUSTER, *actions.CLIENT, *actions.BY_HAND}
"""What a link may carry. (Undo and rewind take steps out of it.)"""
PROBE = "probe"
"""The step that nobody does: a write of the background client."""
LONGEST = 3600.0
"""Seconds of simulated time that a link or a file may stand for."""

Post = Callable[[str], object]
Step = tuple[float, str, dict[str, Any]]


class BadLink(ClusterError):
    """A link or a file that stands for no run that this page can show."""


class SteppedPanel(ClusterPanel):
    """A panel that writes down what is done to its cluster, and when."""

    def __init__(self, cluster: SimulatedCluster, steps: list[Step]) -> None:
        self.steps = steps
        super().__init__(cluster, availability=False, playing=True, in_cell=False)

    def _do(self, command: PanelCommand) -> None:
        before = self.cluster.now()
        super()._do(command)
        if command.verb in STEPS:
            self.steps.append((before, command.verb, dict(command.arguments)))
        elif command.verb == "rewind":
            self.steps[:] = [step for step in self.steps if step[0] <= command.arguments["to"]]
        elif command.verb == "undo":
            self._forget_last()

    def _forget_last(self) -> None:
        """The cluster is back at the moment of the last thing that somebody did: it and all since have not happened."""
        last = next((place for place in reversed(range(len(self.steps))) if self.steps[place][1] != PROBE), None)
        if last is not None and self.steps[last][0] == self.cluster.now():
            del self.steps[last:]

    def _write_beside(self, cluster: Cluster, node: str, value: int) -> Answer:
        before = cluster.now()
        answer = write_probe(cluster, node, value)
        self.steps.append((before, PROBE, {"node": node, "value": value}))
        return answer


class Page:
    """What the page's script talks to. Every message is JSON text."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._panel: SteppedPanel | None = None
        self._shown: dict[str, Any] = {}
        self._comms: dict[str, BaseComm] = {}
        comm.create_comm = self._open

    def start(self, wish: str) -> None:
        """`{nodes, mode, election, seed, steps}`: begin this run, and show it. A wish that cannot be shown is answered
        with a sentence, and the run that is shown stays."""
        try:
            self._start(read_wish(wish))
        except BadLink as refused:
            self._tell("refused", text=str(refused), empty=self._panel is None)

    def open(self, text: str) -> None:
        """The same for a file's text."""
        try:
            self._start(read_wish(text, MOST_IN_FILE, "this file"))
        except BadLink as refused:
            self._tell("refused", text=str(refused), empty=self._panel is None)

    def share(self) -> None:
        """Tell the run that is shown: as the text of a link, or why no link can carry it; and as that of a file."""
        if self._panel is None:
            return
        run = {**self._shown, "steps": list(self._panel.steps)}
        text = json.dumps(run, ensure_ascii=False, separators=(",", ":"))
        no_link = why_no_link(run["steps"], len(quote(text)))
        self._tell("run", text=text, no_link=no_link, name=f"run-{run['seed']}.json")

    def _start(self, asked: dict[str, Any]) -> None:
        settings = replace(FAST, **{name: asked[name] for name in ("nodes", "mode", "election", "seed")})
        cluster = SimulatedCluster(settings)
        cluster.start()
        for moment, verb, arguments in asked["steps"]:
            cluster.simulator.run_until(max(moment, cluster.now()))  # to the very moment, and not nearly
            try:
                if verb == PROBE:
                    write_probe(cluster, arguments["node"], arguments["value"])
                else:
                    actions.act(cluster, actions.parse({"do": verb, **arguments}, cluster.node_ids))
            except ClusterError as error:
                raise BadLink(f"{asked['what']} cannot be carried out: {error}") from None
        if self._panel is not None:
            self._panel.close()
        self._panel = SteppedPanel(cluster, asked["steps"])
        self._shown = {name: asked[name] for name in ("nodes", "mode", "election", "seed")}
        self._tell("shown", model=self._panel.comm.comm_id, wish=self._shown)

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


def why_no_link(steps: list[Step], length: int) -> str:
    """Why these steps, in a link of so many characters, cannot be sent as a link; empty if they can."""
    if len(steps) > MOST_STEPS:
        return f"This run has {len(steps):,} steps, and a link carries at most {MOST_STEPS}."
    if length > LONGEST_LINK:
        return f"This run's link would have {length:,} characters, and at most {LONGEST_LINK:,} are safe to send."
    if any(step[0] > LONGEST for step in steps):
        return "This run goes on for more than an hour of simulated time, which a link does not carry."
    return ""


def read_wish(text: str, most: int = MOST_STEPS, what: str = "this link") -> dict[str, Any]:
    """The wish with everything in it checked; `most` steps are taken. `what` it is, for the sentences. Raises
    `BadLink`."""
    try:
        asked = json.loads(text)
        steps = [(float(moment), str(verb), dict(arguments)) for moment, verb, arguments in asked.get("steps", [])]
        wish = {
            "nodes": int(asked.get("nodes", 3)), "mode": asked.get("mode", "async"),
            "election": asked.get("election", "lowest-id"), "seed": int(asked.get("seed", 0)), "what": what,
        }  # fmt: skip
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BadLink(f"{what} cannot be read: {error}") from None
    for name, known in (("nodes", NODES), ("mode", MODES), ("election", ELECTIONS)):
        if wish[name] not in known:
            raise BadLink(f"{what} asks for {name} {wish[name]!r}; this page has {', '.join(map(str, known))}")
    if len(steps) > most:
        instead = ". Ask for the run as a file" if most < MOST_IN_FILE else ""
        raise BadLink(f"{what} has {len(steps):,} steps, and at most {most:,} are carried out{instead}")
    if any(not 0 <= step[0] <= LONGEST for step in steps):
        raise BadLink(f"{what} has a step outside the {LONGEST:,.0f} s of simulated time that this page shows")
    ids = replace(FAST, nodes=wish["nodes"]).node_ids
    for _, verb, arguments in steps:
        _check_step(verb, arguments, ids, what)
    return {**wish, "steps": sorted(steps, key=lambda step: step[0])}


def _check_step(verb: str, arguments: dict[str, Any], ids: tuple[str, ...], what: str) -> None:
    if verb == PROBE:
        if arguments.get("node") not in ids or type(arguments.get("value")) is not int:
            raise BadLink(f"{what} has a write of the background client that cannot be read")
        return
    if verb not in STEPS:
        raise BadLink(f"{what} asks for {verb!r}, which is no step")
    try:
        actions.parse({"do": verb, **arguments}, ids)
    except actions.BadCommand as error:
        raise BadLink(f"{what} cannot be carried out: {error}") from None
