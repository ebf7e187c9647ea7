"""What estimators of classes have in common: labels, their weights, probabilities and the share of right ones."""

from __future__ import annotations

import numpy as np

from autoopt.models import validation
from autoopt.models.regression import Regression


class Classifier(Regression):
    """A regression whose response is one of some labels.

    A model states `_probabilities(X, offset)`, shape (m, classes), beside what `Regression` asks for; its response is
    the number of each row's label among the sorted ones, as float.

    Parameters
    ----------
    class_weight : "balanced" or dict of label to weight, optional
        Multiplies the weights of the rows of a class; "balanced" makes all classes weigh the same.
    fit_intercept, alpha, method, tol, max_iter, covariance
        See `Regression`.
    """

    _estimator_type = "classifier"
    _multiclass = True

    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        alpha: float = 0.0,
        class_weight: object = None,
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
        self.class_weight = class_weight

    def _fit(
        self,
        X: object,
        y: object,
        sample_weight: object = None,
        offset: object = None,
        exposure: object = None,
        groups: object = None,
    ) -> None:
        self._check_options()
        design = self._features(X, fitting=True)
        rows = design.shape[0]
        numbers = self._group_numbers(groups, rows)
        classes, codes = validation.labels(y, rows, most=None if self._multiclass else 2)
        self.classes_ = self._named(classes)
        weights = None if sample_weight is None else validation.sample_weights(sample_weight, rows)
        if self.class_weight is not None:
            weights = np.ones(rows) if weights is None else weights
            weights = validation.class_weights(self.class_weight, self.classes_, codes, weights)
        offsets = None if offset is None else self._offsets(offset, rows)
        self._maximise(design, self._coded(codes), offsets, weights, numbers)

    def _offsets(self, offset: object, rows: int) -> np.ndarray:
        """Return what is added to the linear predictors, shape (rows,) or (rows, q)."""
        return validation.offsets(offset, None, rows)

    def _named(self, classes: np.ndarray) -> np.ndarray:
        """Return the labels of the classes, of what y has in their place."""
        return classes

    def _coded(self, codes: np.ndarray) -> np.ndarray:
        """Return the response as the likelihood takes it, of numbers of labels."""
        return codes.astype(float)

    def _probabilities(self, X: object, offset: object) -> np.ndarray:
        """Return the probability of each class, shape (m, classes)."""
        raise NotImplementedError

    def predict(self, X: object, *, offset: object = None) -> np.ndarray:
        """Return the most probable label of each row, shape (m,)."""
        probabilities = self._probabilities(X, offset)
        return self.classes_[np.argmax(probabilities, axis=1)]

    def predict_proba(self, X: object, *, offset: object = None) -> np.ndarray:
        """Return the probabilities of the classes, shape (m, classes), in the order of `classes_`."""
        return self._probabilities(X, offset)

    def predict_log_proba(self, X: object, *, offset: object = None) -> np.ndarray:
        """Return the logarithms of the probabilities, shape (m, classes)."""
        with np.errstate(divide="ignore"):
            return np.log(self._probabilities(X, offset))

    def score(self, X: object, y: object, sample_weight: object = None, *, offset: object = None) -> float:
        """Return the fraction of rows whose label is predicted rightly."""
        right = self.predict(X, offset=offset) == validation.flat(y)
        return float(np.average(right, weights=None if sample_weight is None else np.asarray(sample_weight)))
