"""The table of formulas: for each function of NumPy or SciPy that has no rule, how NumPy's other functions do it."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterator, ValuesView
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from autoopt.errors import UnsupportedFunctionError
from autoopt.tape.names import qualified
from autoopt.tape.signatures import Unsupported, strict
from autoopt.tape.tape import PARAMETER
from autoopt.tracing.arrays import functions
from autoopt.tracing.recording.recorder import Recorder
from autoopt.tracing.standins.types import real


@dataclass(frozen=True)
class Formula:
    """One function and its formula, of the same arguments.

    Attributes
    ----------
    always : bool
        Whether the formula is used whatever the arguments are; if not, what depends on data alone is left to the
        function itself.
    note : str
        What the formula does not cover, for the table of supported functions.
    """

    function: Callable
    build: Callable
    always: bool = False
    note: str = ""

    def follow(self, tracer: Recorder, *args: Any, **kwargs: Any) -> Any:
        """Return what the function returns for traced arguments.

        Raises
        ------
        UnsupportedFunctionError
            If the formula does not cover these arguments.
        """
        args, kwargs = _listed(args), {key: _listed(part) for key, part in kwargs.items()}
        given = args, kwargs
        args = tuple(_operand(tracer, part) for part in args)
        kwargs = {key: _operand(tracer, part) for key, part in kwargs.items()}
        traced, printed = tracer.holds_traced((args, kwargs)), _is_printed(self.function)
        if not traced and not printed:
            return self.function(*real(given[0]), **real(given[1]))  # of lists, which are no arrays there
        if not self.always and printed and tracer.level((args, kwargs)) < PARAMETER:
            call = tracer.call if traced else _plainly
            return call(self.function, real(args), real(kwargs))
        try:
            made = self.build(*real(args), **real(kwargs))
            if not self._agrees(tracer, given, made):
                raise Unsupported(f"{qualified(self.function)} in a way that the releases of its library differ in")
            return made
        except (ArithmeticError, ValueError):  # the installed function would raise one, and the objective may go on
            tracer.tape.caught = True
            raise
        except Unsupported as problem:
            raise UnsupportedFunctionError(
                f"The objective calls {problem.what}, which autoopt cannot differentiate.",
                tracer.location(),
                problem.remedy + ".",
            ) from None

    def _agrees(self, tracer: Recorder, given: tuple[tuple, dict], made: Any) -> bool:
        """Whether the installed function has the formula's value, asked once a run for arguments of one kind."""
        args, kwargs = tracer.concrete((real(given[0]), real(given[1])))
        several = isinstance(made, tuple | list)
        results = tracer.concrete(list(made) if several else [made])
        kind = self.function, _outline((args, kwargs))
        if kind in tracer.met or not _is_plain((args, kwargs)) or not _is_plain(results):
            return True
        tracer.met.add(kind)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = self.function(*deepcopy(args), **deepcopy(kwargs))
        known = list(found) if isinstance(found, tuple | list) and several else [found]
        noise = 1e-9 * max(map(_size, _arrays((args, kwargs))), default=0.0)
        return len(known) == len(results) and all(_close(*pair, noise) for pair in zip(results, known, strict=True))


FORMULAS: dict[Callable, Formula] = {}


def _is_printed(function: Callable) -> bool:
    """Whether source can name a function: it is of NumPy or SciPy."""
    return str(getattr(function, "__module__", None) or "numpy").startswith(("numpy", "scipy"))


def _outline(value: Any) -> Any:
    """Return what arguments have in common whose numbers differ: shapes, and options such as an axis."""
    if isinstance(value, tuple | list):
        return tuple(map(_outline, value))
    if isinstance(value, dict):
        return tuple((key, _outline(part)) for key, part in value.items())
    return getattr(value, "shape", None) or (value if isinstance(value, str | int) else type(value))


def _is_plain(value: Any) -> bool:
    """Whether `value` consists of arrays, numbers and names: no functions and no objects."""
    if type(value) in (tuple, list):
        return all(map(_is_plain, value))
    if type(value) is dict:
        return all(map(_is_plain, value.values()))
    return value is None or isinstance(value, np.ndarray | np.generic | bool | int | float | complex | str)


def _arrays(value: Any) -> Iterator[np.ndarray]:
    """Yield the arrays of numbers among arguments."""
    if isinstance(value, tuple | list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _arrays(part)
    elif np.asarray(value).dtype.kind in "fiubc":
        yield np.asarray(value)


def _size(numbers: np.ndarray) -> float:
    return float(np.max(np.abs(numbers), initial=0, where=np.isfinite(numbers)))


def _close(one: Any, other: Any, noise: float) -> bool:
    """Whether two results are the same array but for rounding, that of what they were computed from included."""
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape or other.dtype.kind not in "fiubc":
        return one.shape == other.shape
    return np.allclose(one, other, rtol=1e-6, atol=1e-6 * _size(other) + noise, equal_nan=True)


def formula(*originals: Callable, always: bool = False, note: str = "") -> Callable[[Callable], Callable]:
    """Return a decorator that enters its function in FORMULAS as the formula of `originals`.

    What the formula lacks among the original's options must be left at its default by the user.
    """

    def enter(build: Callable) -> Callable:
        for original in originals:
            found = FORMULAS[original] = Formula(original, strict(original, build), always, note)
            if isinstance(original, DISPATCHED):
                functions.HANDLERS[original] = partial(_handle, found)
        return build

    return enter


DISPATCHED = type(np.sum)


def _handle(found: Formula, tracer: Recorder, *args: Any, **kwargs: Any) -> Any:
    """Evaluate a function that NumPy hands to traced arrays; `out=` is written afterwards."""
    args, target = functions.without_out(found.function, args, kwargs)
    result = found.follow(tracer, *args, **kwargs)
    return result if target is None else functions.store(tracer, target, result)


def _plainly(function: Callable, args: tuple, kwargs: dict) -> Any:
    return function(*args, **kwargs)


def _listed(value: Any) -> Any:
    """Return what is gone through but once, and what a dictionary holds, as lists; of arguments, each."""
    if type(value) is tuple:
        return tuple(map(_listed, value))
    return list(value) if isinstance(value, Iterator | ValuesView | deque) else value


def _operand(tracer: Recorder, value: Any) -> Any:
    """Return an argument as the formula takes it: tables of pandas and lists of numbers as arrays."""
    if hasattr(type(value), "as_traced"):
        return value.as_traced()
    if type(value) in (list, tuple) and tracer.holds_traced(value):
        try:
            return tracer.nested(value)
        except ValueError:  # parts of different lengths
            return value
    if type(value) is list and value and isinstance(value[0], float | int | list | np.number | np.ndarray):
        return np.asarray(value)
    return value


def array(value: Any) -> Any:
    """Return a number as an array, a traced or plain array as it is."""
    return value if hasattr(value, "dtype") else np.asarray(value)
