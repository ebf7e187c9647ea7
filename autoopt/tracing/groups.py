"""Rows of pandas objects taken together: groups, and windows; `table` is the stand-in that they are rows of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.tape.operations import put_add


class Groups:
    """The groups of a Series that depends on the parameters, or of a frame that such a column was assigned to."""

    def __init__(self, table: Any, by: Any, kwargs: dict) -> None:
        self.table, self.kwargs = table, kwargs
        self.by = table._original[by] if table._is_frame and type(by) is str else table._frames.settled(by)

    def __getitem__(self, label: Any) -> Groups:
        return Groups(self.table[label], self.by, self.kwargs)

    def __getattr__(self, name: str) -> Any:
        if self.table._is_frame and name in self.table:
            return self[name]
        raise self.table._frames.refusal(f".groupby(...).{name}")

    def agg(self, func: Any) -> Any:
        """Return the sum or mean of each group, or what a function makes of it."""
        if func in ("sum", "mean"):
            return getattr(self, func)()
        if not callable(func):
            raise self.table._frames.refusal(f".groupby(...).agg({func!r})")
        return self.apply(func)

    def apply(self, func: Callable) -> Any:
        """Return what a function makes of each group, one number each."""
        frames = self.table._frames
        grouped, codes = self._grouped()
        found = [func(self.table._part(lambda column, k=k: column[codes == k])) for k in range(codes.max() + 1)]
        series = type(self.table._original)(frames.plain(found), index=grouped.size().index)
        return frames.both(series, frames.tracer.nested([frames.traced(part) for part in found]), ".apply")

    def sum(self) -> Any:
        """Return the sum of each group."""
        grouped, codes = self._grouped()
        return self.table._frames.both(grouped.sum(), self._sums(codes), ".groupby(...).sum")

    def mean(self) -> Any:
        """Return the mean of each group."""
        grouped, codes = self._grouped()
        return self.table._frames.both(grouped.mean(), self._sums(codes) / np.bincount(codes), ".groupby(...).mean")

    def transform(self, func: str) -> Any:
        """Return each row's group's sum or mean."""
        if func not in ("sum", "mean"):
            raise self.table._frames.refusal(".groupby(...).transform")
        grouped, codes = self._grouped()
        return self.table._frames.both(grouped.transform(func), getattr(self, func)().values[codes], ".transform")

    def _grouped(self) -> tuple[Any, np.ndarray]:
        """Return pandas' groups, and the number of each row's group in their order."""
        if self.table._is_frame:
            raise self.table._frames.refusal(".groupby(...) of all columns")
        grouped = self.table._original.groupby(self.by, **{"observed": True, **self.kwargs})
        codes = grouped.ngroup().to_numpy()
        if np.any(codes < 0):
            raise self.table._frames.refusal(".groupby(...)", "some rows belong to no group")
        return grouped, codes

    def _sums(self, codes: np.ndarray) -> Any:
        start = np.zeros(codes.max() + 1)
        return self.table._frames.tracer.call(put_add, (start, codes, self.table.values), {})


class Rolling:
    """Windows of so many rows of a Series that depends on the parameters."""

    def __init__(self, table: Any, window: int) -> None:
        self.table, self.window = table, window

    def sum(self) -> Any:
        """Return the sum of each window, missing where it is not full."""
        values, n = self.table.values, self.window
        full = sum(values[i : len(values) - n + 1 + i] for i in range(n))
        found = np.concatenate([np.full(min(n - 1, len(values)), np.nan), full])
        return self.table._frames.both(self.table._original.rolling(n).sum(), found, ".rolling(...).sum")

    def mean(self) -> Any:
        """Return the mean of each window, missing where it is not full."""
        return self.sum() / self.window

    def __getattr__(self, name: str) -> Any:
        raise self.table._frames.refusal(f".rolling(...).{name}")
