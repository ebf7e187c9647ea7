"""Every row of the table of batchers: a loop that calls the function becomes a few steps, of the same value."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce

import numpy as np
import pytest
import scipy.linalg
import scipy.special
from derivative_checks import check_gradient, check_hessp
from long_loops import compare_tapes
from scipy.optimize import brentq

from autoopt.objectives.objective import Objective
from autoopt.parameters import Structure
from autoopt.tape.batching.batchers import BATCHERS, BATCHERS_OF_SCIPY
from autoopt.tape.batching.batching import vectorise
from autoopt.tape.names import qualified
from autoopt.tape.operations import astype, component, greatest, least, pack, product, put, put_add, total
from autoopt.tape.root import Root
from autoopt.tape.tape import Tape
from autoopt.tracing.trace import trace

RANDOM = np.random.default_rng(5)
X0 = RANDOM.uniform(0.5, 2.0, size=(10, 3, 4))
ROUNDS = len(X0)
ROWS = RANDOM.integers(0, 3, size=(ROUNDS, 2))


def written(m):
    out = np.zeros((3, 4))
    out[...] = m
    return out


def added(m):
    out = np.ones((3, 4))
    np.add.at(out, slice(0, 2), m[:2])
    return out


def root(m):
    return brentq(lambda z: z**3 + m[0, 0] * z - m[1, 1] * m[0, 0], -10, 10)


def is_of(step, operation) -> bool:
    return step.operation is operation or type(step.operation) is operation


REDUCTIONS = (np.sum, np.mean, np.prod, np.max, np.min, np.amax, np.amin, np.std, np.var)
POSITIVE = 4.0 * np.eye(3)


def square(m):
    return m[:, :3] @ m[:, :3].T + POSITIVE


CASES: dict[Callable | None, Callable] = {
    **{function: lambda m, function=function: function(m, axis=0) for function in REDUCTIONS},
    np.where: lambda m: np.where(m > 1.0, m, 2.0 * m),
    astype: lambda m: (m > 1.0).astype(float) * m,
    np.matmul: lambda m: m @ m[0],
    np.dot: lambda m: np.dot(m, m[1]),
    pack: lambda m: np.array([m[0, 0], m[1, 1], m[2, 2]]),
    operator.getitem: lambda m: m[1:, 0],
    np.reshape: lambda m: np.reshape(m, (4, 3)),
    np.expand_dims: lambda m: np.expand_dims(m, 0),
    np.squeeze: lambda m: np.squeeze(m[None]),
    np.ravel: lambda m: np.ravel(m),
    np.broadcast_to: lambda m: np.broadcast_to(m, (2, 3, 4)),
    np.transpose: lambda m: np.transpose(m),
    np.concatenate: lambda m: np.concatenate([m[0], m[1]]),
    put: written,
    put_add: added,
    Root: root,
    total: lambda m: sum(m[k // 4, k % 4] for k in range(12)),
    product: lambda m: reduce(operator.mul, [m[k // 4, k % 4] for k in range(12)]),
    greatest: lambda m: reduce(np.maximum, [m[k // 4, k % 4] for k in range(12)]),
    least: lambda m: reduce(np.minimum, [m[k // 4, k % 4] for k in range(12)]),
    np.clip: lambda m: np.clip(m, 0.7, m[0, 0] + 0.5),
    np.select: lambda m: np.select([m > 1.0, m > 0.8], [m**2, 2.0 * m], 0.5),
    np.nan_to_num: lambda m: np.nan_to_num(m),
    np.sinc: lambda m: np.sinc(m),
    np.inner: lambda m: np.inner(m[0], m[1]),
    np.vdot: lambda m: np.vdot(m[0], m[1]),
    np.tensordot: lambda m: np.tensordot(m[0], m[1], 1),
    np.any: lambda m: np.where(np.any(m > 1.8, axis=0), m[0], m[1]),
    np.all: lambda m: np.where(np.all(m > 0.7, axis=0), m[0], m[1]),
    np.median: lambda m: np.median(m, axis=1),
    np.ptp: lambda m: np.ptp(m, axis=0),
    np.nansum: lambda m: np.nansum(m, 1),
    np.count_nonzero: lambda m: np.count_nonzero(m > 1.0, axis=1) * m[:, 0],
    np.flip: lambda m: np.flip(m, 0) * m,
    np.cumsum: lambda m: np.cumsum(m, axis=0),
    np.cumprod: lambda m: np.cumprod(m[0]),
    np.argmax: lambda m: np.argmax(m, axis=0) * m[0],
    np.argmin: lambda m: np.argmin(m, axis=0) * m[0],
    np.roll: lambda m: np.roll(m, 1, axis=1) * m,
    np.repeat: lambda m: np.repeat(m, 2, axis=0)[1:4] * m,
    np.sort: lambda m: np.sort(m, axis=0)[:2],
    np.argsort: lambda m: np.argsort(m) * m,
    np.diff: lambda m: np.diff(m, axis=0),
    np.trapezoid: lambda m: np.trapezoid(m, m**2),
    np.average: lambda m: np.average(m, weights=m**2, axis=1),
    np.linalg.norm: lambda m: np.linalg.norm(m, 1, axis=0) + np.linalg.norm(m),
    np.linalg.inv: lambda m: np.linalg.inv(square(m)),
    np.linalg.det: lambda m: np.linalg.det(square(m)) / 100.0,
    np.linalg.cholesky: lambda m: np.linalg.cholesky(square(m)),
    np.linalg.pinv: lambda m: np.linalg.pinv(square(m)),
    np.linalg.eigvalsh: lambda m: np.linalg.eigvalsh(square(m)),
    np.linalg.eigh: lambda m: np.linalg.eigh(square(m))[0],
    np.linalg.slogdet: lambda m: np.linalg.slogdet(square(m))[1],
    np.linalg.matrix_power: lambda m: np.linalg.matrix_power(square(m), 2) / 100.0,
    np.triu: lambda m: np.triu(m, 1),
    np.tril: lambda m: np.tril(m),
    np.trace: lambda m: np.trace(m[:, 1:]),
    np.diagonal: lambda m: np.diagonal(m),
    np.diag: lambda m: np.diag(m[0]) + np.sum(np.diag(m[:, 1:])),
    component: lambda m: np.linalg.slogdet(square(m))[1],
    np.linalg.solve: lambda m: np.linalg.solve(square(m), m[:, 0]),
    np.outer: lambda m: np.outer(m[0], m[1]),
    np.cross: lambda m: np.cross(m[:, 0], m[:, 1]),
    np.einsum: lambda m: np.einsum("ij,kj", m, m),
    np.swapaxes: lambda m: np.swapaxes(m, 0, 1),
    np.moveaxis: lambda m: np.moveaxis(np.stack([m, m**2]), 0, 2),
    np.hstack: lambda m: np.hstack([m[0], m[1]]),
    np.vstack: lambda m: np.vstack([m, m[0]]),
    np.column_stack: lambda m: np.column_stack([m[0], m[1]]),
    np.append: lambda m: np.append(m, m[0]),
}

CASES_OF_SCIPY: dict[str, Callable] = {
    "scipy.special.logsumexp": lambda m: scipy.special.logsumexp(m, axis=1, b=m[0]),
    "scipy.special.softmax": lambda m: scipy.special.softmax(m, axis=0),
    "scipy.special.log_softmax": lambda m: scipy.special.log_softmax(m[0]),
    "scipy.special.multigammaln": lambda m: scipy.special.multigammaln(m + 2.0, 3),
    "scipy.linalg.norm": lambda m: scipy.linalg.norm(m),
    "scipy.linalg.inv": lambda m: scipy.linalg.inv(square(m)),
    "scipy.linalg.det": lambda m: scipy.linalg.det(square(m)) / 100.0,
    "scipy.linalg.cholesky": lambda m: scipy.linalg.cholesky(square(m)),
    "scipy.linalg.pinv": lambda m: scipy.linalg.pinv(square(m)),
    "scipy.linalg.expm": lambda m: scipy.linalg.expm(0.1 * square(m)),
    "scipy.linalg.eigh": lambda m: scipy.linalg.eigh(square(m))[0],
    "scipy.linalg.cho_factor": lambda m: np.diag(scipy.linalg.cho_factor(square(m))[0]),
    "scipy.linalg.solve": lambda m: scipy.linalg.solve(square(m), m),
    "scipy.linalg.solve_triangular": lambda m: scipy.linalg.solve_triangular(square(m), m[:, 0], lower=True),
    "scipy.linalg.cho_solve": lambda m: scipy.linalg.cho_solve(scipy.linalg.cho_factor(square(m)), m[:, 0]),
}


def tape_of(function: Callable) -> Tape:
    def objective(x):
        return sum(np.sum(np.exp(-function(x[k]))) for k in range(ROUNDS))

    return trace(objective, Structure.of(X0), X0.ravel()).tape


def test_an_axis_may_stand_without_its_name() -> None:
    """As it does in `m.sum(0)`."""
    for function in REDUCTIONS:
        tape = tape_of(lambda m, function=function: function(m, 0))
        compare_tapes(tape, [X0.ravel()])
        assert sum(step.operation is function for step in vectorise(tape).steps) < ROUNDS


def test_every_batcher_has_a_case() -> None:
    assert set(BATCHERS) == set(CASES)
    assert set(BATCHERS_OF_SCIPY) == set(CASES_OF_SCIPY)


@pytest.mark.parametrize("operation", CASES, ids=lambda operation: operation.__name__)
def test_a_loop_over_rows_is_a_few_steps(operation) -> None:
    tape = tape_of(CASES[operation])
    batched = vectorise(tape)
    compare_tapes(tape, [X0.ravel()])
    assert sum(step.operation is np.exp for step in batched.steps) == 1
    assert sum(is_of(step, operation) for step in batched.steps) < ROUNDS


@pytest.mark.parametrize("name", CASES_OF_SCIPY)
def test_a_loop_over_rows_with_a_function_of_scipy_is_a_few_steps(name) -> None:
    tape = tape_of(CASES_OF_SCIPY[name])
    batched = vectorise(tape)
    compare_tapes(tape, [X0.ravel()])
    assert any(step.operation and qualified(step.operation) == name for step in tape.steps)
    assert sum(bool(step.operation) and qualified(step.operation) == name for step in batched.steps) == 1


@pytest.mark.slow_for("scipy.linalg.det")
@pytest.mark.sampled(18)
@pytest.mark.parametrize("case", [*CASES, *CASES_OF_SCIPY], ids=lambda case: getattr(case, "__name__", case))
def test_derivatives_of_a_loop_over_rows_are_those_of_differences(case) -> None:
    function = CASES[case] if callable(case) else CASES_OF_SCIPY[case]

    def f(p):
        return sum(np.sum(np.exp(-function(p[0] * X0[k] + p[1] * np.sin(3 * X0[k]) ** 2))) for k in range(ROUNDS))

    x = np.array([0.9, 0.2])
    objective = Objective(f, x)
    check_gradient(objective, x, 0.0)
    check_hessp(objective, x, np.array([0.6, -0.7]), 0.0)


@pytest.mark.parametrize(
    "function",
    [
        lambda m, k: np.sum(m[ROWS[k]] ** 2),
        lambda m, k: np.sum(m[:, ROWS[k] + 1] ** 2 * m[:, :2]),
        lambda m, k: np.sum(X0[0][ROWS[k]] * m[1:]),
        lambda m, k: np.linalg.solve(POSITIVE + np.ones((3, 3)), m[:, 0])[k % 3],
        lambda m, k: np.linalg.solve(POSITIVE + np.ones((3, 3)), m)[k % 3, 1],
        lambda m, k: scipy.special.logsumexp([m[0, 0], 0.3, m[1, 1]]),
        lambda m, k: scipy.special.logsumexp(m, b=[0.1, 0.2, 0.3, 0.4]),
        lambda m, k: np.linalg.slogdet(square(m))[1] if k % 2 else np.sum(m),
        lambda m, k: np.einsum("i,j,ij", m[0], X0[0][0], np.outer(X0[1, 0], m[0])),
    ],
)
@pytest.mark.slow
def test_rows_read_at_positions_and_what_all_rows_share(function) -> None:
    def f(p):
        return sum(np.exp(-0.1 * function(p[0] * X0[k] + p[1] * X0[k] ** 2, k)) for k in range(ROUNDS))

    x = np.array([0.9, 0.2])
    tape = trace(f, Structure.of(x), x).tape
    assert len(vectorise(tape).steps) < len(tape.steps) / 3
    compare_tapes(tape, [x, x * 1.01])
    objective = Objective(f, x)
    check_gradient(objective, x, 0.0)
    check_hessp(objective, x, np.array([0.6, -0.7]), 0.0)
