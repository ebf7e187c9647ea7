"""What constraints and bounds ask of a point: what holds it, and in which directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.constraints.constraint import Constraint
from autoopt.solvers.bounds import Limits

ACTIVE = 1e-6
"""How near to an active limit interior-point methods end, in units of max(|limit|, 1)."""


def active_normals(
    constraints: Sequence[Constraint], limits: Any, x: np.ndarray, tolerance: float, near: float = 0.0
) -> Any:
    """Return the inward normals of the constraints and bounds that hold `x`, shape (k, n); both ways for equalities.

    Those hold it that are nearer than `near`, or `tolerance`, relative to max(|limit|, 1). They are sparse where a
    Jacobian is. None if `x` violates one by more than `tolerance`.
    """
    normals = [np.zeros((0, x.size))]
    for one in _all(constraints, limits):
        value = one.value(x)
        for sign in (1.0, -1.0):
            room, allowed = _room(one, value, sign, tolerance)
            if not (room >= -allowed).all():
                return None
            holds = room <= max(near / tolerance, 1.0) * allowed
            if holds.any():
                normals.append(sign * one.jacobian(x)[holds])
    if not any(hasattr(rows, "toarray") for rows in normals):
        return np.concatenate(normals)
    from scipy.sparse import csr_array, vstack

    return vstack([csr_array(rows) for rows in normals], format="csr")


_DENSE = 1000


@dataclass(frozen=True)
class Held:
    """What holds a point: `normals`, shape (k, n), inward, `equal`, shape (k,), which are equalities, and functions.

    `values(y)`, shape (k,), are those of the constraints that hold it, with the sign that makes the normals their
    Jacobian `slopes(y)`; `allowed(y)` is whether no constraint and no bound is violated. `curved(multipliers, p)` is
    the sum of the Hessians times the multipliers, times `p`, at the point; None where none of them are compiled.
    """

    values: Callable[[np.ndarray], np.ndarray]
    slopes: Callable[[np.ndarray], np.ndarray]
    allowed: Callable[[np.ndarray], bool]
    curved: Callable[[np.ndarray, np.ndarray], np.ndarray | None]
    normals: np.ndarray
    equal: np.ndarray


@dataclass(frozen=True)
class _Row:
    """Those of one constraint's values that hold a point from one side."""

    constraint: Any
    which: np.ndarray
    sign: float
    equal: np.ndarray

    @property
    def count(self) -> int:
        return int(self.which.sum())


def held(constraints: Sequence[Constraint], limits: Any, x: np.ndarray, tolerance: float) -> Held | None:
    """Return what holds `x` of constraints and bounds, to `tolerance` relative to max(|limit|, 1); None if violated."""
    everything = _all(constraints, limits)
    rows: list[_Row] = []
    for one in everything:
        value = one.value(x)
        rooms = [_room(one, value, sign, tolerance) for sign in (1.0, -1.0)]
        if not all((room >= -allowed).all() for room, allowed in rooms):
            return None
        low, high = (room <= allowed for room, allowed in rooms)
        equal, above = low & high, high & ~low
        rows += [_Row(one, low, 1.0, equal[low]), _Row(one, above, -1.0, np.zeros(int(above.sum()), bool))]
    rows = [row for row in rows if row.count]
    none, flat = np.zeros(0), np.zeros((0, x.size))

    def values(y: np.ndarray) -> np.ndarray:
        return np.concatenate([none, *(row.sign * row.constraint.value(y)[row.which] for row in rows)])

    def slopes(y: np.ndarray) -> np.ndarray:
        return np.concatenate([flat, *(row.sign * row.constraint.slopes(y)[row.which] for row in rows)])

    def allowed(y: np.ndarray) -> bool:
        for one in everything:
            value = one.value(y)
            for sign in (1.0, -1.0):
                room, most = _room(one, value, sign, tolerance)
                if not (room >= -most).all():
                    return False
        return True

    def curved(multipliers: np.ndarray, p: np.ndarray) -> np.ndarray | None:
        product, start = np.zeros(x.size), 0
        for row in rows:
            mine, start = multipliers[start : start + row.count], start + row.count
            if isinstance(row.constraint, _Bounds) or row.constraint.function.linear:
                continue
            if not row.constraint.function.compiled:
                return None
            v = np.zeros(row.which.size)
            v[row.which] = row.sign * mine
            product = product + row.constraint.function.hessp(x, v, p)
        return product

    equal = np.concatenate([np.zeros(0, bool), *(row.equal for row in rows)])
    return Held(values, slopes, allowed, curved, slopes(x), equal)


@dataclass(frozen=True)
class _Bounds:
    """The bounds, asked as a constraint is."""

    lower: np.ndarray
    upper: np.ndarray

    def value(self, x: np.ndarray) -> np.ndarray:
        return x

    def slopes(self, x: np.ndarray) -> np.ndarray:
        return np.eye(x.size)

    def jacobian(self, x: np.ndarray) -> Any:
        if x.size <= _DENSE:
            return np.eye(x.size)
        from scipy.sparse import eye_array

        return eye_array(x.size, format="csr")


def _all(constraints: Sequence[Constraint], limits: Limits | None) -> list[Any]:
    return [*constraints, *([_Bounds(limits.lower, limits.upper)] if limits is not None else [])]


def _room(constraint: Any, value: np.ndarray, sign: float, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Return how far inside its lower (sign 1) or upper (sign -1) limit each value is, and how far counts as on it."""
    limit = constraint.lower if sign > 0 else constraint.upper
    finite = np.isfinite(limit)
    room = np.where(finite, sign * (value - np.where(finite, limit, 0.0)), np.inf)
    return room, tolerance * np.maximum(1.0, np.where(finite, np.abs(limit), 1.0))
