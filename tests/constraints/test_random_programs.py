"""Random programs with curved constraints: what is called a minimum is one by closed forms of all derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import nnls

from autoopt import minimize
from autoopt.solvers import SOLVERS

METHODS = [name for name, row in SOLVERS.items() if "constraints" in row.takes and row.uses]


class Program:
    """units * (x Q x / 2 + b x + sum x^4 / 10) where A x + (x D_k x)_k - a is 0 in the first rows, else at least 0."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.size, self.equalities = int(rng.integers(2, 7)), int(rng.integers(0, 2))
        count = self.equalities + int(rng.integers(1, 4))
        Q = rng.normal(size=(self.size, self.size))
        self.Q, self.b = (Q + Q.T) / 2, rng.normal(size=self.size)
        self.A, self.D = rng.normal(size=(count, self.size)), 0.3 * rng.normal(size=(count, self.size))
        self.a = np.r_[0.3 * rng.normal(size=self.equalities), -rng.random(count - self.equalities)]
        self.units, self.x0 = 10.0 ** rng.integers(-12, 13), rng.uniform(-1, 1, self.size)

    def value(self, x):
        return self.units * (x @ self.Q @ x / 2 + self.b @ x + np.sum(x**4) / 10)

    def constraints(self):
        A, D, a, k = self.A, self.D, self.a, self.equalities
        inside = {"type": "ineq", "fun": lambda x: A[k:] @ x + D[k:] @ x**2 - a[k:]}
        return [inside, {"type": "eq", "fun": lambda x: A[:k] @ x + D[:k] @ x**2 - a[:k]}][: 1 + (k > 0)]

    def is_minimum(self, x):
        values, normals = self.A @ x + self.D @ x**2 - self.a, self.A + 2 * self.D * x
        equal = np.arange(len(values)) < self.equalities
        held = equal | (values < 1e-7)
        gradient = self.Q @ x + self.b + 0.4 * x**3
        both = np.concatenate([normals[held], -normals[equal]])
        weights = nnls(both.T, gradient)[0] if len(both) else np.zeros(0)  # without columns nnls ends the process
        multipliers = np.zeros(len(values))
        multipliers[held] = weights[: held.sum()]
        multipliers[equal] -= weights[held.sum() :]
        left = np.max(np.abs(gradient - multipliers @ normals))
        strict = normals[equal | (multipliers > 1e-6)]
        plane = np.linalg.svd(strict)[2][len(strict) :].T if len(strict) else np.eye(self.size)
        hessian = self.Q + np.diag(1.2 * x**2) - 2 * np.diag(multipliers @ self.D)
        lowest = np.min(np.linalg.eigvalsh(plane.T @ hessian @ plane), initial=0.0)
        missed = max(np.max(np.abs(values[equal]), initial=0.0), np.max(-values, initial=0.0))
        return left < 1e-6 and lowest > -1e-6 and missed < 1e-8


@pytest.mark.slow_for("5-ipopt")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(12))
def test_verdict_is_that_of_the_closed_form(seed, method):
    program = Program(seed)
    result = minimize(program.value, program.x0, method=method, constraints=program.constraints())
    assert result.success == program.is_minimum(result.x), result.message
    assert result.success, result.message
