"""The table of rules: for each NumPy or SciPy function, how to write it in PyTensor.

A rule is added with `@rule(np.function)` over a function that has the NumPy parameters it understands, under NumPy's
names. The user must leave those it lacks at NumPy's defaults; otherwise the call is refused here, never half obeyed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any

import numpy as np

from autoopt.ops.operands import converted, discrete, tensor
from autoopt.tape.names import qualified as name
from autoopt.tape.signatures import Unsupported, strict


@dataclass(frozen=True)
class Rule:
    """One function and its PyTensor expression.

    `order` is the number of derivatives that are exact: 2, or 1, or 0 for a piecewise constant function (slope 0), or
    -1 for a function that is refused.
    """

    function: Callable
    build: Callable
    order: int = 2
    note: str = ""

    @property
    def name(self) -> str:
        """The function as a user writes it, such as np.sum."""
        return name(self.function)


RULES: dict[Callable, Rule] = {}


def rule(*functions: Callable, order: int = 2, note: str = "") -> Callable[[Callable], Callable]:
    """Return a decorator that enters its function in RULES as the rule of `functions`."""

    def enter(build: Callable) -> Callable:
        for function in functions:
            made = _strict_ufunc(function, build) if isinstance(function, np.ufunc) else strict(function, build)
            RULES[function] = Rule(function, made, order, note)
            if isinstance(function, np.ufunc) and function.nin == 2 and function.nout == 1 and not function.signature:
                RULES[function.outer] = Rule(function.outer, partial(_outer, made), order, note)
        return build

    return enter


def refuse(*functions: Callable, remedy: str) -> None:
    """Enter `functions` in RULES as refused in every use."""

    def enter(function: Callable) -> None:
        def build(*args: Any, **kwargs: Any) -> None:
            raise Unsupported(name(function), remedy)

        RULES[function] = Rule(function, build, -1, remedy)

    for function in functions:
        enter(function)


def find(function: Any) -> Rule | None:
    """Return the rule of `function`, or None if there is none."""
    try:
        return RULES.get(function)
    except TypeError:
        return None


# What a ufunc takes besides its operands, with the values that change nothing.
NEUTRAL: dict[str, tuple] = {
    "out": (None, (None,), (None, None)),
    "where": (True,),
    "casting": ("same_kind", "safe"),
    "order": ("K", "C"),
    "subok": (True,),
    "dtype": (None,),
    "signature": (None,),
}


def _strict_ufunc(function: np.ufunc, build: Callable) -> Callable:
    """Return `build` taking operands cast as NumPy casts them, and no option that would change the result."""

    @wraps(build)
    def call(*operands: Any, **options: Any) -> Any:
        for option, value in options.items():
            if option == "dtype" and value is not None and np.dtype(value) == np.float64:
                continue
            if not any(value is neutral or value == neutral for neutral in NEUTRAL.get(option, ())):
                raise Unsupported(f"{name(function)} with {option}=", f"leave out {option}=")
        if len(operands) != function.nin:
            raise Unsupported(f"{name(function)} with {len(operands)} operands", "assign the result")
        if function.signature:
            return build(*map(tensor, operands))
        return build(*_cast(function, [tensor(operand) for operand in operands], options.get("dtype")))

    return call


def _cast(function: np.ufunc, operands: list, dtype: Any) -> list:
    """Return `operands` in the types of the loop that NumPy picks for them."""
    known = [np.dtype(operand.dtype) for operand in operands]
    if dtype is not None:
        known = [np.dtype(float) if discrete(operand) else kind for operand, kind in zip(operands, known, strict=True)]
    loop = function.resolve_dtypes((*known, *[None] * function.nout))
    if np.dtype(np.float16) in loop or np.dtype(np.float32) in loop:
        raise Unsupported(f"{name(function)} of booleans, which NumPy computes in low precision", "use .astype(float)")
    if function in EXACT and not all(map(discrete, operands)):
        return operands
    return [converted(operand, str(kind)) for operand, kind in zip(operands, loop[: function.nin], strict=True)]


# Where PyTensor's own promotion of an integer beside a float gives NumPy's result, the code is plainer without a cast.
EXACT = {np.add, np.subtract, np.multiply, np.true_divide, np.equal, np.not_equal, np.less, np.less_equal}
EXACT |= {np.greater, np.greater_equal, np.maximum, np.minimum, np.logical_and, np.logical_or, np.logical_xor}


def _outer(build: Callable, x: Any, y: Any) -> Any:
    """Return the rule of a binary ufunc applied to all pairs."""
    x, y = tensor(x), tensor(y)
    return build(x.reshape((*x.type.shape, *[1] * y.ndim)) if y.ndim else x, y)
