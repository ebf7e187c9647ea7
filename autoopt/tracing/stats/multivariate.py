"""The multivariate distributions of scipy.stats on traced arguments: Cholesky factors where SciPy has eigenvalues."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
import scipy.special as special

from autoopt.errors import UnsupportedFunctionError

_SUMS_TO_ONE = 10e-10
_FROZEN = {
    "multivariate_normal": ("mean", "cov"),
    "multivariate_t": ("loc", "shape", "df"),
    "dirichlet": ("alpha",),
    "multinomial": ("n", "p"),
}
"""The attributes of a frozen distribution that hold its parameters, in the order in which the methods take them."""


def parameters(name: str, original: Any) -> tuple | None:
    """Return the parameters of a frozen distribution; None if there is no following it."""
    names = _FROZEN.get(name)
    if names is None or getattr(original, "allow_singular", False):
        return None
    return tuple(getattr(original, part) for part in names)


def _array(tracer: Any, value: Any) -> Any:
    """Return an argument as a traced array or an array of floats."""
    value = tracer.whole(value)
    if type(value) is tracer.array:
        return value if value.dtype.kind == "f" else value.cast(float)
    return np.asarray(value, dtype=float)


def _points(x: Any, dimension: int) -> Any:
    """Return the quantiles with the components along the last axis."""
    if x.ndim == 0:
        return x.reshape(1)
    return x[..., None] if x.ndim == 1 and dimension == 1 else x


def _location(tracer: Any, mean: Any, cov: Any) -> tuple[Any, Any, int]:
    """Return mean of shape (d,), cov of shape (d, d), and d."""
    cov = _array(tracer, 1.0 if cov is None else cov)
    mean = None if mean is None else _array(tracer, mean).reshape(-1)
    dimension = mean.shape[0] if mean is not None else cov.shape[0] if cov.ndim > 1 else 1
    if dimension == 1 and cov.shape in ((), (1,)):
        cov = cov.reshape(1, 1)
    elif cov.ndim == 0:
        cov = cov * np.eye(dimension)
    elif cov.ndim == 1:
        cov = cov[:, None] * np.eye(dimension)
    if cov.shape != (dimension, dimension):
        raise ValueError(f"The covariance has shape {cov.shape}, the mean has {dimension} entries.")
    return np.zeros(dimension) if mean is None else mean, cov, dimension


def _distance(tracer: Any, x: Any, mean: Any, cov: Any) -> tuple[Any, Any]:
    """Return (x - mean)' inv(cov) (x - mean) along the last axis of x, and log det(cov)."""
    factor = np.linalg.cholesky(cov)
    deviations = x - mean
    flat = deviations.reshape(-1, deviations.shape[-1]).T
    if tracer.holds_traced((factor, flat)):
        scaled = tracer.call(scipy.linalg.solve_triangular, (factor, flat), {"lower": True})
    else:
        scaled = scipy.linalg.solve_triangular(factor, flat, lower=True)
    squares = np.sum(scaled**2, axis=0).reshape(deviations.shape[:-1])
    return squares, 2 * np.sum(np.log(np.diagonal(factor)))


def _singular(tracer: Any, name: str) -> UnsupportedFunctionError:
    return UnsupportedFunctionError(
        f"The objective calls scipy.stats.{name} with a covariance that may be singular, "
        "which autoopt cannot differentiate.",
        tracer.location(),
        "leave out allow_singular, or pass jac='finite-difference'.",
    )


