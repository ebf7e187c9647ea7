"""Stand-ins for functions that are called as they are: by numbers alone, as one step, or as NumPy dispatches them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from autoopt.errors import TracingError, UnsupportedFunctionError
from autoopt.origin import is_library
from autoopt.tape.tape import DATA, PARAMETER
from autoopt.tracing.arrays import functions
from autoopt.tracing.complex import fourier
from autoopt.tracing.recording.recorder import Recorder
from autoopt.tracing.standins.constructors import as_array
from autoopt.tracing.standins.types import real

DISPATCHED = type(np.sum)
"""The type of NumPy's functions that look for `__array_function__` among their arguments."""

_OF_SEQUENCES = frozenset(
    (np.concatenate, np.stack, np.vstack, np.hstack, np.dstack, np.column_stack, np.block, np.broadcast_arrays,
     np.meshgrid, np.einsum, np.linalg.multi_dot, np.select, np.choose, np.lexsort, np.ix_)
)  # fmt: skip


class Dispatched:
    """Stands in for a NumPy function: lists of traced numbers become arrays, and so does what it makes of numbers."""

    __slots__ = ("original", "tracer")

    def __init__(self, tracer: Recorder, original: Callable) -> None:
        self.tracer, self.original = tracer, original

    def __call__(self, *args, **kwargs):
        tracer, original = self.tracer, self.original
        lists = False
        for part in args:
            if type(part) is tracer.array:
                break
            lists = lists or type(part) in (list, tuple)
        else:
            if not lists and not kwargs and isinstance(original, np.ufunc):
                return original(*args)
            return self._of_plain(args, kwargs)
        if lists or kwargs or len(args) > 1:
            args = self._arrays(args)
        return original(*args, **kwargs)

    def _arrays(self, args: tuple) -> tuple:
        if self.original in functions.OF_ARRAYS:
            return functions.with_lists(self.tracer, functions.OF_ARRAYS[self.original], args)
        if self.original in _OF_SEQUENCES:
            return args
        return tuple(self.tracer.whole(part) for part in args)

    def _of_plain(self, args: tuple, kwargs: dict) -> Any:
        """Call with lists and numbers; an array of numbers becomes one that traced values can be written into."""
        tracer = self.tracer
        if tracer.holds_traced((args, kwargs)):
            return self.original(*self._arrays(args), **kwargs)
        found = self.original(*real(args), **real(kwargs))
        if type(found) is not np.ndarray or found.base is not None or found.dtype.kind not in "fiub":
            return found
        return tracer.call(self.original, real(args), real(kwargs), compute=lambda *args, **kwargs: found)

    def __getattr__(self, name):
        found = getattr(self.original, name)
        if name not in ("reduce", "accumulate", "reduceat", "outer"):
            return found
        return lambda *args, **kwargs: found(*map(self.tracer.whole, args), **kwargs)

    def __repr__(self):
        return repr(self.original)


def constant_call(tracer: Recorder, function: Callable) -> Callable:
    """Return a stand-in for a function that the user has marked as constant."""

    def call(*args, **kwargs):
        if max(tracer.level(args), tracer.level(kwargs)) == PARAMETER:
            raise TracingError(
                f"{function.__name__} is marked as constant, but called with a value that depends on the parameters.",
                tracer.location(),
                "call it with data only, or give its formula with @autoopt.formula.",
            )
        tracer.tape.data_decided = tracer.tape.data_decided or tracer.holds_traced((args, kwargs))
        return function(*tracer.concrete(real(args)), **tracer.concrete(real(kwargs)))

    return call


def library(tracer: Recorder, original: Callable, copied: Callable, *args: Any, **kwargs: Any) -> Any:
    """Evaluate a function of SciPy that is Python code: followed, unless the user calls it with nothing but data."""
    given = tuple(args), dict(kwargs)
    if is_library(sys._getframe(1).f_code) or not _is_data(tracer, given):
        return copied(*args, **kwargs)
    args, kwargs = (real(tracer.concrete(part)) for part in given)
    tracer.tape.data_decided = tracer.tape.data_decided or tracer.level(given) == DATA
    found = _written_nowhere(tracer, original, args, kwargs)
    return as_array(tracer, found) if type(found) is np.ndarray and found.dtype.kind in "fiub" else found


