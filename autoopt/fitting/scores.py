"""First derivatives by row at the solution: of the terms that an objective returns, of its residuals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoopt.errors import UsageError
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
    """

    by_row: np.ndarray
    leverages: np.ndarray | None = None


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
    UsageError
        If the objective is one number.
    """
    minimised = case.minimised
    if minimised.residuals is not None:
        slopes = case.jacobian(minimised.residuals, u)
        residuals = case.values(minimised.residuals, u)
        return Scores(slopes * residuals[:, np.newaxis] / scale, _leverages(slopes[:, free]))
    if minimised.terms is not None:
        return Scores(case.jacobian(minimised.terms, u))
    raise UsageError(
        "The objective returns one number, whose rows are not known.",
        remedy="have it return its terms, an array with one entry for each row, in place of their sum.",
    )


def _leverages(slopes: np.ndarray) -> np.ndarray:
    """Return the diagonal of J (J'J)^-1 J', shape (m,)."""
    length = np.sqrt(np.einsum("ij,ij->j", slopes, slopes))
    basis, _ = np.linalg.qr(slopes / np.where(length > 0, length, 1.0))
    return np.minimum(np.einsum("ij,ij->i", basis, basis), 1.0)
