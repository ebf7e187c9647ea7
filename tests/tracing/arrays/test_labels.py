"""Shapes and counts that depend on labels, which depend on the parameters: those of each point."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import autoopt

rng = np.random.default_rng(0)
Z = rng.normal(size=(40, 2))
EDGES = np.linspace(-3, 3, 13)
ROWS = np.arange(40.0)
POINTS = rng.normal(size=(4, 2))

LABELS = {
    "digitize": lambda x: np.digitize(Z @ x, EDGES),
    "decreasing edges": lambda x: np.digitize(Z @ x, EDGES[::-1], right=True),
    "round": lambda x: np.abs(np.round(Z @ x).astype(int)),
    "nearest": lambda x: np.argmin(np.abs((Z @ x)[:, None] - EDGES), axis=1),
    "not whole": lambda x: np.abs(np.floor(Z @ x)),
    "truth": lambda x: Z @ x > 0.3,
}
COUNTS = {
    "unique": lambda k: len(np.unique(k)),
    "shape": lambda k: np.unique(k).shape[0],
    "unique rows": lambda k: np.unique(np.stack([k * 1, k * 1], 1), axis=0).shape[0],
    "setdiff1d": lambda k: len(np.setdiff1d(np.arange(14), k)),
    "intersect1d": lambda k: len(np.intersect1d(k, [1, 5, 7, 9, 0])),
    "union1d": lambda k: len(np.union1d(k, [1, 2])),
    "setxor1d": lambda k: np.setxor1d(k, [1, 2]).size,
    "nonzero": lambda k: np.nonzero(k)[0].size,
    "flatnonzero": lambda k: np.flatnonzero(k).size,
    "argwhere": lambda k: len(np.argwhere(k)),
    "mask": lambda k: ROWS[k > 1].size,
    "bincount": lambda k: len(np.bincount(k.astype(int))),
    "bins": lambda k: np.sum(np.bincount(k.astype(int), minlength=30) ** 2),
    "trim_zeros": lambda k: len(np.trim_zeros(k * 1)),
    "compress": lambda k: np.compress(k > 2, ROWS).size,
    "extract": lambda k: np.extract(k > 2, ROWS).sum(),
}
OF_WHOLE_NUMBERS = {
    "counts": lambda k: np.sum(np.unique(k, return_counts=True)[1] ** 2),
    "inverse": lambda k: np.sum(np.unique(k, return_inverse=True)[1]),
    "set": lambda k: len(set(k.tolist())),
    "Counter": lambda k: max(Counter(k.tolist()).values()),
    "histogram": lambda k: np.sum(np.histogram(k, bins=[0, 1, 3, 9])[0] ** 2),
    "isin": lambda k: np.isin([1, 2, 3], k).sum(),
    "loop": lambda k: sum(ROWS[k == label].mean() for label in np.unique(k)),
    "mode": lambda k: np.bincount(k).argmax(),
    "lexsort": lambda k: np.lexsort((ROWS, k))[0],
}
CASES = [
    *((labels, name) for labels in ("digitize", "not whole") for name in COUNTS),
    *((labels, "setdiff1d") for labels in LABELS),
    *((labels, name) for labels in ("decreasing edges", "truth") for name in ("unique", "bincount")),
    *((labels, name) for labels in ("round", "nearest") for name in OF_WHOLE_NUMBERS),
]


@pytest.mark.parametrize(("labels", "name"), CASES)
@pytest.mark.sampled(4)
def test_counts_are_those_of_each_point(labels, name):
    count = {**COUNTS, **OF_WHOLE_NUMBERS}[name]

    def f(x):
        return count(LABELS[labels](x)) * (1.0 + np.sum(x**2))

    objective = autoopt.objective(f, POINTS[0])
    for x in (*POINTS, POINTS[0]):
        number = count(LABELS[labels](x))
        value, gradient = objective.value_and_grad(x)
        assert value == pytest.approx(number * (1.0 + np.sum(x**2)))
        assert gradient == pytest.approx(number * 2.0 * x)
