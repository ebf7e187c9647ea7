"""What regressions have in common whose linear predictor is where the response lies: its mean, centre or quantile."""

from __future__ import annotations

from typing import Self

import numpy as np

from autoopt.models import ancillary, validation
from autoopt.models.regression import Regression


class Location(Regression):
    """A regression of a response that lies about eta = X @ coef + intercept + offset.

    A model states what `Regression` asks for.
    """

    _estimator_type = "regressor"

    def fit(
        self, X: object, y: object, sample_weight: object = None, *, offset: object = None, groups: object = None
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
            Added to the linear predictor.
        groups : array, shape (m,), optional
            Labels of clusters, whose rows may depend on each other: standard errors are then cluster-robust.

        Returns
        -------
        estimator
            Itself.
        """
        self._fit(X, y, sample_weight, offset, groups=groups)
        ancillary.expose(self)
        return self

    def predict(self, X: object, *, offset: object = None) -> np.ndarray:
        """Return where the response of each row lies, shape (m,)."""
        return self._predictor(X, offset)

    def score(self, X: object, y: object, sample_weight: object = None, *, offset: object = None) -> float:
        """Return R^2, the explained fraction of the sum of squares: 1 is perfect, 0 no better than the mean of y."""
        predicted = self.predict(X, offset=offset)
        y = validation.vector(validation.flat(y), len(predicted), "y")
        weights = validation.sample_weights(sample_weight, len(predicted))
        total = weights @ (y - np.average(y, weights=weights)) ** 2
        return float(1 - weights @ (y - predicted) ** 2 / total)
