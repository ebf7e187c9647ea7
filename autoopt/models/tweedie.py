"""Tweedie regression: amounts with log link whose variance is a power of their mean, by quasi-likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.special import log_wright_bessel

from autoopt.errors import UsageError
from autoopt.models import validation
from autoopt.models.dispersed import Dispersed
from autoopt.models.gamma import terms as gamma_terms
from autoopt.models.log_means import LogMean
from autoopt.models.newton import Solution
from autoopt.models.problem import Problem
from autoopt.models.rows import crossed
from autoopt.models.table import Model, add


def terms(eta, y):
    """Return half the deviance of each row with mean exp(eta), less what depends on y alone.

    y has two columns: the response, and the power of the mean that the variance is.
    """
    amount, power = y[:, 0], y[:, 1]
    first, second = 1 - power, 2 - power
    ratio = np.where(first == 0, eta, np.exp(first * eta) / np.where(first == 0, 1.0, first))
    growth = np.where(second == 0, eta, np.exp(second * eta) / np.where(second == 0, 1.0, second))
    return growth - amount * ratio


class TweedieRegression(LogMean, Dispersed):
    """Regression with log link of responses whose variance is scale * mean^power.

    Minimises half the deviance, sum_i w_i (m_i^(2-p) / (2-p) - y_i m_i^(1-p) / (1-p)), + alpha / 2 ||coef||^2 with
    m = exp(X @ coef + intercept + offset) * exposure: a quasi-likelihood, whose standard errors are those of the
    expected information and Pearson's dispersion, as R and statsmodels report of a GLM. The estimates do not depend on
    the dispersion. scikit-learn's TweedieRegressor(power=, alpha=alpha / sum(w), link="log") has the same optimum.

    Parameters
    ----------
    power : float
        0: constant variance, 1: (quasi-)Poisson, between 1 and 2: sums of a Poisson number of gamma amounts, zeros
        among them, 2: gamma, 3: inverse Gaussian. Not between 0 and 1, where no such distribution exists.
    fit_intercept, alpha, method, tol, max_iter, covariance
        See `Regression`.

    Attributes
    ----------
    coef_ : ndarray, shape (n_features,)
        Log ratio of means per unit of each feature.
    intercept_ : float
        Zero without an intercept.
    scale_ : float
        The dispersion: Pearson's statistic over the degrees of freedom.
    params, bse, tvalues, pvalues, llf, aic
        Inference under statsmodels' names, shape (n,): intercept first. `llf` is the Tweedie distribution's at `scale_`
        for powers 0, 1 < power <= 2 and 3, and for 1 with scale 1; NaN for others.

    References
    ----------
    Jorgensen, B. (1987). Journal of the Royal Statistical Society B 49(2), 127-162. The density for 1 < p < 2 is
    Wright's generalised Bessel function: Dunn, P. K. and Smyth, G. K. (2005). Statistics and Computing 15, 267-280.

    Examples
    --------
    >>> X = np.repeat([[0.0], [1.0]], 3, axis=0)
    >>> model = TweedieRegression(power=1.5).fit(X, [0.0, 1.0, 5.0, 0.0, 3.0, 15.0])
    >>> np.exp(model.params).round(6).tolist(), round(model.scale, 4)
    ([2.0, 3.0], 3.3807)
    """

    _terms = staticmethod(terms)
    _convention = "expected information, times Pearson's dispersion"

    def __init__(
        self,
        *,
        power: float = 1.5,
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
        self.power = power

    def _check_options(self) -> None:
        super()._check_options()
        if not (np.isfinite(self.power) and (self.power == 0 or self.power >= 1)):
            raise UsageError(f"power is {self.power!r}.", remedy="pass 0, 1 or a larger number, such as power=1.5.")

    def _response(self, y: object, rows: int) -> np.ndarray:
        if self.power == 0:
            values = validation.vector(validation.flat(y), rows, "y")
        else:
            values = (validation.counts if self.power < 2 else validation.positive)(y, rows)
        return np.column_stack([values, np.full(rows, float(self.power))])

    def _responses(self, y: np.ndarray) -> np.ndarray:
        return y[:, 0]

    def _start(self, y: np.ndarray, offset: np.ndarray, weights: np.ndarray) -> float:
        return super()._start(y[:, 0], offset, weights)

    def _mean(self, eta: np.ndarray) -> np.ndarray:
        return np.exp(eta)

    def _variance(self, mean: np.ndarray) -> np.ndarray:
        return mean**self.power

    def _infer(self, problem: Problem, found: Solution) -> None:
        eta = problem.predictor(found.x) + (0.0 if problem.offset is None else problem.offset)
        weights = np.exp((2 - self.power) * eta) * (1.0 if problem.weights is None else problem.weights)
        if not found.hessian.size:
            super()._infer(problem, found)
            return
        expected = crossed(problem.X, weights, problem.intercept)
        penalised = np.arange(int(problem.intercept), len(expected))
        expected[penalised, penalised] += self.alpha
        super()._infer(problem, replace(found, hessian=expected))

    def _deviances(self, y: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """Return the deviance of each row, shape (m,), of y, shape (m,) or (m, 2)."""
        if y.ndim == 1:
            y = np.column_stack([y, np.full(len(y), float(self.power))])
        amount = y[:, 0]
        saturated = -0.5 * amount**2
        if self.power:
            present = np.column_stack([np.where(amount > 0, amount, 1.0), y[:, 1]])
            saturated = np.where(amount > 0, terms(np.log(present[:, 0]), present), 0.0)
        return 2 * (terms(np.log(mean), y) - saturated)

    def _log_likelihood(self, y: np.ndarray, mean: np.ndarray, weights: np.ndarray) -> float:
        terms = _LOG_DENSITIES.get(self.power, _compound if 1 < self.power < 2 else _unknown)
        return float(weights @ terms(y, mean, self.scale_, self.power))


def _normal(y: np.ndarray, mean: np.ndarray, scale: float, power: float) -> np.ndarray:
    return -0.5 * (np.log(2 * np.pi * scale) + (y - mean) ** 2 / scale)


def _gamma(y: np.ndarray, mean: np.ndarray, scale: float, power: float) -> np.ndarray:
    return -gamma_terms(np.log(mean), y, scale)


def _inverse_gaussian(y: np.ndarray, mean: np.ndarray, scale: float, power: float) -> np.ndarray:
    return -0.5 * (np.log(2 * np.pi * scale * y**3) + (y - mean) ** 2 / (scale * y * mean**2))


def _compound(y: np.ndarray, mean: np.ndarray, scale: float, power: float) -> np.ndarray:
    """Return the log density of a Poisson number of gamma amounts, 1 < power < 2; the log probability of a zero."""
    shape = (2 - power) / (power - 1)
    natural = (y * mean ** (1 - power) / (1 - power) - mean ** (2 - power) / (2 - power)) / scale
    amount = np.where(y > 0, y, 1.0)
    argument = (amount / (power - 1)) ** shape / (scale ** (1 + shape) * (2 - power))
    return natural + np.where(y > 0, log_wright_bessel(shape, 0.0, argument) - np.log(amount), 0.0)


def _unknown(y: np.ndarray, mean: np.ndarray, scale: float, power: float) -> np.ndarray:
    return np.full(len(y), np.nan)


_LOG_DENSITIES: dict[float, Callable] = {0: _normal, 2: _gamma, 3: _inverse_gaussian}
"""By powers: (y, mean, scale, power) -> (m,)."""


add(
    Model(
        "tweedie",
        "amounts with log link, whose variance is a power of the mean",
        "amounts",
        terms,
        TweedieRegression,
        ((0.0, 1.5), (1.0, 1.5), (4.0, 1.5)),
    )
)
