"""Sums over slices of many lengths: entries of one cumulative sum, with the values and derivatives of the loop."""

from __future__ import annotations

import numpy as np
import pytest
from derivative_checks import check_gradient, check_hessp, check_value
from long_loops import compare_tapes

from autoopt.objectives.objective import Objective
from autoopt.parameters import Structure
from autoopt.tape.batching.batching import vectorise
from autoopt.tracing.trace import trace

RANDOM = np.random.default_rng(3)
N = 40
Z = RANDOM.normal(size=(N, 3))
W = RANDOM.uniform(size=N)
X = np.array([0.4, -0.3, 0.6])


def risk_sets(p):
    eta = Z @ p
    return sum(eta[i] - np.log(np.sum(np.exp(eta[i:]))) for i in range(N) if W[i] < 0.7)


def risk_sets_of_rows(p):
    return -sum(Z[i] @ p - np.log(np.exp(Z[i:] @ p).sum()) for i in range(N))


def weighted(p):
    e = np.exp(Z @ p)
    return sum(np.log(W[i:] @ e[i:]) + np.dot(e[: i + 1], W[: i + 1]) ** 2 for i in range(N))


def running_means(p):
    u = np.tanh(Z @ p)
    return sum((u[k] - np.mean(u[:k])) ** 2 for k in range(1, N))


def broken_stick(p):
    v = 1.0 / (1.0 + np.exp(-Z @ p))
    return sum(np.log(v[k] * np.prod(1.0 - v[:k]) + 0.1) for k in range(N))


def only_what_is_read(p):
    e = Z @ p + np.where(np.arange(N) < 5, -1e3, 1e3)
    return sum(np.sum(np.log(e[i:])) ** 2 for i in range(5, N))


def risk_sets_by_masks(p):
    eta = Z @ p
    return sum(np.log(np.sum(np.exp(eta[W[i] <= W]))) - eta[i] for i in range(N))


def risk_sets_of_rows_by_masks(p):
    total = 0.0
    for i in range(N):
        at_risk = W[i] >= W
        total += np.log(np.exp(Z[at_risk] @ p).sum()) + np.cos(p) @ Z[i]
    return total


def what_no_mask_picks(p):
    e = Z @ p + np.where(W < 0.3, -1e3, 1e3)
    return sum(np.sum(np.sqrt(e[max(0.3, W[i]) <= W])) ** 2 for i in range(N))


def with_a_number_of_each(p):
    eta = Z @ p
    return sum(np.log(np.sum(np.exp(eta[i:] - eta[i]))) for i in range(12))


def windows(p):
    u = np.sin(Z @ p)
    return sum(np.sum(u[i : 2 * i + 1]) ** 2 for i in range(15))


CASES = [
    risk_sets,
    risk_sets_of_rows,
    weighted,
    running_means,
    broken_stick,
    only_what_is_read,
    risk_sets_by_masks,
    risk_sets_of_rows_by_masks,
]


@pytest.mark.parametrize("f", CASES, ids=lambda f: f.__name__)
def test_sums_over_growing_slices_are_a_few_steps(f) -> None:
    tape = trace(f, Structure.of(X), X).tape
    assert len(vectorise(tape).steps) < 40
    compare_tapes(tape, [X, 2 * X])


@pytest.mark.slow_for("running_means")
@pytest.mark.sampled(2)
@pytest.mark.parametrize("f", [*CASES, what_no_mask_picks, with_a_number_of_each, windows], ids=lambda f: f.__name__)
def test_sums_over_growing_slices_have_the_derivatives_of_differences(f) -> None:
    objective = Objective(f, X)
    check_value(objective, X)
    check_gradient(objective, X, 0.0)
    check_hessp(objective, X, np.array([0.6, -0.7, 0.3]), 0.0)


def test_a_product_of_a_slice_with_a_zero_has_the_slopes_of_the_others() -> None:
    def f(x):
        return sum(np.prod(x[:k]) for k in range(1, 12))

    x = np.array([0.5, 2.0, 0.0, 1.5, -1.0, 0.3, 1.0, 2.0, 0.7, 1.1, 0.9, 1.2])
    objective = Objective(f, x)
    check_gradient(objective, x, 0.0)
    check_hessp(objective, x, np.cos(np.arange(12)), 0.0)
