"""The sum of a function's values, times weights, as an objective: its second derivatives are those of the values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.objectives.adapted import weighted
from autoopt.objectives.objective import Objective
from autoopt.objectives.retained import objective_of


class WeightedSum:
    """v . r(x), in which v is data: one trace for all v, made when it is first asked for.

    Attributes
    ----------
    objective : Objective or None
        None as long as it has not been made.
    """

    def __init__(self, fun: Callable, x0: Any, args: tuple, engine: str) -> None:
        self.objective: Objective | None = None
        self._made_of = fun, x0, args, engine
        self._weights = np.zeros(0)

    def of(self, v: np.ndarray) -> Objective:
        """Return the objective for the weights `v`, shape (m,)."""
        fun, x0, args, engine = self._made_of
        is_same = self.objective is not None and np.array_equal(v, self._weights)
        if is_same:
            return self.objective  # type: ignore[return-value]
        self._weights = np.array(v)
        if self.objective is None or not self.objective.rebind((self._weights, *args)):
            self.objective = objective_of(weighted(fun), x0, (self._weights, *args), engine)
        return self.objective


def seconds(*parts: Objective | None) -> dict[str, float]:
    """Return the seconds that objectives have spent in "trace" and "compile" so far; empty if there are none."""
    timings = [part.timings for part in parts if part is not None]
    return {stage: sum(one[stage] for one in timings) for stage in ("trace", "compile")} if timings else {}
