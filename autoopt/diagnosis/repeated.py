"""Functions that are another one at each call: random numbers, counters, data that the call itself changes."""

from __future__ import annotations

import numpy as np

from autoopt.diagnosis.evidence import Evidence
from autoopt.diagnosis.table import Diagnosis, cause
from autoopt.origin import definition


@cause("another value at each call", 5, of_start=True)
def changes_between_calls(evidence: Evidence) -> Diagnosis | None:
    """The same parameters give different values."""
    before = {name: array.tobytes() for name, array in evidence.data if array.nbytes < 1e7}
    values = [evidence.value(evidence.x) for _ in range(3)]
    if not np.isfinite(values).all() or values[0] == values[1] == values[2]:
        return None
    shown = ", ".join(f"{value:.10g}" for value in values)
    happened = f"The objective gives different values each time that it is called with the same parameters: {shown}"
    place = definition(evidence.objective.function)
    where = (place,) if place is not None else ()
    changed = [name for name, array in evidence.data if array.nbytes < 1e7 and array.tobytes() != before[name]]
    if changed:
        remedy = f"work on a copy, as {changed[0]} = {changed[0]} - ... in place of -=, so that the data stay."
        return Diagnosis(f"{happened}. It changes its own data: {', '.join(changed)}.", where, remedy)
    remedy = "let it depend on its arguments only: draw random numbers once, before the run, read no counter or file."
    return Diagnosis(happened + ".", where, remedy)
