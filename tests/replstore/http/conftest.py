"""For all tests in this folder: every connection of a server changes its state as the table of states allows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from replstore.http import server as server_module
from replstore.http.connection import Connection
from replstore.http.connection_state import TRANSITIONS, State


class Watched(Connection):
    """Objects to a state that may not follow the one before."""

    __slots__ = ("_state",)

    @property
    def state(self) -> State:
        return self._state

    @state.setter
    def state(self, new: State) -> None:
        old = getattr(self, "_state", new)
        if new is not old and new not in TRANSITIONS[old]:
            forbidden.append((old, new))
        self._state = new


forbidden: list[tuple[State, State]] = []


@pytest.fixture(autouse=True)
def _every_change_of_state_is_one_of_the_table(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(server_module, "Connection", Watched)
    forbidden.clear()
    yield
    assert forbidden == []
