"""Patterns hold every entry that differs from 0 at any of several points, and colourings give back every entry."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sparse_programs import STEPS, program

from autoopt.execution.eager.sweeps import Sweeps
from autoopt.parameters import Structure
from autoopt.tape.sparsity import coloring, propagation
from autoopt.tape.sparsity.pattern import Pattern
from autoopt.tape.tape import Tape
from autoopt.tracing.trace import trace
from benchmarks.sparse_problems import broyden, broyden_loop, chain, effects, ising, rosenbrock, rosenbrock_loop

RNG = np.random.default_rng(0)


def tape_of(f, x, *args, scalar=True) -> Tape:
    return trace(f, Structure.of(x), x, args, scalar=scalar).tape


def mask_of(reading) -> np.ndarray:
    return reading.pattern.matrix().toarray()


def points(x: np.ndarray) -> list[np.ndarray]:
    return [x, *(x + scale * np.random.default_rng(k).normal(size=x.size) for k, scale in ((1, 0.1), (2, 1.0)))]


def missing(tape: Tape, kind: str, mask: np.ndarray, x: np.ndarray) -> int:
    """Return how many derivatives that differ from 0 at points around `x` are not in a pattern."""
    found = 0
    for point in points(x):
        with np.errstate(all="ignore"):
            matrix = getattr(Sweeps(tape).at(point), kind)()
        found += np.count_nonzero((matrix != 0) & np.isfinite(matrix) & ~mask)
    return found


@pytest.mark.parametrize("seed", range(120))
def test_no_entry_of_a_random_program_is_missing(seed) -> None:
    residuals, names = program(seed)
    x = 0.3 + np.random.default_rng(seed).uniform(size=9)
    tape = tape_of(residuals, x, scalar=False)
    assert missing(tape, "jacobian", mask_of(propagation.jacobian(tape)), x) == 0, names
    tape = tape_of(lambda x: np.sum(np.sin(residuals(x))), x)
    assert missing(tape, "hessian", mask_of(propagation.hessian(tape)), x) == 0, names


@pytest.mark.parametrize("name", STEPS)
def test_no_entry_of_a_step_is_missing(name) -> None:
    x = np.array([0.9, 0.4, -0.3, 0.7, 0.2, -0.8, 1.1, 0.5, -0.6])
    tape = tape_of(lambda x: np.sum(STEPS[name](x * 1.0, x)), x)
    assert missing(tape, "hessian", mask_of(propagation.hessian(tape)), x) == 0


def test_a_pattern_that_is_too_small_is_noticed() -> None:
    x = np.array([0.9, 0.4, 0.3, 0.7])
    tape = tape_of(rosenbrock, x)
    mask = mask_of(propagation.hessian(tape))
    mask[1, 2] = False
    assert missing(tape, "hessian", mask, x) == 3


GRID = np.where(RNG.uniform(size=(4, 5)) < 0.5, -1.0, 1.0)
GROUP, X, Y = RNG.integers(0, 12, 40), RNG.normal(size=(40, 3)), np.where(RNG.uniform(size=40) < 0.5, -1.0, 1.0)
EDGES, W = RNG.integers(0, 15, size=(20, 2)), RNG.uniform(1, 2, 20)
EXACT = {
    "rosenbrock": (rosenbrock, 30, ()),
    "rosenbrock loop": (rosenbrock_loop, 30, ()),
    "broyden": (broyden, 30, ()),
    "broyden loop": (broyden_loop, 30, ()),
    "effects": (effects, 15, (GROUP, X, Y)),
    "graph": (chain, 15, (EDGES[EDGES[:, 0] != EDGES[:, 1]], W[EDGES[:, 0] != EDGES[:, 1]])),
    "product": (lambda x: np.sum(x[:3] * x[3:6]) + x[6], 8, ()),
    "factorisation": (lambda p: np.sum(p[:6].reshape(3, 2) @ p[6:].reshape(2, 4)), 14, ()),
    "linear": (lambda x: np.sum(np.cumsum(x)) + 3 * np.max(x), 5, ()),
    "quotients": (lambda x: np.sum(x[:3] / x[3:6]), 7, ()),
    "sparse matrix": (lambda x: np.sum((sparse.diags_array([1.0, 2.0, 1.0, 1.0, 3.0], offsets=0) @ x) ** 3), 5, ()),
    "table of sums": (lambda x: np.sum(np.log(x.reshape(4, 3).sum(axis=1) ** 2 + 1)), 12, ()),
}


@pytest.mark.parametrize("name", EXACT)
def test_patterns_of_known_problems_are_exact(name) -> None:
    f, size, args = EXACT[name]
    x = 0.5 + np.random.default_rng(1).uniform(size=size)
    tape = tape_of(f, x, *args)
    with np.errstate(all="ignore"):
        found = sum(np.abs(Sweeps(tape).at(point).hessian()) for point in points(x))
    assert np.array_equal(mask_of(propagation.hessian(tape)), found != 0)


def test_pattern_of_the_ising_model_is_exact_but_for_the_edges_that_there_are_not() -> None:
    tape = tape_of(lambda p: ising(p, GRID), RNG.uniform(size=40))
    mask = mask_of(propagation.hessian(tape))
    found = Sweeps(tape).at(RNG.uniform(size=40)).hessian()
    assert np.array_equal(mask, found != 0)


def test_zeros_at_the_start_are_no_zeros_of_the_pattern() -> None:
    tape = tape_of(lambda x: np.sum(x[1:] ** 3 * x[:-1] ** 3), np.zeros(5))
    assert np.array_equal(mask_of(propagation.hessian(tape)), np.abs(np.subtract.outer(range(5), range(5))) <= 1)


def test_both_branches_of_where_count() -> None:
    tape = tape_of(lambda x: np.sum(np.where(x[:3] > 0, x[:3] * x[3:6], x[:3] ** 2)), np.full(6, -1.0))
    mask = mask_of(propagation.hessian(tape))
    assert mask[0, 0] and mask[0, 3] and not mask[3, 3] and not mask[0, 1]


def test_positions_that_the_parameters_decide_may_be_any() -> None:
    tape = tape_of(lambda x: np.sum(x[np.argsort(x)[-2:]] ** 2), np.array([0.1, 0.9, 0.3, 0.2, 0.5]))
    assert mask_of(propagation.hessian(tape)).all()


def test_positions_that_are_data_are_read() -> None:
    x, index = np.arange(5.0), np.array([0, 2])
    tape = tape_of(lambda x, index: np.prod(x[index]), x, index)
    reading = propagation.hessian(tape)
    assert np.argwhere(mask_of(reading)).tolist() == [[0, 0], [0, 2], [2, 0], [2, 2]]
    assert reading.holds(tape)
    (place,) = reading.read
    tape.values = tape.values | {place: np.array([1, 2])}
    assert not reading.holds(tape)


@pytest.mark.slow
def test_long_recurrence_is_followed_until_nothing_is_added() -> None:
    def filtered(p, y):
        state, total = 0.0, 0.0
        for t in range(len(y)):
            state = np.tanh(p[0] * state + p[1] * y[t])
            total += (y[t] - p[2] * state) ** 2
        return total + p[3] ** 2 * p[4]

    x = np.array([0.5, 0.4, 0.9, 0.3, 0.2])
    tape = tape_of(filtered, x, RNG.normal(size=700))
    mask = mask_of(propagation.hessian(tape))
    assert missing(tape, "hessian", mask, x) == 0
    assert mask[:3, :3].all() and not mask[:3, 3:].any() and not mask[4, 4]


def test_what_is_too_full_is_not_listed() -> None:
    tape = tape_of(lambda x: np.sum(x) ** 2, np.ones(6000))
    assert propagation.hessian(tape).pattern is None


def test_empty_and_constant() -> None:
    assert propagation.hessian(tape_of(lambda x: 2.0 + 0.0 * np.sum(x), np.ones(3))).pattern.nnz == 0
    assert propagation.jacobian(tape_of(lambda x: x[:0], np.ones(3), scalar=False)).pattern.shape == (0, 3)
    assert mask_of(propagation.hessian(tape_of(lambda x: x[0] ** 2, np.ones(1)))).tolist() == [[True]]


# Colourings -----------------------------------------------------------------------------------------------------------


def band(size: int, width: int) -> sparse.csr_array:
    return sparse.diags_array(
        [np.ones(size - abs(k)) for k in range(-width, width + 1)], offsets=range(-width, width + 1)
    )


def arrow(size: int) -> sparse.csr_array:
    matrix = band(size, 1).toarray()
    matrix[0] = matrix[:, 0] = 1.0
    return sparse.csr_array(matrix)


def grid(side: int) -> sparse.csr_array:
    return sparse.kron(band(side, 1), sparse.eye_array(side)) + sparse.kron(sparse.eye_array(side), band(side, 1))


def with_values(matrix, symmetric: bool) -> sparse.csr_array:
    matrix = sparse.csr_array(matrix)
    matrix.data = RNG.uniform(1, 2, matrix.nnz)
    return sparse.csr_array(matrix + matrix.T) if symmetric else matrix


def recovered(matrix, colored) -> np.ndarray:
    found = [matrix @ row for row in colored.directions.toarray()]
    return colored.values(found + [matrix.T @ row for row in colored.adjoints.toarray()])


SYMMETRIC = {
    "tridiagonal": (band(50, 1), 3),
    "band": (band(60, 4), 9),
    "grid": (grid(8), 8),
    "arrow": (arrow(40), 5),
    "blocks": (sparse.block_diag([np.ones((3, 3))] * 7), 3),
    "diagonal": (sparse.eye_array(6), 1),
    "full": (np.ones((5, 5)), 5),
    "empty": (sparse.csr_array((4, 4)), 0),
    "random": (sparse.random_array((80, 80), density=0.03, rng=np.random.default_rng(3)), 16),
}


@pytest.mark.parametrize("name", SYMMETRIC)
def test_symmetric_colouring_gives_every_entry(name) -> None:
    matrix, most = SYMMETRIC[name]
    matrix = with_values(matrix, True)
    pattern = Pattern.of(matrix.copy())
    colored = coloring.symmetric(pattern)
    assert colored.colors <= most
    assert np.array_equal(pattern.matrix(recovered(matrix, colored)).toarray(), matrix.toarray())


RECTANGULAR = {
    "dense row": (sparse.vstack([np.ones((1, 30)), sparse.eye_array(30)]), 2),
    "dense column": (sparse.hstack([np.ones((30, 1)), sparse.eye_array(30)]), 2),
    "dense both": (arrow(30), 5),
    "wide": (np.ones((3, 40)), 3),
    "tall": (np.ones((40, 3)), 3),
    "band": (band(40, 2), 5),
    "empty": (sparse.csr_array((4, 7)), 0),
    "random": (sparse.random_array((50, 80), density=0.04, rng=np.random.default_rng(4)), 12),
}


@pytest.mark.parametrize("name", RECTANGULAR)
def test_colouring_of_rows_and_columns_gives_every_entry(name) -> None:
    matrix, most = RECTANGULAR[name]
    matrix = with_values(matrix, False)
    pattern = Pattern.of(matrix.copy())
    colored = coloring.of_matrix(pattern)
    assert colored.colors <= most
    assert np.array_equal(pattern.matrix(recovered(matrix, colored)).toarray(), matrix.toarray())


@pytest.mark.parametrize("f", [rosenbrock, broyden])
def test_colours_do_not_depend_on_the_size(f) -> None:
    colors = {coloring.symmetric(propagation.hessian(tape_of(f, np.ones(n))).pattern).colors for n in (100, 1000, 5000)}
    assert len(colors) == 1 and colors <= {3, 13}