def _normal_logpdf(tracer: Any, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    if allow_singular or (not tracer.holds_traced(cov) and hasattr(cov, "log_pdet")):
        raise _singular(tracer, "multivariate_normal")
    mean, cov, dimension = _location(tracer, mean, cov)
    squares, log_det = _distance(tracer, _points(_array(tracer, x), dimension), mean, cov)
    return _squeezed(-(squares + log_det + dimension * math.log(2 * math.pi)) / 2)


def _t_logpdf(tracer: Any, x: Any, loc: Any = None, shape: Any = 1, df: Any = 1, allow_singular: bool = False) -> Any:
    if allow_singular:
        raise _singular(tracer, "multivariate_t")
    loc, shape, dimension = _location(tracer, loc, shape)
    squares, log_det = _distance(tracer, _points(_array(tracer, x), dimension), loc, shape)
    if np.ndim(df) == 0 and not tracer.holds_traced(df) and math.isinf(df):
        return _squeezed(-(squares + log_det + dimension * math.log(2 * math.pi)) / 2)
    half = (df + dimension) / 2
    constant = special.gammaln(half) - special.gammaln(df / 2) - dimension / 2 * np.log(df * math.pi) - log_det / 2
    return _squeezed(constant - half * np.log(1 + squares / df))


def _squeezed(values: Any) -> Any:
    return values if 1 not in values.shape else np.squeeze(values)


def _dirichlet_logpdf(tracer: Any, x: Any, alpha: Any) -> Any:
    """x has its components along the first axis; the last may be left out."""
    x, alpha = _array(tracer, x), _array(tracer, alpha)
    if bool(np.min(alpha) <= 0):
        raise ValueError("All parameters must be greater than 0")
    if alpha.ndim != 1 or x.shape[0] not in (alpha.shape[0], alpha.shape[0] - 1):
        raise ValueError(f"x has shape {x.shape}, alpha has shape {alpha.shape}.")
    if x.shape[0] != alpha.shape[0]:
        x = np.concatenate([x, 1 - np.sum(x, axis=0, keepdims=True)])
    if bool(np.any(x < 0)) or bool(np.any(np.abs(np.sum(x, axis=0) - 1) > _SUMS_TO_ONE)):
        raise ValueError("The input vector 'x' must lie within the normal simplex.")
    exponents = alpha - 1 if x.ndim == 1 else (alpha - 1)[:, None]
    if bool(np.any((x == 0) & (exponents < 0))):
        raise ValueError("Each entry in 'x' must be greater than zero if its alpha is less than one.")
    constant = special.gammaln(np.sum(alpha)) - np.sum(special.gammaln(alpha))
    return _squeezed(constant + np.sum(special.xlogy(exponents, x), axis=0))


def _dirichlet_mean(tracer: Any, alpha: Any) -> Any:
    alpha = _array(tracer, alpha)
    return alpha / np.sum(alpha)


def _multinomial_logpmf(tracer: Any, x: Any, n: Any, p: Any) -> Any:
    """As in SciPy, the last share makes up for the others where they do not sum to one."""
    x, n, p = (_array(tracer, part) for part in (x, n, p))
    rest = 1 - np.sum(p[..., :-1], axis=-1, keepdims=True)
    last = np.where(np.abs(rest - p[..., -1:]) > 10 * np.finfo(float).eps, rest, p[..., -1:])
    p = np.concatenate([p[..., :-1], last], axis=-1)
    outside = np.any((x < 0) | (np.floor(x) != x), axis=-1) | (np.sum(x, axis=-1) != n)
    counts = np.where(outside[..., None], 0.0, x)
    invalid = np.any((p < 0) | (p > 1), axis=-1) | (n < 0)
    safe = np.where((p < 0) | (p > 1), 1.0, p)
    terms = special.xlogy(counts, safe) - special.gammaln(counts + 1)
    found = special.gammaln(np.maximum(n, 0.0) + 1) + np.sum(terms, axis=-1)
    return np.where(invalid, np.nan, np.where(outside, -np.inf, found))


def _density(logarithm: Callable) -> Callable:
    return lambda tracer, *args, **kwargs: np.exp(logarithm(tracer, *args, **kwargs))


METHODS: dict[str, dict[str, Callable]] = {
    "multivariate_normal": {"logpdf": _normal_logpdf, "pdf": _density(_normal_logpdf)},
    "multivariate_t": {"logpdf": _t_logpdf, "pdf": _density(_t_logpdf)},
    "dirichlet": {"logpdf": _dirichlet_logpdf, "pdf": _density(_dirichlet_logpdf), "mean": _dirichlet_mean},
    "multinomial": {"logpmf": _multinomial_logpmf, "pmf": _density(_multinomial_logpmf)},
}
