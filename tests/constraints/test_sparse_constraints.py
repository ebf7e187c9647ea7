"""Constraints of many parameters stay sparse: Jacobians, second derivatives, and what is asked of a solution."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import NonlinearConstraint, nnls

from autoopt import minimize
from autoopt.constraints.forms import read
from autoopt.solvers import SOLVERS, Limits
from autoopt.solvers.constraints import active_normals
from autoopt.solvers.entries import Beside, Entries, everywhere, of_matrix
from autoopt.solvers.multipliers import multipliers

SECOND = [name for name, row in SOLVERS.items() if "constraints" in row.takes and len(row.uses) > 1]


def chain(x):
    return np.sum((x - 1.2) ** 2) + np.sum((x[1:] - x[:-1] ** 2) ** 2)


def neighbours(x):
    return x[:-1] * x[1:]


def test_jacobian_and_curvature_of_neighbours_are_sparse_and_right():
    x = np.linspace(-2.0, 2.0, 150)
    [constraint] = read(NonlinearConstraint(neighbours, -np.inf, 0.8), x)
    jacobian = constraint.jacobian(x)
    assert sparse.issparse(jacobian) and jacobian.nnz == 298
    assert np.allclose(
        jacobian.toarray(),
        np.eye(149, 150) * x[1:, None] + np.eye(149, 150, 1) * x[:-1, None],
    )
    assert constraint.function.has_second(False)
    v = np.linspace(1.0, 2.0, 149)
    curvature = constraint.function.hessian(x, v)
    assert sparse.issparse(curvature)
    assert np.allclose(curvature.toarray(), np.diag(v, 1) + np.diag(v, -1))


@pytest.mark.parametrize("method", SECOND)
@pytest.mark.slow
def test_thousands_of_parameters_and_constraints(method):
    x0 = np.full(3000, 0.5)
    minimize(chain, x0[:150], method=method, constraints=NonlinearConstraint(neighbours, -np.inf, 0.8))
    tracemalloc.start()
    try:
        result = minimize(chain, x0, method=method, constraints=NonlinearConstraint(neighbours, -np.inf, 0.8))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result.success and result.gradient_norm < 1e-5
    assert np.max(neighbours(result.x)) < 0.8 + 1e-8
    assert result.fun == pytest.approx(306.864025, rel=1e-7)  # by both methods
    assert most < 8 * 3000**2 / 2  # no full matrix


@pytest.mark.parametrize("method", SECOND)
def test_branches_of_other_patterns(method):
    """Where the constraint takes another branch its Jacobian has entries that it had not at the start."""

    def inside(x):
        return 1.0 - x**2 if x[0] < 0.5 else 1.0 - x * x[::-1]

    x0 = np.full(120, 0.2)
    result = minimize(
        lambda x: np.sum((x - 2.0) ** 2), x0, method=method, constraints=NonlinearConstraint(inside, 0, np.inf)
    )
    assert result.success and result.x == pytest.approx(np.ones(120), abs=1e-5)


def test_normals_are_sparse_where_jacobians_are():
    x = np.full(600, 0.8**0.5)
    constraints = read(NonlinearConstraint(neighbours, -np.inf, 0.8), x)
    limits = Limits(np.full(600, -np.inf), np.where(np.arange(600) < 2, x, np.inf))
    normals = active_normals(constraints, limits, x, 1e-8)
    assert sparse.issparse(normals) and normals.shape == (601, 600)
    expected = -np.concatenate([np.eye(599, 600) * x[0] + np.eye(599, 600, 1) * x[0], np.eye(600)[:2]])
    assert np.allclose(normals.toarray(), expected)


@pytest.mark.parametrize("count", [0, 5, 100, 101, 180])
def test_multipliers_that_make_up_the_gradient(count):
    rng = np.random.default_rng(count)
    normals = rng.normal(size=(count, 200))
    weights = rng.uniform(0.1, 10.0, count)
    assert np.allclose(multipliers(sparse.csr_array(normals), weights @ normals), weights, rtol=1e-6)
    both = np.concatenate([normals, -normals])  # as of equalities
    left = multipliers(both, weights @ normals) @ both - weights @ normals
    assert np.max(np.abs(left), initial=0.0) < 1e-6


def test_multipliers_are_never_negative():
    rng = np.random.default_rng(0)
    normals, gradient = rng.normal(size=(150, 300)), rng.normal(size=300)
    weights = multipliers(normals, gradient)
    left = np.linalg.norm(gradient - weights @ normals)
    assert (weights >= 0).all() and left <= 1.2 * nnls(normals.T, gradient)[1]


def test_entries_in_order_and_what_lies_beside():
    matrix = np.array([[1.0, 0, 2], [0, 3, 0], [4, 0, 5]])
    entries = Entries([of_matrix(sparse.csr_array(matrix))], 3)
    assert entries.values(matrix).tolist() == entries.values(sparse.coo_array(matrix)).tolist() == [1, 2, 3, 4, 5]
    below = Entries([everywhere(3, 3)], 3, lower=True)
    assert below.values(matrix).tolist() == below.values(sparse.csr_array(matrix)).tolist() == [1, 0, 3, 4, 0, 5]
    for other in (matrix + np.eye(3, k=1), sparse.csr_array(matrix + np.eye(3, k=1))):
        with pytest.raises(Beside):
            entries.values(other)
    assert Entries([], 3).values(sparse.csr_array((3, 3))).tolist() == []
