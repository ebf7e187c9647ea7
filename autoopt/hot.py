"""Loops of the printed source that are compiled once they have cost as much time as compiling would.

Whoever calls a loop ten times never waits for a compiler; whoever calls it ten thousand times loses at most as much
again as he has spent. The text stays plain NumPy: numba, imported only here and only then, is given the same function.
"""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

COST = 0.6
"""Seconds that numba takes for a loop over numbers, its import included; over arrays 6 to 26, for little gain."""

_LOOP = re.compile(r"_loop\d*_*$")


class Hot:
    """A loop function that is run by Python at first and by numba later.

    Parameters
    ----------
    function : callable
        Takes and returns floats and float arrays.
    """

    def __init__(self, function: FunctionType) -> None:
        self.function = function
        self.spent = 0.0
        self.compiled: Callable | None = None
        self.refused = False
        self.__name__ = function.__name__

    def __call__(self, *operands: Any) -> Any:
        if self.compiled is not None:
            return self.compiled(*map(_plain, operands))
        if self.refused:
            return self.function(*operands)
        begin = time.perf_counter()
        results = self.function(*operands)
        self.spent += time.perf_counter() - begin
        first = results[0] if type(results) is tuple else results
        if first.ndim > 1 or max(map(np.ndim, operands)) > 1:
            self.refused = True
        elif self.spent > COST:
            self.compile(operands, results)
        return results

    def compile(self, operands: tuple, results: Any) -> None:
        """Have numba compile the function, and keep what it made if it gives the same results."""
        try:
            compiled = self.jitted()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                again = compiled(*map(_plain, operands))
        except Exception:  # numba does not know everything that NumPy does, and says so in many ways
            self.refused = True
            return
        if _agree(results, again):
            self.compiled = compiled
        else:
            self.refused = True

    def jitted(self) -> Callable:
        """Return the function compiled by numba, and with it the loops that it calls."""
        from numba import njit

        known = self.function.__globals__
        inner = {
            name: known[name].jitted() for name in self.function.__code__.co_names if isinstance(known.get(name), Hot)
        }
        copy = FunctionType(self.function.__code__, {**known, **inner}, self.function.__name__)
        return njit(copy, error_model="numpy")


def _plain(operand: Any) -> Any:
    """Return an operand in the one form that the compiled function is made for."""
    return float(operand) if np.ndim(operand) == 0 else np.ascontiguousarray(operand)


def _agree(results: Any, again: Any) -> bool:
    """Whether two runs of one loop agree to rounding, which a long loop may magnify."""
    one, two = (values if type(values) is tuple else (values,) for values in (results, again))
    return all(np.allclose(a, b, rtol=1e-6, atol=1e-9, equal_nan=True) for a, b in zip(one, two, strict=True))


def watch(namespace: dict[str, Any]) -> None:
    """Make every loop function of a module's namespace one that is compiled when that pays."""
    for name, function in list(namespace.items()):
        if _LOOP.search(name) and isinstance(function, FunctionType):
            namespace[name] = Hot(function)
