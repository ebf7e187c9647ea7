"""Negative binomial regression (NB2): counts that scatter more than Poisson's, log mean linear in the covariates."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, xlogy

from autoopt.inference.dispersion import fractional
from autoopt.models.ancillary import Ancillary
from autoopt.models.forms import counts, of_rows
from autoopt.models.log_means import LogMean
from autoopt.models.stirling import log_rising
from autoopt.models.table import Model, add


def terms(eta, y, dispersion):
    """Return minus the log-likelihood of each y with mean exp(eta) and variance mean + dispersion * mean^2."""
    size = 1 / dispersion
    log_ratio = eta + np.log(dispersion)
    return (y + size) * np.logaddexp(0, log_ratio) - y * log_ratio - log_rising(y, size) + gammaln(y + 1)


class NegativeBinomialRegression(LogMean):
    """Regression of counts whose variance is mean + dispersion * mean^2, with log link.

    Minimises -sum_i w_i log P(y_i | exp(eta_i), dispersion) + alpha / 2 ||coef||^2 with eta = X @ coef + intercept +
    offset + log(exposure), over the coefficients and the dispersion.

    Parameters
    ----------
    fit_intercept, alpha, method, tol, max_iter, covariance
        See `Regression`.

    Attributes
    ----------
    coef_ : ndarray, shape (n_features,)
        Log rate ratio per unit of each feature.
    intercept_ : float
        Zero without an intercept.
    dispersion_ : float
        statsmodels calls it alpha, MASS::glm.nb has theta = 1 / dispersion.
    params, bse, tvalues, pvalues, llf, aic
        Inference under statsmodels' names, shape (n,): intercept, coefficients, dispersion.

    References
    ----------
    Cameron, A. C. and Trivedi, P. K. (2013). Regression Analysis of Count Data, 2nd edition, section 3.3. Cambridge.

    Examples
    --------
    >>> X = np.repeat([[0.0], [1.0]], 6, axis=0)
    >>> model = NegativeBinomialRegression().fit(X, [0, 1, 1, 3, 7, 0, 2, 9, 3, 14, 0, 8])
    >>> np.exp(model.params[:2]).round(6).tolist(), round(model.dispersion_, 4)
    ([2.0, 3.0], 0.8964)
    """

    dispersion_: float

    _terms = staticmethod(terms)

    def _ancillaries(self, y: np.ndarray, offset: np.ndarray, weights: np.ndarray) -> tuple[Ancillary, ...]:
        mean = np.average(y, weights=weights)
        excess = np.average((y - mean) ** 2, weights=weights) - mean
        start = float(max(excess, 0.1 * mean) / mean**2) if mean else 1.0
        return (Ancillary("dispersion", start, positive=True, least=_POISSON, end=_END),)

    def _remarked(self, X: object, y: np.ndarray, sample_weight: object, offset: object, exposure: object) -> list[str]:
        """Return the sentence on counts that are no whole numbers."""
        said = fractional(self._response(y, len(y)))
        return [said] if said else []

    def _deviances(self, y: np.ndarray, mean: np.ndarray) -> np.ndarray:
        excess = np.log1p(self.dispersion_ * y) - np.log1p(self.dispersion_ * mean)
        return 2 * (xlogy(y, y) - xlogy(y, mean) - (y + 1 / self.dispersion_) * excess)


_POISSON = 1e-6
"""The least dispersion that is told from none."""

_END = (
    "it rises as the dispersion goes to 0, because the counts scatter no more than Poisson's.\n"
    "To fix this: use LogLinearRegression, which is this model without dispersion."
)


add(
    Model(
        "negative-binomial",
        "counts with log link and a variance above the mean",
        "counts",
        terms,
        NegativeBinomialRegression,
        (0.0, 1.0, 4.0),
        (0.5,),
        of_rows("counts, zero or positive", counts, terms, np.exp, "log", starts=(0.5,)),
    )
)
