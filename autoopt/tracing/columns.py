"""What the methods of pandas' Series and DataFrame do to values on the tape: NumPy on arrays, along the rows.

`frames.py` compares each result with what pandas gives for the plain numbers.
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


METHODS: dict[str, Callable] = {
    **{name: _numpys(getattr(np, name)) for name in REDUCTIONS},
    "std": lambda values, *args, ddof=1, **kwargs: np.std(values, *args, ddof=ddof, **kwargs),
    "var": lambda values, *args, ddof=1, **kwargs: np.var(values, *args, ddof=ddof, **kwargs),
    "dot": lambda values, other: values @ other,
    "abs": np.abs,
    "round": np.round,
    "clip": lambda values, lower=None, upper=None: np.clip(values, lower, upper),
    "add": lambda values, other: values + other,
    "sub": lambda values, other: values - other,
    "mul": lambda values, other: values * other,
    "div": lambda values, other: values / other,
    "pow": lambda values, other: values**other,
    "shift": _shift,
    "diff": lambda values, periods=1: values - _shift(values, periods),
    "fillna": _fillna,
    "where": lambda values, cond, other=np.nan: np.where(cond, values, other),
    "median": lambda values: np.median(values, axis=0),
    "quantile": lambda values, q=0.5: np.quantile(values, q, axis=0),
}
"""Positional arguments are NumPy's too; what an entry does not take is refused."""
