"""Regressions that state what they minimise for a dispersion of 1, and estimate the dispersion from the residuals."""

from __future__ import annotations

import numpy as np

from autoopt import inference
from autoopt.models.newton import Solution
from autoopt.models.problem import Problem
from autoopt.models.regression import Regression


class Dispersed(Regression):
    """A regression of responses with mean m(eta) and variance scale * V(m), as generalised linear models have them.

    A model states what `Regression` asks for, of its likelihood with scale 1, and `_mean(eta)`, `_variance(mean)` and
    `_log_likelihood(y, mean, weights)`. The scale is Pearson's statistic over the degrees of freedom,
    sum_i w_i (y_i - m_i)^2 / V(m_i) / (sum_i w_i - n), and multiplies the covariance of the estimates.

    Attributes
    ----------
    scale_ : float
    """

    scale_: float

    def _mean(self, eta: np.ndarray) -> np.ndarray:
        """Return the mean of each row, shape (m,)."""
        raise NotImplementedError

    def _variance(self, mean: np.ndarray) -> np.ndarray:
        """Return the variance of each row over the scale, shape (m,)."""
        raise NotImplementedError

    def _log_likelihood(self, y: np.ndarray, mean: np.ndarray, weights: np.ndarray) -> float:
        """Return the log-likelihood at the estimates and `scale_`; NaN if there is none."""
        raise NotImplementedError

    def _responses(self, y: np.ndarray) -> np.ndarray:
        """Return the response, shape (m,), of what the likelihood takes."""
        return y

    def _infer(self, problem: Problem, found: Solution) -> None:
        super()._infer(problem, found)
        y = self._responses(problem.y)
        weights = np.ones(len(y)) if problem.weights is None else problem.weights
        eta = problem.predictor(found.x)
        mean = self._mean(eta if problem.offset is None else eta + problem.offset)
        freedom = self.df_resid
        pearson = float(weights @ ((y - mean) ** 2 / self._variance(mean)))
        self.scale_ = pearson / freedom if freedom > 0 else np.nan
        if self.cov_params_.size:
            self.cov_params_ = self.scale_ * self.cov_params_
            self.bse_ = inference.standard_errors(self.cov_params_)
        self.llf_ = self._log_likelihood(y, mean, weights)

    def _dispersion(self) -> float:
        return self.scale_ if self.scale_ > 0 else 1.0

    @property
    def scale(self) -> float:
        """The dispersion: the variance of the residuals over V(mean); NaN without degrees of freedom."""
        self._require_fit()
        return self.scale_
