"""Branches that are not taken: neither value nor derivatives are poisoned, whatever is done with the result."""

from __future__ import annotations

import numpy as np
import pytest

from autoopt import differences
from autoopt.objectives.objective import Objective

A = np.arange(6.0).reshape(2, 3) - 2.2
W = np.array([0.5, -1.0, 2.0])


def root(x):
    return np.where(x > 0, np.sqrt(x), 0)


FORMS = {
    "a square of sums": lambda x: np.sum((A * root(x) + 1) ** 2),
    "times an entry of its own": lambda x: np.sum(root(x) * (1.5 - root(x)[2])),
    "a matrix product": lambda x: np.sum((A @ root(x)) ** 2),
    "running sums": lambda x: np.sum(np.cumsum(np.where(x > 0, np.log(x), 0)) ** 2),
    "entries taken": lambda x: np.sum(np.where(x > 0, x**1.5, 0)[[0, 0, 1]] ** 2),
    "a chain": lambda x: np.sum((A * np.where(x > 1, np.sqrt(np.log(x)), x)) ** 2),
    "several uses": lambda x: np.sum((A * np.where(x > 0, np.sqrt(x) * np.log(x) + np.sqrt(x), x)) ** 2),
    "stretched": lambda x: np.sum(np.where(x[:, None] > 0, np.sqrt(x)[:, None] * A.T, 0) ** 2),
    "overflow": lambda x: np.sum((A * np.where(x < 100, np.exp(x), x)) ** 2),
    "select": lambda x: np.sum((A * np.select([x > 1, x > 0], [np.log(x), np.sqrt(x)], 0.5 * x)) ** 2),
    "the other side": lambda x: np.sum((A * np.where(x <= 0, 0, np.sqrt(x))) ** 2),
    "minus": lambda x: np.sum((1 - A * np.where(x > 0, -np.sqrt(x), 0) / 3) ** 2),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("x", [[1.5, -1.0, 2.0], [-0.5, 3.0, 800.0], [-2.0, -0.3, -800.0]], ids=str)
def test_a_branch_not_taken_does_not_poison(name: str, x: list) -> None:
    with np.errstate(all="ignore"):
        objective, x = Objective(FORMS[name], np.array(x)), np.array(x)
        gradient, errors = differences.gradient(objective.original, x)
        size = np.max(np.abs(gradient)) + 1e-9
        assert np.all(np.abs(objective.grad(x) - gradient) <= 10 * errors + 1e-9 * size)
        product, errors = differences.hessp(objective.grad, x, W)
        assert np.all(np.abs(objective.hessp(x, W) - product) <= 10 * errors + 1e-8 * (np.max(np.abs(product)) + size))
