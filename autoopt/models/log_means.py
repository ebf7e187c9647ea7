"""What regressions with log link have in common: the start, predictions, and the share of the deviance explained."""

from __future__ import annotations

from typing import Self

import numpy as np

from autoopt.models import ancillary, validation
from autoopt.models.regression import Regression


class LogMean(Regression):
    """A regression of a response whose mean is exp(eta), eta = X @ coef + intercept + offset + log(exposure).

    A model states what `Regression` asks for and `_deviances(y, mean)`, shape (m,).
    """

    _estimator_type = "regressor"
    _positive_response = True

    def _response(self, y: object, rows: int) -> np.ndarray:
        return validation.counts(y, rows)

    def _deviances(self, y: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """Return twice the log-likelihood that each row loses against a mean equal to y, shape (m,)."""
        raise NotImplementedError

    def _start(self, y: np.ndarray, offset: np.ndarray, weights: np.ndarray) -> float:
        amount = max(weights @ y, 0.5)  # all zero: any start will do, there is no maximum
        return float(np.log(amount) - np.log(weights @ np.exp(offset)))

    def fit(
        self,
        X: object,
        y: object,
        sample_weight: object = None,
        *,
        offset: object = None,
        exposure: object = None,
        groups: object = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array, sparse matrix or table, shape (m, n_features)
            Covariates, without a column of ones.
        y : array, shape (m,)
            The response.
        sample_weight : array, shape (m,), optional
            How often each row counts.
        offset : array, shape (m,), optional
            Added to the log mean.
        exposure : array, shape (m,), optional
            Time or population at risk, positive; its logarithm is added to the log mean.
        groups : array, shape (m,), optional
            Labels of clusters, whose rows may depend on each other: standard errors are then cluster-robust.

        Returns
        -------
        estimator
            Itself.
        """
        self._fit(X, y, sample_weight, offset, exposure, groups)
        ancillary.expose(self)
        self._remarks = self._remarked(X, np.asarray(y), sample_weight, offset, exposure)
        return self

    def _remarked(self, X: object, y: np.ndarray, sample_weight: object, offset: object, exposure: object) -> list[str]:
        """Return what the summary says of the data of a fit."""
        return []

    def predict(self, X: object, *, offset: object = None, exposure: object = None) -> np.ndarray:
        """Return the mean of each row, shape (m,)."""
        return np.exp(self._predictor(X, offset, exposure))

    def score(
        self, X: object, y: object, sample_weight: object = None, *, offset: object = None, exposure: object = None
    ) -> float:
        """Return the explained fraction of the deviance from one common rate; 1 is perfect, 0 no better than that."""
        mean = self.predict(X, offset=offset, exposure=exposure)
        y = self._response(y, len(mean))
        amounts = y if y.ndim == 1 else y[:, 0]
        weights = validation.sample_weights(sample_weight, len(mean))
        base = np.exp(validation.offsets(offset, exposure, len(mean)))
        common = base * (weights @ amounts) / (weights @ base)
        return float(1 - (weights @ self._deviances(y, mean)) / (weights @ self._deviances(y, common)))
