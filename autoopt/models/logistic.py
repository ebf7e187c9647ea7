"""Logistic regression: two classes, log odds linear in the covariates."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from autoopt.models import validation
from autoopt.models.regression import Regression
from autoopt.models.table import Model, add


def negative_log_likelihood(params, X, y, offset, weights):
    """Return minus the log-likelihood of y in {0, 1}, P(y = 1) = 1 / (1 + exp(-eta))."""
    eta = X @ params + offset
    return np.sum(weights * (np.logaddexp(0, eta) - y * eta))


class LogisticRegression(Regression):
    """Binary regression with logit link, unpenalised unless `alpha` is given.

    Minimises sum_i w_i (log(1 + exp(eta_i)) - y_i eta_i) + alpha / 2 ||coef||^2 with eta = X @ coef + intercept +
    offset. scikit-learn's LogisticRegression(C=1 / alpha) has the same optimum.

    Parameters
    ----------
    fit_intercept, alpha, method, tol, max_iter
        See `Regression`.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
        The labels; the second is the one whose probability is modelled.
    coef_ : ndarray, shape (1, n_features)
        Log odds ratio per unit of each feature.
    intercept_ : ndarray, shape (1,)
        Zero without an intercept.
    params, bse, tvalues, pvalues, llf, aic
        Inference under statsmodels' names, shape (n,): intercept first.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]])
    >>> model = LogisticRegression().fit(X, ["no", "no", "yes", "no", "yes", "yes"])
    >>> model.predict([[0.5], [4.5]]).tolist()
    ['no', 'yes']
    """

    _likelihood = staticmethod(negative_log_likelihood)
    _estimator_type = "classifier"

    def fit(self, X: object, y: object, sample_weight: object = None, *, offset: object = None) -> LogisticRegression:
        """Fit the model.

        Parameters
        ----------
        X : array or table, shape (m, n_features)
            Covariates, without a column of ones.
        y : array, shape (m,)
            Two labels of any type.
        sample_weight : array, shape (m,), optional
            How often each row counts.
        offset : array, shape (m,), optional
            Added to the log odds.

        Returns
        -------
        LogisticRegression
            The estimator itself.
        """
        X = self._features(X, fitting=True)
        self.classes_, y = validation.two_classes(y, len(X))
        weights = validation.sample_weights(sample_weight, len(X))
        self._maximise(X, y, validation.offsets(offset, None, len(X)), weights, start=0.0)
        self.coef_ = self.params_[np.newaxis, -self.n_features_in_ :]
        self.intercept_ = self.params_[:1] if self.fit_intercept else np.zeros(1)
        return self

    def decision_function(self, X: object, *, offset: object = None) -> np.ndarray:
        """Return the log odds of the second class, shape (m,)."""
        X = self._features(X)
        return X @ self.coef_[0] + self.intercept_[0] + validation.offsets(offset, None, len(X))

    def predict(self, X: object, *, offset: object = None) -> np.ndarray:
        """Return the more probable label of each row, shape (m,)."""
        second = self.decision_function(X, offset=offset) > 0
        return self.classes_[second.astype(int)]

    def predict_proba(self, X: object, *, offset: object = None) -> np.ndarray:
        """Return the probabilities of both classes, shape (m, 2)."""
        log_odds = self.decision_function(X, offset=offset)
        return np.column_stack([expit(-log_odds), expit(log_odds)])

    def predict_log_proba(self, X: object, *, offset: object = None) -> np.ndarray:
        """Return the logarithms of the probabilities, shape (m, 2), exact where these underflow."""
        log_odds = self.decision_function(X, offset=offset)
        return -np.column_stack([np.logaddexp(0, log_odds), np.logaddexp(0, -log_odds)])

    def score(self, X: object, y: object, sample_weight: object = None, *, offset: object = None) -> float:
        """Return the fraction of rows whose label is predicted rightly."""
        right = self.predict(X, offset=offset) == validation.flat(y)
        return float(np.average(right, weights=None if sample_weight is None else np.asarray(sample_weight)))

    def __sklearn_tags__(self) -> object:
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            input_tags=InputTags(),
            classifier_tags=ClassifierTags(multi_class=False),
        )


add(
    Model(
        "logistic",
        "binary response with logit link",
        "binary",
        negative_log_likelihood,
        LogisticRegression,
    )
)