def _is_data(tracer: Recorder, value: Any) -> bool:
    """Whether `value` consists of numbers, names and arrays that do not depend on the parameters."""
    if isinstance(value, tuple | list):
        return all(_is_data(tracer, part) for part in value)
    if type(value) is dict:
        return all(_is_data(tracer, part) for part in value.values())
    if type(value) in (tracer.array, tracer.pair):
        return value.level != PARAMETER
    return isinstance(value, _PLAIN)


_PLAIN = (int, float, complex, str, type(None), np.ndarray, np.generic, np.dtype, type)


def compiled(tracer: Recorder, original: Callable, *args: Any, **kwargs: Any) -> Any:
    """Evaluate a compiled function of a library on what its arguments carry; it must not write into them."""
    level = tracer.level((args, kwargs))
    if level == PARAMETER:
        return original(*args, **kwargs)  # which asks for the array and is refused
    tracer.tape.data_decided = tracer.tape.data_decided or level == DATA
    return _written_nowhere(tracer, original, real(tracer.concrete(args)), real(tracer.concrete(kwargs)))


def _written_nowhere(tracer: Recorder, original: Callable, args: tuple, kwargs: dict) -> Any:
    """Return `original(*args, **kwargs)`, having seen that none of the arrays has changed by it."""
    given = [part for part in (*args, *kwargs.values()) if isinstance(part, np.ndarray)]
    before = [part.copy() for part in given]
    found = original(*args, **kwargs)
    for part, old in zip(given, before, strict=True):
        if not np.array_equal(part, old, equal_nan=part.dtype.kind in "fc"):
            raise UnsupportedFunctionError(
                f"The objective calls {original.__name__}, which writes into its argument; this is not followed.",
                tracer.location(),
                "use what it returns, or pass jac='finite-difference'.",
            )
    return found


_HOLDS: dict[str, Callable] = {
    "assert_allclose": lambda a, b, rtol=1e-7, atol=0.0, **_: abs(a - b) <= atol + rtol * abs(b),
    "assert_almost_equal": lambda a, b, decimal=7, *_, **__: abs(a - b) < 1.5 * 10.0**-decimal,
    "assert_array_almost_equal": lambda a, b, decimal=6, *_, **__: abs(a - b) < 1.5 * 10.0**-decimal,
    "assert_array_less": lambda a, b, **_: a < b,
    "assert_array_equal": lambda a, b, **_: a == b,
    "assert_equal": lambda a, b, **_: a == b,
}
"""What the assertions of np.testing ask of two arrays."""


def assertion(tracer: Recorder, original: Callable) -> Callable:
    """Return a stand-in for a function of np.testing: that it passes is a branch that was taken."""

    def check(actual, desired, *args, **kwargs):
        try:
            original(*tracer.concrete((actual, desired, *args)), **tracer.concrete(kwargs))
        except AssertionError:
            tracer.tape.caught = tracer.tape.caught or tracer.level((actual, desired)) == PARAMETER
            raise
        if tracer.holds_traced((actual, desired)):
            holds = _HOLDS[original.__name__](*(as_array(tracer, part) for part in (actual, desired)), *args, **kwargs)
            if tracer.holds_traced(holds):
                bool(functions.call_function(tracer, np.all, (holds,), {}))

    return check if original.__name__ in _HOLDS else original


def opaque(tracer: Recorder, original: Callable) -> Callable:
    """Return a stand-in for a SciPy function in Python: one step if a traced array is among its arguments."""

    def recorded(*args, **kwargs):
        if original.__module__.startswith("scipy.fft") and tracer.level((args, kwargs)) == PARAMETER:
            return fourier.of_scipy(tracer, original, *args, **kwargs)
        if tracer.holds_traced((args, kwargs)):
            return tracer.call(original, real(args), real(kwargs), compute=computed)
        return original(*args, **kwargs)

    computed = partial(_undrawn, original) if original.__module__ == "scipy.linalg._matfuncs" else None
    return recorded


def _undrawn(function: Callable, *args: Any, **kwargs: Any) -> Any:
    """Evaluate a function of a matrix and put NumPy's generator back: it only starts an estimate of a norm."""
    state = np.random.get_state()  # noqa: NPY002
    try:
        return function(*args, **kwargs)
    finally:
        np.random.set_state(state)  # noqa: NPY002
