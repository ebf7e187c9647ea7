"""Rules of functions that are applied entry by entry: whether they are straight in an operand, or curved."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.tape import operations
from autoopt.tape.sparsity.rules import KINDS, RULES, Given, Operand, Unknown, follows

_STRAIGHT = (
    *(np.negative, np.positive, np.absolute, np.fabs, np.conjugate, np.add, np.subtract),
    *(np.maximum, np.minimum, np.fmax, np.fmin, np.copysign, np.mod, np.fmod),
    *(np.deg2rad, np.rad2deg, np.radians, np.degrees),
)
"""Straight lines between their kinks."""

_STEPPED = (np.floor, np.ceil, np.trunc, np.rint, np.sign, np.floor_divide, np.heaviside, np.spacing)
"""Functions to floats whose slope is 0 wherever they have one."""


def operands(walk: Any, given: Given) -> list[np.ndarray]:
    """Return the numbers of the positional arguments, plain ones depending on nothing."""
    return [walk.of(arg.step) if isinstance(arg, Operand) else np.zeros((), dtype=np.int64) for arg in given.args]


def joined(walk: Any, parts: list[np.ndarray]) -> np.ndarray:
    """Return the unions of several arrays' sets, entry by entry."""
    result = parts[0]
    for part in parts[1:]:
        result = walk.pool.union(result, part)
    return result


@follows(*_STRAIGHT, operations.total, operations.greatest, operations.least, np.clip, np.real, np.real_if_close)
def straight(walk: Any, given: Given) -> np.ndarray:
    """A function that is a straight line in all operands, or several: nothing interacts."""
    _only(given, "minus", "a_min", "a_max", "min", "max")
    more = [walk.of(arg.step) for arg in _operands_in(given.options)]
    return joined(walk, [*operands(walk, given), *more])


@follows(*_STEPPED, np.round, np.around, np.fix, operations.held)
def stepped(walk: Any, given: Given) -> np.ndarray:
    """A function of slope 0."""
    return np.zeros((1,) * len(given.step.shape), dtype=np.int64)


@follows(np.sinc, np.i0)
def curved(walk: Any, given: Given) -> np.ndarray:
    """A function of which nothing is known but that it goes entry by entry."""
    _only(given)
    result = joined(walk, operands(walk, given))
    walk.interactions.within(result)
    return result


@follows(np.multiply)
def multiply(walk: Any, given: Given) -> np.ndarray:
    """What one operand depends on meets what the other does."""
    _only(given)
    one, other = operands(walk, given)
    walk.interactions.between(one, other)
    return walk.pool.union(one, other)


@follows(operations.product)
def product(walk: Any, given: Given) -> np.ndarray:
    """Each factor meets each other one."""
    result, *factors = operands(walk, given)
    for factor in factors:
        walk.interactions.between(result, factor)
        result = walk.pool.union(result, factor)
    return result


@follows(np.divide)
def divide(walk: Any, given: Given) -> np.ndarray:
    """A quotient is straight in its numerator."""
    _only(given)
    numerator, denominator = operands(walk, given)
    walk.interactions.within(denominator)
    walk.interactions.between(numerator, denominator)
    return walk.pool.union(numerator, denominator)


@follows(operations.refined)
def refined(walk: Any, given: Given) -> np.ndarray:
    """Both are one value; the slopes are those of the second."""
    return joined(walk, operands(walk, given))


@follows(np.nan_to_num, operations.astype, np.copy, np.asarray, np.array, np.asarray_chkfinite)
def same(walk: Any, given: Given) -> np.ndarray:
    """The first argument, entry by entry."""
    return walk.of(given.args[0].step)


@follows(np.where)
def where(walk: Any, given: Given) -> np.ndarray:
    """Either of two; a condition has no slope."""
    _, one, other = operands(walk, given)
    return walk.pool.union(one, other)


@follows(np.select)
def select(walk: Any, given: Given) -> np.ndarray:
    """One of several."""
    choices = [*given.args[1], given.argument(2, "default", 0)]
    parts = [walk.of(one.step) for one in choices if isinstance(one, Operand)]
    return joined(walk, parts) if parts else stepped(walk, given)


def _ufunc(walk: Any, given: Given) -> np.ndarray:
    """A function that NumPy goes through entry by entry."""
    function: Any = given.step.operation
    if function.signature is not None or function.nout != 1:
        raise Unknown
    return curved(walk, given)


KINDS[np.ufunc] = _ufunc


def _outer(rule: Any) -> Any:
    def outer(walk: Any, given: Given) -> np.ndarray:
        one, other = operands(walk, given)
        axes = len(given.step.shape) - one.ndim
        one = one.reshape(one.shape + (1,) * axes)
        pair = _Pair(given.step, [one, other])
        return rule(pair.of(walk), pair)

    return outer


class _Pair:
    """A call of two arrays of numbers that are made to be broadcast."""

    def __init__(self, step: Any, parts: list[np.ndarray]) -> None:
        self.step, self.parts = step, parts
        self.options: dict[str, Any] = {}
        self.args = (Operand(0), Operand(1))

    def of(self, walk: Any) -> Any:
        """Return a walk that gives these numbers."""
        return _Parts(walk.pool, walk.interactions, self.parts)


class _Parts:
    def __init__(self, pool: Any, interactions: Any, parts: list[np.ndarray]) -> None:
        self.pool, self.interactions, self.of = pool, interactions, parts.__getitem__


RULES.update({function.outer: _outer(straight) for function in _STRAIGHT if function.nin == 2})
RULES.update({np.multiply.outer: _outer(multiply), np.divide.outer: _outer(divide), np.power.outer: _outer(curved)})


def _only(given: Given, *names: str) -> None:
    """Refuse options that are not of these names, but for those that do not say what depends on what."""
    if set(given.options) - {"casting", "order", "subok", "dtype", *names}:
        raise Unknown


def _operands_in(options: dict[str, Any]) -> list[Operand]:
    found = []
    for value in options.values():
        found += [one for one in (value if isinstance(value, list | tuple) else [value]) if isinstance(one, Operand)]
        if isinstance(value, Operand):
            found.append(value)
    return found
