"""What the nodes hold in the end: are they the same, and is everything there that was promised?

Law of this module: it compares; when to look (after healing, when replication has caught up) is the caller's
decision, and a write is called lost only where no order of what clients did could have overwritten it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from labs.cluster.base import Cluster
from labs.history.operations import History, Operation, canonical, short
from labs.history.versions import Sources, all_before

Contents = Mapping[str, Any]
"""One node's keys and values; a key that is missing does not exist there."""

_FOUND, _NOT_FOUND = 200, 404


@dataclass(frozen=True, slots=True)
class LostWrite:
    """An acknowledged write that is gone: every node ends with something older."""

    write: Operation
    found: dict[str, str]
    """What each node has instead, as text."""

    @property
    def sentence(self) -> str:
        op = self.write
        return f"`{op.label}` of {op.key!r} was acknowledged to client {op.client}, but {_listed(self.found)}."


@dataclass(frozen=True, slots=True)
class Divergence:
    """One key on which nodes disagree."""

    key: str
    found: dict[str, str]

    @property
    def sentence(self) -> str:
        return f"the nodes disagree about {self.key!r}: {_listed(self.found)}."


def read_back(cluster: Cluster, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What each node that answers has under `keys` now, read from its own copy. Nodes that do not answer are left
    out."""
    wanted = sorted(set(keys))
    alive = [node for node, status in cluster.status().items() if status.answers]
    contents: dict[str, dict[str, Any]] = {}
    for node in alive:
        answers = {key: cluster.get(key, via=node) for key in wanted}
        if all(answer.code in (_FOUND, _NOT_FOUND) for answer in answers.values()):
            contents[node] = {key: answer.value for key, answer in answers.items() if answer.code == _FOUND}
    return contents


def divergence(contents: Mapping[str, Contents]) -> list[Divergence]:
    """The keys on which these nodes differ, sorted."""
    keys = sorted({key for held in contents.values() for key in held})
    return [Divergence(key, _shown(key, contents)) for key in keys if _differ(key, contents)]


def lost_writes(operations: History, contents: Mapping[str, Contents]) -> list[LostWrite]:
    """The acknowledged writes of which no node has the value, nor that of a write that may be newer.

    `contents` must have been read after all of `operations`. With no node at all, nothing is known to be lost.
    """
    sources = Sources(operations)
    acknowledged = (op for op in sorted(operations, key=lambda op: op.invoked) if op.ok and op.may_have_written)
    return [
        LostWrite(write, _shown(write.key, contents))
        for write in acknowledged
        if contents and all(_older(write, held, sources) for held in contents.values())
    ]


def _older(write: Operation, held: Contents, sources: Sources) -> bool:
    """Whether what a node holds under the write's key is certainly older than the write."""
    return all_before(sources.of(write.key, held.get(write.key), write.key in held), write)


def _differ(key: str, contents: Mapping[str, Contents]) -> bool:
    return len({canonical(held[key]) if key in held else None for held in contents.values()}) > 1


def _shown(key: str, contents: Mapping[str, Contents]) -> dict[str, str]:
    return {node: short(held[key]) if key in held else "nothing" for node, held in contents.items()}


def _listed(found: dict[str, str]) -> str:
    return ", ".join(f"{node} has {value}" for node, value in found.items())
