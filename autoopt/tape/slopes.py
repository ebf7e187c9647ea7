"""Whether any slope leads from the parameters to the value of a tape, and what cuts it off if none does.

`int(np.sum(r**2))` leaves a constant and a guard, `np.mean(p > 0)` a sum of truth values, `np.floor(f)` steps: their
derivative is 0 wherever it exists, and a method that follows slopes is content with any start. Knows steps only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.tape.operations import component
from autoopt.tape.tape import PARAMETER, Tape

STEPPED = frozenset(
    (np.floor, np.ceil, np.trunc, np.rint, np.round, np.around, np.fix, np.sign, np.floor_divide, np.heaviside)
)
"""Functions to floats whose slope is 0 wherever they have one."""

_SLOPING = "fcO"  # floats, complex numbers, and several results in one


@dataclass(frozen=True)
class Flat:
    """Why a value has no slope: `kind` is "constant", "decided", "whole" or "stepped"; `sites` are the places.

    `operations` are those at which the slope ends, of what is stepped.
    """

    kind: str
    sites: tuple[Any, ...] = ()
    operations: tuple[Any, ...] = ()


def flatness(tape: Tape) -> Flat | None:
    """Return why the value of `tape` has no slope in the parameters; None if it has one, if only as far as can be seen.

    A slope passes every step that gives floats, but for those of STEPPED, and enters it by operands that are floats.
    """
    steps = tape.steps
    if steps[tape.output].level == PARAMETER:
        ends = _ends(tape)
        if ends is None:
            return None
        sites = tuple(dict.fromkeys(steps[index].site for index in ends if steps[index].site))
        ends = [steps[index].inputs[0] if steps[index].operation is component else index for index in ends]
        return Flat("stepped", sites, tuple(dict.fromkeys(steps[index].operation for index in ends)))
    whole = [guard.site for guard in tape.guards if guard.kind == "int" and guard.site]
    decided = [guard.site for guard in tape.guards if guard.site]
    if whole:
        return Flat("whole", (whole[-1],))
    return Flat("decided", tuple(dict.fromkeys(decided))[-3:]) if decided else Flat("constant")


def _ends(tape: Tape) -> list[int] | None:
    """Return the steps at which slopes end, followed back from the value; None if one reaches the parameters."""
    steps = tape.steps
    waiting, seen, ends = [tape.output], {tape.output}, []
    while waiting:
        index = waiting.pop()
        if index == 0:
            return None
        step = steps[index]
        sources = [source for source in step.inputs if steps[source].level == PARAMETER]
        ending = step.dtype.kind not in _SLOPING or step.operation in STEPPED
        if ending and any(steps[source].dtype.kind in _SLOPING for source in sources):
            ends.append(index)
            continue
        waiting += [source for source in sources if source not in seen]
        seen.update(sources)
    return ends
