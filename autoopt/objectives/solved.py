"""Values of an objective with its differential equations solved more closely than it asks SciPy to.

SciPy's solution moves with the parameters as the true one does and, within its tolerance, as its steps do. Derivatives
are those of the true one; so the objective's own values near a point say little about them, and these say more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from autoopt.tape.equation import Equation
from autoopt.tape.operations import held
from autoopt.tape.simplify import live
from autoopt.tape.tape import CONSTANT, Step, Tape, values_at

CLOSER = 1e-2
"""What rtol and atol are multiplied by."""

_DEFAULTS = {"solve_ivp": (1e-3, 1e-6), "odeint": (1.49012e-8, 1.49012e-8)}
_LEAST = 1e-13


def closer(tape: Tape) -> Callable | None:
    """Return the values of a tape by its parameters, its equations solved closer; None if it has none."""
    if tape.steps[tape.output].shape or not any(isinstance(step.operation, Equation) for step in tape.steps):
        return None
    tape = live(replace(_without_changes(tape), guards=[]))
    steps = [
        step._replace(operation=_closer(step.operation)) if isinstance(step.operation, Equation) else step
        for step in tape.steps
    ]
    finer = replace(tape, steps=steps)
    return lambda x: float(values_at(finer, x)[finer.output])


def _without_changes(tape: Tape) -> Tape:
    """Return the tape with zeros for x less x, which is there for its slope alone."""
    steps, values = list(tape.steps), dict(tape.values)
    for index, step in enumerate(steps):
        other = steps[step.inputs[1]] if step.operation is np.subtract else step
        if other.operation is held and other.inputs[0] == step.inputs[0] and other is not step:
            steps[index] = Step(None, (), None, step.shape, step.dtype, CONSTANT, None)
            values[index] = np.zeros(step.shape)
    return replace(tape, steps=steps, values=values)


def _closer(equation: Equation) -> Equation:
    options = dict(equation.options)
    for name, default in zip(("rtol", "atol"), _DEFAULTS[equation.solver], strict=True):
        found = np.maximum(CLOSER * np.asarray(options.get(name, default)), _LEAST)
        options[name] = found.tolist()
    return replace(equation, options=tuple(options.items()), bare=True)
