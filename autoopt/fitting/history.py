"""The history of a run: value, size of the gradient and time at each iterate, as `minimize` tells of it anyway."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from autoopt.runs.checkpoint import lines
from autoopt.solvers import print_progress

MOST = 4000
"""So many iterates are kept: of a longer run every second one, then every fourth, and so on, and the last."""

COLUMNS = ("iteration", "value", "gradient norm", "seconds")


class History:
    """A function of a `solvers.Progress` that remembers what it is told, and tells whoever listens besides.

    Parameters
    ----------
    progress : True, callable or None
        Who listens: as for `autoopt.minimize`.
    factor : float
        The values are this times those that are told.
    """

    def __init__(self, progress: Any = None, factor: float = 1.0) -> None:
        self._show, self._factor = progress or None, factor
        self._rows: list[tuple[float, ...]] = []
        self._every, self._count = 1, 0
        self._last: tuple[float, ...] = ()

    def __call__(self, event: Any) -> None:
        """Remember an iterate."""
        self._last = event.iteration, self._factor * event.value, self._factor * event.gradient_norm, event.seconds
        if self._count % self._every == 0:
            self._rows.append(self._last)
        self._count += 1
        if len(self._rows) > MOST:
            self._rows, self._every = self._rows[::2], 2 * self._every
        if self._show is True:
            print_progress(event)
        elif self._show is not None:
            self._show(event)

    def table(self, result: Any) -> np.ndarray:
        """Return the iterates and the end of the run, shape (k, 4), in the order of COLUMNS; NaN is not known.

        A method that takes another's place counts its iterations and seconds anew: here they are counted on.
        """
        rows = [*self._rows, self._last] if self._rows and self._rows[-1] != self._last else self._rows
        table = np.array(rows, float).reshape(-1, len(COLUMNS))
        for column in (0, 3):
            for at in np.flatnonzero(np.diff(table[:, column]) < 0):
                table[at + 1 :, column] += table[at, column]
        return _with_end(table, result, table[-1, 0] - self._last[0] if self._last else 0.0)


def of_run(folder: Path, result: Any) -> np.ndarray:
    """Return the same of a run directory, in all parts of the run; empty if it has none."""
    known = ("iteration", "value", "gradient_norm", "seconds")
    rows = [[one.get(name) for name in known] for one in lines(folder / "history.jsonl") if "iteration" in one]
    return _with_end(np.array(rows, float).reshape(-1, len(COLUMNS)), result) if rows else np.empty((0, 4))


def _with_end(table: np.ndarray, result: Any, before: float = 0.0) -> np.ndarray:
    """Return the iterates with the end of the run, if it is none of them: the last steps are not told.

    It is the last iterate where no iteration came after that: a step that proves the solution is none of the method's.
    `before` is how many iterations there were before those that the result counts.
    """
    value, slope = float(result.get("fun", np.nan)), float(result.get("gradient_norm", np.nan))
    if not np.isfinite(value) or (len(table) and (table[-1, 1], table[-1, 2]) == (value, slope)):
        return table
    last, seconds = (table[-1, 0], table[-1, 3]) if len(table) else (-1.0, 0.0)
    number = max(last, before + float(result.get("nit") or 0))
    seconds = max(seconds, (result.get("timings") or {}).get("solve", 0.0))
    return np.vstack([table[:-1] if number == last else table, [number, value, slope, seconds]])
