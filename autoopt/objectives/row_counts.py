"""Numbers of rows as an objective meets them where some of its rows are traced: what is asked of them, of all rows.

len(y)                 Count(4096, of all 10_000_000)
0.1 * len(y)           CountedFloat(409.6, of all 1_000_000.0)
len(y) > 100_000       False; of all rows True: noted
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.origin import is_library

_ARITHMETIC = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")
_COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")


class _Counted:
    """A number that goes by that of the rows; `whole` is what it is for all of them."""

    whole: Any
    note: Callable[[], None]

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        function = getattr(ufunc, method)
        own = function(*(plain(one) for one in inputs), **options)
        if not all(map(_is_number, inputs)):
            return own
        return counted(own, function(*(_whole(one) for one in inputs), **options), self.note)

    def __bool__(self) -> bool:
        return bool(_told(self, plain(self) != 0, self.whole != 0))

    __hash__: Any = None


class Count(_Counted, int):
    """A whole one."""

    __hash__ = int.__hash__


class CountedFloat(_Counted, float):
    """One that need not be whole."""

    __hash__ = float.__hash__


def counted(own: Any, whole: Any, note: Callable[[], None]) -> Any:
    """Return a number of the rows that are traced, with what it is for all, where `note` is told of other answers."""
    if not _is_number(own) or type(own) is bool:
        return own
    number = np.asarray(own).item()
    made: Any = Count(number) if isinstance(number, int) else CountedFloat(number)
    made.whole, made.note = np.asarray(whole).item(), note
    return made


def plain(value: Any) -> Any:
    """Return the number of the rows that are traced as Python's own, anything else as it is."""
    if isinstance(value, Count):
        return int.__index__(value)
    return float.__add__(value, 0.0) if isinstance(value, CountedFloat) else value


def _is_number(value: Any) -> bool:
    """Whether a value is a number itself: traced ones say that they are floats."""
    return issubclass(type(value), int | float | np.number)


def _whole(value: Any) -> Any:
    return value.whole if isinstance(value, _Counted) else value


def _told(value: Any, own: Any, whole: Any) -> Any:
    frame = sys._getframe(2)
    is_asked = not is_library(frame.f_code) or frame.f_globals.get("__name__") == _EXTREMES
    if own != whole and is_asked:
        value.note()
    return own


_EXTREMES = "autoopt.tracing.standins.python"
"""Where `min` and `max` of the user's are; what else compares numbers in this library decides nothing for them."""


def _operator(function: Callable, compares: bool, turned: bool) -> Callable:
    def method(self: Any, other: Any) -> Any:
        one, two = (other, self) if turned else (self, other)
        own = function(plain(one), plain(two))
        if not _is_number(other):
            return own
        try:
            whole = function(_whole(one), _whole(two))
        except (ArithmeticError, ValueError):
            whole = np.nan
        return _told(self, own, whole) if compares else counted(own, whole, self.note)

    return method


for _name in _ARITHMETIC:
    for _prefix in ("", "r"):
        setattr(_Counted, f"__{_prefix}{_name}__", _operator(getattr(operator, _name), False, bool(_prefix)))
for _name in _COMPARISONS:
    setattr(_Counted, f"__{_name}__", _operator(getattr(operator, _name), True, False))
