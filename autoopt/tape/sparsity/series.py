"""Rules of functions of series: differences over neighbours, windows, interpolation between knots."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.tape.sparsity.reductions import along
from autoopt.tape.sparsity.rules import Given, Operand, Unknown, follows


def _is_still(walk: Any, argument: Any) -> bool:
    """Whether an argument does not depend on the parameters."""
    return not isinstance(argument, Operand) or not walk.depends(argument.step)


def _shape(walk: Any, argument: Any) -> tuple[int, ...]:
    return walk.steps[argument.step].shape if isinstance(argument, Operand) else np.shape(argument)


def _numbers(walk: Any, argument: Any) -> np.ndarray:
    """Return the numbers of an argument in its shape."""
    if isinstance(argument, Operand):
        return walk.spread(argument.step)
    return np.zeros(np.shape(argument), dtype=np.int64)


@follows(np.gradient)
def slope(walk: Any, given: Given) -> np.ndarray:
    """Differences along one axis: of both neighbours, at the ends of two or three."""
    values, *spacings = given.args
    axis = given.options.get("axis", 0 if len(_shape(walk, values)) == 1 else None)
    if set(given.options) - {"axis", "edge_order"} or not isinstance(axis, int) or len(spacings) > 1:
        raise Unknown
    if not all(_is_still(walk, spacing) for spacing in spacings):
        raise Unknown
    numbers = np.moveaxis(_numbers(walk, values), axis, 0)
    ahead, behind = np.concatenate([numbers[1:], numbers[-1:]]), np.concatenate([numbers[:1], numbers[:-1]])
    found = walk.pool.union(walk.pool.union(numbers, ahead), behind)
    if given.options.get("edge_order", 1) != 1:
        ends = walk.pool.union(found[[0, -1]], numbers[[2, -3]])
        found = np.concatenate([ends[:1], found[1:-1], ends[1:]])
    return np.moveaxis(found, 0, axis)


@follows(np.convolve, np.correlate)
def windows(walk: Any, given: Given) -> np.ndarray:
    """Sums over a window that slides along; both operands meet in it, if both move."""
    one, other = given.args[:2]
    mode = given.argument(2, "mode", "full" if given.step.operation is np.convolve else "valid")
    first, second = _numbers(walk, one), _numbers(walk, other)
    if not (_is_still(walk, one) or _is_still(walk, other)) or first.ndim != 1 or second.ndim != 1:
        raise Unknown
    moving, still = (first, second) if _is_still(walk, other) else (second, first)
    rows = np.arange(len(moving))[:, None] + np.arange(len(still))
    count = len(moving) + len(still) - 1
    full = walk.pool.gathered(rows.ravel(), np.repeat(moving, len(still)), count)
    if given.step.operation is np.correlate and moving is second:
        full = full[::-1]
    length = given.step.shape[0]
    start = {"full": 0, "same": (min(len(moving), len(still)) - 1) // 2, "valid": (count - length) // 2}[mode]
    nearby = [full[max(start + shift, 0) :][:length] for shift in (0, 1)]  # "same" of an even window begins at either
    if mode != "same" or len(nearby[1]) < length:
        return nearby[0]
    return walk.pool.union(nearby[0], nearby[1])


@follows(np.interp)
def interpolated(walk: Any, given: Given) -> np.ndarray:
    """Between two knots, which data decide: straight in their heights, or in the point while it is between them."""
    x, knots, heights = given.args[:3]
    if given.options or len(given.args) > 3 or not _is_still(walk, knots):
        raise Unknown
    if _is_still(walk, heights):
        return walk.of(x.step)  # a straight line between two knots
    if not _is_still(walk, x):
        raise Unknown
    values = [walk.value(k.step) if isinstance(k, Operand) else np.asarray(k) for k in (x, knots)]
    numbers = _numbers(walk, heights)
    piece = np.clip(np.searchsorted(values[1], values[0], side="right") - 1, 0, max(len(numbers) - 2, 0))
    return walk.pool.union(numbers[piece], numbers[np.minimum(piece + 1, len(numbers) - 1)])


@follows(np.trapezoid)
def area(walk: Any, given: Given) -> np.ndarray:
    """A weighted sum along an axis, whose weights are data."""
    values, *more = given.args
    axis = given.argument(3, "axis", -1)
    widths = [*more[:2], *(given.options.get(name) for name in ("x", "dx"))]
    if not all(_is_still(walk, width) for width in widths if width is not None) or not isinstance(axis, int):
        raise Unknown
    return np.squeeze(along(walk, values.step, axis), axis)
