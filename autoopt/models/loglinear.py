"""Log-linear (Poisson) regression: counts whose log mean is linear in the covariates."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, xlogy

from autoopt.models import validation
from autoopt.models.regression import Regression
from autoopt.models.table import Model, add


def terms(eta, y):
    """Return minus the log-likelihood of each y ~ Poisson(exp(eta))."""
    return np.exp(eta) - y * eta + gammaln(y + 1)


class LogLinearRegression(Regression):
    """Poisson regression with log link, unpenalised unless `alpha` is given; also for contingency tables.

    Minimises sum_i w_i (exp(eta_i) - y_i eta_i + log y_i!) + alpha / 2 ||coef||^2 with eta = X @ coef + intercept +
    offset + log(exposure). scikit-learn's PoissonRegressor(alpha / sum(w)) has the same optimum.

    Parameters
    ----------
    fit_intercept, alpha, method, tol, max_iter
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
    _estimator_type = "regressor"
    _positive_response = True

    def fit(
        self, X: object, y: object, sample_weight: object = None, *, offset: object = None, exposure: object = None
    ) -> LogLinearRegression:
        """Fit the model.

        Parameters
        ----------
        X : array, sparse matrix or table, shape (m, n_features)
            Covariates, without a column of ones.
        y : array, shape (m,)
            Counts, zero or positive.
        sample_weight : array, shape (m,), optional
            How often each row counts.
        offset : array, shape (m,), optional
            Added to the log mean.
        exposure : array, shape (m,), optional
            Time or population at risk, positive; its logarithm is added to the log mean.

        Returns
        -------
        LogLinearRegression
            The estimator itself.
        """
        self._fit(X, y, sample_weight, offset, exposure)
        return self

    def _response(self, y: object, rows: int) -> np.ndarray:
        return validation.counts(y, rows)

    def _start(self, y: np.ndarray, offset: np.ndarray, weights: np.ndarray) -> float:
        events = max(weights @ y, 0.5)  # all counts zero: any start will do, there is no maximum
        return float(np.log(events) - np.log(weights @ np.exp(offset)))

    def predict(self, X: object, *, offset: object = None, exposure: object = None) -> np.ndarray:
        """Return the mean count of each row, shape (m,)."""
        return np.exp(self._predictor(X, offset, exposure))

    def score(
        self, X: object, y: object, sample_weight: object = None, *, offset: object = None, exposure: object = None
    ) -> float:
        """Return the explained fraction of the deviance from one common rate; 1 is perfect, 0 no better than that."""
        mean = self.predict(X, offset=offset, exposure=exposure)
        y = validation.counts(y, len(mean))
        weights = validation.sample_weights(sample_weight, len(mean))
        base = np.exp(validation.offsets(offset, exposure, len(mean)))
        common = base * (weights @ y) / (weights @ base)
        return float(1 - (weights @ self._deviances(y, mean)) / (weights @ self._deviances(y, common)))

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
    )
)
