"""`scale=`: the sizes of the parameters, as the user gives them or as the curvature at the start shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.objectives.differentiable import Differentiable
from autoopt.parameters import Structure
from autoopt.users_code import NO_VALUE
from autoopt.variables.functions import changed_objective
from autoopt.variables.naming import Names
from autoopt.variables.start import Start
from autoopt.variables.variables import Variables

_REMEDY = (
    'pass scale="auto", a positive number, one for each parameter, or a dict of names, as in scale={"rate": 1e-6}.'
)
_DENSE = 500
"""With more variables the diagonal of a Hessian that is not sparse is estimated by products."""

_ROUNDS, _AT_ONCE = 6, 4
_SMALLEST, _LARGEST = 2.0**-500, 2.0**500


def scaled(start: Start, scale: Any, objective: Differentiable, limits: Any) -> Variables | None:
    """Return the variables of a start, in sizes as `scale` says; None if they are the parameters.

    Parameters
    ----------
    start : Start
    scale : "auto", True, number, array, dict of names, or value of x0's structure; None or False for none
    objective : Differentiable
    limits : Limits or None
        In the user's parameters.

    Raises
    ------
    UsageError
        For what is not understood, and for sizes that are not positive.
    """
    if scale is None or scale is False:
        return start.variables
    variables = start.variables or Variables.free(start.structure.names)
    if scale is True or (isinstance(scale, str) and scale == "auto"):
        z = variables.variables(start.flat)
        sizes = automatic(changed_objective(objective, variables), z, _widths(variables, limits))
    else:
        sizes = _given(scale, start.structure)[variables.home]
        for transform in (*variables.transforms, *variables.blocks):  # what is transformed has no units
            sizes[transform.where] = 1.0
    changed = variables.scaled(sizes)
    return None if changed.is_trivial else changed


def _given(scale: Any, structure: Structure) -> np.ndarray:
    """Return the sizes that the user gives, shape (n,), 1 where a dict has none."""
    if isinstance(scale, str) or scale is None:
        raise UsageError(f"scale={scale!r} is not understood.", remedy=_REMEDY)
    sizes = np.ones(structure.size)
    try:
        if np.ndim(scale) == 0 and not isinstance(scale, Mapping):
            sizes[:] = float(scale)
        elif isinstance(scale, Mapping) and not _is_of(structure, scale):
            names = Names(structure, "scale")
            for name, size in scale.items():
                sizes[names.places(name)] = np.asarray(size, dtype=np.float64).reshape(-1)
        elif np.shape(scale) == (structure.size,) and not isinstance(scale, Mapping):
            sizes[:] = np.asarray(scale, dtype=np.float64)
        else:
            sizes[:] = structure.flatten(scale, "scale")
    except (TypeError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"scale={scale!r} does not fit x0.", remedy=_REMEDY) from None
    if not (wrong := ~(np.isfinite(sizes) & (sizes > 0))).any():
        return sizes
    i = int(np.argmax(wrong))
    raise UsageError(f"scale: the size of {structure.names[i]} is {sizes[i]:g}.", remedy="give sizes above 0.")


def _is_of(structure: Structure, scale: Any) -> bool:
    try:
        structure.flatten(scale)
    except UsageError:
        return False
    return True


def _widths(variables: Variables, limits: Any) -> np.ndarray:
    """Return how far apart the limits of each variable are, shape (m,), infinite where one is missing."""
    sides = None if limits is None else variables.limits(limits.lower, limits.upper)
    return np.full(variables.size, np.inf) if sides is None else sides[1] - sides[0]


def automatic(objective: Any, z: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Return the sizes of the variables at `z`, shape (m,), by which they have one curvature.

    Notes
    -----
    s_i = (2 F / |H_ii|)^1/2, but no more than 2 F / |g_i|, or than the limits are apart. F is what f may change by: the
    fall that Newton's steps along the axes promise, sum g_i^2 / 2 |H_ii|, but no more than the larger of |f| and 1, and
    no less than the smaller. Together these steps then have length 1. Whatever the units of the parameters, the
    objective is the same function of the variables. Where nothing says anything, it is |z_i|, else the others' median.
    """
    try:
        with np.errstate(all="ignore"):
            value, gradient = objective.value_and_grad(z)
            curvature = np.abs(diagonal(objective, z))
    except NO_VALUE:  # which the run will meet, and say
        return np.ones(z.shape)
    if not np.isfinite(value):
        return np.ones(z.shape)
    slopes = np.abs(gradient)
    curved = np.isfinite(curvature) & (curvature > np.finfo(float).tiny)
    with np.errstate(all="ignore"):
        promised = float(np.sum((slopes**2 / curvature)[curved & np.isfinite(slopes)])) / 2
        size = abs(value) or 1.0
        change = np.clip(promised if np.isfinite(promised) else 0.0, min(size, 1.0), max(size, 1.0))
        sizes = np.minimum(np.where(curved, np.sqrt(2 * change / curvature), np.inf), 2 * change / slopes)
    sizes = np.minimum(sizes, np.where(widths > 0, widths, np.inf))
    sizes = np.where(np.isfinite(sizes) & (sizes > 0), sizes, np.abs(z))
    known = sizes[sizes > 0]
    sizes = np.where(sizes > 0, sizes, np.median(known) if known.size else 1.0)
    return np.clip(sizes, _SMALLEST, _LARGEST)


def diagonal(objective: Any, z: np.ndarray) -> np.ndarray:
    """Return the diagonal of the Hessian, shape (m,): exact from the matrix, or estimated by products.

    Notes
    -----
    By the s for which all rows of S H S, S = diag(s), have length 1: s_i^-2 is near |H_ii| where S H S is not far from
    diagonal. (H S v)_i, v of random signs, has the mean square of row i of H S. s_i is the geometric mean of what it
    was and of one over that length, which is exact at once for a diagonal matrix.

    References
    ----------
    Bradley, A. M. and Murray, W. (2011). Matrix-free approximate equilibration. arXiv:1110.2805.
    """
    from autoopt.objectives.kept_sparse import kept_sparse

    if z.size <= _DENSE or kept_sparse(objective, "hessian") is not None:
        return np.asarray(objective.hess(z, sparse=z.size > _DENSE).diagonal())
    rng = np.random.default_rng(0)
    logarithms = np.zeros(z.size)
    for _ in range(_ROUNDS):
        signs = rng.choice([-1.0, 1.0], (z.size, _AT_ONCE))
        products = objective.hessp(z, np.exp(logarithms)[:, np.newaxis] * signs)
        lengths = np.maximum(np.mean(products**2, axis=1), np.finfo(float).tiny)
        logarithms = logarithms / 2 - np.log(lengths) / 4
    return np.exp(-2 * logarithms)
