"""Made-up parameters and data for an exported module's test of itself: like those it was written for, but none of them.

Arrays have the shape, the kind and about the range of the original: counts are counts, times are
positive, labels stay labels, what is sorted is sorted. Lengths may be made smaller. Where such data take the code
another way than it was written for, they are made closer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autoopt.exporting.functions import quoted

_DIGITS, _SHOWN = 4, 12
_FEW = 24
"""The most entries of an array, and of a list, that are written one by one."""

_LABELS = 12
"""The most different labels that are written one by one."""

_PLAIN = (bool, int, float, str, type(None))

PLAIN, COUNTED, NEAR = range(3)
"""How close data are: alike; with as many zeros, labels and answers of each kind; if they are few, near the same."""


def parameters_text(x0: np.ndarray, scales: np.ndarray, closeness: int = PLAIN) -> str:
    """Return an expression for a vector of parameters near `x0`, each within its scale: 0.01, or less."""
    shown = ", ".join(repr(_rounded(entry)) for entry in x0[:_SHOWN])
    if x0.size <= _SHOWN and len(shown) <= 48:
        near = scales * (0.01 if closeness == NEAR else 1.0)
        own = f"np.array([{', '.join(f'{scale:.3g}' for scale in near)}])" if np.ptp(near) else f"{near[0]:.3g}"
        return f"np.array([{shown}]) + {own} * rng.normal(size={x0.size})"
    center, scale = _rounded(float(np.mean(x0))), _rounded(float(np.std(x0)) or 0.1)
    return f"rng.normal({center!r}, {_rounded(scale * np.min(scales) / 0.01)!r}, size={x0.size})"


def data_text(value: Any, lengths: Mapping[int, int], closeness: int = PLAIN) -> str | None:
    """Return an expression for data like `value`, with other lengths of the first axis; None if there is none.

    `closeness` is PLAIN, COUNTED or NEAR.
    """
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, np.ndarray | np.generic) and np.ndim(value) == 0:
        return repr(np.asarray(value).item())
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        parts = {key: data_text(part, lengths, closeness) for key, part in value.items()}
        return None if None in parts.values() else "{" + ", ".join(f"{quoted(k)}: {v}" for k, v in parts.items()) + "}"
    if isinstance(value, list | dict) and _is_plain(value):
        return _plain_text(value, lengths, closeness)
    if isinstance(value, tuple | list) and type(value) in (tuple, list):
        found = [data_text(part, lengths, closeness) for part in value]
        whole = ", ".join(map(str, found))
        return None if None in found else f"[{whole}]" if isinstance(value, list) else f"({whole},)"
    if hasattr(value, "nnz") and hasattr(value, "tocsr"):
        return _sparse_text(value, lengths)
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        columns = [(name, _column_text(value[name], lengths, closeness)) for name in value.columns]
        if any(text is None for _, text in columns):
            return None
        return "pd.DataFrame({" + ", ".join(f"{quoted(name)}: {text}" for name, text in columns) + "})"
    return _array_text(value, lengths, closeness) if isinstance(value, np.ndarray) else None


def rows(value: Any) -> set[int]:
    """Return the lengths of arrays and tables in data."""
    if isinstance(value, dict):
        return {length for part in value.values() for length in rows(part)}
    if isinstance(value, tuple):
        return {length for part in value for length in rows(part)}
    shape = getattr(value, "shape", ())
    return {shape[0]} if shape else set()


def _is_plain(value: Any) -> bool:
    """Whether data are few numbers and texts, in lists, tuples and dicts."""
    if isinstance(value, dict):
        return len(value) <= _FEW and all(map(_is_plain, value)) and all(map(_is_plain, value.values()))
    if type(value) in (list, tuple):
        return len(value) <= _FEW and all(map(_is_plain, value))
    return isinstance(value, _PLAIN)


def _plain_text(value: Any, lengths: Mapping[int, int], closeness: int) -> str:
    """Return what such data are: texts and whole numbers say what is meant, others are drawn."""
    if closeness != NEAR and isinstance(value, list) and len(value) > 1 and all(type(v) is float for v in value):
        return f"{_array_text(np.array(value), lengths)}.tolist()"
    return repr(value)


def _sparse_text(value: Any, lengths: Mapping[int, int]) -> str:
    m, n = value.shape
    density = _rounded(value.nnz / max(m * n, 1))
    kind = type(value).__name__
    return f"scipy.sparse.{kind}(scipy.sparse.random({lengths.get(m, m)}, {n}, {density}, random_state=0))"


def _column_text(value: Any, lengths: Mapping[int, int], closeness: int) -> str | None:
    """Return an expression for a column of a table, of which there are more kinds than of arrays."""
    if str(value.dtype) == "category":
        text = _array_text(np.asarray(value), lengths, closeness)
        return None if text is None else f"pd.Categorical({text}, categories={list(value.cat.categories)!r})"
    if value.dtype.kind == "M":
        first, last = value.min(), value.max()
        size = lengths.get(len(value), len(value))
        days = f"rng.integers(0, {(last - first).days + 1}, size={size})"
        days = f"np.sort({days})" if value.is_monotonic_increasing else days
        return f'np.datetime64("{first:%Y-%m-%d}") + {days}'
    return _array_text(np.asarray(value), lengths, closeness)


def _array_text(value: np.ndarray, lengths: Mapping[int, int], closeness: int = PLAIN) -> str | None:
    if value.dtype.kind in "OUT":
        return _labels_text(value, lengths, closeness)
    if value.dtype.kind not in "biufc" or not value.size or not np.isfinite(value).all():
        return None
    if value.dtype.kind == "c":
        return f"{_array_text(value.real, lengths)} + 1j * {_array_text(value.imag, lengths)}"
    if closeness == NEAR and value.dtype.kind == "f" and value.size <= _FEW and np.ptp(value):
        shown = repr(np.vectorize(_rounded)(value).tolist())
        return f"np.array({shown}) * (1 + 1e-3 * rng.normal(size={value.shape if value.ndim > 1 else value.size}))"
    shape = tuple(lengths.get(length, length) if not axis else length for axis, length in enumerate(value.shape))
    size = shape[0] if len(shape) == 1 else shape
    text = _drawn(value, size, closeness)
    if _is_symmetric(value):
        return _symmetric_text(value, shape[0])
    if value.ndim == 1 and value.size > 2 and np.any(np.diff(value)) and np.all(np.diff(value) >= 0):
        return f"np.sort({text})"
    if value.ndim == 1 and value.size > 2 and np.any(np.diff(value)) and np.all(np.diff(value) <= 0):
        return f"np.sort({text})[::-1]"
    return text


def _labels_text(value: np.ndarray, lengths: Mapping[int, int], closeness: int) -> str | None:
    """Return an expression for texts of which each comes again and again."""
    if not value.size or value.ndim != 1 or not all(isinstance(entry, str) for entry in value):
        return None
    known, counts = np.unique(value.astype(str), return_counts=True)
    if len(known) > _LABELS:
        return None
    size = lengths.get(len(value), len(value))
    if closeness != PLAIN and size == len(value):
        return f"rng.permutation(np.repeat({known.tolist()!r}, {counts.tolist()!r}))"
    return f"rng.choice({known.tolist()!r}, size={size})"


def _is_symmetric(value: np.ndarray) -> bool:
    return (
        value.ndim == 2
        and value.shape[0] == value.shape[1]
        and np.array_equal(value, value.T)
        and value.dtype.kind == "f"
    )


def _symmetric_text(value: np.ndarray, size: int) -> str:
    """Return an expression for a covariance, for correlations of no sign, or for these with nothing on the diagonal."""
    drawn = _gaussian(0.0, 1.0, (size, 4 * size))
    if np.all(value >= 0) and not np.any(np.diag(value)):
        return f"{_rounded(float(value.max()) or 1.0)} * np.abs(np.corrcoef({drawn})) * (1 - np.eye({size}))"
    return f"np.cov({drawn})"


def _drawn(value: np.ndarray, size: Any, closeness: int) -> str:
    low, high = value.min(), value.max()
    count = int(np.prod(size))
    if value.dtype.kind == "b" and closeness == PLAIN:
        return f"rng.random({size}) < {_rounded(float(value.mean()))}"
    if value.dtype.kind == "b":
        return _shaped(f"rng.permutation({count}) < {round(float(value.mean()) * count)}", size)
    if low == high:
        return f"np.full({size}, {low.item()!r})"
    if value.dtype.kind in "iu" or (np.all(value == np.round(value)) and high - low < 10**6):
        text = f"rng.integers({int(low)}, {int(high) + 1}, size={size})"
        text = text if closeness == PLAIN else _counts(value, size, count)
        return text if value.dtype.kind in "iu" else f"{text}.astype(float)"
    if _has_units(value):
        drawn = np.log(value) if low > 0 else value
        text = f"rng.normal({_by_column(drawn.mean(axis=0))}, {_by_column(drawn.std(axis=0))}, size={size})"
        return f"np.exp({text})" if low > 0 else text
    if low >= 0 and high <= 1:
        return f"rng.uniform({_down(low)}, {_up(high)}, size={size})"
    if low > 0:
        logs = np.log(value)
        return f"np.exp({_gaussian(float(logs.mean()), float(logs.std()), size)})"
    return _gaussian(float(value.mean()), float(value.std()), size)


_UNITS = 30
"""How many times larger a column is than another of the same matrix where each is drawn by itself."""


def _has_units(value: np.ndarray) -> bool:
    """Whether a matrix has few columns, and these have units of their own."""
    if value.ndim != 2 or not 1 < value.shape[1] <= _FEW:
        return False
    sizes = np.abs(value).max(axis=0)
    return bool(sizes.max() > _UNITS * sizes.min())


def _by_column(numbers: np.ndarray) -> str:
    return f"[{', '.join(repr(_rounded(number)) for number in numbers)}]"


def _counts(value: np.ndarray, size: Any, count: int) -> str:
    """Return an expression for whole numbers: as many of each if they are few, else as many zeros."""
    known, counts = np.unique(value, return_counts=True)
    if len(known) <= 3 and count == value.size:
        each = f"np.repeat({known.astype(int).tolist()!r}, {counts.tolist()!r})"
        return _shaped(f"rng.permutation({each})", size)
    low, high = int(known[0]), int(known[-1])
    if low != 0 or counts[0] == 1:
        return f"rng.integers({low}, {high + 1}, size={size})"
    zeros = _shaped(f"rng.permutation({count}) < {round(count * counts[0] / value.size)}", size)
    return f"np.where({zeros}, 0, rng.integers(1, {high + 1}, size={size}))"


def _shaped(text: str, size: Any) -> str:
    """Return an expression for a vector in the shape that it shall have."""
    if not isinstance(size, tuple):
        return text
    return f"({text}).reshape{size}" if " < " in text else f"{text}.reshape{size}"


def _gaussian(mean: float, deviation: float, size: Any) -> str:
    return f"rng.normal({_rounded(mean)}, {_rounded(deviation)}, size={size})"


def _rounded(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}")


def _down(number: float) -> float:
    return float(np.floor(number * 1000) / 1000)


def _up(number: float) -> float:
    return float(np.ceil(number * 1000) / 1000)
