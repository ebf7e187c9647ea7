"""Linear regression by Huber's loss, with the scale of the errors: outliers count by their size, not its square."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.special import ndtri

from autoopt import inference
from autoopt.errors import UsageError
from autoopt.models import validation
from autoopt.models.locations import Location
from autoopt.models.newton import Solution
from autoopt.models.problem import Problem
from autoopt.models.rows import crossed
from autoopt.models.table import Model, add
from autoopt.wording import listed

ITERATIONS = 200
"""Most changes of the scale."""


def terms(eta, y):
    """Return Huber's loss of each row with scale 1; y has two columns: the response, and where it turns linear."""
    residual, turn = np.abs(y[:, 0] - eta), y[:, 1]
    return np.where(residual <= turn, 0.5 * residual**2, turn * residual - 0.5 * turn**2)


terms.has_kinks = True  # type: ignore[attr-defined]  # of its slopes


class HuberRegression(Location):
    """Linear regression by Huber's loss of residuals in units of a scale, which is estimated with it.

    Minimises sum_i w_i s^2 rho((y_i - eta_i) / s) + alpha / 2 ||coef||^2, rho(z) = z^2 / 2 for |z| <= t and t |z| -
    t^2 / 2 beyond, with eta = X @ coef + intercept + offset; the scale s is that of the residuals at the solution.

    Parameters
    ----------
    tuning : float, > 0
        t, in scales; at 1.345 the estimates have 95 % of the efficiency of least squares where errors are normal.
    scale : "mad" or "concomitant"
        "mad": the median absolute residual over 0.6745, as statsmodels' RLM and MASS::rlm have it; "concomitant": that
        of Huber's joint minimum, sum_i w_i min(|r_i| / s, t)^2 = sum_i w_i, as scikit-learn's HuberRegressor.
    fit_intercept, alpha, method, tol, max_iter, covariance
        See `Regression`.

    Attributes
    ----------
    coef_ : ndarray, shape (n_features,)
    intercept_ : float
        Zero without an intercept.
    scale_ : float
    params, bse, tvalues, pvalues
        Inference as statsmodels' RLM has it ("H1"), shape (n,): intercept first. `llf` is NaN: it is no likelihood.

    Notes
    -----
    The covariance is K^2 s^2 [sum psi^2 / (n - p)] / [mean psi']^2 (X'X)^-1 with psi = rho'(r / s) and K = 1 + (p / n)
    var(psi') / mean(psi')^2.

    References
    ----------
    Huber, P. J. and Ronchetti, E. M. (2009). Robust Statistics, 2nd edition, sections 7.6 and 7.8. Wiley.

    Examples
    --------
    >>> X = np.arange(8.0)[:, np.newaxis]
    >>> HuberRegression().fit(X, [0.1, 2, 3.9, 6, 8.1, 10, 11.9, 99]).params.round(2).tolist()
    [-0.01, 2.01]
    """

    _terms = staticmethod(terms)
    _convention = "M-estimate at its scale (Huber's H1)"
    _conventions = ("observed", "robust", "HC1", "cluster")
    _length = 1e-12
    scale_: float

    def __init__(
        self,
        *,
        tuning: float = 1.345,
        scale: str = "mad",
        fit_intercept: bool = True,
        alpha: float = 0.0,
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
        self.tuning = tuning
        self.scale = scale

    def _check_options(self) -> None:
        super()._check_options()
        if not self.tuning > 0:
            raise UsageError(f"tuning is {self.tuning!r}.", remedy="pass a positive number, such as tuning=1.345.")
        if self.scale not in SCALES:
            raise UsageError(f"scale is {self.scale!r}.", remedy=f"use {listed(list(SCALES))}.")
        if self.scale == "concomitant" and not self.tuning > 1:
            raise UsageError(f"tuning is {self.tuning!r}.", remedy="pass a number above 1 where scale='concomitant'.")

    def _response(self, y: object, rows: int) -> np.ndarray:
        values = validation.vector(validation.flat(y), rows, "y")
        return np.column_stack([values, np.full(rows, float(self.tuning))])

    def _start(self, y: np.ndarray, offset: np.ndarray, weights: np.ndarray) -> float:
        return float(np.average(y[:, 0] - offset, weights=weights))

    def _solution(self, problem: Problem) -> Solution:
        """Return the solution at the scale of its own residuals, by turns, each from the last one on."""
        y, offset = problem.y[:, 0], 0.0 if problem.offset is None else problem.offset
        weights = np.ones(len(y)) if problem.weights is None else problem.weights
        scale = 10 * float(np.sqrt(np.average((y - offset - problem.start) ** 2, weights=weights))) or 1.0
        found = self._at_scale(problem, scale, problem.first)  # nearly that of least squares
        least = 1e-12 * np.abs(y).max(initial=0.0)
        seen: list[float] = []
        for _ in range(ITERATIONS):
            before, scale = scale, SCALES[self.scale](y - offset - problem.predictor(found.x), weights, self.tuning)
            if abs(scale - before) <= 1e-11 * before or not scale > least:
                break
            seen.append(scale)
            if len(seen) == 3:
                scale, seen = _limit(seen, least), []
            found = self._at_scale(problem, scale, found.x)
        self.scale_ = scale if scale > least else 0.0
        return replace(found, converged=found.converged and abs(scale - before) <= 1e-9 * before)

    def _at_scale(self, problem: Problem, scale: float, begin: np.ndarray) -> Solution:
        """Return the solution at a scale, found in units of it."""
        found = super()._solution(replace(_in_scales(problem, scale), begin=begin / scale))
        return replace(found, x=scale * found.x, value=scale**2 * found.value, gradient=scale * found.gradient)

    def _scores(self, problem: Problem, params: np.ndarray) -> Iterator[np.ndarray]:
        for block in super()._scores(_in_scales(problem, self.scale_), params / self.scale_):
            yield self.scale_ * block

    def _at_end(self, problem: Problem) -> Warning | None:
        if self.scale_ > 0:
            return None
        return validation.IdentificationWarning(
            "The scale is 0: a plane goes through more than half of the responses.\n"
            "To fix this: leave out covariates, or use QuantileRegression, which needs no scale."
        )

    def _problem(self, step: np.ndarray, problem: Problem, found: Solution) -> Warning | None:
        return None if found.converged else super()._problem(step, problem, found)  # the loss has its minimum

    def _infer(self, problem: Problem, found: Solution) -> None:
        super()._infer(problem, found)
        self.llf_ = np.nan
        rows = len(problem.y)
        weights = np.ones(rows) if problem.weights is None else problem.weights
        residuals = problem.y[:, 0] - problem.predictor(found.x) - (0.0 if problem.offset is None else problem.offset)
        if not self.converged_ or not self.scale_ > 0 or not found.hessian.size:
            return
        z = residuals / self.scale_
        inside = np.abs(z) <= self.tuning
        share = np.average(inside, weights=weights)
        n, p = weights.sum(), len(found.x)
        correction = 1 + p / n * (1 - share) / share
        variance = self.scale_**2 * (weights @ np.clip(z, -self.tuning, self.tuning) ** 2) / (n - p)
        squares = crossed(problem.X, weights, problem.intercept) + problem.penalty.matrix() / share
        bread = inference.covariance(squares, self.names_)
        self.cov_params_ = correction**2 * variance / share**2 * bread
        self.bse_ = inference.standard_errors(self.cov_params_)


def _in_scales(problem: Problem, scale: float) -> Problem:
    """Return the problem in units of the scale."""
    y = problem.y.copy()
    y[:, 0] /= scale
    return replace(problem, y=y, offset=None if problem.offset is None else problem.offset / scale)


def _limit(scales: list[float], least: float) -> float:
    """Return Aitken's limit of scales whose changes shrink by a factor, the last of them if they do not."""
    first, second, third = scales
    factor = (third - second) / (second - first) if second != first else 0.0
    limit = third + (third - second) * factor / (1 - factor) if 0 < factor < 1 else third
    return limit if limit > least else third


def median_scale(residuals: np.ndarray, weights: np.ndarray, tuning: float) -> float:
    """Return the median absolute residual over that of a standard normal variable."""
    order = np.argsort(np.abs(residuals), kind="stable")
    sizes, ends = np.abs(residuals)[order], np.cumsum(weights[order])
    half = ends[-1] / 2
    low, high = (sizes[min(np.searchsorted(ends, half, side=side), len(ends) - 1)] for side in ("left", "right"))
    return float((low + high) / 2 / ndtri(0.75))


def concomitant_scale(residuals: np.ndarray, weights: np.ndarray, tuning: float) -> float:
    """Return the s of sum w min(|r| / s, t)^2 = sum w, by the number of residuals beyond t s."""
    order = np.argsort(-np.abs(residuals), kind="stable")
    sizes, weights = np.abs(residuals)[order], weights[order]
    beyond = np.concatenate([[0.0], np.cumsum(weights)])
    squares = np.concatenate([np.cumsum((weights * sizes**2)[::-1])[::-1], [0.0]])
    with np.errstate(divide="ignore", invalid="ignore"):
        scales = np.sqrt(squares / (beyond[-1] - tuning**2 * beyond))
    ends = np.concatenate([[np.inf], sizes]), np.concatenate([sizes, [0.0]])
    fits = (scales * tuning <= ends[0] * (1 + 1e-12)) & (scales * tuning >= ends[1] * (1 - 1e-12))
    return float(scales[np.argmax(fits)]) if fits.any() else 0.0


SCALES = {"mad": median_scale, "concomitant": concomitant_scale}
"""By name: (residuals, weights, tuning) -> scale."""


add(
    Model(
        "huber",
        "real responses with outliers: Huber's loss",
        "real",
        terms,
        HuberRegression,
        ((0.0, 1.345), (1.0, 1.345), (4.0, 1.345)),
    )
)
