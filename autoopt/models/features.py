"""The columns of X that an estimator was fitted to."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.models import validation


class Featured:
    """Remembers the columns of X while fitting, and refuses others afterwards."""

    n_features_in_: int
    feature_names_in_: np.ndarray

    def _require_fit(self) -> None:
        """Raise if `fit` has not been called."""
        raise NotImplementedError

    def _features(self, X: object, *, fitting: bool = False) -> Any:
        """Return X as a matrix whose columns are those of the fit, or remember its columns while fitting."""
        if not fitting:
            self._require_fit()
        names = validation.feature_names(X)
        design = validation.matrix(X)
        if fitting:
            self.n_features_in_ = design.shape[1]
            vars(self).pop("feature_names_in_", None)
            if names is not None:
                self.feature_names_in_ = names
            return design
        validation.refuse_other_features(names, getattr(self, "feature_names_in_", None))
        if design.shape[1] != self.n_features_in_:
            raise validation.InputError(
                f"X has {design.shape[1]} features, but {type(self).__name__} is expecting {self.n_features_in_}"
                " features as input.",
                remedy="pass the columns that the model was fitted to.",
            )
        return design

    @property
    def _feature_names(self) -> list[str]:
        """The names of the columns, x0, x1, ... where they have none."""
        return list(getattr(self, "feature_names_in_", [f"x{i}" for i in range(self.n_features_in_)]))
