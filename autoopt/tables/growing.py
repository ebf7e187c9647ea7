"""A column of a file that is read in pieces."""

from __future__ import annotations

from typing import Any

import numpy as np


class Growing:
    """An array that grows by pieces, with room for as many rows as are expected: nothing is copied when all are there.

    Equal texts are one object.
    """

    def __init__(self) -> None:
        self._values = np.empty(0)
        self._rows = 0
        self._kinds: set[str] = set()
        self._has_text = False

    def add(self, series: Any, expected: int) -> None:
        """Add a pandas column; `expected` is how many rows there may be in the end."""
        piece = self._plain(series)
        end = self._rows + len(piece)
        kind = piece.dtype if not self._rows else _common(piece.dtype, self._values.dtype)
        if end > len(self._values) or kind != self._values.dtype:
            larger = np.empty(max(end, expected), kind)
            larger[: self._rows] = self._values[: self._rows]
            self._values = larger
        self._values[self._rows : end] = piece
        self._rows = end

    @property
    def array(self) -> np.ndarray:
        """All rows, shape (rows,): numbers, truth values, or objects."""
        return self._values[: self._rows]

    @property
    def is_mixed(self) -> bool:
        """Whether some pieces are text and others numbers: "1" and 1.0 would be two categories.

        Pieces without any value are of no kind.
        """
        return len(self._kinds) > 1 and ("b" in self._kinds if "O" not in self._kinds else self._has_text)

    def _plain(self, series: Any) -> np.ndarray:
        if isinstance(series.dtype, np.dtype) and series.dtype.kind in "biuf":
            piece = series.to_numpy()
            if not (piece.dtype.kind == "f" and np.isnan(piece[0]) and np.isnan(piece).all()):
                self._kinds.add(piece.dtype.kind)
            return piece
        codes, values = series.factorize()
        self._has_text = self._has_text or any(isinstance(value, str) for value in values)
        self._kinds.add("O")
        return np.append(np.asarray(values, object), np.nan)[codes]


def _common(one: np.dtype, other: np.dtype) -> np.dtype:
    """Return the type of an array that has both; a truth value does not become a number."""
    kinds = {one.kind, other.kind}
    return np.dtype(object) if len(kinds) > 1 and kinds & {"O", "b"} else np.result_type(one, other)
