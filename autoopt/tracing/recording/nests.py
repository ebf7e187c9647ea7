"""Nests of lists, tuples and dictionaries, as arguments are, that may hold traced values of one run."""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType, MethodType
from typing import Any

from autoopt.tape.tape import CONSTANT


class Nests:
    """What is in the nests that one run meets: `array` and `pair` are the classes of its real and complex values."""

    def __init__(self, array: type[Any], pair: type[Any]) -> None:
        self.array = array
        self.pair = pair

    def concrete(self, value: Any) -> Any:
        """Return `value` with every traced array in it replaced by the numbers that it carries."""
        kind = type(value)
        if kind is self.array or kind is self.pair:
            return value.value
        if kind in (tuple, list):
            return kind([self.concrete(part) for part in value])
        if kind is dict:
            return {key: self.concrete(part) for key, part in value.items()}
        if kind is slice:
            return slice(*(self.concrete(part) for part in (value.start, value.stop, value.step)))
        return fitting(value) if kind is int else value

    def holds_traced(self, value: Any) -> bool:
        """Whether a traced array is in `value`, a nest of lists, tuples and dicts."""
        kind = type(value)
        if kind is self.array or kind is self.pair:
            return True
        if kind in (tuple, list):
            return any(self.holds_traced(part) for part in value)
        return kind is dict and any(self.holds_traced(part) for part in value.values())

    def level(self, value: Any) -> int:
        """Return the highest level of the traced arrays in `value`."""
        if type(value) is self.array or type(value) is self.pair:
            return value.level
        if type(value) in (tuple, list):
            return max(map(self.level, value), default=CONSTANT)
        return max(map(self.level, value.values()), default=CONSTANT) if type(value) is dict else CONSTANT


def fitting(number: int) -> int | float:
    """Return a whole number that no integer of NumPy holds as a float: an array of it would be one of objects."""
    return number if -(2**63) <= number < 2**64 else float(number)


def holds_functions(value: Any) -> bool:
    """Whether a function of the user's is among the arguments: source cannot name it."""
    if isinstance(value, tuple | list):
        return any(map(holds_functions, value))
    if isinstance(value, dict):
        return any(map(holds_functions, value.values()))
    return isinstance(value, FunctionType | MethodType)


def flattened(value: Any) -> Iterator[Any]:
    """Return the innermost elements of a nest of lists and tuples, in order."""
    if type(value) in (list, tuple):
        for part in value:
            yield from flattened(part)
    else:
        yield value
