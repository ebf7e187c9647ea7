"""Gamma regression: positive responses whose standard deviation is a constant share of their mean, with log link."""

from __future__ import annotations

import numpy as np

from autoopt.models import validation
from autoopt.models.ancillary import Ancillary
from autoopt.models.forms import of_rows, positive
from autoopt.models.log_means import LogMean
from autoopt.models.stirling import log_factor
from autoopt.models.table import Model, add


def terms(eta, y, dispersion):
    """Return minus the log-likelihood of each y ~ Gamma with mean exp(eta) and variance dispersion * mean^2."""
    shape = 1 / dispersion
    log_ratio = np.log(y) - eta
    return log_factor(shape) + np.log(y) + shape * (np.expm1(log_ratio) - log_ratio)


class GammaRegression(LogMean):
    """Regression of positive responses with log link, whose variance is dispersion * mean^2.

    Minimises -sum_i w_i log p(y_i | exp(eta_i), dispersion) + alpha / 2 ||coef||^2 with eta = X @ coef + intercept +
    offset + log(exposure), over the coefficients and the dispersion. The coefficients, without a penalty, are those of
    every gamma GLM; standard errors are of the observed information and the dispersion's maximum likelihood.
    `TweedieRegression(power=2)` has the expected information and Pearson's dispersion, as R and statsmodels report.

    Parameters
    ----------
    fit_intercept, alpha, method, tol, max_iter, covariance
        See `Regression`.

    Attributes
    ----------
    coef_ : ndarray, shape (n_features,)
        Log ratio of means per unit of each feature.
    intercept_ : float
        Zero without an intercept.
    dispersion_ : float
        The squared coefficient of variation; the gamma distribution's shape is 1 / dispersion.
    params, bse, tvalues, pvalues, llf, aic
        Inference under statsmodels' names, shape (n,): intercept, coefficients, dispersion.

    References
    ----------
    McCullagh, P. and Nelder, J. A. (1989). Generalized Linear Models, 2nd edition, chapter 8. Chapman and Hall.

    Examples
    --------
    >>> X = np.repeat([[0.0], [1.0]], 3, axis=0)
    >>> model = GammaRegression().fit(X, [1.0, 2.0, 3.0, 3.0, 6.0, 9.0])
    >>> np.exp(model.params[:2]).round(6).tolist(), round(model.dispersion_, 4)
    ([2.0, 3.0], 0.186)
    """

    _terms = staticmethod(terms)

    def _response(self, y: object, rows: int) -> np.ndarray:
        return validation.positive(y, rows)

    def _ancillaries(self, y: np.ndarray, offset: np.ndarray, weights: np.ndarray) -> tuple[Ancillary, ...]:
        ratio = y * np.exp(-offset)
        scatter = np.average(ratio**2, weights=weights) / np.average(ratio, weights=weights) ** 2 - 1
        return (Ancillary("dispersion", float(max(scatter, 1e-6)), positive=True, least=1e-10, end=_END),)

    def _deviances(self, y: np.ndarray, mean: np.ndarray) -> np.ndarray:
        return 2 * (y / mean - 1 - np.log(y / mean))


_END = (
    "it rises as the dispersion goes to 0, because the means are the responses, to five digits.\n"
    "To fix this: leave out covariates: they must be fewer than rows."
)


add(
    Model(
        "gamma",
        "positive responses with log link and a constant coefficient of variation",
        "positive",
        terms,
        GammaRegression,
        (0.5, 1.0, 4.0),
        (0.5,),
        of_rows("positive", positive, terms, np.exp, "log", starts=(0.5,)),
    )
)
