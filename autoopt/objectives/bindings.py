"""Which data are bound to an objective, and whether those of the next call are the same.

Arrays and floats that are arguments, or in dictionaries and tuples of them, are inputs of the code: others of the same
shapes take their place at once. Numbers and texts in lists are part of the code, and are compared one by one with a
list of our own. Everything else must be the same object; the trace of the objective watches what is in it.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from autoopt.objectives.objective import Objective
from autoopt.parameters import Structure, _Leaf
from autoopt.tracing.outside.watching import equals, is_unique

_SIMPLE = frozenset((int, float, bool, str, bytes, complex, type(None)))


class Binding:
    """An objective, and the data that were bound to it last.

    Attributes
    ----------
    key : tuple
        Equal for data that can be bound in each other's place.
    names : tuple of str
        The keywords that they were passed by.
    """

    def __init__(self, key: Any, names: tuple[str, ...], objective: Objective) -> None:
        self.key, self.names, self.objective = key, names, objective
        self._take(objective.args)
        root = objective.structure.root
        self._shape = root.shape if isinstance(root, _Leaf) else None

    def has(self, data: tuple) -> bool:
        """Whether these data are bound; arrays that are the same objects may have been written into since."""
        if len(data) != len(self._data):
            return False
        for value, own in zip(data, self._data, strict=True):
            if value is not own and not (_is_same_long if id(own) in self._long else _is_same)(value, own):
                return False
        return True

    def bind(self, data: tuple) -> bool:
        """Bind other data; False if the objective may run differently with them."""
        own = private(data)
        if not self.objective.rebind(own):
            return False
        self._take(own)
        return True

    def _take(self, own: tuple) -> None:
        self._data = own
        self._long = {id(part) for part in own if type(part) is list and len(part) > 8 and all(map(is_unique, part))}

    def flat(self, x: Any) -> np.ndarray | None:
        """Return the flat vector of a value of the objective's structure, None if it is none, or not finite."""
        if type(x) is np.ndarray and x.dtype == np.float64 and x.shape == self._shape:
            flat = x.reshape(-1)
        elif Structure.of(x) == self.objective.structure:
            return self.objective.structure.flatten(x)
        else:
            return None
        return flat if math.isfinite(flat.dot(flat)) else None


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


def _is_same(value: Any, own: Any) -> bool:
    """Whether data are those that were bound, of which `own` is the private copy."""
    if value is own:
        return True
    kind = type(value)
    if kind is not type(own):
        return False
    if kind is list:
        return _is_same_list(value, own)
    if kind is tuple:
        return len(value) == len(own) and all(map(_is_same, value, own))
    if kind is dict:
        return list(value) == list(own) and all(map(_is_same, value.values(), own.values()))
    if kind in _SIMPLE or isinstance(value, np.generic):
        return bool(value == own) and (bool(value) or repr(value) == repr(own))
    return False


def _is_same_long(value: Any, own: list) -> bool:
    return type(value) is list and equals(value, own)


def _is_same_list(value: list, own: list) -> bool:
    if len(value) != len(own):
        return False
    if not any(map(operator.is_not, value, own)):
        return True
    return all(map(_is_same, value, own))
