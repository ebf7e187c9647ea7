"""Derivatives of the terms of a likelihood, row by row: shipped with the package, or derived here.

``terms(eta, y, *ancillary)`` gives one number for each row, of which only that row of eta and y decides. Its p = q + k
derivatives are by the q linear predictors and the k ancillary parameters. For q = 1 they are two printed functions,

    slopes(point, eta, y)         (m, p)         at eta + point[0] and ancillary parameters point[1:]
    curvatures(point, eta, y)     (m, p, p)      as rows of a matrix, shape (m p, p)

which autoopt derives from the terms and `python -m autoopt.models.shipping` writes into `shipped/`, so that a fresh
process derives nothing. For several predictors the derivatives of the sum of all terms by the array eta, shape (m, q),
are those of the rows, and its products with q directions their second derivatives. `agreeing` compares them with the
terms, for the data at hand.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.errors import VerificationError

ROWS = 11
"""So many rows have the data that are differentiated; the code that is printed takes any number."""


@dataclass(frozen=True)
class RowDerivatives:
    """The terms of a likelihood with their first and second derivatives by one predictor and k ancillary parameters."""

    terms: Callable
    slopes: Callable
    curvatures: Callable

    def first(self, eta: np.ndarray, y: np.ndarray, ancillary: np.ndarray) -> np.ndarray:
        """Return the first derivatives of each row's term, shape (m, 1 + k)."""
        return np.reshape(self.slopes(np.concatenate([[0.0], ancillary]), eta, y), (len(eta), 1 + len(ancillary)))

    def second(self, eta: np.ndarray, y: np.ndarray, ancillary: np.ndarray) -> np.ndarray:
        """Return the second derivatives of each row's term, shape (m, 1 + k, 1 + k)."""
        p = 1 + len(ancillary)
        return np.reshape(self.curvatures(np.concatenate([[0.0], ancillary]), eta, y), (len(eta), p, p))


@dataclass(frozen=True)
class Several:
    """The terms of a likelihood with their first and second derivatives by q predictors."""

    terms: Callable
    objective: Any

    def first(self, eta: np.ndarray, y: np.ndarray, ancillary: np.ndarray) -> np.ndarray:
        """Return the first derivatives of each row's term, shape (m, q)."""
        return self.objective.grad(eta.ravel()).reshape(eta.shape)

    def second(self, eta: np.ndarray, y: np.ndarray, ancillary: np.ndarray) -> np.ndarray:
        """Return the second derivatives of each row's term, shape (m, q, q)."""
        rows, q = eta.shape
        products = [self.objective.hessp(eta.ravel(), np.tile(one, rows)).reshape(rows, q) for one in np.eye(q)]
        return np.stack(products, axis=1)


@contextmanager
def derivatives_by_row(
    name: str, terms: Callable, eta: np.ndarray, y: np.ndarray, ancillary: np.ndarray
) -> Iterator[RowDerivatives | Several]:
    """Give the derivatives of a model's terms, for these predictors, (m,) or (m, q), or others of their shape."""
    if eta.ndim == 1:
        yield row_derivatives(name, terms, y, ancillary)
        return
    from autoopt.objectives.retained import resumable

    def total(eta, y):
        return np.sum(terms(eta, y))

    with resumable(total, eta, (y,)) as objective:
        yield Several(terms, objective)


def row_derivatives(name: str, terms: Callable, y: np.ndarray, ancillary: np.ndarray) -> RowDerivatives:
    """Return the derivatives of a model's terms: those that ship under its name, or else of its file's text.

    Parameters
    ----------
    name : str
        The file of the model in `autoopt.models`.
    terms : callable
        (eta, y, *ancillary) -> (m,).
    y : ndarray, shape (m, ...)
        The response, of which a few rows are differentiated if need be.
    ancillary : ndarray, shape (k,)
        Ancillary parameters at which the terms are defined.
    """
    module = _shipped(name)
    if module is None:
        return _derived(terms, y[:ROWS], tuple(ancillary))
    return RowDerivatives(terms, module.slopes, module.curvatures)


