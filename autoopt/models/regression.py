"""The estimator that all regressions share: a linear predictor, a likelihood, its maximum and what it tells.

scikit-learn's interface and statsmodels' names for inference, importing neither. A model file adds the likelihood, what
it accepts as a response, and how it predicts.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable

import numpy as np
from scipy.special import ndtr

from autoopt import inference
from autoopt.errors import InferenceError, UsageError
from autoopt.minimize import minimize
from autoopt.models import validation
from autoopt.objectives.retained import resumable
from autoopt.summaries import Coefficients, Summary

# A Newton step that still moves a linear predictor this far has not arrived. Where the likelihood has no maximum, every
# step moves it by about 1, however small the gradient: f = exp(-t) has f'/f'' = -1.
ARRIVED = 0.1
# A linear predictor of this size that is still moving is on its way to infinity.
SATURATED = 10.0


class Regression:
    """A likelihood of a response given the linear predictor X @ coef + intercept + offset.

    Parameters
    ----------
    fit_intercept : bool
        Whether the linear predictor has a constant, which is never penalised.
    alpha : float, >= 0
        Ridge penalty: alpha / 2 * ||coef||^2 is added to the negative log-likelihood (a sum, not a mean).
    method : str
        A gradient method of `autoopt.minimize`.
    tol : float, > 0, optional
        The method's main tolerance, as in `autoopt.minimize`, for covariates divided by their root mean square.
    max_iter : int, optional
        Most iterations of the solver; the method's own limit if not given.
    """

    _likelihood: Callable  # (params, X, y, offset, weights) -> scalar; plain NumPy

    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        alpha: float = 0.0,
        method: str = "newton-cg",
        tol: float | None = None,
        max_iter: int | None = None,
    ) -> None:
        self.fit_intercept = fit_intercept
        self.alpha = alpha
        self.method = method
        self.tol = tol
        self.max_iter = max_iter

    @classmethod
    def _options(cls) -> dict[str, object]:
        """Return the names and defaults of what the constructor takes."""
        return {name: option.default for name, option in inspect.signature(cls).parameters.items()}

    def get_params(self, deep: bool = True) -> dict[str, object]:
        """Return the constructor's arguments by name; `deep` makes no difference here."""
        return {name: getattr(self, name) for name in self._options()}

    def set_params(self, **params: object) -> Regression:
        """Set constructor arguments by name and return the estimator."""
        unknown = sorted(set(params) - set(self._options()))
        if unknown:
            raise UsageError(
                f"Invalid parameter {', '.join(unknown)} for {type(self).__name__}.",
                remedy=f"choose among {', '.join(self._options())}.",
            )
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        changed = {name: getattr(self, name) for name, default in self._options().items()
                   if repr(getattr(self, name)) != repr(default)}  # fmt: skip
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in changed.items())})"

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "params_")

    def _features(self, X: object, *, fitting: bool = False) -> np.ndarray:
        """Return X as a matrix whose columns are those of the fit, or remember its columns while fitting."""
        if not fitting:
            self._require_fit()
        names = validation.feature_names(X)
        X = validation.matrix(X)
        if fitting:
            self.n_features_in_ = X.shape[1]
            vars(self).pop("feature_names_in_", None)
            if names is not None:
                self.feature_names_in_ = names
            return X
        validation.refuse_other_features(names, getattr(self, "feature_names_in_", None))
        if X.shape[1] != self.n_features_in_:
            raise validation.InputError(
                f"X has {X.shape[1]} features, but {type(self).__name__} is expecting {self.n_features_in_} features"
                " as input.",
                remedy="pass the columns that the model was fitted to.",
            )
        return X

    def _maximise(self, X: np.ndarray, y: np.ndarray, offset: np.ndarray, weights: np.ndarray, start: float) -> None:
        """Set the estimates and what follows from them; `start` is where the intercept begins."""
        self._check_options()
        design, scale = _design(X, self.fit_intercept)
        penalty = self.alpha / scale**2
        x0 = np.zeros(len(scale))
        if self.fit_intercept:
            penalty[0], x0[0] = 0.0, start
        fun, args = _penalised(self._likelihood), (design, y, offset, weights, penalty)
        options = None if self.max_iter is None else {"maxiter": self.max_iter}
        result = minimize(fun, x0, args=args, method=self.method, tol=self.tol, options=options)
        self.nobs_ = len(y)
        self.n_iter_ = int(result.nit)
        self.converged_ = bool(result.success)
        self.params_ = result.x / scale
        self.llf_ = -float(self._likelihood(result.x, *args[:4]))

        # From here on in the user's units: the parameters divided by `scale`.
        with resumable(fun, x0, args) as objective:
            hessian = np.outer(scale, scale) * objective.hess(result.x, sparse=False)
        seen = design[weights > 0] if (weights == 0).any() else design
        self._infer(hessian, scale * result.jac, lambda params: seen @ (params * scale), result.message)

    def _infer(self, hessian: np.ndarray, gradient: np.ndarray, predictor: Callable, message: str) -> None:
        """Set the covariance and the standard errors, NaN with a warning where the estimates cannot be trusted."""
        self.cov_params_ = np.full(hessian.shape, np.nan)
        try:
            covariance = inference.covariance(hessian, self.names_)
            problem = self._problem(-covariance @ gradient, predictor, message)
        except InferenceError as error:
            problem = validation.IdentificationWarning(str(error))
        if problem:
            self.converged_ = False
            warnings.warn(problem, stacklevel=4)
        else:
            self.cov_params_ = covariance
        self.bse_ = inference.standard_errors(self.cov_params_)

    def _check_options(self) -> None:
        """Raise an error for constructor arguments outside their range."""
        if not (np.isfinite(self.alpha) and self.alpha >= 0):
            raise UsageError(f"alpha is {self.alpha!r}.", remedy="pass a penalty that is zero or positive.")
        if self.tol is not None and not self.tol > 0:
            raise UsageError(f"tol is {self.tol!r}.", remedy="pass a positive tolerance, such as tol=1e-8.")

    def _problem(self, step: np.ndarray, predictor: Callable, message: str) -> Warning | None:
        """Return why the estimates cannot be trusted, None if they can; `step`, (n,), is the next Newton step."""
        moving = np.abs(predictor(step)).max() > ARRIVED
        if moving and np.abs(predictor(self.params_)).max() > SATURATED:
            return validation.IdentificationWarning(
                "The likelihood has no maximum: it still rises along\n"
                f"  {inference.combination(step, self.names_)}\n"
                "because that combination predicts some responses perfectly. The estimates are where the solver"
                " stopped.\n"
                "To fix this: leave out a covariate, or set alpha > 0."
            )
        if moving or not self.converged_:
            return validation.ConvergenceWarning(
                f"{self.method} stopped after {self.n_iter_} iterations before it converged: {message}\n"
                "To fix this: raise max_iter, try another method, or another tol."
            )
        return None

    @property
    def names_(self) -> list[str]:
        """Names of the parameters: "intercept" if there is one, then the features."""
        features = getattr(self, "feature_names_in_", [f"x{i}" for i in range(self.n_features_in_)])
        return ["intercept"] * bool(self.fit_intercept) + list(features)

    def _require_fit(self) -> None:
        """Raise if `fit`, which sets the attributes, has not been called."""
        if not self.__sklearn_is_fitted__():
            raise validation.not_fitted(self)

    @property
    def params(self) -> np.ndarray:
        """Estimates, shape (n,): the intercept first if there is one, then the coefficients."""
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
    def aic(self) -> float:
        """Akaike's criterion, 2 n - 2 llf."""
        return 2 * len(self.params) - 2 * self.llf

    @property
    def tvalues(self) -> np.ndarray:
        """Estimates over their standard errors, shape (n,)."""
        return self.params / self.bse

    @property
    def pvalues(self) -> np.ndarray:
        """Two-sided normal probabilities of a larger |tvalue| if the parameter were zero, shape (n,)."""
        return 2 * ndtr(-np.abs(self.tvalues))

    def cov_params(self) -> np.ndarray:
        """Return the covariance of `params`, shape (n, n)."""
        self._require_fit()
        return self.cov_params_

    def conf_int(self, alpha: float = 0.05) -> np.ndarray:
        """Return intervals that cover each parameter with probability 1 - alpha, shape (n, 2).

        As in statsmodels, `alpha` is here the probability of missing, not the penalty.
        """
        return inference.wald_intervals(self.params, self.bse, 1 - alpha)

    def summary(self) -> str:
        """Return the estimates as a table of text."""
        facts = [("observations", str(self.nobs_)), ("parameters", str(len(self.params)))]
        facts += [("log-likelihood", f"{self.llf:.10g}"), ("AIC", f"{self.aic:.8g}")]
        facts += [("method", self.method), ("iterations", str(self.n_iter_))]
        lines = [("status", "converged" if self.converged_ else "not converged, or not identified")]
        lines.append(("covariance", "observed information, exact Hessian"))
        inferred = self.bse, self.tvalues, self.pvalues, self.conf_int()
        notes = [] if self.converged_ else ["not converged, or not identified: do not use these estimates."]
        return str(Summary(repr(self), facts, lines, Coefficients(self.names_, self.params, *inferred), notes))


def _design(X: np.ndarray, intercept: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return X, after a column of ones if asked, with columns divided by their root mean square, and those (n,)."""
    scale = np.sqrt(np.einsum("ij,ij->j", X, X) / len(X))
    scale[scale == 0] = 1.0
    design = np.empty((len(X), len(scale) + intercept))
    design[:, :intercept] = 1.0
    np.divide(X, scale, out=design[:, int(intercept) :])
    return design, np.concatenate([np.ones(int(intercept)), scale])


def _penalised(likelihood: Callable) -> Callable:
    """Return the likelihood plus a ridge penalty, as plain NumPy."""

    def objective(params, X, y, offset, weights, penalty):
        return likelihood(params, X, y, offset, weights) + 0.5 * np.sum(penalty * params**2)

    return objective
