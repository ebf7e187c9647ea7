"""First derivatives by row at the solution: of the terms that an objective returns or is a sum of, of its residuals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from autoopt.errors import InferenceError, UsageError
from autoopt.fitting.batched import whereabouts
from autoopt.fitting.solving import Case


@dataclass(frozen=True)
class Scores:
    """Derivatives of minus the log-likelihood of each row.

    Attributes
    ----------
    by_row : ndarray, shape (m, k)
        In the parameters that are neither held nor tied.
    leverages : ndarray, shape (m,), or None
        Of residuals, where there are any: the diagonal of J (J'J)^-1 J'.
    frequencies : ndarray, shape (m,), or None
        How often each row of a likelihood counts, by which its derivatives are multiplied; None for once.
    """

    by_row: np.ndarray
    leverages: np.ndarray | None = None
    frequencies: np.ndarray | None = None


def scores_of(case: Case, u: np.ndarray, scale: float, free: np.ndarray) -> Scores:
    """Return the scores at `u`, shape (k,).

    Parameters
    ----------
    case : Case
    u : ndarray, shape (k,)
    scale : float
        The variance of residuals; 1 for a likelihood.
    free : ndarray of bool, shape (k,)
        Which of the parameters no bound holds: these make the leverages.

    Raises
    ------
    TracingError
        If the objective returns one number and is not recognised as a sum over rows.
    InferenceError
        If the terms that were recognised do not sum to the objective.
    """
    minimised = case.minimised
    if minimised.residuals is not None:
        slopes = case.jacobian(minimised.residuals, u)
        residuals = case.values(minimised.residuals, u)
        return Scores(slopes * residuals[:, np.newaxis] / scale, _leverages(slopes[:, free]))
    if minimised.terms is not None:
        return Scores(case.jacobian(minimised.terms, u), frequencies=minimised.frequencies)
    return Scores(_by_row(case, u) / (2 * scale if minimised.kind.is_squares else 1.0), None, minimised.frequencies)


def require(case: Case) -> int:
    """Return how many rows there will be scores of; TracingError, before anything is solved, if there will be none."""
    if case.minimised.rows is not None:
        return case.minimised.rows
    return _recognised(case, case.start.x0).dispatch.paths[0].trace.value.size


def _recognised(case: Case, x: Any) -> Any:
    from autoopt.objectives.weighted_rows import terms_of_rows

    if case.batches is not None:
        where, instead = whereabouts(case.batches)
        raise UsageError(
            f"{where}, and derivatives of each row are an array of all rows.",
            remedy=f"take the covariance 'observed', that of the Hessian, or {instead or 'data in memory'}.",
        )
    if case.call.get("jac") is True:
        raise UsageError(
            "The objective returns its gradient beside its value (jac=True), in which rows are not told apart.",
            remedy="have it return its terms, an array with one entry for each row, and leave jac out.",
        )
    return terms_of_rows(_likelihood(case), x, case.call["args"], case.call["engine"], case.rows)


def _likelihood(case: Case) -> Any:
    """Return what is summed over rows: what is minimised, without the penalty that it may have."""
    return case.minimised.likelihood or case.objective


def _by_row(case: Case, u: np.ndarray) -> np.ndarray:
    """Return the derivatives of the terms of which the objective is the sum, shape (m, k)."""
    x = case.variables.parameters(u)
    at = case.start.structure.unflatten(x)
    terms = _recognised(case, at)
    total, value = float(np.sum(terms.value(x))), float(_likelihood(case)(at, *case.call["args"]))
    if not np.isclose(total, value, rtol=1e-8, atol=1e-8 * np.abs(terms.value(x)).sum()):
        raise InferenceError(
            f"The terms by row sum to {total:.10g}, and the objective is {value:.10g}: its rows are not recognised.",
            remedy="have it return its terms, an array with one entry for each row, in place of their sum.",
        )
    return case.variables.jacobian(u, np.asarray(terms.jacobian(x, sparse=False)[0]).reshape(-1, x.size))


def rows_of(case: Case) -> tuple[Callable, Callable]:
    """Return the terms of minus a log-likelihood, shape (m,), and their slopes, (m, k), as functions of u, shape (k,).

    Raises
    ------
    TracingError
        If the objective returns one number and is not recognised as a sum over rows.
    """
    terms = case.minimised.terms
    if terms is not None:
        return partial(case.values, terms), partial(case.jacobian, terms)
    found = _recognised(case, case.start.x0)

    def values(u: np.ndarray) -> np.ndarray:
        return np.ravel(found.value(case.variables.parameters(u)))

    def slopes(u: np.ndarray) -> np.ndarray:
        x = case.variables.parameters(u)
        return case.variables.jacobian(u, np.asarray(found.jacobian(x, sparse=False)[0]).reshape(-1, x.size))

    return values, slopes


def _leverages(slopes: np.ndarray) -> np.ndarray:
    """Return the diagonal of J (J'J)^-1 J', shape (m,)."""
    length = np.sqrt(np.einsum("ij,ij->j", slopes, slopes))
    basis, _ = np.linalg.qr(slopes / np.where(length > 0, length, 1.0))
    return np.minimum(np.einsum("ij,ij->i", basis, basis), 1.0)
