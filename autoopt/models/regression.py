"""The estimator that all regressions share: a linear predictor, a likelihood, its maximum and what it tells.

A model is a file with a class on `Regression` (or `Classifier`, `classes.py`), which states

``_terms(eta, y, *ancillary)``   minus the log-likelihood of each row, shape (m,), in plain NumPy: of eta = X @ coef +
                                 intercept + offset, shape (m,), the response and the ancillary parameters, numbers.
                                 Fitted by Newton's method with exact Hessians (`rows.py`), whose derivatives by row
                                 autoopt derives: `python -m autoopt.models.shipping` writes those of every row of
                                 MODELS into `shipped/`, without which the first fit of a process takes seconds more.
or ``_likelihood(params, X, y, offset, weights)``, the sum over all rows, where rows are not independent or have more
                                 than one predictor; params: intercept, coefficients, ancillary parameters.
``_response(y, rows)``           checks y and returns what the likelihood takes, an array with a row for each of X
``_start(y, offset, weights)``   where the intercept begins (0.0 if not stated)
``_ancillaries(y, offset, weights)``  a tuple of `Ancillary(name, start, positive=)`, empty if not stated

(offset and weights are arrays, (m,), in these) and ``fit(X, y, sample_weight=None, *, offset=None, ...)``, which calls
``self._fit(X, y, sample_weight, offset, exposure, groups)``. A model without an intercept has no `fit_intercept` among
its constructor's arguments. After `_fit` there are `params_ bse_ cov_params_ llf_ nobs_ n_iter_ converged_ coef_
intercept_`, `ancillary_` (name -> estimate), and ``self._predictor(X, offset, exposure)``, the linear predictor of new
rows. Of rows whose scores are not those of `_terms`, `_scores` states them (`conventions.py`). What the constructor
takes beside is kept under its name and may be read in these methods.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from autoopt import inference
from autoopt.errors import InferenceError, UsageError
from autoopt.models import validation
from autoopt.models.ancillary import Ancillary
from autoopt.models.centring import Centring
from autoopt.models.conventions import Conventions
from autoopt.models.features import Featured
from autoopt.models.interface import Interface
from autoopt.models.newton import LENGTH, Solution
from autoopt.models.problem import GRADIENTS, LARGEST, NEWTON, Problem, by_methods, by_rows

# A Newton step that still moves a linear predictor this far has not arrived. Where the likelihood has no maximum, every
# step moves it by about 1, however small the gradient: f = exp(-t) has f'/f'' = -1.
ARRIVED = 0.1
# A linear predictor of this size that is still moving is on its way to infinity.
SATURATED = 10.0


class Regression(Conventions, Featured, Interface):
    """A likelihood of a response given the linear predictor X @ coef + intercept + offset.

    Parameters
    ----------
    fit_intercept : bool
        Whether the linear predictor has a constant, which is never penalised.
    alpha : float, >= 0
        Ridge penalty: alpha / 2 * ||coef||^2 is added to the negative log-likelihood (a sum, not a mean).
    method : str, optional
        "newton" (exact Hessians, summed over blocks of rows where rows are independent), which is the default; of more
        than 2000 coefficients "l-bfgs-b", without standard errors (NaN); or a gradient method of `autoopt.minimize`.
    tol : float, > 0, optional
        Of "newton" the length of a step, in standard errors, that is not worth taking (1e-9); of others the main
        tolerance, as in `autoopt.minimize`, for covariates divided by their root mean square.
    max_iter : int, optional
        Most iterations of the solver; the method's own limit if not given.
    covariance : str, optional
        How standard errors are computed, as `autoopt.fit` has it: "observed", "opg", "robust" (the sandwich, HC0),
        "HC1", of generalised linear models "HC2" and "HC3", or "cluster", with the `groups` of the fit. "cluster" if
        there are groups, "observed" if not.
    """

    _terms: ClassVar[Callable | None] = None
    _likelihood: ClassVar[Callable | None] = None
    coef_: np.ndarray
    intercept_: Any

    _length: ClassVar[float] = LENGTH
    """The tolerance of Newton's method if none is given."""

    fit_intercept = True

    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        alpha: float = 0.0,
        method: str | None = None,
        tol: float | None = None,
        max_iter: int | None = None,
        covariance: str | None = None,
    ) -> None:
        self.fit_intercept = fit_intercept
        self.alpha = alpha
        self.method = method
        self.tol = tol
        self.max_iter = max_iter
        self.covariance = covariance

    def _response(self, y: object, rows: int) -> np.ndarray:
        """Return the response as the likelihood takes it, with one row for each of X."""
        return validation.vector(validation.flat(y), rows, "y")

    def _stated(self) -> tuple[Callable | None, Callable | None, int]:
        """Return the terms and the likelihood, one of them not None, and how many linear predictors a row has."""
        return self._terms, self._likelihood, 1

    def _start(self, y: np.ndarray, offset: np.ndarray, weights: np.ndarray) -> float:
        """Return where the intercept begins."""
        return 0.0

    def _ancillaries(self, y: np.ndarray, offset: np.ndarray, weights: np.ndarray) -> tuple[Ancillary, ...]:
        """Return the parameters beside the coefficients."""
        return ()

    def _fit(
        self,
        X: object,
        y: object,
        sample_weight: object = None,
        offset: object = None,
        exposure: object = None,
        groups: object = None,
    ) -> None:
        """Set the estimates and what follows from them."""
        self._check_options()
        design = self._features(X, fitting=True)
        rows = design.shape[0]
        numbers = self._group_numbers(groups, rows)
        response = self._response(y, rows)
        self._maximise(
            design,
            response,
            None if offset is None and exposure is None else validation.offsets(offset, exposure, rows),
            None if sample_weight is None else validation.sample_weights(sample_weight, rows),
            numbers,
        )

    def _maximise(
        self,
        X: Any,
        y: np.ndarray,
        offset: np.ndarray | None,
        weights: np.ndarray | None,
        groups: np.ndarray | None,
    ) -> None:
        """Set the estimates and what follows from them, of data that are checked."""
        rows = X.shape[0]
        given = y, np.zeros(rows) if offset is None else offset, np.ones(rows) if weights is None else weights
        ancillaries = self._ancillaries(*given)
        terms, likelihood, predictors = self._stated()
        centring = Centring.of(X) if self.fit_intercept else None
        problem = Problem(
            type(self).__module__.rpartition(".")[2],
            terms,
            likelihood,
            X if centring is None else X - centring.shift,
            *(y, offset, weights),
            bool(self.fit_intercept),
            self._start(*given),
            ancillaries,
            self.alpha,
            predictors,
            groups=groups,
        )
        found = self._solution(problem)
        self.ancillary_ = {
            one.name: float(value) for one, value in zip(ancillaries, found.x[problem.coefficients :], strict=True)
        }
        found = found.without([problem.coefficients + j for j, one in enumerate(ancillaries) if one.fixed])
        self._beside = tuple(one.name for one in ancillaries if not one.fixed)
        self.nobs_ = _whole(rows if weights is None else weights.sum())
        self.n_iter_ = max(found.iterations, 1)
        self.converged_ = found.converged
        self.params_ = found.x
        self.llf_ = problem.penalty.value(found.x[: problem.coefficients]) - found.value
        self._infer(problem, found)
        self._make_robust(problem, found)
        if centring is not None:
            across = centring.map(self.params_.size, predictors)
            self.params_ = across @ self.params_
            if self.cov_params_.size:
                self._map_covariances(across)
        self._set_coefficients()

    def _solution(self, problem: Problem) -> Solution:
        """Return where the likelihood has its maximum."""
        is_sparse, by_row = hasattr(problem.X, "tocsr"), problem.terms is not None
        is_large = problem.coefficients > LARGEST
        usual = GRADIENTS if is_large and by_row and not problem.ancillaries else NEWTON
        self.method_ = method = self.method or usual
        if method == NEWTON and by_row:
            return by_rows(problem, NEWTON, self._length if self.tol is None else self.tol, self.max_iter)
        if method == GRADIENTS and by_row and (is_sparse or is_large) and not problem.ancillaries:
            return by_rows(problem, GRADIENTS, self.tol, self.max_iter)
        if is_sparse:
            raise validation.InputTypeError(
                f"X is a sparse matrix, which method={method!r} does not take.",
                remedy="leave the method out, or pass X.toarray() if it fits in memory.",
            )
        return by_methods(problem, method, self.tol, self.max_iter)

    def _set_coefficients(self) -> None:
        """Set `coef_`, shape (n_features,), and `intercept_`, a number."""
        first = int(bool(self.fit_intercept))
        self.coef_ = self.params_[first : first + self.n_features_in_]
        self.intercept_ = float(self.params_[0]) if first else 0.0

    def _predictor(self, X: object, offset: object = None, exposure: object = None) -> np.ndarray:
        """Return the linear predictor of rows, offset included, shape (m,)."""
        design = self._features(X)
        eta = design @ np.ravel(self.coef_) + np.ravel(self.intercept_)[0]
        given = offset is not None or exposure is not None
        return eta + validation.offsets(offset, exposure, len(eta)) if given else eta

    def _infer(self, problem: Problem, found: Solution) -> None:
        """Set the covariance and the standard errors, NaN with a warning where the estimates cannot be trusted."""
        self.cov_params_ = np.full(found.hessian.shape, np.nan)
        if found.hessian.size == 0:  # so many parameters that there is none
            self.bse_ = np.full(found.x.size, np.nan)
            if not found.converged:
                warnings.warn(self._stopped(found), stacklevel=5)
            return
        covariance = self.cov_params_
        why: Warning | None = self._at_end(problem)
        try:
            if why is None:
                covariance = inference.covariance(found.hessian, self.names_)
                why = self._problem(-covariance @ found.gradient, problem, found)
        except InferenceError as error:
            why = validation.IdentificationWarning(str(error))
        if why:
            self.converged_ = False
            warnings.warn(why, stacklevel=5)
        else:
            self.cov_params_ = covariance
        self.bse_ = inference.standard_errors(self.cov_params_)

    def _at_end(self, problem: Problem) -> Warning | None:
        """Return why a parameter beside the coefficients went to an end of its range, None if none did."""
        for one in problem.ancillaries:
            if not one.fixed and one.is_at_end(self.ancillary_[one.name]):
                return validation.IdentificationWarning(f"The likelihood has no maximum: {one.end}")
        return None

    def _check_options(self) -> None:
        """Raise an error for constructor arguments outside their range."""
        self._check_numbers()
        if not (np.isfinite(self.alpha) and self.alpha >= 0):
            raise UsageError(f"alpha is {self.alpha!r}.", remedy="pass a penalty that is zero or positive.")
        if self.tol is not None and not self.tol > 0:
            raise UsageError(f"tol is {self.tol!r}.", remedy="pass a positive tolerance, such as tol=1e-8.")
        if self.max_iter is not None and not self.max_iter > 0:
            raise UsageError(f"max_iter is {self.max_iter!r}.", remedy="pass a whole number above zero.")

    def _check_numbers(self) -> None:
        """Raise an error for constructor arguments that are no numbers, where their defaults are, or None is."""
        for name, default in self._options().items():
            value = getattr(self, name)
            is_number = isinstance(default, float) or name in _NUMBERS
            if is_number and not (isinstance(value, Real) or (value is None and default is None)):
                raise UsageError(
                    f"{name} is {value!r}.",
                    remedy=f"pass a number, such as {name}={_NUMBERS.get(name, default or 1.0)}.",
                )

    def _problem(self, step: np.ndarray, problem: Problem, found: Solution) -> Warning | None:
        """Return why the estimates cannot be trusted, None if they can; `step`, (n,), is the next Newton step."""
        if found.converged and found.is_settled:
            return None

        def largest(params: np.ndarray) -> float:
            eta = problem.predictor(params)
            return float(np.abs(eta if problem.weights is None else eta[problem.weights > 0]).max())

        moving = largest(step) > ARRIVED
        if moving and largest(found.x) > SATURATED:
            return validation.IdentificationWarning(
                "The likelihood has no maximum: it still rises along\n"
                f"  {inference.combination(step, self.names_)}\n"
                "because that combination predicts some responses perfectly. The estimates are where the solver"
                " stopped.\n"
                "To fix this: leave out a covariate, or set alpha > 0."
            )
        return self._stopped(found) if moving or not found.converged else None

    def _stopped(self, found: Solution) -> Warning:
        """Return the warning that the solver has not arrived."""
        return validation.ConvergenceWarning(
            f"{self.method_} stopped after {self.n_iter_} iterations before it converged: "
            f"{found.message}\nTo fix this: raise max_iter, try another method, or another tol."
        )

    @property
    def names_(self) -> list[str]:
        """Names of the parameters: "intercept" if there is one, then the features, then those beside."""
        return ["intercept"] * bool(self.fit_intercept) + self._feature_names + list(self._beside)


_NUMBERS = {"tol": 1e-8, "max_iter": 100, "df": 4.0}
"""Constructor arguments whose default, None, stands for a number, with one that they may be."""


def _whole(number: float) -> float:
    """Return a whole number as int."""
    return int(number) if number == int(number) else float(number)
