"""Sparse Hessians and Jacobians: those computed in full, at several points, on every path; and how they are shown."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sparse_programs import program

import autoopt
from autoopt import differences
from autoopt.errors import TracingError, UsageError
from autoopt.objectives import sparse as compressed
from autoopt.objectives.objective import Objective
from autoopt.tape.sparsity import elementwise, rules
from benchmarks.sparse_problems import (
    broyden,
    broyden_loop,
    chain,
    effects,
    ising,
    projected,
    rosenbrock,
    rosenbrock_loop,
)

RNG = np.random.default_rng(0)
GRID = np.where(RNG.uniform(size=(4, 5)) < 0.5, -1.0, 1.0)
GROUP, X, Y = RNG.integers(0, 12, 40), RNG.normal(size=(40, 3)), np.where(RNG.uniform(size=40) < 0.5, -1.0, 1.0)
EDGES, W = RNG.integers(0, 15, size=(20, 2)), RNG.uniform(1, 2, 20)
PROBLEMS = {
    "rosenbrock": (rosenbrock, 40, ()),
    "rosenbrock loop": (rosenbrock_loop, 40, ()),
    "broyden": (broyden, 40, ()),
    "broyden loop": (broyden_loop, 40, ()),
    "ising": (ising, 40, (GRID,)),
    "effects": (effects, 15, (GROUP, X, Y)),
    "graph": (chain, 15, (EDGES, W)),
}


def columns(objective: Objective, x: np.ndarray) -> np.ndarray:
    return np.array([objective.hessp(x, unit) for unit in np.eye(x.size)])


def close(found, expected, tolerance: float = 1e-10) -> None:
    found = found.toarray() if sparse.issparse(found) else found
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * max(1.0, abs(expected).max()))


@pytest.mark.parametrize("name", PROBLEMS)
def test_sparse_hessian_is_the_hessian(name) -> None:
    f, size, args = PROBLEMS[name]
    x = RNG.uniform(0.5, 1.5, size)
    objective = Objective(f, x, args)
    for point in (x, x + 0.1, RNG.normal(size=size)):
        found = objective.hess(point, sparse=True)
        assert type(found) is sparse.csr_array and found.has_canonical_format
        assert np.array_equal(found.toarray(), found.T.toarray())
        close(found, columns(objective, point))
    close(found, differences.hessian(objective.grad, point)[0], 1e-5)
    assert found.nnz == objective.sparsity().nnz < size**2


@pytest.mark.slow_for("2", "6")
@pytest.mark.sampled(12)
@pytest.mark.parametrize("seed", range(25))
def test_sparse_derivatives_of_a_random_program(seed) -> None:
    residuals, names = program(1000 + seed)
    x = 0.3 + np.random.default_rng(seed).uniform(size=9)
    for point in (x, x + 0.05):
        with np.errstate(all="ignore"):
            objective = Objective(residuals, x, scalar=False)
            full, shape = objective.jacobian(point)
            found, same = objective.jacobian(point, sparse=True)
            assert same == shape, names
            close(found, full)
            objective = Objective(lambda x: np.sum(np.sin(residuals(x))), x)
            close(objective.hess(point, sparse=True), columns(objective, point))


def adjustment() -> tuple:
    camera, point = RNG.integers(0, 6, 40), np.r_[np.arange(12), RNG.integers(0, 12, 28)]
    args = camera, point, RNG.normal(size=(40, 2)), 6
    cameras = np.tile([0.1, -0.2, 0.1, 0, 0, 0, 1.0, 0, 0, 0.1, 0.02], (6, 1))
    points = [0, 0, 5] + RNG.uniform(-1, 1, (12, 3))
    x = np.concatenate([cameras.ravel(), points.ravel(), np.ones(40)])
    return args, x + 0.02 * RNG.normal(size=x.size)


@pytest.mark.slow
def test_jacobian_of_a_bundle_adjustment_is_sparse() -> None:
    args, x = adjustment()
    objective = Objective(projected, x, args, scalar=False)
    found, shape = objective.jacobian(x, sparse=True)
    assert shape == (120,) and found.nnz == 40 * 2 * 14 + 40, "a residual reads one coordinate of the principal point"
    assert objective.sparsity("jacobian").colors <= 14
    steps = 1e-5 * np.eye(x.size)
    ahead, behind = ([projected(x + sign * step, *args) for step in steps] for sign in (1, -1))
    close(found, (np.array(ahead) - np.array(behind)).T / 2e-5, 1e-5)
    full, _ = objective.jacobian(x)
    close(found, full)


@pytest.mark.slow
def test_what_is_returned_depends_on_the_size_and_on_what_is_asked_for() -> None:
    small, large = np.linspace(0.1, 1, 30), np.linspace(0.1, 1, 2500)
    f, g = Objective(rosenbrock, small), Objective(rosenbrock, large)
    assert type(f.hess(small)) is np.ndarray and type(f.hess(small, sparse=True)) is sparse.csr_array
    assert type(g.hess(large)) is sparse.csr_array and type(g.hess(large, sparse=False)) is np.ndarray
    assert type(Objective(lambda x: np.sum(x) ** 2, large).hess(large)) is np.ndarray, "it is full"
    assert type(autoopt.hessian(rosenbrock)(large)) is sparse.csr_array
    nest = {"a": small, "b": large}
    found = autoopt.hessian(lambda p: rosenbrock(p["b"]) + np.sum(p["a"] ** 2))(nest)
    assert found["a"]["a"].shape == (30, 30) and found["b"]["a"].shape == (2500, 30)
    assert autoopt.hessian(lambda p: np.sum(p["a"] ** 3), sparse=True)(nest).shape == (2530, 2530)
    J = autoopt.jacobian(lambda x: x[1:] * x[:-1])(large)
    assert type(J) is sparse.csr_array and J.nnz == 4998
    assert type(autoopt.jacobian(lambda x: x[1:] * x[:-1], sparse=False)(large)) is np.ndarray
    close(
        autoopt.jacobian(lambda x: x[1:] * x[:-1], sparse=True)(small[:3]),
        np.array([[small[1], small[0], 0], [0, small[2], small[1]]]),
    )


def test_each_path_has_its_own_pattern() -> None:
    def f(x):
        return np.sum(x[1:] ** 2 * x[:-1]) if x[0] > 0 else np.sum(x**4) + x[0] * x[-1]

    one, other = np.full(6, 0.7), np.full(6, -0.7)
    objective = Objective(f, one)
    for x in (one, other, one + 0.1, other - 0.1):
        close(objective.hess(x, sparse=True), columns(objective, x))
    assert objective.hess(one, sparse=True).nnz == 5 + 10 and objective.hess(other, sparse=True).nnz == 6 + 2


def test_branch_on_equal_numbers_takes_no_pattern_of_one_path() -> None:
    def f(x):
        return np.sum(x**2) if x[0] == x[1] else np.sum(x**2) + (x[0] - x[1]) ** 2 * x[2]

    x = np.array([0.5, 0.5, 2.0])
    close(Objective(f, x).hess(x, sparse=True), Objective(f, x).hess(x))


def test_kinks_are_settled_as_those_of_products_are() -> None:
    x = np.array([0.0, 1.0, -2.0, 0.0])
    objective = Objective(lambda x: np.sum(np.abs(x) ** 3) + np.sum(np.abs(x[1:]) * x[:-1] ** 2 * 0.5), np.ones(4))
    close(
        objective.hess(x[1:3], sparse=True) if False else objective.hess(x + 0.5, sparse=True),
        columns(objective, x + 0.5),
    )
    smooth = Objective(lambda x: np.sum(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))), np.ones(4))
    found = smooth.hess(x, sparse=True)
    share = 1 / (1 + np.exp(-x))
    close(found, np.diag(share * (1 - share)))


def test_one_entry_that_is_infinite_leaves_the_others() -> None:
    x = np.array([0.0, 1.0, 4.0])
    objective = Objective(lambda x: np.sum(x**1.5), np.ones(3))
    found, full = objective.hess(x, sparse=True).toarray(), columns(objective, x)
    np.testing.assert_allclose(np.diag(found)[1:], np.diag(full)[1:], rtol=1e-12)
    assert found[0, 0] == full[0, 0] == np.inf


def test_positions_may_be_other_data() -> None:
    def f(x, first, second):
        return np.sum((x[first] * x[second]) ** 2)

    hessian = autoopt.hessian(f, sparse=True)
    x = np.linspace(0.5, 1.5, 6)
    for first, second in [([0, 1], [2, 3]), ([5, 4], [0, 1]), ([0, 1], [2, 3])]:
        first, second = np.array(first), np.array(second)
        found = hessian(x, first, second)
        close(found, columns(Objective(f, x, (first, second)), x))
        assert found.nnz == 8


def test_positions_may_be_written_into() -> None:
    x, index = np.linspace(0.5, 1.5, 6), np.array([0, 1, 2])
    objective = Objective(lambda x, index: np.sum(x[index] ** 2 * x[index + 1]), x, (index,))
    for place in (3, 0, 1):
        close(objective.hess(x, sparse=True), columns(objective, x))
        index[2] = place


def test_patterns_are_kept_between_calls(monkeypatch) -> None:
    x = np.linspace(0.5, 1.5, 50)
    first = autoopt.hessian(broyden, sparse=True)(x)
    monkeypatch.setattr(compressed, "_made", None)
    assert np.array_equal(autoopt.hessian(broyden, sparse=True)(x).toarray(), first.toarray())


def test_sparse_matrices_of_other_entries_are_other_patterns() -> None:
    hessian = autoopt.hessian(lambda x, A: np.sum((A @ x) ** 4), sparse=True)
    x = np.linspace(0.5, 1.5, 4)
    for places in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 1, 2, 2]):
        A = sparse.csr_array((np.ones(4), (np.arange(4), places)), shape=(4, 4)) + sparse.eye_array(4)
        A = sparse.csr_array(A)
        close(hessian(x, A), 12 * A.T.toarray() @ np.diag((A @ x) ** 2) @ A.toarray())


def test_a_pattern_that_lacks_an_entry_is_not_used(monkeypatch) -> None:
    monkeypatch.setitem(rules.RULES, np.multiply, elementwise.straight)
    x = np.linspace(0.5, 1.5, 6)
    objective = Objective(lambda x: np.sum(x[1:] * x[:-1]), x)
    assert objective.sparsity().nnz == 0
    close(objective.hess(x, sparse=True), np.eye(6, k=1) + np.eye(6, k=-1))


def test_result_is_the_callers_own() -> None:
    x = np.linspace(0.5, 1.5, 6)
    objective = Objective(rosenbrock, x)
    found = objective.hess(x, sparse=True)
    found.data[:] = 0
    found.eliminate_zeros()
    close(objective.hess(x, sparse=True), columns(objective, x))


def test_memory_goes_with_the_entries() -> None:
    import tracemalloc

    x = np.linspace(0.5, 1.5, 30_000)
    objective = Objective(rosenbrock, x)
    objective.hess(x)
    tracemalloc.start()
    try:
        found = objective.hess(x + 0.1)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.nnz == 3 * x.size - 2 and most < 40 * 8 * found.nnz


def test_sparse_within_an_objective_is_refused() -> None:
    with pytest.raises(TracingError, match="sparse matrix of derivatives within it"):
        autoopt.grad(lambda x: np.sum(autoopt.hessian(rosenbrock, sparse=True)(x)))(np.ones(3))
    with pytest.raises(TracingError, match="leave out sparse=True"):
        autoopt.grad(lambda x: np.sum(autoopt.objective(rosenbrock, x).hess(x, sparse=True)))(np.ones(3))


# Pictures -------------------------------------------------------------------------------------------------------------


def test_picture_of_few_entries_shows_each() -> None:
    shown = Objective(rosenbrock, np.ones(5)).sparsity()
    assert str(shown) == "hessian 5 x 5: 13 entries (52 %), 3 products"
    assert shown.spy().splitlines()[1:] == [
        "+-----+",
        "|## " + "  |",
        "|###  |",
        "| ### |",
        "|  ###|",
        "|   ##|",
        "+-----+",
    ]
    assert np.array_equal(shown.matrix().toarray(), np.abs(np.subtract.outer(range(5), range(5))) <= 1)
    assert np.array_equal(shown.rows[:4], [0, 0, 1, 1]) and np.array_equal(shown.indices[:4], [0, 1, 0, 1])


def test_picture_of_many_entries_fits_a_terminal() -> None:
    lines = Objective(rosenbrock, np.ones(3000)).sparsity().spy().splitlines()
    assert len(lines) == 35 and max(map(len, lines)) <= 80
    assert all(line.strip("| ") == "." * len(line.strip("| ")) for line in lines[2:-1])
    wide = Objective(lambda x: x[:300] * x[300:600], np.ones(3000), scalar=False).sparsity("jacobian")
    assert max(map(len, wide.spy().splitlines())) <= 80
    assert Objective(lambda x: x[:0], np.ones(3), scalar=False).sparsity("jacobian").spy().count("\n") == 0


def test_matplotlib_draws_where_it_is_asked_to() -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure()
    shown = Objective(rosenbrock, np.ones(5)).sparsity()
    assert shown.spy(figure.subplots()).get_xdata().size == 13


def test_kinds_that_there_are_not_and_patterns_that_are_full() -> None:
    objective = Objective(lambda x: np.sum(x) ** 2, np.ones(6000))
    with pytest.raises(UsageError, match='choose "hessian" or "jacobian"'):
        objective.sparsity("gradient")
    with pytest.raises(UsageError, match="too many entries that may differ from 0"):
        objective.sparsity()


def test_the_pattern_of_a_hessian_is_not_that_of_an_array() -> None:
    objective = Objective(lambda x: 2 * x, np.ones(3), scalar=False)
    assert objective.sparsity("jacobian").nnz == 3
    with pytest.raises(UsageError, match="no gradient and no Hessian"):
        objective.sparsity()
