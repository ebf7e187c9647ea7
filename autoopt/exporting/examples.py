"""Made-up parameters and data for an exported module's test of itself: like those it was written for, but none of them.

Arrays have the shape, the kind and about the range of the original: counts are counts, times are positive, labels stay
labels, what is sorted is sorted. Lengths may be made smaller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autoopt.exporting.functions import quoted

_DIGITS, _SHOWN = 4, 12


def parameters_text(x0: np.ndarray) -> str:
    """Return an expression for a vector of parameters near `x0`."""
    shown = ", ".join(repr(_rounded(entry)) for entry in x0[:_SHOWN])
    if x0.size <= _SHOWN and len(shown) <= 48:
        return f"np.array([{shown}]) + 0.01 * rng.normal(size={x0.size})"
    center, scale = _rounded(float(np.mean(x0))), _rounded(float(np.std(x0)) or 0.1)
    return f"rng.normal({center!r}, {scale!r}, size={x0.size})"


def data_text(value: Any, lengths: Mapping[int, int]) -> str | None:
    """Return an expression for data like `value`, with other lengths of the first axis; None if there is none."""
    if isinstance(value, bool | int | float | str | None):
        return repr(value)
    if isinstance(value, np.ndarray | np.generic) and np.ndim(value) == 0:
        return repr(np.asarray(value).item())
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        parts = {key: data_text(part, lengths) for key, part in value.items()}
        return None if None in parts.values() else "{" + ", ".join(f"{quoted(k)}: {v}" for k, v in parts.items()) + "}"
    if isinstance(value, tuple):
        found = [data_text(part, lengths) for part in value]
        return None if None in found else f"({', '.join(map(str, found))},)"
    if hasattr(value, "nnz") and hasattr(value, "tocsr"):
        return _sparse_text(value, lengths)
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        columns = [(name, data_text(np.asarray(value[name]), lengths)) for name in value.columns]
        if any(text is None for _, text in columns):
            return None
        return "pd.DataFrame({" + ", ".join(f"{quoted(name)}: {text}" for name, text in columns) + "})"
    return _array_text(value, lengths) if isinstance(value, np.ndarray) else None


def rows(value: Any) -> set[int]:
    """Return the lengths of arrays and tables in data."""
    if isinstance(value, dict):
        return {length for part in value.values() for length in rows(part)}
    if isinstance(value, tuple):
        return {length for part in value for length in rows(part)}
    shape = getattr(value, "shape", ())
    return {shape[0]} if shape else set()


def _sparse_text(value: Any, lengths: Mapping[int, int]) -> str:
    m, n = value.shape
    density = _rounded(value.nnz / max(m * n, 1))
    kind = type(value).__name__
    return f"scipy.sparse.{kind}(scipy.sparse.random({lengths.get(m, m)}, {n}, {density}, random_state=0))"


def _array_text(value: np.ndarray, lengths: Mapping[int, int]) -> str | None:
    if value.dtype.kind not in "biuf" or not value.size or not np.isfinite(value).all():
        return None
    shape = tuple(lengths.get(length, length) if not axis else length for axis, length in enumerate(value.shape))
    size = shape[0] if len(shape) == 1 else shape
    text = _drawn(value, size)
    if (
        value.ndim == 2
        and value.shape[0] == value.shape[1]
        and np.array_equal(value, value.T)
        and value.dtype.kind == "f"
    ):
        return f"np.cov({_gaussian(0.0, 1.0, (shape[0], 4 * shape[0]))})"
    if value.ndim == 1 and value.size > 2 and np.any(np.diff(value)) and np.all(np.diff(value) >= 0):
        return f"np.sort({text})"
    if value.ndim == 1 and value.size > 2 and np.any(np.diff(value)) and np.all(np.diff(value) <= 0):
        return f"np.sort({text})[::-1]"
    return text


def _drawn(value: np.ndarray, size: Any) -> str:
    low, high = value.min(), value.max()
    if value.dtype.kind == "b":
        return f"rng.random({size}) < {_rounded(float(value.mean()))}"
    if low == high:
        return f"np.full({size}, {low.item()!r})"
    if value.dtype.kind in "iu" or (np.all(value == np.round(value)) and high - low < 10**6):
        text = f"rng.integers({int(low)}, {int(high) + 1}, size={size})"
        return text if value.dtype.kind in "iu" else f"{text}.astype(float)"
    if low >= 0 and high <= 1:
        return f"rng.uniform({_down(low)}, {_up(high)}, size={size})"
    if low > 0:
        logs = np.log(value)
        return f"np.exp({_gaussian(float(logs.mean()), float(logs.std()), size)})"
    return _gaussian(float(value.mean()), float(value.std()), size)


def _gaussian(mean: float, deviation: float, size: Any) -> str:
    return f"rng.normal({_rounded(mean)}, {_rounded(deviation)}, size={size})"


def _rounded(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}")


def _down(number: float) -> float:
    return float(np.floor(number * 1000) / 1000)


def _up(number: float) -> float:
    return float(np.ceil(number * 1000) / 1000)
