"""The record of one run of an objective, and what its steps are elsewhere."""

from __future__ import annotations

from typing import Any

import cell_programs  # noqa: F401  (these fill PROGRAMS)
import function_programs  # noqa: F401
import numpy as np
import object_programs  # noqa: F401
import view_programs  # noqa: F401

from autoopt.parameters import Structure
from autoopt.tape.tape import Tape, call
from autoopt.tracing.trace import Trace, trace

X = np.array([0.5, 1.5, 2.5])


def record(f: Any, x0: Any = X, *args: Any, scalar: bool = True) -> Trace:
    structure = Structure.of(x0)
    return trace(f, structure, structure.flatten(x0).copy(), args, scalar)


def replay(tape: Tape, x: np.ndarray) -> list[Any]:
    """Return what every step is at `x`, and see that no step is called less dependent than its inputs."""
    results: list[Any] = []
    for index, step in enumerate(tape.steps):
        if step.operation is None:
            results.append(x if index == 0 else tape.values[index])
            continue
        assert step.level >= max((tape.steps[source].level for source in step.inputs), default=0), f"level of {step}"
        results.append(call(step, [results[source] for source in step.inputs]))
    return results
