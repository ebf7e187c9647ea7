"""How models are stated for `autoopt.fit`, which fits them by their names: an objective of a matrix, and its start.

A row of MODELS with a `form` is fitted by its name. The matrix X, shape (m, p), has the columns of a formula, that of
an intercept called "Intercept" among them; an offset is None where there is none.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

INTERCEPT = "Intercept"
"""What formulas call it."""

_LEAST = 1e-8  # of a parameter that is positive


@dataclass(frozen=True)
class Asked:
    """What a model is fitted to.

    Attributes
    ----------
    columns : tuple of p str
        Of the matrix.
    y : ndarray, shape (m,)
    labels : sequence or None
        The categories whose numbers y has, if it has categories.
    settings : dict of str to object
        Those of `Form.settings` that are given.
    data : mapping of str to ndarray
        The columns that settings name, by the names of the settings.
    """

    columns: tuple[str, ...]
    y: np.ndarray
    labels: Sequence[Any] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def covariates(self) -> list[int]:
        """The places of the columns that are no intercept."""
        return [place for place, name in enumerate(self.columns) if name != INTERCEPT]

    @property
    def classes(self) -> list[Any]:
        """What y says of each row: the categories, or the numbers that it has, ascending."""
        return np.unique(self.y).tolist() if self.labels is None else list(self.labels)


@dataclass(frozen=True)
class Stated:
    """A model as it is fitted.

    Attributes
    ----------
    objective : callable
        (params, X, offset, y) -> terms of the negative log-likelihood, their sum, or residuals.
    names : sequence of n str
        Of the parameters.
    start : ndarray, shape (n,)
    predict : callable
        (params, X, offset) -> what is predicted, plain NumPy.
    kind : str
        Of the objective.
    scale : str
        On which bands of predictions are symmetric.
    bounds : list of n pairs, or None
    squares : callable or None
        (params) -> what `alpha` penalises half of: the squares of the coefficients, but for the intercept's.
    """

    objective: Callable
    names: Sequence[str]
    start: np.ndarray
    predict: Callable
    kind: str = "negative log-likelihood"
    scale: str = "identity"
    bounds: list | None = None
    squares: Callable | None = None


@dataclass(frozen=True)
class Form:
    """How a model is fitted by its name.

    Parameters
    ----------
    said : str
        What the response must be.
    holds : callable
        (Asked) -> which entries of y are, shape (m,).
    stated : callable
        (Asked) -> Stated.
    settings : mapping of str to str
        What may be set, and what that is: "column" is the name of one of the data, "number" is zero or positive, others
        are one of some words, parted by blanks.
    """

    said: str
    holds: Callable
    stated: Callable
    settings: Mapping[str, str] = field(default_factory=dict)


OFFSET, RIDGE = {"offset": "column"}, {"alpha": "number"}
RATE = {**OFFSET, "exposure": "column", **RIDGE}
"""Settings of those with a log link."""


def squares_at(places: Sequence[int]) -> Callable:
    """Return the sum of the squares of the parameters at these places, as a function of all."""
    places = list(places)

    def squares(params: Any) -> Any:
        return np.sum(params[places] ** 2)

    return squares


def plus(eta: Any, offset: Any) -> Any:
    """Return a linear predictor with its offset, if there is one."""
    return eta if offset is None else eta + offset


def of_rows(
    said: str,
    holds: Callable,
    terms: Callable,
    mean: Callable,
    scale: str = "identity",
    settings: Mapping[str, str] = RATE,
    starts: Sequence[float] = (),
) -> Form:
    """Return the form of a likelihood whose terms, (eta, y, *ancillary), depend on one linear predictor.

    Parameters
    ----------
    said : str
    holds : callable
        (y) -> which entries may be.
    terms : callable
    mean : callable
        (eta) -> what is predicted.
    scale, settings
        As of `Stated` and `Form`.
    starts : sequence of k float
        Where the ancillary parameters begin, all positive and called as `terms` calls them.
    """
    ancillary = list(inspect.signature(terms).parameters)[2:]

    def stated(asked: Asked) -> Stated:
        size = len(asked.columns)

        def objective(params: Any, X: Any, offset: Any, y: Any) -> Any:
            return terms(plus(X @ params[:size], offset), y, *(params[size + i] for i in range(len(ancillary))))

        def predict(params: Any, X: Any, offset: Any) -> Any:
            return mean(plus(X @ params[:size], offset))

        bounds = [*[(None, None)] * size, *[(_LEAST, None)] * len(ancillary)] if ancillary else None
        start = np.concatenate([np.zeros(size), starts])
        names, places = [*asked.columns, *ancillary], asked.covariates
        return Stated(objective, names, start, predict, scale=scale, bounds=bounds, squares=squares_at(places))

    return Form(said, lambda asked: holds(asked.y), stated, settings)


def whole(asked: Asked) -> np.ndarray:
    """Return which entries of y are categories, or whole numbers."""
    return np.isfinite(asked.y) & (asked.y == np.rint(asked.y))


def identity(eta: Any) -> Any:
    """Return a linear predictor as it is."""
    return eta


def counts(y: np.ndarray) -> np.ndarray:
    """Return which entries are zero or positive."""
    return y >= 0


def positive(y: np.ndarray) -> np.ndarray:
    """Return which entries are positive."""
    return y > 0
