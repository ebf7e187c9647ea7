"""Random convex quadratic programs, in units of their own, against solutions that no derivative of ours has a part in.

Linear limits: all sets of active ones are tried, and the system of Karush, Kuhn and Tucker is solved for each. One
quadratic limit: its multiplier is a root of one equation.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import brentq

from autoopt import minimize
from autoopt.solvers import SOLVERS

METHODS = [name for name, row in SOLVERS.items() if "constraints" in row.takes and row.uses]


def linear_program(rng):
    """Return H, g, A, b, E, e of f = z.H z / 2 + g.z with A z >= b and E z = e, and a point that meets them."""
    n, m = int(rng.integers(2, 5)), int(rng.integers(1, 5))
    lower = rng.normal(size=(n, n))
    inside = rng.normal(size=n)
    a, e = rng.normal(size=(m, n)), rng.normal(size=(int(rng.integers(0, 2)), n))
    room = rng.exponential(size=m) * (rng.random(m) < 0.8)
    return (
        (lower @ lower.T + np.diag(10.0 ** rng.uniform(-2, 1, n)), 3 * rng.normal(size=n), a, a @ inside - room),
        (e, e @ inside),
        inside,
    )


def by_enumeration(h, g, a, b, e, level):
    """Return the lowest value, the multipliers of A z >= b there, and whether they are the only ones."""
    best = (np.inf, None, False)
    n = len(g)
    for count in range(n - len(level) + 1):
        for active in map(list, itertools.combinations(range(len(b)), count)):
            normals, limits = np.vstack([e, a[active]]), np.concatenate([level, b[active]])
            if len(limits) and np.linalg.matrix_rank(normals) < len(limits):
                continue
            zeros = np.zeros((len(limits), len(limits)))
            system = np.block([[h, -normals.T], [normals, zeros]])
            z, weights = np.split(np.linalg.solve(system, np.concatenate([-g, limits])), [n])
            if (a @ z >= b - 1e-9).all() and (weights[len(level) :] >= -1e-9).all() and z @ h @ z / 2 + g @ z < best[0]:
                multipliers = np.zeros(len(b))
                multipliers[active] = weights[len(level) :]
                unique = int((a @ z - b < 1e-9).sum()) == count
                best = (z @ h @ z / 2 + g @ z, multipliers, unique)
    return best


@pytest.mark.slow_for("11-trust-constr")
@pytest.mark.sampled(6)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(40))
def test_linear_limits(seed, method):
    rng = np.random.default_rng(seed)
    (h, g, a, b), (e, level), z0 = linear_program(rng)
    lowest, multipliers, unique = by_enumeration(h, g, a, b, e, level)
    of_f, of_a, of_e = (10.0 ** rng.uniform(-8, 8, size) for size in ((), len(b), len(level)))
    unit = 10.0 ** rng.uniform(-2, 2, len(g))
    given = [{"type": "ineq", "fun": lambda x: of_a * (a @ (x / unit) - b)}]
    given += [{"type": "eq", "fun": lambda x: of_e * (e @ (x / unit) - level)}] if len(level) else []
    result = minimize(
        lambda x: of_f * ((x / unit) @ h @ (x / unit) / 2 + g @ (x / unit)), z0 * unit, method=method, constraints=given
    )
    right = result.fun / of_f == pytest.approx(lowest, rel=1e-7, abs=1e-8)
    assert result.success and right, (result.fun / of_f, lowest, result.message)
    assert (a @ (result.x / unit) >= b - 1e-8).all()
    if unique:
        np.testing.assert_allclose(result.multipliers[0] * of_a / of_f, multipliers, rtol=1e-5, atol=1e-6)


@pytest.mark.sampled(6)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(40))
def test_quadratic_limit(seed, method):
    rng = np.random.default_rng(seed + 10_000)
    n = int(rng.integers(2, 5))
    one, other = rng.normal(size=(2, n, n))
    h, q, g = one @ one.T + 0.1 * np.eye(n), other @ other.T + 0.2 * np.eye(n), 3 * rng.normal(size=n)
    center, square = rng.normal(size=n), rng.exponential() + 0.1

    def solution(weight):
        return np.linalg.solve(h + 2 * weight * q, -g + 2 * weight * q @ center)

    def missed(weight):
        return (solution(weight) - center) @ q @ (solution(weight) - center) - square

    weight = 0.0 if missed(0.0) <= 0 else brentq(missed, 0.0, 1e6, xtol=1e-15, rtol=1e-14)
    lowest = solution(weight) @ h @ solution(weight) / 2 + g @ solution(weight)
    of_f, of_c = 10.0 ** rng.uniform(-8, 8, 2)
    result = minimize(
        lambda x: of_f * (x @ h @ x / 2 + g @ x), center + 2 * rng.normal(size=n), method=method,
        constraints={"type": "ineq", "fun": lambda x: of_c * (square - (x - center) @ q @ (x - center))},
    )  # fmt: skip
    right = result.fun / of_f == pytest.approx(lowest, rel=1e-7, abs=1e-8)
    assert result.success and right, (result.fun / of_f, lowest, result.message)
    assert result.multipliers[0][0] * of_c / of_f == pytest.approx(weight, rel=1e-5, abs=1e-6)
