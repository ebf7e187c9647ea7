"""The tier of paths that are not compiled: derivatives of one run of the objective, step by step along its tape.

The derivatives are those of `execution/eager/sweeps.py`; here is which run counts at a point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autoopt.execution.eager.sweeps import EagerRun, Sweeps
from autoopt.objectives import unfollowed
from autoopt.objectives.original import Original
from autoopt.objectives.paths import Path


@dataclass
class Eager:
    """The run that was evaluated last, with its path."""

    latest: tuple[Path, EagerRun] | None = None

    def known(self, x: np.ndarray) -> tuple[Path, EagerRun] | None:
        """Return the latest run with its path, if it is of this point."""
        return self.latest if self.latest is not None and np.array_equal(self.latest[0].point, x) else None

    def run_at(self, x: np.ndarray, traced: Callable[[np.ndarray], Path], original: Original) -> tuple[Path, EagerRun]:
        """Return the run at `x` with its path: the latest, if it is of this point and holds, or that of a new trace."""
        if (latest := self.known(x)) is not None:
            path, run = latest
            if path.holds() and path.is_kept():
                return latest
        path = traced(x)
        path.keep(everything=True)
        run = Sweeps(path.trace.tape).at(path.point)
        self.latest = (path, run)
        if run.tape.unfollowed:
            unfollowed.compare(original.array, path, run.gradient() if original.scalar else run.jacobian())
        return path, run
