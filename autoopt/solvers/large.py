"""The certificate for many parameters: no matrix of curvatures, but products along the plane that touches what holds.

The plane is met by projections, with one sparse factorisation of the normals; the Newton step is found by conjugate
gradients, the least curvature by Lanczos steps from a direction at random.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.solvers.conditions import Conditions
from autoopt.solvers.kkt import LEVEL, Certificate, noise_of, status_of
from autoopt.solvers.lagrangian import Differences, Point, exact_hessian, exact_product

_REGULAR = 1e-12
_LANCZOS, _FEWER_LANCZOS = 30, 8
_ITERATIONS, _FEWER_ITERATIONS = 200, 15
_SOLVED = 1e-10


class SparseTangent:
    """The plane that touches the working rows, by projections; what `Tangent` is for few parameters."""

    def __init__(self, conditions: Conditions, working: np.ndarray) -> None:
        from scipy.sparse import block_array, csr_array, diags_array, eye_array
        from scipy.sparse.linalg import splu

        self.unit, self.size = conditions.unit, conditions.x.size
        rows = csr_array(conditions.slopes[working].multiply(self.unit))
        self._lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).reshape(-1))
        self._lengths[self._lengths == 0] = 1.0
        self._count = working.size
        if working.size:
            normals = diags_array(1 / self._lengths) @ rows
            blocks = [[eye_array(self.size), normals.T], [normals, -_REGULAR * eye_array(working.size)]]
            self._factors = splu(block_array(blocks, format="csc"))

    def project(self, z: np.ndarray) -> np.ndarray:
        """Return the part of a direction, shape (n,) in units of the parameters, that lies in the plane."""
        if not self._count:
            return z
        for _ in range(2):  # the second time takes off what rounding has left
            z = self._factors.solve(np.concatenate([z, np.zeros(self._count)]))[: self.size]
        return z

    def along(self, z: np.ndarray) -> np.ndarray:
        return self.unit * z

    def onto(self, missed: np.ndarray) -> np.ndarray:
        """Return the shortest step, shape (n,), that adds `missed` to the values of the working rows."""
        if not self._count:
            return np.zeros(self.size)
        right = np.concatenate([np.zeros(self.size), missed / self._lengths])
        return self.unit * self._factors.solve(right)[: self.size]


def large_certificate(problem: Any, point: Point) -> Certificate:
    """Return the certificate of a point with many parameters."""
    conditions, force, value = point.conditions, point.force, point.value
    x, tangent = conditions.x, SparseTangent(conditions, force.working)
    product, exact = _product(problem, point)

    def curved(z: np.ndarray) -> np.ndarray:
        return tangent.project(tangent.unit * product(tangent.unit * z))

    slopes = tangent.project(tangent.unit * force.residual)
    least, largest, direction = _least(curved, tangent, _LANCZOS if exact else _FEWER_LANCZOS)
    along = _solved(curved, -slopes, _ITERATIONS if exact else _FEWER_ITERATIONS, LEVEL * largest)
    restoring = tangent.onto(force.missed)
    step = restoring + tangent.along(along)
    length = float(np.max(np.abs(step) / conditions.unit, initial=0.0))
    decrement, noise = float(-along @ slopes / 2), noise_of(problem, value)
    sizes = conditions.unit * force.terms
    gap = float(np.max(np.abs(restoring) / conditions.unit, initial=0.0))
    solved = np.linalg.norm(curved(along) + slopes) <= 0.1 * np.linalg.norm(slopes)
    down = tangent.along(direction) if least < -LEVEL * largest else None
    slope = slopes, sizes, np.full(x.size, solved)
    status = status_of(problem, point, slope, (decrement, noise, length), gap)
    if status == "minimum" and down is not None:
        status = "saddle"
    return Certificate(
        x, value, status, conditions, force, tangent, None, decrement, noise, length, step, None, largest, down
    )


def _product(problem: Any, point: Point) -> tuple[Callable[[np.ndarray], np.ndarray], bool]:
    """Return the Hessian of the Lagrangian as a function of directions, and whether it is exact."""
    x, weights = point.conditions.x, point.force.multipliers
    if (matrix := exact_hessian(problem, x, weights)) is not None:
        return (lambda p: matrix @ p), True
    if (product := exact_product(problem, x, weights)) is not None:
        return product, True
    differences = Differences(problem, point)

    def by_differences(p: np.ndarray) -> np.ndarray:
        found = differences(p) if p.any() else np.zeros_like(p)
        return np.zeros_like(p) if found is None else found

    return by_differences, False


def _least(curved: Callable, tangent: SparseTangent, steps: int) -> tuple[float, float, np.ndarray]:
    """Return the least and the largest curvature that Lanczos steps meet, and the direction of the least."""
    rng = np.random.default_rng(0)
    ahead = tangent.project(rng.normal(size=tangent.size))
    basis: list[np.ndarray] = []
    products: list[np.ndarray] = []
    for _ in range(steps):
        for unit in (*basis, *basis):
            ahead = ahead - (unit @ ahead) * unit
        length = np.linalg.norm(ahead)
        if not length > 1e-10 * tangent.size**0.5:
            break
        unit = ahead / length
        bent = curved(unit)
        if not np.isfinite(bent).all():
            break
        basis.append(unit)
        products.append(bent)
        ahead = bent * (tangent.size**0.5 / max(float(np.linalg.norm(bent)), 1e-300))
    if not basis:
        return 0.0, 0.0, np.zeros(tangent.size)
    matrix = np.array(basis) @ np.array(products).T
    bends, directions = np.linalg.eigh((matrix + matrix.T) / 2)
    return float(bends[0]), float(np.max(np.abs(bends))), directions[:, 0] @ np.array(basis)


def _solved(curved: Callable, right: np.ndarray, iterations: int, level: float) -> np.ndarray:
    """Return the step by conjugate gradients, up to where a direction has no curvature."""
    z, rest = np.zeros_like(right), right.copy()
    ahead, square = rest.copy(), float(rest @ rest)
    goal = _SOLVED**2 * square
    for _ in range(iterations):
        if square <= goal or square == 0:
            break
        bent = curved(ahead)
        bend = float(ahead @ bent)
        if not bend > level * float(ahead @ ahead):
            break
        z = z + square / bend * ahead
        rest = rest - square / bend * bent
        square, before = float(rest @ rest), square
        ahead = rest + square / before * ahead
    return z
