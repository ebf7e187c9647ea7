"""Functions of the parameters of a fit, with standard errors by the delta method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.inference import two_sided, wald_intervals
from autoopt.summaries import Coefficients, aligned, rows_of


@dataclass(frozen=True)
class Derived:
    """Estimates of a function of parameters.

    Attributes
    ----------
    names : tuple of q str
    params : ndarray, shape (q,)
        The function at the estimates, flat.
    covariance : ndarray, shape (q, q)
    level : float, in (0, 1)
        Of intervals where no other is asked for.
    df : float
        Degrees of freedom of Student's t; infinite for normal probabilities.
    """

    names: tuple[str, ...]
    params: np.ndarray
    covariance: np.ndarray
    level: float = 0.95
    df: float = np.inf

    @property
    def bse(self) -> np.ndarray:
        """Standard errors, shape (q,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def tvalues(self) -> np.ndarray:
        """Estimates in standard errors, shape (q,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.params / self.bse

    @property
    def pvalues(self) -> np.ndarray:
        """Two-sided probabilities of larger |tvalues| were the function 0, shape (q,)."""
        return two_sided(self.tvalues, self.df)

    def cov_params(self) -> np.ndarray:
        """Return the covariance, shape (q, q)."""
        return self.covariance

    def conf_int(self, level: float | None = None) -> np.ndarray:
        """Return Wald intervals, shape (q, 2)."""
        return wald_intervals(self.params, self.bse, self.level if level is None else level, self.df)

    def __str__(self) -> str:
        inferred = self.bse, self.tvalues, self.pvalues, self.conf_int()
        use_t = bool(np.isfinite(self.df))
        return "\n".join(aligned(rows_of(Coefficients(self.names, self.params, *inferred, self.level, use_t))))


def derived(fitted: Any, function: Callable, names: Sequence[str] | None, covariance: np.ndarray) -> Derived:
    """Return the function of a fit's parameters; see `Fit.delta`."""
    from autoopt.objectives.retained import objective_of, retain

    structure, x = fitted.case.start.structure, fitted.params
    compiled = objective_of(function, structure.unflatten(x), (), fitted.case.call["engine"], scalar=False)
    values = np.atleast_1d(compiled.value(x)).reshape(-1)
    slopes = np.asarray(compiled.jacobian(x, sparse=False)[0]).reshape(-1, x.size)
    retain(compiled)
    if names is None:
        own = getattr(function, "__name__", "value")
        own = "value" if own == "<lambda>" else own
        names = [own] if values.size == 1 else [f"{own}[{k}]" for k in range(values.size)]
    if isinstance(names, str) or len(names) != values.size:
        raise UsageError(
            f"There are {len(names)} names, and the function returns {values.size} values.",
            remedy="give one name for each.",
        )
    known = np.isfinite(np.diag(covariance))
    half = slopes @ np.where(np.outer(known, known), covariance, 0.0) @ slopes.T
    return Derived(tuple(map(str, names)), values, (half + half.T) / 2, fitted.level, fitted.df_inference)
