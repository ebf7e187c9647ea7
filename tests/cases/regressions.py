"""Regressions with many rows, whose evaluations are dear beside what a method itself takes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def logistic_deviance(rows: int, columns: int, seed: int) -> Callable[[np.ndarray], float]:
    """Return the negative log-likelihood of a logistic regression on random data."""
    random = np.random.default_rng(seed)
    design = random.normal(size=(rows, columns))
    classes = (random.logistic(size=rows) < design @ random.normal(size=columns) / np.sqrt(columns)).astype(float)

    def deviance(b: np.ndarray) -> float:
        eta = design @ b
        return np.sum(np.logaddexp(0, eta) - classes * eta)

    return deviance
