"""What the methods of pandas' Series and DataFrame do to values on the tape: NumPy on arrays, along the rows.

`pandas.py` compares each result with what pandas gives for the plain numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

REDUCTIONS = ("sum", "mean", "prod", "min", "max", "std", "var", "any", "all", "cumsum", "cumprod")


def _numpys(function: Callable) -> Callable:
    return lambda values, *args, **kwargs: function(values, *args, **kwargs)


def _shift(values: Any, periods: int = 1, fill_value: Any = np.nan) -> Any:
    """Return the rows `periods` further down, and the fill value where there are none."""
    count = min(abs(periods), values.shape[0])
    fill = np.full((count, *values.shape[1:]), 0.0) + fill_value
    return np.concatenate([fill, values[: len(values) - count]] if periods >= 0 else [values[count:], fill])


def _fillna(values: Any, value: Any) -> Any:
    return np.where(np.isnan(values), value, values)


def _pct_change(values: Any, periods: int = 1) -> Any:
    """Return the relative change over some rows, and what is missing where there are none."""
    late, early = (values[periods:], values[:-periods]) if periods > 0 else (values[:periods], values[-periods:])
    fill = np.full((min(abs(periods), values.shape[0]), *values.shape[1:]), np.nan)
    return np.concatenate([fill, late / early - 1] if periods > 0 else [late / early - 1, fill])


def _rank(values: Any, axis: int = 0, method: str = "average", ascending: bool = True, pct: bool = False) -> Any:
    """Return how many are smaller, and the place among those that are equal."""
    if axis != 0 or method not in ("average", "min", "max"):
        raise TypeError("this way of ranking")
    one, other = values[:, None], values[None, :]
    below = np.sum(other < one if ascending else other > one, axis=1)
    equal = np.sum(other == one, axis=1)
    result = below + {"average": 0.5 * (equal + 1), "min": 1.0, "max": equal}[method]
    return result / values.shape[0] if pct else result + 0.0


def _cov(values: Any, other: Any = None, ddof: int = 1) -> Any:
    """Return the covariances of the columns, or of two Series."""
    if other is None:
        return np.cov(values, rowvar=False, ddof=ddof)
    return np.sum((values - np.mean(values)) * (other - np.mean(other))) / (values.shape[0] - ddof)


def _corr(values: Any, other: Any = None) -> Any:
    if other is None:
        return np.corrcoef(values, rowvar=False)
    return _cov(values, other) / np.sqrt(_cov(values, values) * _cov(other, other))


def _sem(values: Any, axis: int = 0, ddof: int = 1) -> Any:
    return np.std(values, axis=axis, ddof=ddof) / values.shape[axis] ** 0.5


def _skew(values: Any, axis: int = 0) -> Any:
    """Return the unbiased estimate, as scipy.stats.skew(..., bias=False) is."""
    n, deviations = values.shape[axis], values - np.mean(values, axis=axis, keepdims=True)
    biased = np.mean(deviations**3, axis=axis) / np.mean(deviations**2, axis=axis) ** 1.5
    return biased * (n * (n - 1)) ** 0.5 / (n - 2)


def _kurt(values: Any, axis: int = 0) -> Any:
    """Return the unbiased estimate of the excess, as scipy.stats.kurtosis(..., bias=False) is."""
    n, deviations = values.shape[axis], values - np.mean(values, axis=axis, keepdims=True)
    biased = np.mean(deviations**4, axis=axis) / np.mean(deviations**2, axis=axis) ** 2
    return ((n * n - 1) * biased - 3 * (n - 1) ** 2) / ((n - 2) * (n - 3))


def _between(values: Any, left: Any, right: Any) -> Any:
    return (values >= left) & (values <= right)


METHODS: dict[str, Callable] = {
    **{name: _numpys(getattr(np, name)) for name in REDUCTIONS},
    "std": lambda values, *args, ddof=1, **kwargs: np.std(values, *args, ddof=ddof, **kwargs),
    "var": lambda values, *args, ddof=1, **kwargs: np.var(values, *args, ddof=ddof, **kwargs),
    "dot": lambda values, other: values @ other,
    "abs": np.abs,
    "round": np.round,
    "clip": lambda values, lower=None, upper=None: np.clip(values, lower, upper),
    "shift": _shift,
    "diff": lambda values, periods=1: values - _shift(values, periods),
    "fillna": _fillna,
    "where": lambda values, cond, other=np.nan: np.where(cond, values, other),
    "mask": lambda values, cond, other=np.nan: np.where(cond, other, values),
    "pct_change": _pct_change,
    "rank": _rank,
    "cov": _cov,
    "corr": _corr,
    "sem": _sem,
    "skew": _skew,
    "kurt": _kurt,
    "kurtosis": _kurt,
    "between": _between,
    "isna": np.isnan,
    "isnull": np.isnan,
    "notna": lambda values: ~np.isnan(values),
    "notnull": lambda values: ~np.isnan(values),
    "median": lambda values: np.median(values, axis=0),
    "quantile": lambda values, q=0.5: np.quantile(values, q, axis=0),
}
"""Positional arguments are NumPy's too; what an entry does not take is refused."""

BINARY: dict[str, Callable] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide, "truediv": np.true_divide,
    "pow": np.power, "floordiv": np.floor_divide, "mod": np.remainder, "subtract": np.subtract,
    "multiply": np.multiply, "divide": np.true_divide, "lt": np.less, "le": np.less_equal, "gt": np.greater,
    "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}  # fmt: skip
BINARY |= {f"r{name}": BINARY[name] for name in ("add", "sub", "mul", "div", "truediv", "pow", "floordiv", "mod")}
"""The operators by their names; those with an r in front take their operands in the other order."""

_NEUTRAL = {"sum": 0.0, "prod": 1.0, "max": -np.inf, "min": np.inf, "cumsum": 0.0, "cumprod": 1.0}
SKIPPING = frozenset((*_NEUTRAL, "mean", "var", "std", "median", "quantile", "sem", "skew", "kurt", "kurtosis"))
"""Methods that leave out what is missing."""


def skipping(name: str, values: Any, missing: np.ndarray, *args: Any, axis: int = 0, **kwargs: Any) -> Any:
    """Return what a method gives for the values that are not missing, which are the same at every point."""
    if values.ndim == 1 and not name.startswith("cum"):
        return METHODS[name](values[np.flatnonzero(~missing)], *args, **kwargs)
    if name in _NEUTRAL:
        result = METHODS[name](np.where(missing, _NEUTRAL[name], values), axis=axis)
        return np.where(missing, np.nan, result) if name.startswith("cum") else result
    if name not in ("mean", "var", "std"):
        columns = [values[:, k][np.flatnonzero(~missing[:, k])] for k in range(values.shape[1])] if axis == 0 else None
        if columns is None:
            raise TypeError("missing values along rows")
        return np.stack([METHODS[name](column, *args, **kwargs) for column in columns])
    count = np.sum(~missing, axis=axis, keepdims=True)
    mean = np.sum(np.where(missing, 0.0, values), axis=axis, keepdims=True) / count
    if name == "mean":
        return np.squeeze(mean, axis)
    squares = np.sum(np.where(missing, 0.0, (values - mean) ** 2), axis=axis)
    variance = squares / (np.squeeze(count, axis) - kwargs.get("ddof", 1))
    return variance if name == "var" else np.sqrt(variance)
