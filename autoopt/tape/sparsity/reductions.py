"""Rules of functions along axes: what is left of an axis depends on all of it."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autoopt.tape.sparsity.rules import NAMES, Given, Operand, Unknown, follows


def along(walk: Any, index: int, axis: Any) -> np.ndarray:
    """Return the unions of a step's sets along axes, these being kept with length 1."""
    if isinstance(axis, Operand):
        raise Unknown
    numbers, shape = walk.of(index), walk.steps[index].shape
    axes = range(len(shape)) if axis is None else [k % len(shape) for k in np.atleast_1d(axis)]
    kept = [k for k in range(len(shape)) if k not in axes]
    if any(shape[k] == 0 for k in axes):
        return np.zeros((1,) * len(shape), dtype=np.int64)
    lead = tuple(numbers.shape[k] for k in kept)
    groups = np.transpose(numbers, (*kept, *axes)).reshape(prod(lead), -1)
    left = tuple(1 if k in axes else numbers.shape[k] for k in range(len(shape)))
    return walk.pool.unions(groups).reshape(left)


def _reduced(walk: Any, given: Given, axis: Any, extra: tuple[Any, ...] = ()) -> np.ndarray:
    """Return what is left of an array, with other arguments that each entry reads."""
    source = _source(given)
    numbers = along(walk, source, axis)
    kept = _without(numbers, walk.steps[source].shape, axis, given.step.shape)
    for one in extra:
        if isinstance(one, Operand):
            kept = walk.pool.union(kept, walk.joined(one.step))
    return kept


def _without(numbers: np.ndarray, shape: tuple[int, ...], axis: Any, left: tuple[int, ...]) -> np.ndarray:
    """Return numbers without the axes that were reduced, unless these were kept."""
    if len(left) == len(shape):
        return numbers
    axes = tuple(range(len(shape))) if axis is None else tuple(int(k) % len(shape) for k in np.atleast_1d(axis))
    return np.squeeze(numbers, axes)


def _source(given: Given) -> int:
    array = given.argument(0, "a")
    if not isinstance(array, Operand):
        raise Unknown
    return array.step


_KNOWN = {"axis", "keepdims", "where", "initial", "ddof", "correction", "dtype", "a", "overwrite_input", "method"}


def _axis(given: Given, position: int = 1, default: Any = None) -> Any:
    if set(given.options) - _KNOWN:
        raise Unknown
    return given.argument(position, "axis", default)


@follows(np.sum, np.mean, np.nansum, np.nanmean, np.max, np.min, np.nanmax, np.nanmin, np.ptp, np.median)
def straight(walk: Any, given: Given) -> np.ndarray:
    """A sum, or one of the entries, or a mean of some."""
    return _reduced(walk, given, _axis(given), (given.options.get("initial"), given.options.get("where")))


@follows(np.add.reduce, np.maximum.reduce, np.minimum.reduce)
def reduced(walk: Any, given: Given) -> np.ndarray:
    """The methods of ufuncs reduce the first axis if none is named."""
    return _reduced(walk, given, _axis(given, default=0), (given.options.get("initial"),))


@follows(np.quantile, np.percentile)
def quantile(walk: Any, given: Given) -> np.ndarray:
    """A mean of two of the entries, for a level that is no parameter."""
    level = given.argument(1, "q")
    if isinstance(level, Operand) or np.ndim(level):
        raise Unknown
    return _reduced(walk, given, _axis(given, 2))


@follows(np.prod, np.nanprod, np.var, np.std, np.nanvar, np.nanstd)
def curved(walk: Any, given: Given) -> np.ndarray:
    """All entries that are reduced to one interact."""
    result = _reduced(walk, given, _axis(given), (given.options.get("initial"), given.options.get("where")))
    walk.interactions.within(result)
    return result


@follows(np.linalg.norm)
def norm(walk: Any, given: Given) -> np.ndarray:
    """All entries along the axis, or axes, interact."""
    if set(given.options) - {"ord", "axis", "keepdims"}:
        raise Unknown
    result = _reduced(walk, given, given.argument(2, "axis"))
    walk.interactions.within(result)
    return result


@follows(np.average)
def average(walk: Any, given: Given) -> np.ndarray:
    """A mean, whose weights are data."""
    weights = given.argument(2, "weights")
    if isinstance(weights, Operand) and walk.depends(weights.step):
        raise Unknown
    if set(given.options) - {"axis", "weights", "keepdims"}:
        raise Unknown
    return _reduced(walk, given, given.argument(1, "axis"))


def log_sum_exp(walk: Any, given: Given) -> np.ndarray:
    """SciPy's logsumexp."""
    if set(given.options) - {"axis", "keepdims"} or len(given.args) > 2:
        raise Unknown
    result = _reduced(walk, given, given.argument(1, "axis"))
    walk.interactions.within(result)
    return result


def soft_max(walk: Any, given: Given) -> np.ndarray:
    """SciPy's softmax and its logarithm: each entry depends on all along the axis."""
    if set(given.options) - {"axis"}:
        raise Unknown
    result = along(walk, _source(given) if given.args else _unknown(), given.argument(1, "axis"))
    walk.interactions.within(result)
    return result


NAMES.update({"logsumexp": log_sum_exp, "softmax": soft_max, "log_softmax": soft_max})


@follows(np.sort)
def ordered(walk: Any, given: Given) -> np.ndarray:
    """Any entry along the axis may be where another one was."""
    axis = given.argument(1, "axis", -1)
    result = along(walk, _source(given), axis)
    return result if axis is not None else np.ravel(result)


@follows(np.cumsum, np.add.accumulate)
def running_sum(walk: Any, given: Given) -> np.ndarray:
    """What comes later depends on what comes before."""
    return _running(walk, given)


@follows(np.cumprod, np.multiply.accumulate)
def running_product(walk: Any, given: Given) -> np.ndarray:
    result = _running(walk, given)
    walk.interactions.within(result)
    return result


def _running(walk: Any, given: Given) -> np.ndarray:
    axis = given.argument(1, "axis", None if given.step.operation in (np.cumsum, np.cumprod) else 0)
    source = _source(given)
    shape = walk.steps[source].shape
    numbers = np.ravel(walk.spread(source)) if axis is None or not shape else walk.spread(source)
    axis = 0 if axis is None else axis
    lines = np.moveaxis(numbers, axis, 0)
    length = lines.shape[0]
    reached, width = lines.copy(), 1
    while width < length:  # twice as many each time
        reached[width:] = walk.pool.union(reached[width:], reached[:-width])
        width *= 2
    return np.moveaxis(reached, 0, axis)


def _unknown() -> int:
    raise Unknown