def _shipped(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(f"autoopt.models.shipped.{name}")
    except ModuleNotFoundError:
        return None


_KEPT: dict[Any, RowDerivatives] = {}
"""What was derived in this process."""


def _derived(terms: Callable, y: np.ndarray, ancillary: tuple[float, ...]) -> RowDerivatives:
    key = terms, y.shape[1:], len(ancillary)
    if key not in _KEPT:
        functions: dict[str, Any] = {}
        for text in sources(terms, y, ancillary):
            module: dict[str, Any] = {}  # each has a `prepare` of its own
            exec(compile(text, "<derivatives of the terms>", "exec"), module)
            functions |= module
        _KEPT[key] = RowDerivatives(terms, functions["slopes"], functions["curvatures"])
    return _KEPT[key]


def sources(terms: Callable, y: np.ndarray, ancillary: tuple[float, ...]) -> tuple[str, str]:
    """Return the printed functions `slopes` and `curvatures`, a module each."""
    from autoopt.execution.modules import executed
    from autoopt.exporting.module import source

    @functools.wraps(terms, updated=())
    def moved(point, eta, y):
        return terms(eta + point[0], y, *[point[1 + j] for j in range(len(ancillary))])

    del moved.__wrapped__
    eta = np.linspace(-1.0, 1.5, len(y))
    point = np.array([0.125, *ancillary])
    first = source(moved, point, (eta, y), "jacobian")
    slopes = executed(first, "slopes")["jacobian"]
    second = source(slopes, point, (eta, y), "jacobian")
    return tuple(text.replace("jacobian(", f"{name}(") for name, text in (("slopes", first), ("curvatures", second)))  # type: ignore[return-value]


def agreeing(derivatives: RowDerivatives | Several, eta: np.ndarray, y: np.ndarray, ancillary: np.ndarray) -> None:
    """Raise a VerificationError unless the derivatives of each of these rows agree with differences of its term.

    Of several predictors, whose rows are all rows, one sum with random weights is compared.
    """
    rng = np.random.default_rng(0)
    aside = 0.1 * np.abs(ancillary) * rng.uniform(0.5, 1.5, len(ancillary))
    ahead = np.ones(1) if eta.ndim == 1 else rng.uniform(-1.5, 1.5, eta.shape[1])
    direction = np.concatenate([ahead, aside])
    weights = rng.uniform(0.5, 1.5, len(eta))

    def seen(values: np.ndarray) -> np.ndarray:
        return values if eta.ndim == 1 else np.array([weights @ values])

    def value(t: np.ndarray) -> np.ndarray:
        return seen(derivatives.terms(eta + t * ahead, y, *(ancillary + t * aside)))

    def slope(t: np.ndarray) -> np.ndarray:
        return seen(derivatives.first(eta + t * ahead, y, ancillary + t * aside) @ direction)

    curvature = seen(derivatives.second(eta, y, ancillary) @ direction @ direction)
    compared = [("slope", value, slope(np.zeros(1))), ("curvature", slope, curvature)]
    if getattr(derivatives.terms, "has_kinks", False):  # the slopes jump, or bend, between the points of differences
        compared = compared[:1]
    for name, function, found in compared:
        expected, error = differences.directional(function, np.zeros(1), np.ones(1), tolerance=1e-7)
        wrong = ~(np.abs(found - expected) <= 10 * error + 1e-6 * (1 + np.abs(expected)))
        if wrong.any():
            row = int(np.argmax(wrong))
            where = f" where the linear predictor is {eta[row]:.6g}" if eta.ndim == 1 else ""
            raise VerificationError(
                f"The {name} of the terms of {derivatives.terms.__module__} is {found[row]:.10g}{where}, but "
                f"differences give {expected[row]:.10g}.",
                remedy="use another method, such as method='bfgs', whose derivatives are not these.",
            )
