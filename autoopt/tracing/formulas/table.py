"""The table of formulas: for each function of NumPy or SciPy that has no rule, how NumPy's other functions do it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from autoopt.errors import UnsupportedFunctionError
from autoopt.signatures import Unsupported, strict
from autoopt.tape.tape import PARAMETER
from autoopt.tracing import functions
from autoopt.tracing.kinds import real


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

    def follow(self, tracer: Any, *args: Any, **kwargs: Any) -> Any:
        """Return what the function returns for traced arguments.

        Raises
        ------
        UnsupportedFunctionError
            If the formula does not cover these arguments.
        """
        args = tuple(_operand(tracer, part) for part in args)
        kwargs = {key: _operand(tracer, part) for key, part in kwargs.items()}
        if not self.always and tracer.level((args, kwargs)) < PARAMETER:
            call = tracer.call if tracer.holds_traced((args, kwargs)) else _plainly
            return call(self.function, real(args), real(kwargs))
        try:
            return self.build(*real(args), **real(kwargs))
        except Unsupported as problem:
            raise UnsupportedFunctionError(
                f"The objective calls {problem.what}, which autoopt cannot differentiate.",
                tracer.location(),
                problem.remedy + ".",
            ) from None


FORMULAS: dict[Callable, Formula] = {}


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


def _handle(found: Formula, tracer: Any, *args: Any, **kwargs: Any) -> Any:
    """Do a function that NumPy hands to traced arrays; `out=` is written afterwards."""
    args, target = functions.without_out(found.function, args, kwargs)
    result = found.follow(tracer, *args, **kwargs)
    return result if target is None else functions.store(tracer, target, result)


def _plainly(function: Callable, args: tuple, kwargs: dict) -> Any:
    return function(*args, **kwargs)


def _operand(tracer: Any, value: Any) -> Any:
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
