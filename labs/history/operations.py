"""What clients did, and when: the records that every judgement of this package reads.

Law of this module: values only. An `Operation` says what one client asked, what it was told, and between which two
moments; whether that was *right* is for others to say.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from labs.cluster.base import Outcome

KINDS = frozenset(("put", "get", "delete", "cas", "append"))


_encode = json.JSONEncoder(sort_keys=True).encode
"""(`json.dumps` makes a new encoder for each call, `json.loads` a new decoder.)"""


class HistoryError(ValueError):
    """A history that cannot be read: `line` (counted from 1, None where it concerns no line) says where."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Operation:
    """One request of one client, which does one thing at a time.

    `kind` is `put`, `get` or `delete`; imported histories also have `cas` (`value` is `[expected, new]`, `result`
    says whether it matched) and `append` (`value` is the text to add). Times are in seconds of whichever clock
    recorded them, or line numbers of an imported log: only their order matters to a verdict.

    Raises `HistoryError` for an operation that cannot have happened.
    """

    client: str
    kind: str
    key: str
    value: Any = None
    """The argument: what to write."""
    invoked: float = 0.0
    completed: float | None = None
    """When the client knew; None if it never did. An operation of unknown outcome may take effect after it."""
    outcome: Outcome = Outcome.UNKNOWN
    result: Any = None
    """What was read (`get`), whether it matched (`cas`)."""
    found: bool | None = None
    """Whether the key was there (`get`, `delete`); None where the answer did not say. A stored null is found."""
    node: str | None = None
    """The node that was asked."""
    term: int | None = None
    index: int | None = None
    """The write's place in the log, where the answer told it."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise HistoryError(f"unknown kind {self.kind!r}: one of {', '.join(sorted(KINDS))}")
        if self.kind == "cas" and not (isinstance(self.value, list) and len(self.value) == 2):
            raise HistoryError(f"the value of a cas is [expected, new], not {self.value!r}")
        if self.kind == "append" and not isinstance(self.value, str):
            raise HistoryError(f"the value of an append is a text, not {self.value!r}")
        if self.outcome is Outcome.OK and self.completed is None:
            raise HistoryError("an operation with outcome ok needs the time at which it completed")
        if self.completed is not None and self.completed < self.invoked:
            raise HistoryError(f"completed at {self.completed}, before it was invoked at {self.invoked}")

    @property
    def ok(self) -> bool:
        return self.outcome is Outcome.OK

    @property
    def is_read(self) -> bool:
        return self.kind == "get"

    @property
    def says_nothing(self) -> bool:
        """A read that answered null without saying whether the key was there: absent, or a stored null."""
        return self.is_read and self.ok and self.result is None and self.found is None

    @property
    def may_have_written(self) -> bool:
        """Neither a read nor known to have had no effect."""
        no_match = self.kind == "cas" and self.ok and self.result is False
        return not self.is_read and self.outcome is not Outcome.FAILED and not no_match

    @property
    def written(self) -> Any:
        """The value that the key has after this write (for `append`: the piece that was added)."""
        return self.value[1] if self.kind == "cas" else self.value

    @property
    def place(self) -> tuple[int, int] | None:
        """`(term, index)` in the log, if known."""
        return None if self.term is None or self.index is None else (self.term, self.index)

    @property
    def label(self) -> str:
        """The operation in a few characters: `put 3`, `get → 3`, `cas 1→2 ✗`."""
        return _LABELS[self.kind](self)


def canonical(value: Any) -> str:
    """JSON text that is equal for equal JSON values only: unlike in Python, 1, 1.0 and true differ."""
    return str(value) if type(value) is int else _encode(value)


def by_key(operations: Iterable[Operation]) -> dict[str, list[Operation]]:
    """The operations of each key, in order of invocation; keys in order of first use."""
    found: dict[str, list[Operation]] = {}
    for operation in sorted(operations, key=lambda op: op.invoked):
        found.setdefault(operation.key, []).append(operation)
    return found


def by_client(operations: Iterable[Operation]) -> dict[str, list[Operation]]:
    """The operations of each client, in the order in which it asked."""
    found: dict[str, list[Operation]] = {}
    for operation in sorted(operations, key=lambda op: op.invoked):
        found.setdefault(operation.client, []).append(operation)
    return found


def short(value: Any, limit: int = 14) -> str:
    """The value as text for a label; a long one keeps its end, where appended texts differ."""
    text = value if isinstance(value, str) else json.dumps(value)
    text = "".join(character if character.isprintable() else "�" for character in text)
    return text if len(text) <= limit else "…" + text[1 - limit :]


def _get_label(op: Operation) -> str:
    if not op.ok:
        return "get"
    return "get → none" if op.found is False else f"get → {short(op.result)}"


def _cas_label(op: Operation) -> str:
    expected, new = op.value
    return f"cas {short(expected)}→{short(new)}" + (" ✗" if op.result is False else "")


_LABELS: dict[str, Callable[[Operation], str]] = {
    "put": lambda op: f"put {short(op.value)}",
    "get": _get_label,
    "delete": lambda op: "delete ✗" if op.found is False else "delete",
    "cas": _cas_label,
    "append": lambda op: f"append {short(op.value)}",
}

History = Sequence[Operation]
"""Operations in any order; everything here sorts by time itself."""
