"""What an object that does one thing at a time would answer: the sequential specifications.

Law of this module: pure functions. An action takes the state before an operation and gives the state after it, or
`IMPOSSIBLE` where the operation could not have had its result in that state. States are hashable and never change.

Each model also has a state `anything`, "nobody knows what was here": with it, a piece of a history can be judged
without what came before. It stands for the *set* of all states, and every action treats that set exactly.

States that no operation of the history can tell apart are made one (a value that nobody reads, say): fewer states,
and a search that remembers states ends sooner.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from labs.history.operations import History, HistoryError, Operation, canonical

ModelState = Hashable
ModelStep = Callable[[ModelState], ModelState]


@dataclass(frozen=True, slots=True)
class _Mark:
    """A state like no other."""

    name: str

    def __repr__(self) -> str:
        return self.name


IMPOSSIBLE = _Mark("IMPOSSIBLE")

ABSENT = _Mark("ABSENT")
"""The state of a register whose key does not exist. (Values are kept as JSON text.)"""

UNREAD = _Mark("UNREAD")
"""Every state that no operation of this history expects."""


class ModelAction(NamedTuple):
    """One operation as a function of the state. Equal `effect`s mean equal functions.

    An effect is a tuple: a word, then states; a write's last one is what it leaves behind, a `get`'s what it saw.
    `read_only`: it never changes a state that is known.
    """

    effect: tuple[Hashable, ...]
    step: ModelStep
    read_only: bool = False


Interpreter = Callable[[Operation], ModelAction]


@dataclass(frozen=True, slots=True)
class Model:
    """A sequential object. `interpret(operations)` gives the meaning of each operation of that history.

    `can_become(state, wanted, writes)` may say that no order of `writes` (effects) leads from `state` to a `get`
    that sees `wanted`. It must never say so wrongly. It only saves time: a dead end is noticed before it is
    reached.
    """

    name: str
    kinds: tuple[str, ...]
    initial: ModelState
    anything: ModelState
    interpret: Callable[[History], Interpreter]
    can_become: Callable[[ModelState, ModelState, Iterable[tuple[Hashable, ...]]], bool]

    def actions(self, operations: History) -> list[ModelAction]:
        """Raises `HistoryError` for a kind of operation that this model does not have."""
        for op in operations:
            if op.kind not in self.kinds:
                raise HistoryError(f"a {self.name} has no {op.kind!r}: one of {', '.join(self.kinds)}")
        return list(map(self.interpret(operations), operations))


# --------------------------------------------------------------------------------------------------------
# The register: one value, or none


@dataclass(frozen=True, slots=True)
class AnyBut:
    """Some value, or none, but none of `excluded`."""

    excluded: frozenset[ModelState] = frozenset()


def _expect(wanted: ModelState, after: ModelState) -> ModelStep:
    """Possible only where the state is `wanted`."""

    def step(state: ModelState) -> ModelState:
        if state == wanted:
            return after
        return after if isinstance(state, AnyBut) and wanted not in state.excluded else IMPOSSIBLE

    return step


def _expect_other(unwanted: ModelState) -> ModelStep:
    """Possible only where the state is not `unwanted`."""

    def step(state: ModelState) -> ModelState:
        if isinstance(state, AnyBut):
            return AnyBut(state.excluded | {unwanted})
        return IMPOSSIBLE if state == unwanted else state

    return step


def _interpret_register(operations: History) -> Interpreter:
    expected = set(map(_expected_value, operations))

    def stored(value: object) -> ModelState:
        text = canonical(value)
        return text if text in expected else UNREAD

    def interpret(op: Operation) -> ModelAction:
        if op.kind == "get":
            seen = _expected_value(op)
            return ModelAction(("get", seen), _expect(seen, seen), read_only=True)
        if op.kind == "cas":
            return _cas(op, _expected_value(op), stored(op.value[1]))
        return _delete(op) if op.kind == "delete" else _overwrite(stored(op.value))

    return interpret


def _expected_value(op: Operation) -> ModelState:
    if op.kind == "cas":
        return canonical(op.value[0])
    return canonical(op.result) if op.kind == "get" and op.found is not False else ABSENT


def _overwrite(after: ModelState) -> ModelAction:
    return ModelAction(("overwrite", after), lambda _: after)


def _delete(op: Operation) -> ModelAction:
    if not op.ok or op.found is None:
        return _overwrite(ABSENT)
    if not op.found:
        return ModelAction(("get", ABSENT), _expect(ABSENT, ABSENT), read_only=True)
    return ModelAction(("delete", ABSENT), lambda state: IMPOSSIBLE if state is ABSENT else ABSENT)


def _cas(op: Operation, expected: ModelState, new: ModelState) -> ModelAction:
    """One of unknown outcome that took no effect is simply left out of the order, so it counts as matching here."""
    if op.ok and op.result is False:
        return ModelAction(("not", expected), _expect_other(expected), read_only=True)
    return ModelAction(("cas", expected, new), _expect(expected, new))


def _register_can_become(state: ModelState, wanted: ModelState, writes: Iterable[tuple[Hashable, ...]]) -> bool:
    return state == wanted or isinstance(state, AnyBut) or any(effect[-1] == wanted for effect in writes)


REGISTER = Model("register", ("put", "get", "delete"), ABSENT, AnyBut(), _interpret_register, _register_can_become)
"""What a key of the store is: put, get, delete; absent to begin with."""

CAS_REGISTER = replace(REGISTER, name="register with compare-and-set", kinds=(*REGISTER.kinds, "cas"))


# --------------------------------------------------------------------------------------------------------
# The text: put replaces, append adds at the end


@dataclass(frozen=True, slots=True)
class Ending:
    """A text of which only the end is known."""

    text: str


def _interpret_text(operations: History) -> Interpreter:
    reads = sorted({_text_read(op) for op in operations if op.kind == "get" and op.ok})

    def stored(text: str) -> ModelState:
        """Only what begins some read matters: appends never change a beginning."""
        place = bisect_left(reads, text)
        return text if place < len(reads) and reads[place].startswith(text) else UNREAD

    def append(piece: str) -> ModelStep:
        def step(state: ModelState) -> ModelState:
            if isinstance(state, Ending):
                return _ending(state.text + piece, reads)
            return stored(state + piece) if isinstance(state, str) else UNREAD

        return step

    def interpret(op: Operation) -> ModelAction:
        if op.kind == "get":
            seen = _text_read(op)
            return ModelAction(("get", seen), _text_get(seen), read_only=True)
        if op.kind == "append":
            return ModelAction(("append", op.value), append(op.value))
        return _overwrite(stored(_text(op.value)))

    return interpret


def _text_read(op: Operation) -> str:
    return "" if op.found is False else _text(op.result)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise HistoryError(f"a key with appends holds a text, not {value!r}")
    return value


def _text_get(seen: str) -> ModelStep:
    def step(state: ModelState) -> ModelState:
        fits = seen.endswith(state.text) if isinstance(state, Ending) else state == seen
        return seen if fits else IMPOSSIBLE

    return step


def _ending(text: str, reads: Iterable[str]) -> ModelState:
    return Ending(text) if any(text in read for read in reads) else UNREAD


def _text_can_become(state: ModelState, wanted: ModelState, writes: Iterable[tuple[Hashable, ...]]) -> bool:
    """Appends only add at the end: what is there must begin what will be read, or a put must begin it.

    Without this, every order of unread appends would be tried up to the next read.
    """
    text = str(wanted)
    if isinstance(state, Ending) and state.text in text:
        return True
    if isinstance(state, str) and text.startswith(state):
        return True
    puts = (effect[-1] for effect in writes if effect[0] == "overwrite")
    return any(isinstance(put, str) and text.startswith(put) for put in puts)


TEXT = Model("text with append", ("put", "get", "append"), "", Ending(""), _interpret_text, _text_can_become)
"""A key-value store's key with get, put and append; the empty text to begin with."""


def model_for(operations: History) -> Model:
    """The smallest model that has all kinds of operations used."""
    kinds = {op.kind for op in operations}
    if "append" in kinds:
        return TEXT
    return CAS_REGISTER if "cas" in kinds else REGISTER
