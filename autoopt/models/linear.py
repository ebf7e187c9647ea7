"""Linear regression with normal errors: least squares."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import stdtr, stdtrit

from autoopt.models.conventions import GENERALISED
from autoopt.models.dispersed import Dispersed
from autoopt.models.forms import OFFSET, Asked, Form, Stated, plus
from autoopt.models.locations import Location
from autoopt.models.newton import Solution
from autoopt.models.problem import Problem
from autoopt.models.table import Model, add


def terms(eta, y):
    """Return minus the log-likelihood of each y ~ Normal(eta, 1), less its constant."""
    return 0.5 * (y - eta) ** 2


class LinearRegression(Location, Dispersed):
    """Least squares, unpenalised unless `alpha` is given.

    Minimises 1/2 sum_i w_i (y_i - eta_i)^2 + alpha / 2 ||coef||^2 with eta = X @ coef + intercept + offset.
    scikit-learn's Ridge(alpha) has the same optimum.

    Parameters
    ----------
    fit_intercept, alpha, method, tol, max_iter, covariance
        See `Regression`.

    Attributes
    ----------
    coef_ : ndarray, shape (n_features,)
    intercept_ : float
        Zero without an intercept.
    scale_ : float
        The variance of the errors: the sum of squares over the degrees of freedom.
    params, bse, tvalues, pvalues, llf, aic
        Inference as statsmodels' OLS has it, shape (n,): intercept first. p-values and intervals are those of
        Student's t; `llf` is at the variance of maximum likelihood.

    Examples
    --------
    >>> model = LinearRegression().fit([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 4.0, 8.0])
    >>> model.params.round(4).tolist(), model.bse.round(4).tolist(), round(model.scale, 4)
    ([0.7, 2.2], [0.7937, 0.4243], 0.9)
    """

    _terms = staticmethod(terms)
    _conventions = GENERALISED
    _convention = "exact Hessian, times the variance of the residuals"
    _length = 1e-14  # in spreads of the response, which may be many of the errors

    def _start(self, y: np.ndarray, offset: np.ndarray, weights: np.ndarray) -> float:
        return float(np.average(y - offset, weights=weights))

    def _solution(self, problem: Problem) -> Solution:
        """Return the solution, found in units of the response's spread, so that steps have lengths to be judged."""
        unit = float(np.std(problem.y)) or 1.0
        offset = None if problem.offset is None else problem.offset / unit
        found = super()._solution(replace(problem, y=problem.y / unit, offset=offset, start=problem.start / unit))
        return replace(found, x=unit * found.x, value=unit**2 * found.value, gradient=unit * found.gradient)

    def _problem(self, step: np.ndarray, problem: Problem, found: Solution) -> Warning | None:
        return None if found.converged else super()._problem(step, problem, found)  # a parabola has its minimum

    def _mean(self, eta: np.ndarray) -> np.ndarray:
        return eta

    def _variance(self, mean: np.ndarray) -> np.ndarray:
        return np.ones(len(mean))

    def _log_likelihood(self, y: np.ndarray, mean: np.ndarray, weights: np.ndarray) -> float:
        squares, rows = weights @ (y - mean) ** 2, weights.sum()
        with np.errstate(divide="ignore"):
            return float(-0.5 * rows * (np.log(2 * np.pi * squares / rows) + 1))

    @property
    def _freedom(self) -> float:
        """Degrees of freedom of the tests: those of the residuals; groups less 1 where rows are clustered."""
        _, groups = self._robustly or ("", 0)
        return groups - 1.0 if groups else self.df_resid

    @property
    def pvalues(self) -> np.ndarray:
        """Two-sided probabilities of a larger |tvalue| if the parameter were zero, of Student's t, shape (n,)."""
        return 2 * stdtr(self._freedom, -np.abs(self.tvalues))

    def conf_int(self, alpha: float = 0.05) -> np.ndarray:
        """Return intervals of Student's t that cover each parameter with probability 1 - alpha, shape (n, 2)."""
        half = stdtrit(self._freedom, 1 - alpha / 2) * self.bse
        return np.column_stack([self.params - half, self.params + half])


def _stated(asked: Asked) -> Stated:
    """Return residuals, whose variance is estimated."""

    def predict(params, X, offset):
        return plus(X @ params, offset)

    def residuals(params, X, offset, y):
        return y - plus(X @ params, offset)

    return Stated(residuals, asked.columns, np.zeros(len(asked.columns)), predict, kind="least squares")


add(
    Model(
        "linear",
        "least squares: normal errors",
        "real",
        terms,
        LinearRegression,
        (-0.5, 1.0, 4.0),
        form=Form("numbers", lambda asked: np.isfinite(asked.y), _stated, OFFSET),
    )
)
