"""Quantile regression: a quantile of the response that is linear in the covariates, exactly, by a linear program."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from autoopt import inference
from autoopt.errors import InferenceError, UsageError
from autoopt.inference.covariances import Evidence, clustered
from autoopt.models import validation
from autoopt.models.by_gradients import root_mean_squares
from autoopt.models.centring import Centring
from autoopt.models.locations import Location
from autoopt.models.rows import crossed
from autoopt.models.table import Model, add


def loss(params, X, y, offset, weights, quantile):
    """Return the weighted sum of residuals, those above counted `quantile` times, those below 1 - `quantile`."""
    residuals = y - X @ params - offset
    return np.sum(weights * residuals * np.where(residuals > 0, quantile, quantile - 1))


class QuantileRegression(Location):
    """Regression of a quantile of the response, the median if nothing else is said.

    Minimises sum_i w_i rho(y_i - eta_i), rho(r) = q r for r > 0 and (q - 1) r for r < 0, with eta = X @ coef +
    intercept + offset, by a linear program, whose solution goes through as many observations as there are
    coefficients. A quantile is no likelihood: `llf` is NaN.

    Parameters
    ----------
    quantile : float, in (0, 1)
    fit_intercept : bool
        Whether the linear predictor has a constant.
    covariance : "robust" or "cluster", optional
        Whether rows are independent, or the groups of the fit; "cluster" if there are groups, "robust" if not.

    Attributes
    ----------
    coef_ : ndarray, shape (n_features,)
    intercept_ : float
        Zero without an intercept.
    sparsity_, bandwidth_ : float
        One over the density of the residuals at 0, and the bandwidth of the kernel that it is found with.
    params, bse, tvalues, pvalues
        Inference as statsmodels' QuantReg has it, shape (n,): intercept first.

    Notes
    -----
    Standard errors by (X'X)^-1 X'DX (X'X)^-1, D = q^2 / f^2 above and (1 - q)^2 / f^2 below the plane, f the density of
    the residuals at 0 by Epanechnikov's kernel with the bandwidth of Hall and Sheather; statsmodels' "robust", after
    Greene (2008). The few observations that the plane goes through count as below it; where rows are few and q is far
    from the median it shows that they could count as above (statsmodels' iteration leaves them on either side). With
    `groups` the scores of rows, x times -q / f above and (1 - q) / f below the plane, are summed over these, with the
    factors that other models have. `sample_weight` says how often each row counts.

    References
    ----------
    Koenker, R. and Bassett, G. (1978). Econometrica 46(1), 33-50. Hall, P. and Sheather, S. J. (1988). Journal of the
    Royal Statistical Society B 50(3), 381-391. Greene, W. H. (2008). Econometric Analysis, 6th edition, p. 407.

    Examples
    --------
    >>> X = np.arange(8.0)[:, np.newaxis]
    >>> QuantileRegression().fit(X, [0.0, 1.8, 4.3, 5.9, 8.4, 9.7, 12.0, 99.0]).params.round(6).tolist()
    [0.0, 2.0]
    """

    _convention = "sandwich, density of residuals by a kernel"
    _conventions = ("robust", "cluster")
    _why_not = " A quantile is no likelihood, and has no information."

    def __init__(self, *, quantile: float = 0.5, fit_intercept: bool = True, covariance: str | None = None) -> None:
        self.quantile = quantile
        self.fit_intercept = fit_intercept
        self.covariance = covariance

    def _check_options(self) -> None:
        self._check_numbers()
        if not 0 < self.quantile < 1:
            raise UsageError(f"quantile is {self.quantile!r}.", remedy="pass a number between 0 and 1.")

    def _maximise(
        self,
        X: Any,
        y: np.ndarray,
        offset: np.ndarray | None,
        weights: np.ndarray | None,
        groups: np.ndarray | None,
    ) -> None:
        from autoopt.solvers.linear_programs import least_absolute

        rows = len(y)
        weights = np.ones(rows) if weights is None else weights
        response = y if offset is None else y - offset
        centring = Centring.of(X) if self.fit_intercept else None
        X = X if centring is None else X - centring.shift
        design = _after_ones(X) if self.fit_intercept else X
        self._beside, self.ancillary_ = (), {}
        self.nobs_ = float(weights.sum())
        self.llf_ = np.nan
        size = root_mean_squares(design)
        unit = float(np.std(response)) or 1.0
        coef, self.converged_, message = least_absolute(_divided(design, size), response / unit, self.quantile, weights)
        self.n_iter_, self.method_ = 1, "highs"
        self.params_ = _through(design, response, weights, coef * unit / size, self.quantile)
        self._errors(design, response, weights, message, groups)
        if centring is not None:
            across = centring.map(self.params_.size, 1)
            self.params_ = across @ self.params_
            self._map_covariances(across)
        self._set_coefficients()

    def _errors(self, design: Any, y: np.ndarray, weights: np.ndarray, message: str, groups: np.ndarray | None) -> None:
        """Set the covariance and the standard errors."""
        self.cov_params_ = np.full((design.shape[1],) * 2, np.nan)
        self.sparsity_ = self.bandwidth_ = np.nan
        self._robustly = None if groups is None else ("cluster", int(groups.max()) + 1)
        why: Warning | None = None
        if not self.converged_:
            why = validation.ConvergenceWarning(f"The linear program was not solved: {message}")
        else:
            residuals = y - design @ self.params_
            rounding = 64 * np.finfo(float).eps * (np.abs(design) @ np.abs(self.params_) + np.abs(y))
            residuals[np.abs(residuals) <= rounding] = 0.0
            try:
                bread = inference.covariance(crossed(design, weights, False), self.names_)
                density = density_at_zero(residuals, y, weights, self.quantile)
                self.bandwidth_, self.sparsity_ = density.bandwidth, 1 / density.value
                shares = np.where(residuals > 0, -self.quantile, 1 - self.quantile) / density.value
                self.cov_params_ = bread @ crossed(design, weights * shares**2, False) @ bread
                if groups is not None:
                    scores = (weights * shares)[:, np.newaxis] * _dense(design)
                    evidence = Evidence(bread, scores, None, groups, self.names_, float(self.nobs_))
                    self.cov_params_ = clustered(evidence)
            except InferenceError as error:
                self.converged_ = False
                why = validation.IdentificationWarning(str(error))
        if why:
            warnings.warn(why, stacklevel=6)
        self._usual_covariance = np.full(self.cov_params_.shape, np.nan)  # there is no information
        self.bse_ = inference.standard_errors(self.cov_params_)

    def _texts(self) -> dict[str, Sequence[Callable]]:
        return {"model": [loss]}

    def score(self, X: object, y: object, sample_weight: object = None, *, offset: object = None) -> float:
        """Return the explained fraction of the loss, against the same quantile of all responses: Koenker's R1."""
        eta = self.predict(X, offset=offset)
        y = validation.vector(validation.flat(y), len(eta), "y")
        weights = validation.sample_weights(sample_weight, len(eta))
        zero, none = np.zeros(len(eta)), np.zeros((len(eta), 0))
        common = _quantile(y, weights, self.quantile)
        ours, theirs = (loss(np.zeros(0), none, y - level, zero, weights, self.quantile) for level in (eta, common))
        return float(1 - ours / theirs)


def _after_ones(X: Any) -> Any:
    """Return X after a column of ones."""
    if not hasattr(X, "tocsr"):
        return np.column_stack([np.ones(len(X)), X])
    from scipy.sparse import hstack

    return hstack([np.ones((X.shape[0], 1)), X], format="csr")


def _divided(X: Any, size: np.ndarray) -> Any:
    """Return the columns of X divided by their sizes."""
    return X.multiply(1 / size).tocsr() if hasattr(X, "tocsr") else X / size


def _dense(X: Any) -> np.ndarray:
    return X.toarray() if hasattr(X, "tocsr") else X


def _through(X: Any, y: np.ndarray, weights: np.ndarray, coef: np.ndarray, quantile: float) -> np.ndarray:
    """Return the coefficients through the n observations next to the plane, if the loss is no larger."""
    if not np.isfinite(coef).all():
        return coef
    near = np.argsort(np.where(weights > 0, np.abs(y - X @ coef), np.inf), kind="stable")[: X.shape[1]]
    try:
        exact = np.linalg.solve(_dense(X[near]), y[near])
    except np.linalg.LinAlgError:
        return coef
    zero = np.zeros(len(y))
    least, found = (loss(b, X, y, zero, weights, quantile) for b in (coef, exact))
    return exact if found <= least * (1 + 1e-12) else coef


@dataclass(frozen=True)
class Density:
    """The density of residuals at 0, with the bandwidth of its kernel."""

    value: float
    bandwidth: float


def density_at_zero(residuals: np.ndarray, y: np.ndarray, weights: np.ndarray, quantile: float) -> Density:
    """Return the density of the residuals at 0, of responses y, each of shape (m,).

    Raises
    ------
    InferenceError
        If no residual is near 0 but those that the plane goes through.
    """
    rows = weights.sum()
    low, high = (_quantile(residuals, weights, q, between=True) for q in (0.25, 0.75))
    spread = np.sqrt(np.average((y - np.average(y, weights=weights)) ** 2, weights=weights))
    share = hall_sheather(rows, quantile)
    # Close to 0 and 1 the bandwidth leaves the interval.
    if not 0 < quantile - share < quantile + share < 1:
        raise InferenceError(
            f"{rows:.10g} observations are too few for standard errors of the quantile {quantile}: their bandwidth is"
            f" {share:.3g}.",
            remedy="take a quantile nearer to the median; the estimates hold.",
        )
    bandwidth = min(spread, (high - low) / 1.34) * (ndtri(quantile + share) - ndtri(quantile - share))
    if not bandwidth > 0:
        raise InferenceError(
            "Half of the residuals are equal, so that the density of the residuals, which standard errors need, is not"
            " known.",
            remedy="look at the data: the plane goes through too many observations. The estimates hold.",
        )
    u = residuals / bandwidth
    kernel = np.where(np.abs(u) <= 1, 0.75 * (1 - u**2), 0.0)
    return Density(float(weights @ kernel / (rows * bandwidth)), float(bandwidth))


def hall_sheather(rows: float, quantile: float, alpha: float = 0.05) -> float:
    """Return the bandwidth, in probability, of Hall and Sheather (1988) for intervals that miss with `alpha`."""
    z = ndtri(quantile)
    height = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return float(rows ** (-1 / 3) * ndtri(1 - alpha / 2) ** (2 / 3) * (1.5 * height**2 / (2 * z**2 + 1)) ** (1 / 3))


def _quantile(values: np.ndarray, weights: np.ndarray, quantile: float, between: bool = False) -> float:
    """Return a quantile of values that count `weights` times; interpolated between two as by NumPy, if asked."""
    order = np.argsort(values, kind="stable")
    values, ends = values[order], np.cumsum(weights[order])
    if not between:
        return float(values[np.searchsorted(ends, quantile * ends[-1] * (1 - 1e-15))])
    place = quantile * (ends[-1] - 1)
    low, high = (
        values[min(np.searchsorted(ends, at, side="right"), len(values) - 1)]
        for at in (np.floor(place), np.ceil(place))
    )
    return float(low + (place - np.floor(place)) * (high - low))


add(
    Model(
        "quantile",
        "a quantile of the response, by a linear program",
        "real",
        loss,
        QuantileRegression,
    )
)
