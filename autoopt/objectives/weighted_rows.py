"""A function that returns a sum over rows, with weights for its rows: the sum of its terms (`tape/rows`) times these.

    np.sum(np.logaddexp(0, X @ b)) - y @ (X @ b)          terms logaddexp(0, X @ b) - y * (X @ b), shape (n,)
                                                          value w . terms

What no row has, such as n log(s), is shared evenly among the terms, as for scores. With weights that is right only of
what grows with the number of rows: whether it does is asked of the function itself, with all data twice. A penalty, a
prior, or what takes n from elsewhere does not, and is refused: it may be meant once, or once for each row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autoopt.errors import TracingError
from autoopt.objectives.by_row import RowTerms, terms_by_row
from autoopt.objectives.objective import Objective
from autoopt.origin import definition
from autoopt.parameters import Structure
from autoopt.tape.rows import Terms
from autoopt.tape.tape import values_at
from autoopt.tracing.trace import Trace

_REMEDY = "have it return its terms, an array with one entry for each row, in place of their sum."


class WeightedRows(RowTerms):
    """The weighted sum of the terms of a function that returns a number."""

    is_summed = True
    _is_weighable = False

    def value(self, x: Any) -> float:
        """Return w . terms by the function's own steps at `x`."""
        return float(self.array(x))

    def array(self, x: Any) -> np.ndarray:
        """Return the same, shape ()."""
        return np.asarray(self.trace(self.structure.vector(x)).value).reshape(())

    def complex_value(self, x: np.ndarray) -> Any:
        """Raise: there are no steps of complex numbers."""
        raise TypeError("terms by row are those of real parameters")

    def require_weighable(self, recorded: Trace, terms: Terms, x: np.ndarray) -> None:
        """Raise where the terms do not sum to the value, or share what may not be weighted."""
        parts, value = values_at(terms.tape, x)[terms.tape.output], float(recorded.value)
        if not np.isclose(np.sum(parts), value, rtol=1e-8, atol=1e-8 * np.abs(parts).sum(), equal_nan=True):
            raise TracingError(
                f"The terms by row sum to {np.sum(parts):.10g}, and the objective is {value:.10g}: its rows are not "
                "recognised, and cannot be weighted.",
                definition(self.function),
                _REMEDY,
            )
        if not terms.is_shared or self._is_weighable:
            return
        recorded.side_effects.take_back()
        if not self._doubles(x):
            raise TracingError(
                "There are weights of rows, and a part of the objective reads no row: whether it counts once, as a "
                "penalty does, or for each row, is not seen.",
                terms.location or definition(self.function),
                _REMEDY,
            )
        self._is_weighable = True

    def _doubles(self, x: np.ndarray) -> bool:
        """Whether the function is twice as large, at `x` and beside it, of data with each row twice."""
        assert self.weights is not None
        twice = tuple(_twice(one, self.weights.size) for one in self.args)
        if any(one is _UNKNOWN for one in twice):
            return False
        try:
            for point in (x, x + 0.01 * np.maximum(1.0, np.abs(x))):
                once, both = (
                    float(self.function(self.structure.unflatten(point), *args)) for args in (self.args, twice)
                )
                if not np.isclose(both, 2 * once, rtol=1e-9):
                    return False
        except Exception:  # of data that it is not made for
            return False
        return True


_UNKNOWN = object()


def _twice(value: Any, rows: int) -> Any:
    """Return data with each row twice; `_UNKNOWN` where it is not seen what its rows are."""
    if isinstance(value, Mapping):
        parts = {name: _twice(part, rows) for name, part in value.items()}
        return _UNKNOWN if any(part is _UNKNOWN for part in parts.values()) else parts
    order = np.tile(np.arange(rows), 2)
    if hasattr(value, "iloc"):
        return value.iloc[order].reset_index(drop=True) if len(value) == rows else _UNKNOWN
    if hasattr(value, "tocsr"):
        return value.tocsr()[order] if value.shape[0] == rows else _UNKNOWN
    axes = [axis for axis, length in enumerate(np.shape(value)) if length == rows]
    if not np.ndim(value):
        return _UNKNOWN if value == rows else value
    if len(axes) > 1:
        return _UNKNOWN
    return np.take(np.asarray(value), order, axes[0]) if axes else value


class Weighted:
    """A function (params, *data) -> number that is a sum over rows, with weights for these.

    Parameters
    ----------
    function : callable
        The user's.
    weights : ndarray, shape (m,)
    """

    def __init__(self, function: Callable, weights: np.ndarray) -> None:
        self.function, self.weights = function, np.array(weights, float)
        self.__wrapped__, self.__name__ = function, getattr(function, "__name__", type(function).__name__)
        self._made: list[tuple[Structure, tuple, str, Objective]] = []

    def __call__(self, params: Any, *data: Any) -> float:
        return self._original(params, data).value(params)

    def __reduce__(self) -> tuple:
        return Weighted, (self.function, self.weights)

    def __objective__(self, x0: Any, args: tuple, engine: str) -> Objective:
        """Return the objective of the weighted sum, the one that was made before of the same data.

        Raises
        ------
        TracingError
            If the function is not recognised as a sum over rows, or has a part of which it is not seen whether it
            counts for each row.
        """
        structure = Structure.of(x0)
        for before, data, by, objective in self._made:
            is_same = len(data) == len(args) and all(one is other for one, other in zip(data, args, strict=True))
            if is_same and before == structure and by == engine:
                return objective
        objective = Objective.of(self._original(x0, args), engine)
        self._made.append((structure, args, engine, objective))
        return objective

    def _original(self, x0: Any, args: tuple) -> WeightedRows:
        structure = Structure.of(x0)
        start = structure.flatten(x0).copy()
        return WeightedRows(self.function, args, structure, start, self.weights.size, self.weights)


def terms_of_rows(function: Callable, x0: Any, args: tuple, engine: str, rows: int | None) -> Objective:
    """Return `terms_by_row` of a function, weighted where it is."""
    if isinstance(function, Weighted):
        return terms_by_row(function.function, x0, args, engine, function.weights.size, function.weights)
    return terms_by_row(function, x0, args, engine, rows)
