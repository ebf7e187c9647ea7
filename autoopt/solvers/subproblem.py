"""The step of a trust region: where a quadratic is lowest within a ball, and within a ball and a box."""

from __future__ import annotations

import numpy as np

_SMALL = 12
"""Up to so many parameters eigenvalues cost no more than a factorisation that may fail."""

_BOUNDARY = 0.05
_NO_SLOPE = 1e-8
"""Slopes along directions without curvature, beside the largest, that are what is left of rounding."""

_ROUNDS = 10
_TINY = np.finfo(np.float64).tiny


def step_in_ball(g: np.ndarray, hessian: np.ndarray, radius: float) -> np.ndarray:
    """Return the z, shape (n,), with |z| <= radius at which g.z + z.H z / 2 is lowest, to 5 % of the radius.

    Notes
    -----
    z = -(H + l I)^-1 g with the least l >= 0 that makes H + l I positive semidefinite and |z| <= radius. Where g has no
    part along the lowest eigenvector of an indefinite H, z goes on along it to the ball's surface (the hard case).

    References
    ----------
    Moré, J. J. and Sorensen, D. C. (1983). Computing a trust region step. SIAM J. Sci. Stat. Comput. 4(3), 553-572.
    """
    if g.size > _SMALL:
        try:
            np.linalg.cholesky(hessian)
            z = np.linalg.solve(hessian, -g)
            if z @ z <= radius**2:
                return z
        except np.linalg.LinAlgError:
            pass
    curvatures, vectors = np.linalg.eigh(hessian)
    return vectors @ _along_eigenvectors(vectors.T @ g, curvatures, radius)


def _along_eigenvectors(slopes: np.ndarray, curvatures: np.ndarray, radius: float) -> np.ndarray:
    """Return the step in the coordinates of the eigenvectors."""
    lowest, largest = curvatures[0], max(abs(curvatures[0]), abs(curvatures[-1]), _TINY)
    rounding = 1e-14 * largest
    if lowest > rounding:
        z = -slopes / curvatures
        if z @ z <= radius**2:
            return z
    steepest = float(np.sqrt(slopes @ slopes))
    low = max(0.0, -lowest)
    level = curvatures + low <= rounding
    if level.any() and np.abs(slopes[level]).max() <= _NO_SLOPE * steepest:
        z = np.where(level, 0.0, -slopes / np.where(level, 1.0, curvatures + low))
        if z @ z < radius**2:
            if lowest < -rounding:
                z[0] = np.copysign(np.sqrt(radius**2 - z @ z), -slopes[0])
            return z
    z = -slopes / (curvatures + _shift(slopes, curvatures, radius, (low, steepest / radius - lowest, rounding)))
    length = float(np.linalg.norm(z))
    return z * (radius / length) if length > 2 * radius else z


def _shift(slopes: np.ndarray, curvatures: np.ndarray, radius: float, limits: tuple[float, float, float]) -> float:
    """Return the l at which |(H + l I)^-1 g| is the radius, by Newton's method on 1 / |z|, which is almost straight."""
    low, high, rounding = limits
    low = max(low, float(np.max(np.abs(slopes) / radius - curvatures)))  # no part of the step is longer than all of it
    high = max(high, low + rounding)
    shift = min(low + max(1e-3 * (high - low), rounding), high)
    for _ in range(50):
        shifted = curvatures + shift
        z = slopes / shifted
        length = float(np.sqrt(z @ z))
        if abs(length - radius) <= _BOUNDARY * radius or not length > 0:  # squares of the shortest steps are 0
            break
        low, high = (shift, high) if length > radius else (low, shift)
        ahead = shift + (length / radius - 1.0) / float((z / length) @ (z / length / shifted))
        shift = ahead if low < ahead < high else (low + high) / 2
    return shift


def step_in_box(g: np.ndarray, hessian: np.ndarray, radius: float, box: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Return a z between the limits of `box`, of a length of about the radius, at which the quadratic is low.

    Entries that a step over the free ones takes out of the box stop at its limits, and the rest go on from there. Where
    that does not lead down, it goes from face to face. Entries at a limit that f falls towards stay there.
    """
    low, high = box
    free = np.flatnonzero(~(((low >= 0) & (g > 0)) | ((high <= 0) & (g < 0)) | (low >= high)))
    if not free.size:
        return np.zeros(g.size)
    cut, faces = (way(g, hessian, radius, box, free) for way in (_cut_off, _face_by_face))
    return min(cut, faces, key=lambda z: g @ z + z @ hessian @ z / 2)


def _cut_off(g: np.ndarray, hessian: np.ndarray, radius: float, box: tuple, free: np.ndarray) -> np.ndarray:
    """Return a step of which all that leaves the box is cut off, and the rest chosen anew."""
    (low, high), z = box, np.zeros(g.size)
    for _ in range(_ROUNDS):
        ahead = step_in_ball(g[free] + hessian[free] @ z, hessian[np.ix_(free, free)], radius)
        inside = (ahead >= low[free]) & (ahead <= high[free])
        z[free] = np.clip(ahead, low[free], high[free])
        if inside.all() or not inside.any():
            break
        free = free[inside]
        z[free] = 0.0
    return z


def _face_by_face(g: np.ndarray, hessian: np.ndarray, radius: float, box: tuple, free: np.ndarray) -> np.ndarray:
    """Return a step that turns at each limit that it meets: down all the way, but for many limits of many parts."""
    (low, high), z = box, np.zeros(g.size)
    for _ in range(4 * _ROUNDS):
        ahead = step_in_ball(g[free] + hessian[free] @ z, hessian[np.ix_(free, free)], radius)
        room = np.where(ahead > 0, high[free] - z[free], low[free] - z[free])
        share = np.divide(room, ahead, out=np.ones(free.size), where=ahead != 0)
        first = min(1.0, float(share.min()))
        z[free] = np.where(share <= first, z[free] + room, z[free] + first * ahead) if first < 1 else z[free] + ahead
        free = free[share > first]
        if first == 1.0 or not free.size:
            break
    return z
