"""The verdict on one round: what clients were told against what the nodes hold.

Law of this module: a violation is only what no order of events could excuse. What an unknown write did is open; it may
even take effect while we look, so replicas are compared until they agree, and only lasting disagreement counts.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from labs.cluster import ConditionTimeout, Outcome
from labs.history import LostWrite, Operation, check, divergence, lost_writes
from labs.history.versions import Sources
from tools.nemesis.targets import Target

Contents = dict[str, dict[str, Any]]
"""What each node has: node → key → value."""


@dataclass
class Verdict:
    """`violations`: sentences, each of which is a broken promise. `lost`: acknowledged writes that are gone (a
    violation where the mode promises copies); `untold`: those of them that no node reported."""

    violations: list[str] = field(default_factory=list)
    lost: list[LostWrite] = field(default_factory=list)
    untold: list[LostWrite] = field(default_factory=list)
    contents: Contents = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.violations


def judge(target: Target, history: Sequence[Operation], local_reads: Sequence[Operation], patience: float) -> Verdict:
    """Wait until the mended cluster agrees, then compare everything."""
    verdict = Verdict()
    keys = sorted({op.key for op in history})
    verdict.contents = _agreed(target, keys, patience, verdict)
    verdict.lost = lost_writes(history, verdict.contents)
    promised = target.settings.mode != "async"
    if promised:
        verdict.violations += [f"lost: {lost.sentence}" for lost in verdict.lost]
        final = _final_reads(history, verdict.contents, target.now())
        verdict.violations += [f"not linearizable: {found.sentence}" for found in check([*history, *final]).violations]
        verdict.violations += _shared_places(history)
    else:
        told = _told_lost(target)
        verdict.untold = [lost for lost in verdict.lost if (lost.write.key, lost.write.index) not in told]
    verdict.violations += _phantoms(history, local_reads, verdict.contents)
    verdict.violations += _crashes(target)
    return verdict


# --------------------------------------------------------------------------------------------------------
# What the nodes hold


def _agreed(target: Target, keys: list[str], patience: float, verdict: Verdict) -> Contents:
    """The contents once all nodes have the same; lasting disagreement goes into the verdict."""
    deadline = time.monotonic() + patience
    try:
        target.wait_for(_converged, patience)
    except ConditionTimeout as error:
        verdict.violations.append(f"no convergence: {error}")
    while True:
        contents = read_all(target, keys)
        differences = divergence(contents)
        if len(contents) == len(target.node_ids) and not differences:
            return contents
        if time.monotonic() > deadline:
            missing = sorted(set(target.node_ids) - set(contents))
            verdict.violations += [f"replicas differ: {found.sentence}" for found in differences[:20]]
            verdict.violations += [f"{node} does not answer" for node in missing]
            return contents


def _converged(target: Target) -> bool:
    """Everybody follows one leader, and has what it has."""
    seen = list(target.status().values())
    if not all(status.answers for status in seen):
        return False
    first = seen[0].raw
    same = all(s.raw[name] == first[name] for s in seen for name in ("term", "leader_id", "last_index", "commit_index"))
    leads = [s.node_id for s in seen if s.role == "leader"]
    return same and leads == [first["leader_id"]] and first["last_index"] == first["commit_index"]


def read_all(target: Target, keys: Sequence[str]) -> Contents:
    """What each node that answers has under `keys` in its own copy."""
    with ThreadPoolExecutor(len(target.node_ids)) as pool:
        found = pool.map(lambda node: (node, _read_node(target.url(node), keys)), target.node_ids)
        return {node: held for node, held in found if held is not None}


def _read_node(url: str | None, keys: Sequence[str]) -> dict[str, Any] | None:
    """One kept-alive connection: a thousand keys in a fraction of a second. None if the node fails on the way."""
    held: dict[str, Any] = {}
    connection = http.client.HTTPConnection((url or "").removeprefix("http://"), timeout=5)
    try:
        for key in keys:
            connection.request("GET", f"/key/{quote(key, safe='')}")
            response = connection.getresponse()
            body = response.read()
            if response.status == 200:
                held[key] = json.loads(body)["value"]
            elif response.status != 404:
                return None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return held


# --------------------------------------------------------------------------------------------------------
# Promises


def _final_reads(history: Sequence[Operation], contents: Contents, now: float) -> list[Operation]:
    """What all nodes agree on in the end, as reads that came after everything else."""
    if not contents:
        return []
    held = next(iter(contents.values()))
    end = max([now, *(op.completed or op.invoked for op in history)]) + 1.0
    return [
        Operation("the end", "get", key, None, end + n, end + n + 0.5, Outcome.OK, held.get(key), key in held)
        for n, key in enumerate(sorted({op.key for op in history}))
    ]


def _shared_places(history: Iterable[Operation]) -> list[str]:
    """No two acknowledged writes have one place in the log."""
    taken: dict[tuple[int, int], Operation] = {}
    found = []
    for op in history:
        if not (op.ok and op.place):
            continue
        other = taken.setdefault(op.place, op)
        if other is not op:
            found.append(
                f"one place for two: `{other.label}` of {other.key} at {other.node} and `{op.label}` of {op.key} at"
                f" {op.node} were both acknowledged as entry {op.place[1]} of term {op.place[0]}"
            )
    return found


def _phantoms(history: Sequence[Operation], local_reads: Sequence[Operation], contents: Contents) -> list[str]:
    """Values that nobody wrote, or whose write was certainly refused."""
    sources = Sources(history)
    found = [
        f"from nowhere: `{read.label}` of {read.key} at {read.node}: no write that may have happened has this value"
        for read in local_reads
        if read.ok and read.completed is not None and not sources.of_read(read)
    ]
    return found + [
        f"from nowhere: {node} has {value!r:.60} under {key} in the end, which no write that may have happened wrote"
        for node, held in contents.items()
        for key, value in held.items()
        if not sources.of(key, value, True)
    ]


def _told_lost(target: Target) -> set[tuple[str, int | None]]:
    """Key and index of each write that a node reported as lost: in its events, or in its log, which a kill leaves."""
    told: set[tuple[str, int | None]] = {
        (event.details["key"], event.details["index"]) for event in target.events() if event.kind == "write_lost"
    }
    for node in target.node_ids:
        for line in target.whole_log(node):
            if "Lost an acknowledged write" in line:
                words = line.split()
                told.add((words[words.index("(entry") - 1], int(words[words.index("(entry") + 1])))
    return told


def _crashes(target: Target) -> list[str]:
    """What a node printed when something in it went wrong."""
    found = []
    for node in target.node_ids:
        lines = target.whole_log(node)
        bad = [n for n, line in enumerate(lines) if line.startswith("Traceback") or "strategy raised" in line]
        found += [f"{node} raised: {' | '.join(lines[n : n + 12])[-400:]}" for n in bad[:1]]
    return found
