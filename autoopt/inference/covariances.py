"""Covariances of estimates from their information, H, and the scores of the rows, S: observed, OPG, robust, clustered.

    H = sum_i h_i        second derivatives of minus the log-likelihood at the estimates
    S, a row s_i each    its first derivatives by row; they sum to 0

    observed   H^-1                         right if the model is
    OPG        (sum_i s_i s_i')^-1          the same, from first derivatives
    robust     H^-1 (sum_i s_i s_i') H^-1   right for independent rows, the model being wrong in its spread
    cluster    H^-1 (sum_g s_g s_g') H^-1   right for independent groups, s_g being the sum over the group's rows

The names, HC0 to HC3 and the small-sample factors are those of statsmodels and Stata.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from autoopt.errors import InferenceError, UsageError
from autoopt.inference.information import covariance
from autoopt.wording import near


@dataclass(frozen=True)
class Evidence:
    """What covariances are made of, in the parameters that are estimated.

    Attributes
    ----------
    inverse : ndarray, shape (k, k)
        Of the observed information; for least squares that of J'J / variance.
    scores : ndarray, shape (m, k)
        Derivatives of minus the log-likelihood of each row.
    leverages : ndarray, shape (m,), or None
        For least squares the diagonal of J (J'J)^-1 J', each in [0, 1].
    groups : ndarray, shape (m,), or None
        To which group each row belongs; any labels.
    names : sequence of k str
    observations : float, optional
        How many rows the scores stand for, where some count several times; m if not given.
    """

    inverse: np.ndarray
    scores: np.ndarray
    leverages: np.ndarray | None = None
    groups: np.ndarray | None = None
    names: Sequence[str] = ()
    observations: float | None = None

    @property
    def rows(self) -> float:
        """How many rows there are."""
        return len(self.scores) if self.observations is None else self.observations


@dataclass(frozen=True)
class Convention:
    """A row of COVARIANCES.

    Parameters
    ----------
    name : str
        As users write it.
    description : str
        As the summary prints it.
    function : callable, Evidence -> ndarray of shape (k, k); None for the inverse information itself
    needs : tuple of str
        What it takes besides scores: "leverages", "groups".
    """

    name: str
    description: str
    function: Callable[[Evidence], np.ndarray] | None
    needs: tuple[str, ...] = ()


def outer_products(evidence: Evidence) -> np.ndarray:
    """Return (sum_i s_i s_i')^-1, after Berndt, Hall, Hall and Hausman (1974).

    Raises
    ------
    InferenceError
        If the scores of some combination of parameters are 0 in every row, or there are fewer rows than parameters.
    """
    try:
        return covariance(evidence.scores.T @ evidence.scores, evidence.names or None)
    except InferenceError as error:
        _, _, ways = error.happened.partition("\n")
        raise InferenceError(
            f"The scores of the {evidence.rows:.10g} rows do not determine a covariance: none changes along\n{ways}",
            remedy='use "observed" or "robust", which need fewer rows.',
        ) from error


def sandwich(evidence: Evidence) -> np.ndarray:
    """Return H^-1 (sum_i s_i s_i') H^-1: HC0, after Huber (1967) and White (1980)."""
    return _between(evidence.inverse, evidence.scores)


def corrected(evidence: Evidence) -> np.ndarray:
    """Return HC1, the sandwich times m / (m - k)."""
    rows, size = evidence.rows, evidence.scores.shape[1]
    return sandwich(evidence) * rows / _positive(rows - size, "as many parameters as rows")


def by_leverage(power: int) -> Callable[[Evidence], np.ndarray]:
    """Return the function for HC2 (power 1) or HC3 (power 2): squared scores over (1 - leverage)^power.

    After MacKinnon and White (1985), Journal of Econometrics 29, 305-325.
    """

    def function(evidence: Evidence) -> np.ndarray:
        assert evidence.leverages is not None
        left = 1.0 - evidence.leverages
        if not (left > 1e-10).all():
            row = int(np.argmin(left))
            raise InferenceError(
                f"Row {row} decides a parameter alone (its leverage is 1), so that its residual says nothing.",
                remedy='use "HC1", or leave that parameter out.',
            )
        return _between(evidence.inverse, evidence.scores / (left ** (power / 2))[:, np.newaxis])

    return function


def clustered(evidence: Evidence) -> np.ndarray:
    """Return the sandwich of sums over groups, times G / (G - 1) (m - 1) / (m - k), as statsmodels and Stata do.

    After Liang and Zeger (1986), Biometrika 73, 13-22.
    """
    sums, rows, size = summed(evidence), evidence.rows, evidence.scores.shape[1]
    count = len(sums.scores)
    factor = count / (count - 1) * (rows - 1) / _positive(rows - size, "as many parameters as rows")
    return factor * sandwich(sums)


def summed(evidence: Evidence) -> Evidence:
    """Return the evidence with a score for each group, the sum of its rows'."""
    assert evidence.groups is not None
    codes = np.unique(evidence.groups, return_inverse=True)[1].reshape(-1)
    count = int(codes.max(initial=-1)) + 1
    if count < 2:
        raise InferenceError("All rows are of one group.", remedy="pass groups of which there are two or more.")
    sums = np.column_stack([np.bincount(codes, column, count) for column in evidence.scores.T])
    return Evidence(evidence.inverse, sums, names=evidence.names)


def _between(inverse: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return inverse (scores' scores) inverse, exactly symmetric; columns in any units."""
    half = scores @ inverse
    product = half.T @ half
    return (product + product.T) / 2


def _positive(number: float, else_: str) -> float:
    if number > 0:
        return number
    raise InferenceError(f"There are {else_}.", remedy='use "robust", which has no such correction.')


COVARIANCES = {
    row.name: row
    for row in (
        Convention("observed", "observed information", None),
        Convention("opg", "OPG, outer products of the scores", outer_products),
        Convention("robust", "robust (sandwich, HC0)", sandwich),
        Convention("HC1", "robust (sandwich, HC1)", corrected),
        Convention("HC2", "robust (sandwich, HC2)", by_leverage(1), needs=("leverages",)),
        Convention("HC3", "robust (sandwich, HC3)", by_leverage(2), needs=("leverages",)),
        Convention("cluster", "cluster-robust (sandwich)", clustered, needs=("groups",)),
    )
}
"""The covariances that `fit(covariance=...)` and `Fit.cov_params(kind)` know."""


def convention_of(name: object) -> Convention:
    """Return the row of this name, HC0 being "robust"; UsageError if there is none."""
    known = COVARIANCES.get("robust" if name == "HC0" else str(name))
    if known is None:
        raise UsageError(
            f"covariance is {name!r}.{near(str(name), COVARIANCES)}",
            remedy=f"choose one of {', '.join(COVARIANCES)}.",
        )
    return known


def chosen(kind: str | None, groups: object, usual: str = "observed") -> Convention:
    """Return the convention that is asked for: "cluster" if there are groups, else `usual`, where none is named."""
    convention = convention_of(kind or (usual if groups is None else "cluster"))
    if "groups" in convention.needs and groups is None:
        raise UsageError("The cluster-robust covariance needs groups.", remedy="pass groups=, a label for each row.")
    if "groups" not in convention.needs and groups is not None:
        raise UsageError(
            f"There are groups, and covariance={convention.name!r} does not use them.",
            remedy='leave them out, or ask for covariance="cluster".',
        )
    return convention
