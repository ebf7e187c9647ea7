"""The tier of paths that are not compiled: derivatives of one run of the objective, step by step along its tape.

The derivatives are those of `execution/eager/sweeps.py`; here is which run counts at a point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from autoopt.execution.eager.sweeps import EagerRun, Sweeps
from autoopt.graph.kinds import PAIRS
from autoopt.objectives import equalities, unfollowed
from autoopt.objectives.differentiable import Branching
from autoopt.objectives.original import Original
from autoopt.objectives.paths import Path
from autoopt.tape.tape import Tape


class Tracing(Branching, Protocol):
    """What is asked of the objective whose paths are not compiled."""

    @property
    def original(self) -> Original: ...

    def traced(self, x: np.ndarray) -> Path:
        """Return the path that the objective takes at `x`."""

    def unchecked(self, tape: Tape, kind: str, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Evaluate on a path that was traced at `x`, whatever its guards say."""


@dataclass
class Eager:
    """The run that was evaluated last, with its path."""

    latest: tuple[Path, EagerRun] | None = None

    def known(self, x: np.ndarray) -> tuple[Path, EagerRun] | None:
        """Return the latest run with its path, if it is of this point."""
        return self.latest if self.latest is not None and np.array_equal(self.latest[0].point, x) else None

    def evaluated(self, paths: Tracing, kind: str, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Evaluate at `x` without compiling the path that the objective takes there."""
        if kind == "value":
            return paths.original.value(x)
        path, run = self.run_at(x, paths.traced, paths.original)
        derivative = run.derivative(kind, *direction)
        if np.all(np.isfinite(run.value)) and not np.all(np.isfinite(derivative)):
            return paths.unchecked(run.tape, kind, x, *direction)  # step by step inf and 0 do not cancel
        result = (run.value, derivative) if kind in PAIRS else derivative
        return equalities.settled(paths, path, kind, x, result, *direction) if run.tape.equalities else result

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
