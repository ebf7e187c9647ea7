"""Log-linear (Poisson) regression: counts whose log mean is linear in the covariates."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, xlogy

from autoopt.models import validation
from autoopt.models.regression import Regression
from autoopt.models.table import Model, add


def negative_log_likelihood(params, X, y, offset, weights):
    """Return minus the log-likelihood of y ~ Poisson(exp(eta))."""
    eta = X @ params + offset
    return np.sum(weights * (np.exp(eta) - y * eta + gammaln(y + 1)))


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
    params, bse, tvalues, pvalues, llf, aic
        Inference under statsmodels' names, shape (n,): intercept first.

    Examples
    --------
    >>> model = LogLinearRegression().fit([[0], [0], [1], [1]], [1, 3, 5, 11], exposure=[1, 1, 2, 2])
    >>> np.exp(model.params).round(6).tolist()
    [2.0, 2.0]
    """

    _likelihood = staticmethod(negative_log_likelihood)
    _estimator_type = "regressor"

    def fit(
        self, X: object, y: object, sample_weight: object = None, *, offset: object = None, exposure: object = None
    ) -> LogLinearRegression:
        """Fit the model.

        Parameters
        ----------
        X : array or table, shape (m, n_features)
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
        X = self._features(X, fitting=True)
        y = validation.counts(y, len(X))
        weights = validation.sample_weights(sample_weight, len(X))
        offset = validation.offsets(offset, exposure, len(X))
        events = max(weights @ y, 0.5)  # all counts zero: any start will do, there is no maximum
        start = np.log(events) - np.log(weights @ np.exp(offset))
        self._maximise(X, y, offset, weights, start)
        self.coef_ = self.params_[-self.n_features_in_ :]
        self.intercept_ = float(self.params_[0]) if self.fit_intercept else 0.0
        return self

    def predict(self, X: object, *, offset: object = None, exposure: object = None) -> np.ndarray:
        """Return the mean count of each row, shape (m,)."""
        X = self._features(X)
        return np.exp(X @ self.coef_ + self.intercept_ + validation.offsets(offset, exposure, len(X)))

    def score(
        self, X: object, y: object, sample_weight: object = None, *, offset: object = None, exposure: object = None
    ) -> float:
        """Return the explained fraction of the deviance from one common rate; 1 is perfect, 0 no better than that."""
        mean = self.predict(X, offset=offset, exposure=exposure)
        y = validation.counts(y, len(mean))
        weights = validation.sample_weights(sample_weight, len(mean))
        base = np.exp(validation.offsets(offset, exposure, len(mean)))
        common = base * (weights @ y) / (weights @ base)
        return 1 - _deviance(y, mean, weights) / _deviance(y, common, weights)

    def __sklearn_tags__(self) -> object:
        from sklearn.utils import InputTags, RegressorTags, Tags, TargetTags

        return Tags(
            estimator_type="regressor",
            target_tags=TargetTags(required=True, positive_only=True),
            input_tags=InputTags(),
            regressor_tags=RegressorTags(),
        )


def _deviance(y: np.ndarray, mean: np.ndarray, weights: np.ndarray) -> float:
    """Return twice the log-likelihood lost against a mean equal to y, each of shape (m,)."""
    return float(2 * weights @ (xlogy(y, y) - xlogy(y, mean) - y + mean))


add(
    Model(
        "loglinear",
        "Poisson counts with log link",
        "counts",
        negative_log_likelihood,
        LogLinearRegression,
    )
)
