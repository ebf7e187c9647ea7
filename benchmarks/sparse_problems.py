"""Problems of the literature whose Hessians or Jacobians are sparse, as arrays and as loops.

References
----------
Broyden, C. G. (1971). Math. Comp. 25, 285-294. Besag, J. (1975). The Statistician 24, 179-195.
Snavely, N., Seitz, S. M. and Szeliski, R. (2008). Int. J. Comput. Vis. 80, 189-210.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.problems import rosenbrock, rosenbrock_loop


@dataclass(frozen=True)
class Sparse:
    """An objective with a sparse Hessian, or residuals with a sparse Jacobian.

    Parameters
    ----------
    name : str
    function : callable
        (x, *data) -> float, of a flat vector; an array if `jacobian`.
    start : callable
        (rng, size) -> (x, data).
    size, small : int
        To measure with, and to test with.
    jacobian : bool
    """

    name: str
    function: Callable
    start: Callable
    size: int
    small: int
    jacobian: bool = False


def broyden(x):
    """Broyden's banded function: each residual reads five parameters before its own and one after it."""
    inner = x * (1 + x)
    sums = np.zeros(len(x))
    for k in range(1, 6):
        sums[k:] += inner[:-k]
    sums[:-1] += inner[1:]
    return np.sum((x * (2 + 5 * x**2) + 1 - sums) ** 2)


def broyden_loop(x):
    n, total = len(x), 0.0
    for i in range(n):
        residual = x[i] * (2 + 5 * x[i] ** 2) + 1
        for j in range(max(0, i - 5), min(n, i + 2)):
            if j != i:
                residual -= x[j] * (1 + x[j])
        total += residual**2
    return total


def ising(p, spins):
    """Pseudo-likelihood of an Ising model on a grid, a coupling for each edge: its field reads four of them."""
    rows, columns = spins.shape
    right, down = p[: rows * columns].reshape(rows, columns), p[rows * columns :].reshape(rows, columns)
    field = np.zeros(spins.shape)
    field[:, :-1] += right[:, :-1] * spins[:, 1:]
    field[:, 1:] += right[:, :-1] * spins[:, :-1]
    field[:-1] += down[:-1] * spins[1:]
    field[1:] += down[:-1] * spins[:-1]
    return np.sum(np.log1p(np.exp(-2 * spins * field))) + 0.1 * p @ p


def effects(p, group, X, y):
    """A regression with an intercept for each group: an arrow, dense in the slopes, diagonal in the intercepts."""
    beta, u = p[: X.shape[1]], p[X.shape[1] :]
    return np.sum(np.log1p(np.exp(-y * (X @ beta + u[group])))) + 0.5 * np.sum(u**2)


def chain(u, edges, weights):
    """A smooth penalty on the differences along the edges of a graph, which are data."""
    return np.sum(weights * np.log(np.cosh(u[edges[:, 0]] - u[edges[:, 1]]))) + 0.5 * np.sum(u**2)


def projected(p, camera, point, seen, cameras):
    """Reprojection errors of a bundle adjustment, 15 parameters for each of two residuals, after Snavely's camera."""
    size = 11 * cameras
    c = p[:size].reshape(cameras, 11)[camera]
    points, weights = p[size : size + 3 * (point.max() + 1)].reshape(-1, 3)[point], p[-len(seen) :]
    angle = np.sqrt(np.sum(c[:, :3] ** 2, axis=1))[:, None]
    axis, beam = c[:, :3] / angle, points - c[:, 3:6]
    along = np.sum(axis * beam, axis=1)[:, None] * axis
    turned = np.cos(angle) * (beam - along) + np.sin(angle) * np.cross(axis, beam) + along
    flat = turned[:, :2] / turned[:, 2:]
    square = np.sum(flat**2, axis=1)
    image = flat * (1 + c[:, 9] * square + c[:, 10] * square**2)[:, None] * c[:, 6:7] + c[:, 7:9]
    return np.concatenate([(weights[:, None] * (image - seen)).ravel(), 1 - weights**2])


def near_half(rng, size):
    return 0.5 + 0.1 * rng.normal(size=size), ()


def couplings(rng, side):
    spins = np.where(rng.random((side, side)) < 0.5, -1.0, 1.0)
    return 0.1 * rng.normal(size=2 * side * side), (spins,)


def groups(rng, count):
    group = rng.integers(0, count, 4 * count)
    X = rng.normal(size=(len(group), 5))
    return 0.1 * rng.normal(size=5 + count), (group, X, np.where(rng.random(len(group)) < 0.5, -1.0, 1.0))


def network(rng, count):
    edges = np.stack([np.arange(2 * count) % count, rng.integers(0, count, 2 * count)], axis=1)
    edges = edges[edges[:, 0] != edges[:, 1]]
    return rng.normal(size=count), (edges, rng.uniform(1, 2, len(edges)))


def adjustment(rng, observations):
    cameras, count = observations // 14 + 2, observations // 3
    camera = rng.integers(0, cameras, observations)
    point = np.concatenate([np.arange(count), rng.integers(0, count, observations - count)])
    one = [0.1, -0.2, 0.1, 0, 0, 0, 1.0, 0, 0, 0.1, 0.02]
    points = [0, 0, 5] + rng.uniform(-1, 1, (count, 3))
    x = np.concatenate([np.tile(one, cameras), points.ravel(), np.ones(observations)])
    return x + 0.02 * rng.normal(size=x.size), (camera, point, rng.normal(size=(observations, 2)), cameras)


PROBLEMS = {
    row.name: row
    for row in (
        Sparse("rosenbrock", rosenbrock, near_half, 100_000, 40),
        Sparse("broyden", broyden, near_half, 100_000, 40),
        Sparse("ising", ising, couplings, 100, 5),
        Sparse("effects", effects, groups, 20_000, 12),
        Sparse("network", chain, network, 100_000, 15),
        Sparse("rosenbrock-loop", rosenbrock_loop, near_half, 100_000, 40),
        Sparse("broyden-loop", broyden_loop, near_half, 100_000, 40),
        Sparse("bundle", projected, adjustment, 200, 40, jacobian=True),
    )
}
