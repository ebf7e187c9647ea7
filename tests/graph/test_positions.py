"""Hessians of objectives that read parameters at positions: some twice, from behind, in rows of matrices, and mixed."""

from __future__ import annotations

import numpy as np
import pytest

from autoopt.objectives.objective import Objective

RNG = np.random.default_rng(0)
A, C = RNG.normal(size=(6, 6)), RNG.normal(size=6)
TWICE, OTHER = [0, 0, 1, 4, 4, 4], np.array([1, 1, 0, 2, 3, 3])
BEHIND, SHORT = np.array([-1, 0, -2, -1]), np.array([2, 0, 2, 1])


def row_wise(x):
    rows = x.reshape(2, 3)
    square = x[:4].reshape(2, 2)
    return np.sum((rows[[1, 1, 0]] @ A[:3, :2]) ** 3) + np.sum((square @ A[:2, :2]) ** 3)


LITERAL = {
    "one at a time": lambda x: np.sum(np.sin(x[TWICE]) ** 2 * C),
    "pairs": lambda x: np.sum(x[TWICE] * x[OTHER] * C) + np.sum(x[OTHER] ** 3),
    "a form": lambda x: x[TWICE] @ A @ x[OTHER],
    "squares of sums": lambda x: np.exp(x[TWICE] @ C) + np.sum(np.exp(x[OTHER])),
    "np.take": lambda x: np.sum(np.take(x, [5, 5, 0, 0]) ** 2 * np.arange(4)),
    "before a slice": lambda x: np.sum(x[TWICE] ** 3 * C) + np.sum(x[:4] ** 4),
    "after a slice": lambda x: np.sum(x[:4] ** 4) + np.sum(x[TWICE] ** 3 * C),
    "blocks and slices": lambda x: (x[:4] @ C[:4]) ** 3 + (x[TWICE] @ C) ** 2 + (x[1:3] @ C[:2]) ** 2,
    "slices and pairs": lambda x: np.sum(x[[3, 1, 2]] ** 3 * x[[1, 2, 5]]) + np.sum(x[1:4] ** 3 * x[2:5]),
    "outer products": lambda x: np.sum(np.outer(x[[3, 1, 1]], x[2:5]) ** 2) + np.sum(np.outer(x[:3], x[2:5]) ** 3),
    "rows of a matrix": row_wise,
    "entries of a matrix": lambda x: np.sum(x.reshape(2, 3)[[0, 0, 1], [1, 1, 2]] ** 3 * C[:3]),
    "from behind": lambda x: np.sum(x[1:4][[-1, 0, -2, -1]] ** 3 * C[:4]) + np.exp(x[3:][[-1, -1, 0]] @ C[:3]),
    "a constant": lambda x: np.sum(x[TWICE] ** 2) + np.sum(x.reshape(2, 3)[:, 1:] * x.reshape(2, 3)[:, :-1]),
}

DATA = {
    "from behind": lambda x, at, other: np.sum(x[1:4][at] ** 3 * C[:4]) + np.exp(x[3:][at] @ C[:4]),
    "rows of a matrix": lambda x, at, other: np.sum((x.reshape(3, 2)[at] @ A[:2, :3]) ** 3),
    "columns of a matrix": lambda x, at, other: np.sum((A[:4, :2] @ x.reshape(2, 3)[:, at]) ** 3),
    "entries of a matrix": lambda x, at, other: np.sum(x.reshape(2, 3).T[at, other % 2] ** 3 * C[:4]) ** 2,
    "outer products": lambda x, at, other: np.sum(np.outer(x[:3][at], x[3:][other]) ** 2),
}


def differences(gradient, x, h=1e-4):
    """Return the Hessian by differences of fourth order."""
    step = h * np.eye(len(x))
    return np.array(
        [(8 * (gradient(x + p) - gradient(x - p)) - gradient(x + 2 * p) + gradient(x - 2 * p)) / (12 * h) for p in step]
    )


def compare(f, data):
    objective = Objective(f, C, data)
    for x in (C, 0.5 * C[::-1] + 0.1, np.zeros(6)):
        expected = differences(objective.grad, x)
        np.testing.assert_allclose(objective.hess(x), expected, rtol=1e-7, atol=1e-7 * (1 + np.abs(expected).max()))


@pytest.mark.parametrize("name", LITERAL)
def test_positions_in_the_code(name):
    compare(LITERAL[name], ())


@pytest.mark.parametrize("name", DATA)
def test_positions_in_the_data(name):
    compare(DATA[name], (BEHIND, SHORT))
