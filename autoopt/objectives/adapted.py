"""The user's function in another form: arguments in another order, or an array of values as one number.

A trace runs copies of these, as it does of the user's own (`origin.py` names this file): what they call is followed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np


def reordered(function: Callable, position: int, names: tuple[str, ...]) -> Callable:
    """Return `function` with its argument at `position` first, and the arguments of these names last."""

    def reordered(x, *data):
        count = len(data) - len(names)
        options = dict(zip(names, data[count:], strict=True))
        return function(*data[:position], x, *data[position:count], **options)

    return reordered


def changed(function: Callable, change: Callable) -> Callable:
    """Return the function of the same arguments that changes what `function` returns."""

    @functools.wraps(function, updated=())
    def changed(params, *data):
        return change(function(params, *data))

    return changed


def crossed(function: Callable) -> Callable:
    """Return the sum of products of residuals at two points, of which the mixed second derivatives are J'J."""

    @functools.wraps(function, updated=())
    def crossed(points, *data):
        return np.sum(function(points["one"], *data) * function(points["other"], *data))

    return crossed


def penalised(function: Callable, information: Callable, penalty: Callable) -> Callable:
    """Return `function` with a penalty of its information added, both of the parameters."""

    @functools.wraps(function, updated=())
    def penalised(params, *data):
        return function(params, *data) + penalty(information(params))

    return penalised


def restricted(matrix: Callable, places: np.ndarray | None, basis: np.ndarray) -> Callable:
    """Return B' A[places, places] B of what `matrix` returns, A itself without places."""

    def restricted(params):
        inside = matrix(params, sparse=False)
        return inside if places is None else basis.T @ inside[np.ix_(places, places)] @ basis

    return restricted


def gathered(function: Callable, order: tuple[int, ...], named: dict[str, int]) -> Callable:
    """Return `function` as one of a dict of some of its arguments, and of the others.

    `order` and `named` say where its arguments by position and by name stand among all these.
    """

    def gathered(parts, *others):
        values = [*parts.values(), *others]
        return function(*[values[k] for k in order], **{name: values[k] for name, k in named.items()})

    return gathered


def spread(function: Callable) -> Callable:
    """Return `function` as one of the tuple of its arguments."""

    def spread(primals):
        return function(*primals)

    return spread


def weighted(function: Callable) -> Callable:
    """Return the sum of the values of `function`, times weights that come after the parameters."""

    def weighted(x, weights, *data):
        return np.dot(weights, np.ravel(function(x, *data)))

    return weighted


def residuals(model: Callable) -> Callable:
    """Return what `model`, of xdata and its parameters, leaves of ydata: a function of a dict of the parameters."""

    def residuals(p, xdata, ydata):
        return np.ravel(model(xdata, *p.values()) - ydata)

    return residuals


def standardised(model: Callable) -> Callable:
    """Return the residuals in units of their standard deviations, which come last."""

    def standardised(p, xdata, ydata, sigma):
        return np.ravel(model(xdata, *p.values()) - ydata) / sigma

    return standardised


def decorrelated(model: Callable) -> Callable:
    """Return the residuals times the inverse of the Cholesky factor of their covariance, which comes last."""

    def decorrelated(p, xdata, ydata, factor):
        from scipy.linalg import solve_triangular

        return solve_triangular(factor, np.ravel(model(xdata, *p.values()) - ydata), lower=True)

    return decorrelated


def joined(functions: tuple[Callable, ...], counts: tuple[int, ...], numbers: tuple[bool, ...]) -> Callable:
    """Return the values of all `functions` as one vector; after the parameters come the data, `counts` of them each.

    `numbers` says which return a number. Those that follow one another are packed as a list is: what many small
    functions have in common then becomes one array step.
    """

    def joined(x, *data):
        parts, packed, start = [], [], 0
        for function, count, is_number in zip(functions, counts, numbers, strict=True):
            value = function(x, *data[start : start + count])
            start += count
            if is_number:
                packed.append(value)
                continue
            if packed:
                parts.append(np.array(packed))
                packed = []
            parts.append(np.ravel(value))
        if packed:
            parts.append(np.array(packed))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    return joined
