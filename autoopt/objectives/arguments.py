"""The data that an objective is called with: what others must have in common with them, and whether they are the same.

Arrays and floats that are arguments, or in dictionaries and tuples of them, are inputs of the code: others of the same
shapes take their place at once. Numbers and texts in lists are part of the code, and are compared one by one with a
list of our own. Everything else must be the same object; the trace of the objective watches what is in it.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from autoopt.tracing.outside.watching import Watch, equals

_SIMPLE = frozenset((int, float, bool, str, bytes, complex, type(None)))


def private(data: Any) -> Any:
    """Return data with containers of our own for dictionaries, tuples and lists: the user may change theirs."""
    kind = type(data)
    if kind is dict:
        return {key: private(part) for key, part in data.items()}
    if kind is tuple or kind is list:
        return kind(map(private, data))
    return data


def shape(value: Any, is_input: bool = True) -> Any:
    """Return what must be equal for other data to be bound to the same code.

    `is_input` is False for what is in lists, where arrays and numbers are no inputs of the code.
    """
    kind = type(value)
    if kind is dict:
        return dict, tuple((key, shape(part, is_input)) for key, part in value.items())
    if kind is tuple:
        return tuple, tuple(shape(part, is_input) for part in value)
    if kind is list:
        return list, tuple(shape(part, False) for part in value)
    if is_input and kind is np.ndarray and value.dtype.kind in "fiub":
        return value.shape, value.dtype.str
    if is_input and isinstance(value, float | np.floating):
        return float
    if kind in _SIMPLE or isinstance(value, np.generic):
        return kind, value if value else repr(value)
    return kind, id(value)


def is_same(value: Any, own: Any) -> bool:
    """Whether data are those that were bound, of which `own` is the private copy."""
    if value is own:
        return True
    kind = type(value)
    if kind is not type(own):
        return False
    if kind is list:
        return _is_same_list(value, own)
    if kind is tuple:
        return len(value) == len(own) and all(map(is_same, value, own))
    if kind is dict:
        return list(value) == list(own) and all(map(is_same, value.values(), own.values()))
    if kind in _SIMPLE or isinstance(value, np.generic):
        return bool(value == own) and (bool(value) or repr(value) == repr(own))
    return False


def is_same_long(value: Any, own: list) -> bool:
    """Whether data are the long list that was bound, all of whose parts can be told apart by NumPy's comparison."""
    return type(value) is list and equals(value, own)


def _is_same_list(value: list, own: list) -> bool:
    if len(value) != len(own):
        return False
    if not any(map(operator.is_not, value, own)):
        return True
    return all(map(is_same, value, own))


def tables(args: tuple) -> Watch | None:
    """Return what tells whether the dictionaries among the data hold what they held; None if there are none."""
    found = tuple(_dictionaries(args))
    return Watch(tables=found) if found else None


def _dictionaries(data: Any) -> Iterator[tuple[dict, list, list]]:
    """Yield the dictionaries among data arguments, also in one another and in tuples, with their keys and values."""
    if type(data) is dict:
        yield data, list(data), list(data.values())
    if type(data) in (dict, tuple):
        for part in data.values() if type(data) is dict else data:
            yield from _dictionaries(part)
