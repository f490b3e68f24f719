"""Broken on purpose: a linearizable read is answered from the leader's copy, without asking whether it still leads."""

from __future__ import annotations

from replstore.core.leader_state import LeaderState
from solutions.ex3_election import MyElection
from tools.nemesis.builds.small import Bully, LowestId

__all__ = ["Bully", "LowestId", "MyElection"]


def _sure(state: LeaderState) -> int:
    return state.round


LeaderState.confirmed_round = _sure  # type: ignore[method-assign, assignment]
