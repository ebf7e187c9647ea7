"""Windows of rows of pandas objects that depend on the parameters, and exponential weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.tracing.frames.pandas_functions import listed
from autoopt.tracing.frames.pandas_methods import METHODS


class Windows:
    """`rolling(...)` and `expanding(...)`: pandas itself says which rows are in each window."""

    def __init__(self, table: Any, args: tuple, kwargs: dict, kind: str) -> None:
        self.table, self.kind = table, kind
        self.args, self.kwargs = table._frames.settled(args), {k: table._frames.settled(v) for k, v in kwargs.items()}
        if kwargs.get("win_type") is not None or kwargs.get("axis", 0) not in (0, "index"):
            raise self._refusal(" with these options")

    def _of(self, plain: Any) -> Any:
        return getattr(plain, self.kind)(*self.args, **self.kwargs)

    def _refusal(self, name: str) -> Exception:
        return self.table._frames.refusal(f".{self.kind}(...){name}")

    def __getattr__(self, name: str) -> Any:
        if name not in _IN_WINDOWS:
            raise self._refusal(f".{name}")
        return lambda *args, **kwargs: self._each(name, METHODS[name], args, kwargs)

    def __getitem__(self, label: Any) -> Windows:
        return Windows(self.table[label], self.args, self.kwargs, self.kind)

    def apply(self, func: Callable, raw: bool = False, **options: Any) -> Any:
        """Return what a function makes of each window of a Series."""
        if self.table._is_frame or {key: part for key, part in options.items() if part}:
            raise self._refusal(".apply of a frame or with options")
        counted = self._of(self.table._plain).count()
        expected = self._of(self.table._plain).sum()
        if np.any(np.isnan(self.table._plain.to_numpy())) or len(counted) != len(expected):
            raise self._refusal(".apply with missing values")
        values, results = self.table.values, []
        for rows, plain in zip(self._rows(), expected.isna(), strict=True):
            part = values[rows] if raw else self.table.iloc[rows]
            results.append(np.nan if plain else func(part))
        return listed(self.table, results, f".{self.kind}(...).apply")

    def agg(self, func: Any) -> Any:
        if type(func) is not str:
            raise self._refusal(".agg of these functions")
        return getattr(self, func)()

    def _rows(self) -> list[np.ndarray]:
        """Return the rows of each window."""
        series = self.table._plain.iloc[:, 0] if self.table._is_frame else self.table._plain
        numbered = type(series)(np.arange(len(series)), index=series.index)
        return [window.to_numpy() for window in self._of(numbered)]

    def _each(self, name: str, function: Callable, args: tuple, kwargs: dict) -> Any:
        """Return a reduction of each window, windows of one length at once; missing where pandas has it missing."""
        table = self.table
        expected = getattr(self._of(table._plain), name)(*args, **kwargs)
        numbers, values = np.asarray(expected, dtype=float), table.values
        if np.any(np.isnan(np.asarray(values.value))):
            raise self._refusal(f".{name} with missing values")
        lacking = np.isnan(numbers) if numbers.ndim == 1 else np.isnan(numbers).all(axis=1)
        rows = self._rows()
        lengths = np.array([len(part) for part in rows])
        order, pieces = [np.flatnonzero(lacking)], []
        if lacking.any():
            pieces.append(np.full((lacking.sum(), *values.shape[1:]), np.nan))
        for length in np.unique(lengths[~lacking]):
            which = np.flatnonzero((lengths == length) & ~lacking)
            places = np.stack([rows[k] for k in which], axis=1)
            pieces.append(function(values[places], *args, **{"axis": 0, **kwargs} if name in _WITH_AXIS else kwargs))
            order.append(which)
        back = np.argsort(np.concatenate(order), kind="stable")
        return table._frames.both(expected, np.concatenate(pieces)[back], f".{self.kind}(...).{name}")


_WITH_AXIS = frozenset(("sum", "mean", "max", "min", "std", "var", "sem", "skew", "kurt"))
_IN_WINDOWS = _WITH_AXIS | {"median", "quantile"}


class Weighted:
    """`ewm(...)`: weights that fall off by (1 - alpha) from row to row; alpha may depend on the parameters."""

    def __init__(self, table: Any, args: tuple, kwargs: dict, kind: str) -> None:
        given = {
            **dict(zip(("com", "span", "halflife", "alpha", "min_periods", "adjust"), args, strict=False)),
            **kwargs,
        }
        self.table, self.adjust = table, given.pop("adjust", True)
        self.min_periods = given.pop("min_periods", 0) or 0
        given = {key: part for key, part in given.items() if part is not None}
        if len(given) != 1 or next(iter(given)) not in _ALPHAS:
            raise table._frames.refusal(".ewm with these options")
        (self.name, self.decay), self.given = next(iter(given.items())), given
        self.alpha = _ALPHAS[self.name](self.decay)

    def _of(self, plain: Any) -> Any:
        given = self.table._frames.plain(self.given)
        return plain.ewm(**given, adjust=self.adjust, min_periods=self.min_periods)

    def __getattr__(self, name: str) -> Any:
        raise self.table._frames.refusal(f".ewm(...).{name}")

    def mean(self) -> Any:
        """Return the weighted mean of what has come so far."""
        table, frames = self.table, self.table._frames
        values, rest = table.values, 1 - self.alpha
        if np.any(np.isnan(np.asarray(values.value))):
            raise frames.refusal(".ewm(...).mean() with missing values")
        ahead = values if self.adjust else np.concatenate([values[:1], self.alpha * values[1:]])
        sums = [ahead[0]]
        for k in range(1, len(table)):
            sums.append(ahead[k] + rest * sums[-1])
        made = np.stack(sums)
        if self.adjust:
            weights = np.cumsum(rest ** np.arange(len(table)))
            made = made / (weights if made.ndim == 1 else weights[:, None])
        if self.min_periods > 1:
            early = np.arange(len(table)) < self.min_periods - 1
            made = np.where(early if made.ndim == 1 else early[:, None], np.nan, made)
        return frames.both(self._of(table._plain).mean(), made, ".ewm(...).mean")


_ALPHAS: dict[str, Callable] = {
    "com": lambda com: 1 / (1 + com),
    "span": lambda span: 2 / (span + 1),
    "halflife": lambda halflife: 1 - np.exp(-np.log(2) / halflife),
    "alpha": lambda alpha: alpha,
}
