"""Why an operation on finite numbers gives NaN or inf, or has no slope, in words with the numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autoopt.tape.names import qualified

_LOGS = ("log", "log2", "log10")
_OVERFLOWING = ("exp", "exp2", "expm1", "sinh", "cosh", "square", "power", "multiply", "add", "subtract", "float_power")
_FACTORIALS = ("gamma", "factorial")
_IN_ONE = ("arccos", "arcsin", "arctanh")
_SIGNS = {"true_divide": "/", "divide": "/", "multiply": "*", "add": "+", "subtract": "-", "power": "**"}


def why(operation: Any, given: Sequence[float], value: float) -> tuple[str, str]:
    """Return what is wrong with the numbers that go into an operation, and what to do, empty if nothing is known."""
    name = getattr(operation, "__name__", "")
    called = qualified(operation) if callable(operation) else str(operation)
    for names, words in _WORDS:
        if (name in names or not names) and (said := words(called, name, list(given), value)):
            return said
    shown = ", ".join(f"{number:.6g}" for number in given[:3])
    return f"{called} of {shown} is {value}", ""


def _log(called: str, name: str, given: list[float], value: float) -> tuple[str, str] | None:
    if given[0] == 0:
        return f"{called} of 0 is -inf", "keep its argument above 0: add a small number to it, or bound the parameters"
    return f"{called} of {given[0]:.6g}, which is negative, is nan", "keep its argument above 0, by bounds or by np.exp"


def _log1p(called: str, name: str, given: list[float], value: float) -> tuple[str, str] | None:
    return f"{called} of {given[0]:.6g}, which is not above -1, is {value}", "keep its argument above -1"


def _root(called: str, name: str, given: list[float], value: float) -> tuple[str, str] | None:
    remedy = "keep its argument at 0 or above, by bounds or by writing it as a square or np.exp"
    return f"{called} of {given[0]:.6g}, which is negative, is nan", remedy


def _in_one(called: str, name: str, given: list[float], value: float) -> tuple[str, str] | None:
    said = f"{called} of {given[0]:.6g}, which is not between -1 and 1, is {value}"
    return said, "keep its argument between -1 and 1"


def _arccosh(called: str, name: str, given: list[float], value: float) -> tuple[str, str] | None:
    return f"{called} of {given[0]:.6g}, which is below 1, is nan", "keep its argument at 1 or above"


def _factorial(called: str, name: str, given: list[float], value: float) -> tuple[str, str] | None:
    if given[0] < 100:
        return f"{called} of {given[0]:.6g} is {value}", "keep its argument above 0"
    return f"{called} of {given[0]:.6g} overflows", "use scipy.special.gammaln, its logarithm, and add logarithms"


def _division(called: str, name: str, given: list[float], value: float) -> tuple[str, str] | None:
    over, under = given[:2]
    if under == 0:
        return f"{over:.6g} / 0, a division by 0, is {value}", "keep the divisor away from 0, or start elsewhere"
    return f"{over:.6g} / {under:.6g} overflows", "keep the divisor away from 0"


def _power(called: str, name: str, given: list[float], value: float) -> tuple[str, str] | None:
    base, exponent = given[:2]
    shown = f"{base:.6g} ** {exponent:.6g}"
    if base < 0 and exponent != np.round(exponent):
        return f"{shown}, a power of a negative number that is not whole, is nan", "keep the base at 0 or above"
    if base == 0 and exponent < 0:
        return f"{shown}, a division by 0, is {value}", "keep the base away from 0"
    return None


def _overflow(called: str, name: str, given: list[float], value: float) -> tuple[str, str] | None:
    shown = f" {_SIGNS[name]} ".join(f"{number:.6g}" for number in given[:2]) if name in _SIGNS else ""
    shown = shown or f"{called} of {given[0]:.6g}"
    bound = " (it does above 709.78)" if name == "exp" else ""
    remedy = "start nearer, bound the parameters, or rescale what goes in"
    if name in ("exp", "exp2", "expm1", "sinh", "cosh"):
        remedy += "; for the logarithm of a sum of np.exp take scipy.special.logsumexp or np.logaddexp"
    return f"{shown} overflows{bound}", remedy


_WORDS: tuple[tuple[tuple[str, ...], Callable], ...] = (
    (_LOGS, _log),
    (("log1p",), _log1p),
    (("sqrt",), _root),
    (_IN_ONE, _in_one),
    (("arccosh",), _arccosh),
    (_FACTORIALS, _factorial),
    (("true_divide", "divide"), _division),
    (("power", "float_power"), _power),
    (_OVERFLOWING, _overflow),
)


def is_steep(operation: Any, given: Sequence[np.ndarray]) -> np.ndarray | None:
    """Return the entries at which an operation has an infinite slope although its value is finite; None if nowhere."""
    name, first = getattr(operation, "__name__", ""), np.asarray(given[0]) if given else np.zeros(0)
    if name in ("sqrt", "cbrt"):
        return first == 0
    if name in ("arccos", "arcsin"):
        return np.abs(first) == 1
    if name in ("power", "float_power") and len(given) > 1:
        exponent = np.asarray(given[1])
        return (first == 0) & (exponent > 0) & (exponent < 1)
    return np.atleast_1d(not first.any()) if name == "norm" and first.size else None
