"""Broken on purpose: a write in `quorum` and `sync` is acknowledged when the leader alone has it."""

from __future__ import annotations

from replstore.core.replication import MODES
from solutions.ex3_election import MyElection
from tools.nemesis.builds.small import Bully, LowestId

__all__ = ["Bully", "LowestId", "MyElection"]

MODES["quorum"] = MODES["sync"] = lambda nodes: 1
