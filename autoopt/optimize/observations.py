"""The data of a curve fit: xdata, ydata and sigma, checked and without the rows that are to be left out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import ObjectiveError, UsageError

_SHOWN = 5


@dataclass(frozen=True)
class Observations:
    """Data as the residuals take them.

    Attributes
    ----------
    args : tuple
        xdata, ydata, and what residuals are divided by: standard deviations (M,), or the lower Cholesky factor of the
        covariance (M, M).
    kind : int
        The number of dimensions of the last, 0 if there is none.
    """

    args: tuple
    kind: int

    @classmethod
    def of(cls, xdata: Any, ydata: Any, sigma: Any, check_finite: bool | None, nan_policy: str | None) -> Observations:
        """Return the data; UsageError for those that are not finite or do not fit together."""
        if nan_policy not in (None, "raise", "omit"):
            raise UsageError(f"nan_policy={nan_policy!r} is not understood.", remedy='use None, "raise" or "omit".')
        y = _floats(ydata, "ydata")
        x = _floats(xdata, "xdata") if isinstance(xdata, list | tuple | np.ndarray) else xdata
        s = None if sigma is None else _floats(sigma, "sigma")
        if y.size == 0:
            raise UsageError("ydata is empty.", remedy="give at least one value.")
        if check_finite or (check_finite is None and nan_policy is None):
            _require(np.isfinite, x, y, "not finite", 'leave these rows out, or pass nan_policy="omit" for NaN.')
        elif nan_policy == "raise":
            _require(lambda a: ~np.isnan(a), x, y, "NaN", 'leave these rows out, or pass nan_policy="omit".')
        elif nan_policy == "omit":
            x, y, s = _without_nan(x, y, s)
        return cls((x, y), 0) if s is None else cls._with_sigma(x, y, s)

    @classmethod
    def _with_sigma(cls, x: Any, y: np.ndarray, s: np.ndarray) -> Observations:
        if s.ndim < 2 and s.size in (1, y.size):
            s = np.broadcast_to(s.reshape(-1), (y.size,)).copy()
            if not ((s > 0) & np.isfinite(s)).all():
                raise UsageError("sigma holds values that are not positive.", remedy="give standard deviations.")
            return cls((x, y, s), 1)
        if s.shape == (y.size, y.size):
            try:
                return cls((x, y, np.linalg.cholesky(s)), 2)
            except np.linalg.LinAlgError:
                remedy = "give a covariance, or standard deviations, shape (M,)."
                raise UsageError("sigma is not positive definite.", remedy=remedy) from None
        raise UsageError(
            f"sigma has shape {s.shape}, but there are {y.size} values of ydata.",
            remedy="give one standard deviation for each, or their covariance.",
        )

    @contextmanager
    def matching(self) -> Iterator[None]:
        """Say of an error that f raises at the start that xdata and ydata are of different lengths, if they are."""
        try:
            yield
        except ObjectiveError as error:
            x, y = self.args[0], self.args[1]
            lengths = {x.shape[-1]} if isinstance(x, np.ndarray) and x.ndim else set()
            if not lengths or y.size in lengths:
                raise
            error.remedy = (
                f"xdata has {lengths.pop()} values, ydata {y.size}: give as many of one as of the other, or let f "
                f"return {y.size} values."
            )
            raise

    def in_units(self, slopes: np.ndarray) -> np.ndarray:
        """Return slopes of the model, shape (M, n), as those of the residuals."""
        if self.kind == 0:
            return slopes
        if self.kind == 1:
            return slopes / self.args[2][:, None]
        from scipy.linalg import solve_triangular

        return solve_triangular(self.args[2], slopes, lower=True)


def _floats(given: Any, name: str) -> np.ndarray:
    try:
        array = np.asarray(given)
        return array.astype(np.float64) if array.dtype.kind in "biuO" else np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError):
        raise UsageError(
            f"{name} holds {_no_number(given)}, which is no real number.", remedy="convert it, as by .astype(float)."
        ) from None


def _no_number(given: Any) -> str:
    """Return the first entry that is no real number, and where it is."""
    array = np.asarray(given, dtype=object)
    for place, entry in np.ndenumerate(array):
        try:
            float(entry)
        except (TypeError, ValueError):
            where = place[0] if len(place) == 1 else place
            return f"{entry!r} at {'entry ' + str(where) if place else 'its place'}"
    return str(given)


def _require(wanted: Any, x: Any, y: np.ndarray, what: str, remedy: str) -> None:
    for name, array in (("xdata", x), ("ydata", y)):
        if not isinstance(array, np.ndarray):
            continue
        wrong = np.flatnonzero(
            ~wanted(array.reshape(-1, array.shape[-1])).all(axis=0) if array.ndim else ~wanted(array)
        )
        if wrong.size:
            rows = ", ".join(map(str, wrong[:_SHOWN])) + (", ..." if wrong.size > _SHOWN else "")
            raise UsageError(f"{name} is {what} in row{'s' if wrong.size > 1 else ''} {rows}.", remedy=remedy)


def _without_nan(x: Any, y: np.ndarray, s: np.ndarray | None) -> tuple[Any, np.ndarray, np.ndarray | None]:
    """Return the data without the rows where xdata or ydata is NaN, as SciPy takes them out."""
    left = ~np.isnan(y)
    if isinstance(x, np.ndarray):
        left &= ~np.isnan(x.reshape(-1, x.shape[-1])).any(axis=0)
        x = x[..., left]
    if s is not None and s.size > 1:
        s = s[left] if s.ndim < 2 else s[np.ix_(left, left)]
    return x, y[left], s
