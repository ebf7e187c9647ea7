"""Log-linear (Poisson) regression: counts whose log mean is linear in the covariates."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln, xlogy

from autoopt.inference.dispersion import fractional, remark
from autoopt.models import validation
from autoopt.models.conventions import GENERALISED
from autoopt.models.forms import counts, of_rows
from autoopt.models.log_means import LogMean
from autoopt.models.table import Model, add

MOST_ROWS = 50_000
"""So many rows tell how counts vary to a percent; of more, evenly spaced ones are looked at."""


def _rows(given: Any, rows: slice) -> Any:
    """Return these rows of what may be an array, a table, a sparse matrix, a list or nothing."""
    if given is None or rows.step == 1:
        return given
    if hasattr(given, "iloc"):
        return given.iloc[rows]
    given = np.asarray(given) if isinstance(given, list | tuple) else given
    return (given.tocsr() if hasattr(given, "tocsr") else given)[rows]


def terms(eta, y):
    """Return minus the log-likelihood of each y ~ Poisson(exp(eta))."""
    return np.exp(eta) - y * eta + gammaln(y + 1)


class LogLinearRegression(LogMean):
    """Poisson regression with log link, unpenalised unless `alpha` is given; also for contingency tables.

    Minimises sum_i w_i (exp(eta_i) - y_i eta_i + log y_i!) + alpha / 2 ||coef||^2 with eta = X @ coef + intercept +
    offset + log(exposure). scikit-learn's PoissonRegressor(alpha / sum(w)) has the same optimum.

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
    params, bse, tvalues, pvalues, llf, aic, bic, nobs
        Inference under statsmodels' names, shape (n,): intercept first.

    Examples
    --------
    >>> model = LogLinearRegression().fit([[0], [0], [1], [1]], [1, 3, 5, 11], exposure=[1, 1, 2, 2])
    >>> np.exp(model.params).round(6).tolist()
    [2.0, 2.0]
    """

    _terms = staticmethod(terms)
    _conventions = GENERALISED

    def _remarked(self, X: object, y: np.ndarray, sample_weight: object, offset: object, exposure: object) -> list[str]:
        """Return the sentence on counts that vary more, or less, than those of a Poisson likelihood."""
        whole = fractional(self._response(y, len(y)))
        every = slice(None, None, max(1, len(y) // MOST_ROWS))
        X, y, sample_weight, offset, exposure = (_rows(one, every) for one in (X, y, sample_weight, offset, exposure))
        mean = self.predict(X, offset=offset, exposure=exposure)
        counts, weights = self._response(y, len(mean)), validation.sample_weights(sample_weight, len(mean))
        is_robust = self._covariance_said != self._convention
        said = remark(counts, mean, len(self.params), weights, is_robust)
        return [note for note in (whole, said if self.converged_ else "") if note]

    def _deviances(self, y: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """Return twice the log-likelihood that each row loses against a mean equal to y, shape (m,)."""
        return 2 * (xlogy(y, y) - xlogy(y, mean) - y + mean)


add(
    Model(
        "loglinear",
        "Poisson counts with log link",
        "counts",
        terms,
        LogLinearRegression,
        (0.0, 1.0, 4.0),
        form=of_rows("counts, zero or positive", counts, terms, np.exp, "log"),
    )
)
