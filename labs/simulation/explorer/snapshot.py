"""A strategy's own state as a value that can be compared, kept in a set, and put back into a strategy.

Law of this module: two states that can only behave alike should come out equal, and what is put back behaves as the
original did. Times are therefore kept relative to the node's clock, and times older than the horizon are treated as
equal. Objects are taken apart as `copy.deepcopy` does it, so containers and classes of a student's own come back as
what they were. What two places share they share again, and what refers to the strategy refers to the one that it is
put into.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from replstore.core.messages import EntryId, Message

EPOCH = 1_000_000.0
"""What a node's clock shows whenever its state is put back. So large that times can be told from durations."""

StateSnapshot = Hashable
_AS_IT_IS = (Enum, EntryId, FunctionType, BuiltinFunctionType, ModuleType, type)
"""Nothing in these changes."""


class CannotSnapshot(TypeError):
    """The strategy keeps something that cannot be compared or copied; the message says what and where."""


class _Time(NamedTuple):
    """Seconds after the node's clock; before it, below 0."""

    after: float


class _Known(NamedTuple):
    """The strategy itself, or something that its node hands in."""

    name: str


class _Again(NamedTuple):
    """The object of this number once more."""

    number: int


class _Group(NamedTuple):
    """A list, set or dict (whose items are then pairs); a tuple or frozenset, without a number of their own."""

    number: int
    kind: type
    items: Any


class _Object(NamedTuple):
    """What `__reduce_ex__` says: call `make` with `arguments`, then give it `state`, `items` and `pairs`."""

    number: int
    make: Any
    arguments: Any
    state: Any
    items: Any
    pairs: Any


class StateCodec:
    """`horizon`: seconds after which it no longer matters how long ago something was."""

    def __init__(self, horizon: float) -> None:
        self._horizon = horizon

    def snapshot(self, value: Any, now: float, where: str, known: Mapping[str, Any] | None = None) -> StateSnapshot:
        """`now`: what the node's clock shows, at least `EPOCH`. `where` names the value for `CannotSnapshot`. `known`:
        what is not copied but named, and is given again to `restore`."""
        return _Taking(self._horizon, now, known or {}).taken(value, where)

    def restore(self, snapshot: Any, known: Mapping[str, Any] | None = None) -> Any:
        """A value of its own, as of `EPOCH`."""
        return _Putting(known or {}).put(snapshot)


class _Taking:
    def __init__(self, horizon: float, now: float, known: Mapping[str, Any]) -> None:
        self._horizon, self._now = horizon, now
        self._names = {id(value): name for name, value in known.items()}
        self._numbers: dict[int, int] = {}
        self._kept: list[Any] = []
        """As long as these are there, no other object gets their `id`."""

    def taken(self, value: Any, where: str) -> StateSnapshot:
        kind = type(value)
        if value is None or kind in (bool, int, str, bytes):
            return value  # type: ignore[no-any-return]
        if kind is float:
            return _Time(max(round(value - self._now, 6), -self._horizon)) if value > EPOCH / 2 else value
        if (name := self._names.get(id(value))) is not None:
            return _Known(name)
        if isinstance(value, _AS_IT_IS):
            self._require_no_memory(value, where)
            return value
        if isinstance(value, Message) and _is_hashable(value):
            return value
        if kind is tuple:  # (whether two places share one makes no difference)
            return _Group(0, tuple, tuple(self.taken(item, where) for item in value))
        if kind is frozenset:
            return _Group(0, frozenset, self._members(value, where))
        if (seen := self._numbers.get(id(value))) is not None:
            return _Again(seen)
        number = self._numbers[id(value)] = len(self._numbers) + 1
        self._kept.append(value)
        if kind is list:
            return _Group(number, list, tuple(self.taken(item, where) for item in value))
        if kind is set:
            return _Group(number, set, self._members(value, where))
        if kind is dict:
            return _Group(number, kind, self._pairs(value, where))
        return self._apart(value, number, where)

    def _apart(self, value: Any, number: int, where: str) -> StateSnapshot:
        if isinstance(value, MethodType):
            return _Object(number, MethodType, (value.__func__, self.taken(value.__self__, where)), None, (), ())
        try:
            reduced = value.__reduce_ex__(4)
        except TypeError:
            what = f"{where} holds a {type(value).__name__}, which cannot be copied and compared"
            raise CannotSnapshot(what) from None
        if isinstance(reduced, str):
            return value  # type: ignore[no-any-return]  # the only one of its kind, found by its name
        parts: list[Any] = [*reduced, None, None, None]
        make, arguments, state, items, pairs = parts[:5]
        self._kept.append(reduced)
        return _Object(
            number,
            make,
            tuple(self.taken(one, where) for one in arguments),
            self.taken(state, where),
            tuple(self.taken(item, where) for item in items or ()),
            tuple((self.taken(key, where), self._at(key, item, where)) for key, item in pairs or ()),
        )

    def _members(self, items: Collection[Any], where: str) -> StateSnapshot:
        return frozenset(self.taken(item, where) for item in sorted(items, key=repr))

    def _pairs(self, items: Mapping[Any, Any], where: str) -> StateSnapshot:
        """In an order of their own, so that it does not matter in which order the keys came."""
        return tuple((self.taken(key, where), self._at(key, items[key], where)) for key in sorted(items, key=repr))

    def _require_no_memory(self, value: Any, where: str) -> None:
        """A function made inside another one keeps that one's variables, which cannot be put back."""
        for cell in getattr(value, "__closure__", None) or ():
            if not isinstance(cell.cell_contents, (type(None), bool, int, str, *_AS_IT_IS)):
                raise CannotSnapshot(f"{where} holds a function that remembers variables of another one")

    def _at(self, key: Any, value: Any, where: str) -> StateSnapshot:
        return self.taken(value, f"{where}[{key!r}]")


class _Putting:
    def __init__(self, known: Mapping[str, Any]) -> None:
        self._known = known
        self._made: dict[int, Any] = {}

    def put(self, snapshot: Any) -> Any:
        match snapshot:
            case _Time(after):
                return EPOCH + after
            case _Known(name):
                return self._known[name]
            case _Again(number):
                if number not in self._made:
                    raise CannotSnapshot("an object of the strategy is an argument of its own making")
                return self._made[number]
            case _Group():
                return self._group(snapshot)
            case _Object():
                return self._object(snapshot)
        return snapshot

    def _group(self, group: _Group) -> Any:
        number, kind, items = group
        if kind in (tuple, frozenset):
            return kind(self.put(item) for item in items)
        made = self._made[number] = kind()  # before what is in it, which may refer to it
        if kind is dict:
            made.update((self.put(key), self.put(value)) for key, value in items)
        else:
            _fill(made.append if kind is list else made.add, map(self.put, items))
        return made

    def _object(self, parts: _Object) -> Any:
        made = self._made[parts.number] = parts.make(*map(self.put, parts.arguments))
        state = self.put(parts.state)
        if state is not None:
            _give_state(made, state)
        if parts.items:
            _fill(made.append, map(self.put, parts.items))
        for key, value in parts.pairs:
            made[self.put(key)] = self.put(value)
        return made


def _give_state(made: Any, state: Any) -> None:
    """As `copy` and `pickle` do."""
    if hasattr(made, "__setstate__"):
        made.__setstate__(state)
        return
    attributes, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    if attributes:
        made.__dict__.update(attributes)
    for name, value in (slots or {}).items():
        object.__setattr__(made, name, value)


def _fill(add: Callable[[Any], None], items: Iterable[Any]) -> None:
    for item in items:
        add(item)


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
