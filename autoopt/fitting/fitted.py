"""A Fit: the estimates, their standard errors, and what is to be said about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autoopt.errors import AutooptError
from autoopt.fitting import observations
from autoopt.fitting.bounded import Bounded
from autoopt.fitting.kinds import kind_of
from autoopt.fitting.labelled import Labelled
from autoopt.fitting.tested import Tested
from autoopt.reports.pictured import Pictured


@dataclass(frozen=True, repr=False)
class Fit(Pictured, Labelled, Tested, Bounded):
    """A solution, and what is known of it.

    Parameters
    ----------
    source : str
        The model: its file, or the function's name.
    result : OptimizeResult
        As `autoopt.minimize` returns it; for least squares `fun` is the sum of squares.
    names : tuple of n str
        The names of the parameters, in the order of `params`.
    kind : str or None
        What the objective's value means, a name in `kinds.KINDS`; None for any number.
    covariance : ndarray, shape (n, n), or None
        Of the estimates, for a likelihood or least squares at a regular minimum; NaN for those that are fixed or at a
        bound, which the others take as they are. None if it is not known.
    notes : tuple of str
        What the reader must know, one sentence each.
    problem : AutooptError or None
        Why there is no covariance although the kind asks for one: the parameters are not identified.
    interrupted : bool
        True if the user stopped the solver: `params` is the best point so far.
    rows : int or None
        The number of observations, if it is known.
    case : Case or None
        What was fitted, of which more can be asked; None for a run that was ended before its objective was read.
    inverse : ndarray, shape (k, k), or None
        The inverse of the observed information in the parameters that were estimated, called by `case.names`.
    convention : str
        How `covariance` is computed, a name in `inference.COVARIANCES`.
    groups : ndarray or None
        To which group each row belongs, for the cluster-robust covariance.
    level : float, in (0, 1)
        Of the intervals where no other is asked for.
    restrictions : int
        How many independent equations the model's constraints set, each of which takes a parameter away.
    profiles : dict of int to Profile
        Those that were asked for, by the number of their parameter.
    """

    source: str
    result: Any
    names: tuple[str, ...]
    kind: str | None = None
    covariance: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    problem: AutooptError | None = None
    interrupted: bool = False
    rows: int | None = None
    case: Any = field(default=None, repr=False, compare=False)
    inverse: np.ndarray | None = field(default=None, repr=False, compare=False)
    convention: str = "observed"
    groups: np.ndarray | None = field(default=None, repr=False, compare=False)
    level: float = 0.95
    restrictions: int = 0
    profiles: dict[int, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_inferential(self) -> bool:
        """True if standard errors have a meaning."""
        kind = kind_of(self.kind)
        return kind.is_likelihood or kind.is_squares

    @property
    def nobs(self) -> int | None:
        """The number of observations, which are rows, whatever their weights; None if it is not known."""
        return self.rows

    @property
    def wnobs(self) -> float | None:
        """The sum of the weights of a likelihood's rows, as in statsmodels; else `nobs`."""
        frequencies = None if self.case is None else self.case.minimised.frequencies
        return self.rows if frequencies is None or self.rows != self.case.rows else float(frequencies.sum())

    @property
    def history(self) -> np.ndarray:
        """The run, shape (k, 4): iteration, value, gradient norm and seconds at iterates; NaN where not known."""
        return np.asarray(self.result.get("history", np.empty((0, 4))))

    @property
    def free(self) -> np.ndarray:
        """Which of the estimated parameters, called by `case.names`, no bound holds, shape (m,) of bool."""
        from autoopt.fitting.held import free_of

        return free_of(self)

    @property
    def df_model(self) -> int:
        """How many parameters were estimated: neither fixed nor tied, less the equations that they are to meet."""
        return (len(self.names) if self.case is None else len(self.case.names)) - self.restrictions

    @property
    def df_resid(self) -> float:
        """Observations less parameters; NaN if the number of observations is not known."""
        return np.nan if self.rows is None else self.rows - self.df_model

    @property
    def scale(self) -> float:
        """The variance of the residuals, for least squares: their sum of squares over `df_resid`; 1 for the others."""
        if not kind_of(self.kind).is_squares:
            return 1.0
        return float(self.result.fun) / self.df_resid if self.df_resid > 0 else np.nan

    @property
    def llf(self) -> float:
        """The log-likelihood at the estimates, without a penalty; for least squares that of normal residuals."""
        kind = kind_of(self.kind)
        if kind.is_likelihood:
            return -float(self.result.fun - self.result.get("penalty", 0.0))
        if not kind.is_squares or self.rows is None:
            return np.nan
        with np.errstate(divide="ignore"):
            llf = -0.5 * self.rows * (np.log(2 * np.pi * self.result.fun / self.rows) + 1)
        return float(llf + (0.0 if self.case is None else observations.log_weights(self.case, self.rows)))

    @property
    def aic(self) -> float:
        """Akaike's criterion, 2 k - 2 llf with k = `df_model`, as statsmodels has it."""
        return 2 * self.df_model - 2 * self.llf

    @property
    def bic(self) -> float:
        """The Bayesian criterion, k log(n) - 2 llf with n = `wnobs`; NaN if that is not known."""
        return np.nan if self.wnobs is None else float(np.log(self.wnobs) * self.df_model - 2 * self.llf)

    @property
    def params(self) -> np.ndarray:
        """The estimates, shape (n,)."""
        return np.asarray(self.result.x_flat, float)

    @property
    def bse(self) -> np.ndarray:
        """The standard errors, shape (n,), in units of the parameters; NaN where they are not known."""
        return np.full(self.params.shape, np.nan) if self.covariance is None else np.sqrt(np.diag(self.covariance))

    @property
    def tvalues(self) -> np.ndarray:
        """Estimates in standard errors, shape (n,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.params / self.bse

    @property
    def use_t(self) -> bool:
        """Whether tests are Student's, as the variance is estimated too: least squares; others are normal."""
        return kind_of(self.kind).is_squares

    @property
    def df_inference(self) -> float:
        """Degrees of freedom of the tests: `df_resid`, groups less 1 where rows are clustered, infinite for normal."""
        if not self.use_t:
            return np.inf
        return self.df_resid if self.groups is None else len(np.unique(self.groups)) - 1.0

    @property
    def pvalues(self) -> np.ndarray:
        """Probabilities of larger |tvalues| were the parameter 0, shape (n,), two-sided; Student's if `use_t`."""
        from autoopt.inference import two_sided

        return two_sided(self.tvalues, self.df_inference)

    def cov_params(self, kind: str | None = None, groups: Any = None) -> np.ndarray:
        """Return the covariance of the estimates, shape (n, n), NaN for what is fixed or at a bound.

        Parameters
        ----------
        kind : str, optional
            A name in `inference.COVARIANCES`: "observed", "opg", "robust" (the same as "HC0"), "HC1" and, for least
            squares, "HC2" and "HC3", or "cluster". By default that of the fit, or "cluster" if there are groups.
        groups : array, shape (nobs,), or str, optional
            To which group each row belongs, or the column of the data that says so.

        Raises
        ------
        UsageError
            If the kind is not known, or needs what is not there.
        InferenceError
            If there is no covariance of the fit (`problem` says why), or of this kind.

        Examples
        --------
        >>> import numpy as np, autoopt
        >>> y = np.array([1.0, 2.0, 6.0])
        >>> found = autoopt.fit(lambda m, y: y - m, 0.0, (y,), kind="least squares")
        >>> found.cov_params().round(6), found.cov_params("robust").round(6)
        (array([[2.333333]]), array([[1.555556]]))
        """
        from autoopt.fitting.covariances import covariance_of

        return covariance_of(self, kind, groups)

    @property
    def status(self) -> str:
        """One of "converged", "not converged", "not verified", "not identified", "interrupted"."""
        if self.interrupted:
            return "interrupted"
        if not _verified(self.result):
            return "not verified"
        if not self.result.success:
            return "not converged"
        return "not identified" if self.problem is not None else "converged"

    @property
    def gradient_norm(self) -> float:
        """The largest entry of what bounds and constraints leave of the gradient at the solution; NaN if not known."""
        return float(self.result.get("gradient_norm", np.nan))

    def summary(self) -> str:
        """Return the result as plain text."""
        from autoopt.fitting.summary import text

        return text(self)

    __str__ = summary

    def _described(self) -> Any:
        from autoopt.fitting.summary import summary_of

        return summary_of(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain Python values that JSON can hold; None stands for what is not known."""
        from autoopt.fitting.summary import facts

        return facts(self)


def _verified(result: Any) -> bool:
    """Return False if a comparison of the derived code with the objective failed."""
    verification = result.get("verification")
    return verification is None or verification.passed
