"""What an estimator tells of its estimates, under statsmodels' names."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from scipy.special import ndtr

from autoopt import inference
from autoopt.errors import InferenceError
from autoopt.models import validation
from autoopt.reports.estimators import PicturedEstimator
from autoopt.summaries import Coefficients, Summary


class Inferred(PicturedEstimator):
    """Estimates with their standard errors, of what `fit` has set: `params_ bse_ cov_params_ llf_ nobs_`."""

    params_: np.ndarray
    bse_: np.ndarray
    cov_params_: np.ndarray
    llf_: float
    nobs_: float
    converged_: bool
    method_: str
    n_iter_: int
    _convention: ClassVar[str] = "observed information, exact Hessian"
    """What the standard errors come from."""

    @property
    def names_(self) -> list[str]:
        """Names of the parameters."""
        raise NotImplementedError

    def _require_fit(self) -> None:
        """Raise if `fit`, which sets the attributes, has not been called."""
        if not hasattr(self, "params_"):
            raise validation.not_fitted(self)

    @property
    def params(self) -> np.ndarray:
        """Estimates, shape (n,): the intercept first if there is one, then the coefficients, then what is beside."""
        self._require_fit()
        return self.params_

    @property
    def bse(self) -> np.ndarray:
        """Standard errors of `params`, shape (n,), from the exact Hessian; NaN if the data do not identify them.

        With alpha > 0 that of the penalised objective: posterior standard deviations under the prior
        coef ~ Normal(0, 1 / alpha), to second order.
        """
        self._require_fit()
        return self.bse_

    @property
    def llf(self) -> float:
        """Log-likelihood at the estimates, without the penalty."""
        self._require_fit()
        return self.llf_

    @property
    def nobs(self) -> float:
        """Number of observations: the sum of the weights."""
        self._require_fit()
        return self.nobs_

    @property
    def df_resid(self) -> float:
        """Observations less parameters."""
        return self.nobs - len(self.params)

    @property
    def aic(self) -> float:
        """Akaike's criterion, 2 n - 2 llf."""
        return 2 * len(self.params) - 2 * self.llf

    @property
    def bic(self) -> float:
        """The Bayesian criterion, n log(nobs) - 2 llf."""
        return float(len(self.params) * np.log(self.nobs) - 2 * self.llf)

    @property
    def tvalues(self) -> np.ndarray:
        """Estimates over their standard errors, shape (n,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.params / self.bse

    @property
    def pvalues(self) -> np.ndarray:
        """Two-sided normal probabilities of a larger |tvalue| if the parameter were zero, shape (n,)."""
        return 2 * ndtr(-np.abs(self.tvalues))

    def cov_params(self) -> np.ndarray:
        """Return the covariance of `params`, shape (n, n)."""
        self._require_fit()
        if self.cov_params_.size == 0:
            raise InferenceError(
                f"No covariance was computed of {len(self.params)} parameters.",
                remedy="pass method='newton', if there is time and memory for it.",
            )
        return self.cov_params_

    def conf_int(self, alpha: float = 0.05) -> np.ndarray:
        """Return intervals that cover each parameter with probability 1 - alpha, shape (n, 2).

        As in statsmodels, `alpha` is here the probability of missing, not the penalty.
        """
        return inference.wald_intervals(self.params, self.bse, 1 - alpha)

    @property
    def _covariance_said(self) -> str:
        """What the standard errors come from, as the summary says it."""
        name, groups = getattr(self, "_robustly", None) or ("", 0)
        if not name:
            return self._convention
        return inference.COVARIANCES[name].description + (f", {groups} groups" if groups else "")

    def summary(self) -> str:
        """Return the estimates as a table of text."""
        return str(self._described())

    def _described(self) -> Summary:
        facts = [("observations", f"{self.nobs:.10g}"), ("parameters", str(len(self.params)))]
        if np.isfinite(self.llf):
            facts += [("log-likelihood", f"{self.llf:.10g}"), ("AIC", f"{self.aic:.8g}")]
        facts += [("method", self.method_), ("iterations", str(self.n_iter_))]
        lines = [("status", "converged" if self.converged_ else "not converged, or not identified")]
        has_covariance = self.cov_params_.size > 0
        said = self._covariance_said if has_covariance else "not computed: method='newton' does"
        lines.append(("covariance", said))
        inferred = self.bse, self.tvalues, self.pvalues, self.conf_int()
        notes = [] if self.converged_ else ["not converged, or not identified: do not use these estimates."]
        notes += getattr(self, "_remarks", [])
        return Summary(repr(self), facts, lines, Coefficients(self.names_, self.params, *inferred), notes)
