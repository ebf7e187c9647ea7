"""Parameters beside the coefficients: dispersions, thresholds, degrees of freedom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Ancillary:
    """A parameter beside the coefficients.

    Parameters
    ----------
    name : str
        As `summary` shows it, and `cov_params` orders it: after the coefficients.
    start : float
        Where the solver begins, in the parameter's own units.
    positive : bool
        Whether it must be positive: the solver moves its logarithm. Estimates and standard errors are its own.
    least, largest : float
        The range in which the solver stays.
    end : str
        Why the likelihood may have no maximum but rise towards an end of the range, and what to do.
    fixed : bool
        Whether it stays where it starts, and is no estimate.
    """

    name: str
    start: float
    positive: bool = False
    least: float = -np.inf
    largest: float = np.inf
    end: str = ""
    fixed: bool = False

    def holds(self, value: float) -> bool:
        """Whether a value is within the range."""
        return bool(self.least <= value <= self.largest)

    def is_at_end(self, value: float) -> bool:
        """Whether a value is an end of the range, but for the last steps of the solver."""
        return bool(value <= 1.01 * self.least or value >= 0.99 * self.largest) if self.positive else False


def starts(ancillaries: Sequence[Ancillary]) -> np.ndarray:
    """Return where the solver begins, (k,): logarithms of what is positive."""
    return np.array([np.log(one.start) if one.positive else one.start for one in ancillaries], dtype=float)


def natural(ancillaries: Sequence[Ancillary], moved: np.ndarray) -> np.ndarray:
    """Return the parameters, (k,), of what the solver moves, by operations that can be traced."""
    if not any(one.positive for one in ancillaries):
        return moved
    positive = np.array([one.positive for one in ancillaries])
    return np.where(positive, np.exp(np.where(positive, moved, 0.0)), moved)


def slopes(ancillaries: Sequence[Ancillary], values: np.ndarray) -> np.ndarray:
    """Return the derivatives of the parameters, (k,), by what the solver moves: the second ones are the same, or 0."""
    return np.array([value if one.positive else 1.0 for one, value in zip(ancillaries, values, strict=True)])


def expose(estimator: Any) -> None:
    """Give a fitted estimator its ancillary parameters by name: `alpha_`, `scale_`."""
    for name, estimate in estimator.ancillary_.items():
        setattr(estimator, f"{name}_", estimate)
