"""What a cluster answered and what happened in it, in lines that fit below a cell."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from html import escape
from typing import Any

from IPython import display as ipython_display

from labs.cluster import Answer, Cluster, NodeStatus
from labs.lesson.failures import load as load_failure
from labs.panel.node_view import PROBE_KEY, keys_of_clients
from labs.pictures import spacetime_svg, tell
from labs.trace.kinds import WRITE_LOST
from labs.trace.prose import counted

show: Callable[..., Any] = ipython_display.display


def told(answer: Answer) -> None:
    """An answer as the wire gives it: status code and JSON."""
    code = answer.code if answer.code is not None else "no answer"
    print(f"{_by(answer)}{code} {json.dumps(answer.body, ensure_ascii=False)}")


def outcome(answer: Answer) -> None:
    """An answer in words: what the client may believe now."""
    code = "no code" if answer.code is None else str(answer.code)
    error = str(answer.body.get("error", ""))
    print(f"{_by(answer)}{answer.outcome.value} ({', '.join(filter(None, [code, error]))})")


def _by(answer: Answer) -> str:
    return f"{answer.node}: " if answer.node else ""  # where nobody leads, nobody was asked


def watch(of: Cluster, until: Callable[[Cluster], Any], timeout: float | None = None) -> float:
    """Let the cluster's time pass until `until(cluster)` is true, and print who leads whenever that changes, with the
    milliseconds that have passed. Returns the seconds that it took."""
    began = of.now()
    said = ""

    @wraps(until)  # if it takes too long, the error names what was waited for
    def looked(cluster: Cluster) -> bool:
        nonlocal said
        done = bool(until(cluster))
        now = "; ".join(_position(status) for status in cluster.status().values())
        if now != said:
            print(f"{(cluster.now() - began) * 1000:5.0f} ms  {now}")
            said = now
        return done

    of.wait_for(looked, timeout)
    return of.now() - began


def _position(status: NodeStatus) -> str:
    if not status.answers:
        return f"{status.node_id} {status.state}"
    if status.role == "leader":
        return f"{status.node_id} LEADS (term {status.term})"
    return f"{status.node_id} follows {status.leader_id}" if status.leader_id else f"{status.node_id} has no leader"


def picture(of: Cluster, seconds: float = 1.5, width: float = 960) -> None:
    """The last seconds of a cluster as a space-time diagram, without what the panel asked. `width`: in pixels; in a
    narrower cell it is shrunk, and its words with it."""
    ids = {event.id for event in of.events() if event.details.get("key") == PROBE_KEY}
    events = [event for event in of.events() if event.event not in ("request", "reply") or event.id not in ids]
    end = of.now()
    # The nodes' own reports may be under way for a moment.
    svg = spacetime_svg(events, node_ids=of.node_ids, window=(0.0, seconds), origin=end - seconds, width=width)
    show({"text/html": svg, "text/plain": "\n".join(tell(events, node_ids=of.node_ids))}, raw=True)


def lost(of: Cluster) -> None:
    """The acknowledged writes that are lost, each once. Where none is, it says so."""
    found: dict[tuple[Any, ...], tuple[str, Mapping[str, Any]]] = {}
    for event in of.events():
        if event.kind == WRITE_LOST and event.details.get("key") != PROBE_KEY:
            name = tuple(event.details.get(part) for part in ("key", "index", "term"))
            found.setdefault(name, (event.node, event.details))
    for node, details in found.values():
        value = json.dumps(details.get("value"), ensure_ascii=False)
        print(
            f"Lost write: {details.get('key')} = {value} (entry {details.get('index')} of term {details.get('term')})."
            f" {node} has dropped it: the leader's log has something else there."
        )
    if not found:
        print("No write is lost.")


def roles(of: Cluster) -> None:
    """One line a node: who leads, in which term, how many keys."""
    for status in of.status().values():
        if status.answers:
            keys = keys_of_clients(status)
            told = "keys not told" if keys is None else counted(keys, "key")
            print(f"{status.node_id}: {status.role}, term {status.term}, {told}")
        else:
            print(f"{status.node_id}: {status.state}")


def failure(name: str) -> None:
    """A run in which an election that lacks something breaks a rule: its picture, its story, and how to see whether
    one's own does better. `name` is one of `labs.lesson.failures.NAMES`. (Or `good-election`: nothing is broken.)"""
    failure = load_failure(name)
    story = "".join(f"<li>{escape(sentence)}</li>" for sentence in failure.story())
    if not failure.rule:
        page = f"{failure.picture()}<p>In words:</p><ul>{story}</ul>"
        show({"text/html": page, "text/plain": "\n".join(failure.story())}, raw=True)
        return
    page = (
        f"<p>This election <b>{escape(failure.lacks)}</b>. What it breaks: <i>{escape(failure.rule)}</i>.</p>"
        f"{failure.picture()}<details><summary>The same in words</summary><ul>{story}</ul></details>"
        f"<p>Yours in the same situation: <code>{escape(failure.command)}</code></p>"
    )
    show({"text/html": page, "text/plain": f"{failure.rule}: {failure.text}"}, raw=True)
