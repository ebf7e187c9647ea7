"""What objectives and their data have in common that one record serves: their form, without what is in them.

    def fit(data, power):
        return autoopt.minimize(lambda p: loss(p, data) + power, x0)      # another lambda at each call of `fit`

    form of the lambda      its code and globals; what its outer variables hold: an array of this shape, a number, the
                            very function `loss`
    its contents            the array and the number themselves

Functions that are made anew by each call of the one around them have one form; so have data of the same shapes. What
has no form by itself, such as an object or a list, stands for itself. A record is used for what is of its form only
if all that it read besides still is as it was, which is for `retained.py` to say.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from types import CellType, FunctionType, MethodType
from typing import Any

import numpy as np

from autoopt.origin import DATA_LIBRARIES
from autoopt.tracing.outside.watching import contents

_SIMPLE = frozenset((int, bool, str, bytes, complex, type(None)))


class Formless(Exception):
    """Something whose form cannot be told: a value of a run that is being recorded, a table."""


@dataclass
class Form:
    """The form of a function and of the data that it is called with.

    Attributes
    ----------
    functions : list of function
        The function itself, and those that its outer variables hold, which were made with it.
    cells : list of cell
        Their outer variables.
    arrays : dict of int to (int, ndarray)
        By identity, the arrays that are in these and among the data, with their number.
    numbers : list of (cell, float)
        The floats in outer variables.
    held : list
        What stands for itself: as long as it is held, its identity is no other's.
    key : hashable
        Equal for what is of one form.
    """

    functions: list[FunctionType] = field(default_factory=list)
    cells: list[CellType] = field(default_factory=list)
    arrays: dict[int, tuple[int, np.ndarray]] = field(default_factory=dict)
    numbers: list[tuple[CellType, float]] = field(default_factory=list)
    held: list[Any] = field(default_factory=list)
    key: Hashable = None

    @classmethod
    def of(cls, function: Any, args: tuple) -> Form:
        """Return the form of a function with its data.

        Raises
        ------
        Formless
            If that cannot be told.
        """
        form = cls()
        whole = form._function(function) if _is_plain(function) else form._value(function)
        form.key = whole, form._data(args)
        return form

    def _function(self, function: FunctionType) -> Hashable:
        if any(function is known for known in self.functions):
            return "function", next(k for k, known in enumerate(self.functions) if known is function)
        self.functions.append(function)
        code, names = self._itself(function.__code__), self._itself(function.__globals__)
        defaults = tuple(map(self._value, function.__defaults__ or ()))
        return code, names, defaults, tuple(map(self._cell, function.__closure__ or ()))

    def _cell(self, cell: CellType) -> Hashable:
        for k, known in enumerate(self.cells):
            if known is cell:
                return "cell", k
        self.cells.append(cell)
        value = contents(cell)
        if _is_plain(value):
            return self._function(value)
        if isinstance(value, float):
            self.numbers.append((cell, value))
            return "number", type(value).__name__
        return self._array(value) if is_input(value) else self._value(value)

    def _data(self, value: Any) -> Hashable:
        """Return the form of data arguments; arrays and floats, also in dictionaries and tuples, are inputs."""
        kind = type(value)
        if kind is tuple:
            return tuple, tuple(map(self._data, value))
        if kind is dict:
            return dict, tuple((self._value(key), self._data(part)) for key, part in value.items())
        if is_input(value):
            return self._array(value)
        return "number" if isinstance(value, float | np.floating) else self._value(value)

    def _array(self, value: np.ndarray) -> Hashable:
        """Return the form of an array; which of them are one and the same is part of it."""
        first = self.arrays.setdefault(id(value), (len(self.arrays), value))[0]
        return value.shape, value.dtype.str, first

    def _value(self, value: Any) -> Hashable:
        """Return the form of what is part of the code: a simple value is what it equals, all else is itself.

        A method is made anew each time that it is asked for.
        """
        kind = type(value)
        if kind in _SIMPLE or isinstance(value, float):
            return kind, value if value else repr(value)
        if kind is MethodType:
            return self._itself(value.__self__), self._itself(value.__func__)
        if isinstance(value, np.generic) and value.dtype.kind in "biufc":
            return kind, repr(value)
        return self._itself(value)

    def _itself(self, value: Any) -> Hashable:
        kind = type(value)
        is_recorded = kind is FunctionType and type(value.__globals__) is not dict  # it is a copy for a run
        if is_recorded or kind.__module__.startswith(("autoopt.", *DATA_LIBRARIES)):
            raise Formless
        self.held.append(value)
        return kind, id(value)


def is_input(value: Any) -> bool:
    """Whether an array is an input of a tape, so that others of its shape and type can take its place."""
    return type(value) is np.ndarray and value.dtype.kind in "fiub"


def _is_plain(value: Any) -> bool:
    """Whether a value is a function by which another one made from the same text can be told."""
    return (
        type(value) is FunctionType and type(value.__globals__) is dict and not (value.__dict__ or value.__kwdefaults__)
    )
