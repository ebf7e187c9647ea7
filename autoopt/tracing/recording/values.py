"""The values of a run's steps while it is traced."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autoopt.tape.tape import call


class Values:
    """The values of an objective's steps while it is traced, by the calls that made them; what was made is kept."""

    def __init__(self, tracer: Any) -> None:
        self._tracer = tracer
        self._values: dict[int, Any] = {0: tracer.point}

    def of(self, wanted: Iterable[int]) -> dict[int, Any]:
        """Return the values of some steps by their numbers."""
        steps, leaves = self._tracer.steps, self._tracer.tape.values
        waiting, missing = list(wanted), set[int]()
        while waiting:
            index = waiting.pop()
            if index in self._values or index in missing:
                continue
            missing.add(index)
            waiting.extend(steps[index].inputs)
        with np.errstate(all="ignore"):
            for index in sorted(missing):
                step = steps[index]
                is_leaf = step.operation is None
                self._values[index] = leaves[index] if is_leaf else call(step, [self._values[k] for k in step.inputs])
        return {index: self._values[index] for index in wanted}
