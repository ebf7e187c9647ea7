"""Linear regression with Student's errors: a mean that outliers hardly move, with its scale and degrees of freedom."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import gammaln

from autoopt.errors import UsageError
from autoopt.models import validation
from autoopt.models.ancillary import Ancillary
from autoopt.models.forms import OFFSET, RIDGE, identity, of_rows
from autoopt.models.locations import Location
from autoopt.models.newton import Solution
from autoopt.models.problem import Problem
from autoopt.models.rows import crossed
from autoopt.models.table import Model, add


def terms(eta, y, scale, df):
    """Return minus the log-likelihood of each row: (y - eta) / scale has Student's distribution."""
    z = (y - eta) / scale
    constant = np.log(scale) + 0.5 * np.log(np.pi * df) + gammaln(df / 2) - gammaln((df + 1) / 2)
    return constant + (df + 1) / 2 * np.log1p(z**2 / df)


class StudentRegression(Location):
    """Linear regression whose errors have Student's distribution, times a scale that is estimated.

    Minimises -sum_i w_i log t((y_i - eta_i) / scale, df) / scale + alpha / 2 ||coef||^2 with eta = X @ coef + intercept
    + offset. The likelihood may have several maxima; the solver starts from least squares.

    Parameters
    ----------
    df : float, > 0, optional
        The degrees of freedom; estimated if not given.
    fit_intercept, alpha, method, tol, max_iter, covariance
        See `Regression`.

    Attributes
    ----------
    coef_ : ndarray, shape (n_features,)
    intercept_ : float
        Zero without an intercept.
    scale_, df_ : float
        Of the errors, whose variance is scale^2 df / (df - 2) for df > 2.
    params, bse, tvalues, pvalues, llf, aic
        Inference under statsmodels' names, shape (n,): intercept, coefficients, scale, and df if it is estimated.

    References
    ----------
    Lange, K. L., Little, R. J. A. and Taylor, J. M. G. (1989). Journal of the American Statistical Association 84,
    881-896.

    Examples
    --------
    >>> X = np.arange(8.0)[:, np.newaxis]
    >>> StudentRegression(df=3).fit(X, [0.1, 2, 3.9, 6, 8.1, 10, 11.9, 99]).params.round(2).tolist()
    [0.05, 1.98, 0.09]
    """

    _terms = staticmethod(terms)

    def __init__(
        self,
        *,
        df: float | None = None,
        fit_intercept: bool = True,
        alpha: float = 0.0,
        method: str | None = None,
        tol: float | None = None,
        max_iter: int | None = None,
        covariance: str | None = None,
    ) -> None:
        super().__init__(
            fit_intercept=fit_intercept,
            alpha=alpha,
            method=method,
            tol=tol,
            max_iter=max_iter,
            covariance=covariance,
        )
        self.df = df

    def _check_options(self) -> None:
        super()._check_options()
        if self.df is not None and not (np.isfinite(self.df) and self.df > 0):
            raise UsageError(f"df is {self.df!r}.", remedy="pass a positive number, or None to estimate it.")

    def _ancillaries(self, y: np.ndarray, offset: np.ndarray, weights: np.ndarray) -> tuple[Ancillary, ...]:
        df = Ancillary("df", 4.0, True, least=0.1, largest=_NORMAL, end=_ENDS["df"])
        if self.df is not None:
            df = Ancillary("df", float(self.df), True, fixed=True)
        return Ancillary("scale", 1.0, True, least=1e-4, end=_ENDS["scale"]), df

    def _solution(self, problem: Problem) -> Solution:
        """Return the solution, found from that of least squares on and in units of its residuals."""
        weights = np.ones(len(problem.y)) if problem.weights is None else problem.weights
        y = problem.y if problem.offset is None else problem.y - problem.offset
        start = np.zeros(problem.coefficients)
        if not self.alpha:  # a penalty is about 0
            sums = problem.X.T @ (weights * y)
            sums = np.concatenate([[weights @ y], sums]) if problem.intercept else sums
            start = np.linalg.pinv(crossed(problem.X, weights, problem.intercept), hermitian=True) @ sums
        elif problem.intercept:
            start[0] = np.average(y, weights=weights)
        residuals = y - problem.predictor(start)
        unit = float(np.sqrt(np.average(residuals**2, weights=weights)))
        is_exact = not unit > 1e-14 * np.abs(y).max(initial=0.0)
        unit = 1.0 if is_exact else unit
        found = super()._solution(replace(problem, y=residuals / unit, offset=None, alpha=self.alpha * unit**2))
        n = problem.coefficients
        x = np.concatenate([start + unit * found.x[:n], [unit * found.x[n]], found.x[n + 1 :]])
        slope = np.concatenate([np.full(n + 1, 1 / unit), np.ones(len(found.x) - n - 1)])
        value = found.value + weights.sum() * np.log(unit)
        self._ended = is_exact or problem.ancillaries[0].is_at_end(found.x[n])
        return replace(
            found, x=x, value=value, gradient=found.gradient * slope, hessian=found.hessian * np.outer(slope, slope)
        )

    def _at_end(self, problem: Problem) -> Warning | None:
        if self._ended:
            return validation.IdentificationWarning(f"The likelihood has no maximum: {_ENDS['scale']}")
        return super()._at_end(replace(problem, ancillaries=problem.ancillaries[1:]))

    def _problem(self, step: np.ndarray, problem: Problem, found: Solution) -> Warning | None:
        return None if found.converged else super()._problem(step, problem, found)  # in units of the response


_NORMAL = 1e4
"""Degrees of freedom from which errors are called normal."""

_ENDS = {
    "df": "it rises as df goes to infinity, because the errors have no heavier tails than normal ones, or as df goes to"
    " 0.\nTo fix this: use LinearRegression, whose errors are normal, or give df.",
    "scale": "it rises as the scale goes to 0, because a plane goes through too many of the responses.\n"
    "To fix this: give a larger df, or leave out covariates.",
}


add(
    Model(
        "student",
        "real responses with outliers: Student's errors",
        "real",
        terms,
        StudentRegression,
        (-0.5, 1.0, 4.0),
        (0.5, 3.0),
        of_rows("numbers", np.isfinite, terms, identity, settings={**OFFSET, **RIDGE}, starts=(0.5, 3.0)),
    )
)
