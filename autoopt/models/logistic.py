"""Logistic regression: log odds linear in the covariates, of two classes or more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit, logsumexp

from autoopt.errors import UsageError
from autoopt.models.classes import Classifier
from autoopt.models.conventions import GENERALISED
from autoopt.models.forms import OFFSET, RIDGE, Asked, Form, Stated, of_rows, whole
from autoopt.models.table import Model, add
from autoopt.models.validation import InputError, refuse_not_finite


def terms(eta, y):
    """Return minus the log-likelihood of each y in {0, 1}, P(y = 1) = 1 / (1 + exp(-eta))."""
    return np.logaddexp(0, eta) - y * eta


def multinomial_terms(eta, y):
    """Return minus the log-likelihood of rows of which one entry of y is 1; the first class has the predictor 0."""
    eta = np.concatenate([np.zeros((y.shape[0], 1)), eta], axis=1)
    largest = np.max(eta, axis=1)
    log_total = largest + np.log(np.sum(np.exp(eta - largest[:, np.newaxis]), axis=1))
    return log_total - np.sum(y * eta, axis=1)


class LogisticRegression(Classifier):
    """Logistic regression, multinomial for more than two classes; unpenalised unless `alpha` is given.

    Minimises sum_i w_i (log(1 + exp(eta_i)) - y_i eta_i) + alpha / 2 ||coef||^2 with eta = X @ coef + intercept +
    offset. scikit-learn's LogisticRegression(C=1 / alpha) has the same optimum, also for more than two classes: there
    `coef_` and `intercept_` are those of each class, which sum to zero, and `params` the differences from the first
    class, as in statsmodels' MNLogit, with their standard errors.

    Parameters
    ----------
    fit_intercept, alpha, class_weight, method, tol, max_iter, covariance
        See `Regression` and `Classifier`.

    Attributes
    ----------
    classes_ : ndarray, shape (K,)
        The labels; of two, the second is the one whose probability is modelled.
    coef_ : ndarray, shape (1, n_features), or (K, n_features) for K > 2 classes
        Log odds ratio per unit of each feature.
    intercept_ : ndarray, shape (1,) or (K,)
        Zero without an intercept.
    params, bse, tvalues, pvalues, llf, aic, bic, nobs
        Inference under statsmodels' names, shape (n,): intercept first; for K > 2 classes those of the second class,
        of the third and so on.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]])
    >>> model = LogisticRegression().fit(X, ["no", "no", "yes", "no", "yes", "yes"])
    >>> model.predict([[0.5], [4.5]]).tolist()
    ['no', 'yes']
    """

    _conventions = GENERALISED

    def fit(
        self, X: object, y: object, sample_weight: object = None, *, offset: object = None, groups: object = None
    ) -> LogisticRegression:
        """Fit the model.

        Parameters
        ----------
        X : array, sparse matrix or table, shape (m, n_features)
            Covariates, without a column of ones.
        y : array, shape (m,)
            Labels of any type, two or more.
        sample_weight : array, shape (m,), optional
            How often each row counts.
        offset : array, shape (m,), optional
            Added to the log odds; of K > 2 classes a matrix, (m, K), added to the linear predictor of each.
        groups : array, shape (m,), optional
            Labels of clusters, whose rows may depend on each other: standard errors are then cluster-robust.

        Returns
        -------
        LogisticRegression
            The estimator itself.
        """
        self._fit(X, y, sample_weight, offset, groups=groups)
        return self

    def _maximise(
        self,
        X: Any,
        y: np.ndarray,
        offset: np.ndarray | None,
        weights: np.ndarray | None,
        groups: np.ndarray | None,
    ) -> None:
        if not self._is_binary and self._convention_of(groups).needs == ("leverages",):
            raise UsageError(
                f"covariance={self.covariance!r} is for two classes, and y has {len(self.classes_)}.",
                remedy='use covariance="robust" or "HC1".',
            )
        super()._maximise(X, y, offset, weights, groups)

    @property
    def _is_binary(self) -> bool:
        return len(self.classes_) == 2

    def _stated(self) -> tuple[Callable | None, Callable | None, int]:
        return (terms, None, 1) if self._is_binary else (multinomial_terms, None, len(self.classes_) - 1)

    def _coded(self, codes: np.ndarray) -> np.ndarray:
        return codes.astype(float) if self._is_binary else np.eye(len(self.classes_))[codes]

    def _set_coefficients(self) -> None:
        first, size = int(bool(self.fit_intercept)), self.n_features_in_ + int(bool(self.fit_intercept))
        coef = self.params_.reshape(-1, size)
        if not self._is_binary:
            coef = np.concatenate([np.zeros((1, size)), coef])
            coef = coef - coef.mean(axis=0)
        self.coef_ = coef[:, first:]
        self.intercept_ = coef[:, 0] if first else np.zeros(len(coef))

    @property
    def names_(self) -> list[str]:
        """Names of the parameters; of more than two classes with the label before them: "setosa: x0"."""
        names = super().names_
        if self._is_binary:
            return names
        return [f"{label}: {name}" for label in self.classes_.tolist()[1:] for name in names]

    def decision_function(self, X: object, *, offset: object = None) -> np.ndarray:
        """Return the log odds of the second class, shape (m,); of K > 2 classes their linear predictors, (m, K)."""
        self._require_fit()
        if self._is_binary:
            return self._predictor(X, offset)
        eta = self._features(X) @ self.coef_.T + self.intercept_
        return eta if offset is None else eta + self._of_classes(offset, len(eta))

    def _offsets(self, offset: object, rows: int) -> np.ndarray:
        if self._is_binary:
            return super()._offsets(offset, rows)
        offsets = self._of_classes(offset, rows)
        return offsets[:, 1:] - offsets[:, :1]

    def _of_classes(self, offset: object, rows: int) -> np.ndarray:
        """Return the offset of each class, shape (rows, K)."""
        given, shape = np.asarray(offset), (rows, len(self.classes_))
        if given.shape != shape:
            raise InputError(
                f"The offset has shape {given.shape}, and y has {shape[1]} classes: one that all of them share would"
                " change nothing.",
                remedy=f"pass a matrix, {shape}, with a column for each of classes_.",
            )
        offsets = given.astype(float)
        refuse_not_finite(offsets, "offset")
        return offsets

    def predict(self, X: object, *, offset: object = None) -> np.ndarray:
        """Return the most probable label of each row, shape (m,)."""
        eta = self.decision_function(X, offset=offset)
        return self.classes_[(eta > 0).astype(int) if self._is_binary else np.argmax(eta, axis=1)]

    def _probabilities(self, X: object, offset: object) -> np.ndarray:
        eta = self.decision_function(X, offset=offset)
        if self._is_binary:
            return np.column_stack([expit(-eta), expit(eta)])
        eta = np.exp(eta - eta.max(axis=1, keepdims=True))
        return eta / eta.sum(axis=1, keepdims=True)

    def predict_log_proba(self, X: object, *, offset: object = None) -> np.ndarray:
        """Return the logarithms of the probabilities, shape (m, classes), exact where these underflow."""
        eta = self.decision_function(X, offset=offset)
        if self._is_binary:
            return -np.column_stack([np.logaddexp(0, eta), np.logaddexp(0, -eta)])
        return eta - logsumexp(eta, axis=1, keepdims=True)


def _refuse_offset(offset: object, classes: int) -> None:
    if offset is not None and classes > 2:
        raise InputError(
            f"There is an offset, and y has {classes} classes, to all of which it would be added.",
            remedy="leave the offset out.",
        )


def _holds(asked: Asked) -> np.ndarray:
    """Return which entries of y are 0 or 1, of numbers, or one of the categories."""
    return whole(asked) & ((asked.y == 0) | (asked.y == 1) if asked.labels is None else True)


def _stated(asked: Asked) -> Stated:
    """Return the terms of two classes, or of more, whose coefficients follow one another by class.

    Those of more classes are differences from the first; what `alpha` penalises are those of each class, as they sum to
    zero: sum_k (b_k - mean)^2, which no choice of a first class changes.
    """
    size, others = len(asked.columns), len(asked.classes) - 1
    if others < 2:
        binary = of_rows("", np.isfinite, terms, logistic, "logit")
        return binary.stated(asked)
    if "offset" in asked.settings:
        _refuse_offset(0.0, others + 1)

    def predictors(params, X):
        return X @ np.reshape(params, (others, size)).T

    def objective(params, X, offset, y):
        return multinomial_terms(predictors(params, X), np.eye(others + 1)[y.astype(int)])

    def predict(params, X, offset):
        eta = np.concatenate([np.zeros((X.shape[0], 1)), predictors(params, X)], axis=1)
        shifted = np.exp(eta - np.max(eta, axis=1)[:, np.newaxis])
        return shifted / np.sum(shifted, axis=1)[:, np.newaxis]

    names = [f"{label}: {name}" for label in asked.classes[1:] for name in asked.columns]

    def squares(params):
        coefficients = np.reshape(params, (others, size))[:, asked.covariates]
        return np.sum(coefficients**2) - np.sum(np.sum(coefficients, axis=0) ** 2) / (others + 1)

    return Stated(objective, names, np.zeros(others * size), predict, scale="logit", squares=squares)


def logistic(eta):
    """Return 1 / (1 + exp(-eta)), which does not overflow."""
    return np.exp(-np.logaddexp(0.0, -eta))


add(
    Model(
        "logistic",
        "two classes or more with logit link",
        "classes",
        terms,
        LogisticRegression,
        (0.0, 1.0),
        form=Form("0 or 1, or a category", _holds, _stated, {**OFFSET, **RIDGE}),
    )
)
