"""What pictures look at: numbers of a fit or an estimator, those that cost something when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

NO_HISTORY = np.empty((0, 4))


@dataclass(frozen=True)
class Residuals:
    """Residuals with the values they are of.

    Attributes
    ----------
    values : ndarray, shape (m,)
        In standard deviations, as the model has them.
    fitted : ndarray, shape (m,), or None
        None if the residuals do not tell what was fitted: they then stand in the order of the rows.
    called, against : str
        What they are called, and what `fitted` is.
    """

    values: np.ndarray
    fitted: np.ndarray | None = None
    called: str = "standardised residual"
    against: str = "fitted value"


@dataclass(frozen=True)
class Probabilities:
    """Predicted probabilities of 1, shape (m,), and what was observed, shape (m,) of 0 and 1."""

    predicted: np.ndarray
    observed: np.ndarray


@dataclass(frozen=True)
class Subject:
    """What is drawn.

    Attributes
    ----------
    title : str
        What it is called.
    names : sequence of n str
    params, bse : ndarray, shape (n,)
        NaN among `bse` where a standard error is not known.
    level : float, in (0, 1)
        Of the intervals.
    intervals : ndarray, shape (n, 2)
    history : ndarray, shape (k, 4)
        Iteration, value, gradient norm, seconds; empty if it was not kept.
    why : str
        Why there are no intervals, or no curvature: part of a sentence; empty if nobody knows.
    curvature : callable or None
        () -> (names, matrix): the information on the parameters that are free.
    residuals, probabilities : callable or None
        () -> Residuals, Probabilities, or None where they cannot be had.
    profile : callable or None
        (name) -> a `profiles.profile.Profile`.
    profiled, estimated : sequence of str
        The parameters whose profiles are known, and those that have one.
    """

    title: str
    names: Sequence[str]
    params: np.ndarray
    bse: np.ndarray
    intervals: np.ndarray
    level: float = 0.95
    history: np.ndarray = field(default_factory=lambda: NO_HISTORY)
    why: str = ""
    curvature: Callable[[], tuple[Sequence[str], np.ndarray] | None] | None = None
    residuals: Callable[[], Residuals | None] | None = None
    probabilities: Callable[[], Probabilities | None] | None = None
    profile: Callable[[str], Any] | None = None
    profiled: Sequence[str] = ()
    estimated: Sequence[str] = ()

    @cached_property
    def spread(self) -> Residuals | None:
        """The residuals, computed once."""
        return None if self.residuals is None else self.residuals()

    @cached_property
    def chances(self) -> Probabilities | None:
        """The probabilities, computed once."""
        return None if self.probabilities is None else self.probabilities()

    @cached_property
    def spectrum(self) -> tuple[Sequence[str], np.ndarray] | None:
        """The curvature, computed once; None where it cannot be had."""
        return None if self.curvature is None else self.curvature()

    def of_level(self) -> str:
        """Return "95 %"."""
        return f"{100 * self.level:.6g} %"
