"""Objectives without a slope at the start are refused: any start would pass for a minimum.

Holds the messages; that there is no slope is seen on the tape, by `tape/slopes.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autoopt.errors import Location, ObjectiveError
from autoopt.objectives.differentiable import Differentiable
from autoopt.origin import definition
from autoopt.tape.names import qualified
from autoopt.tape.operations import astype
from autoopt.tape.slopes import Flat

_WHY = {
    "whole": (
        "The objective returns a number that has been made whole ({value:.6g} at x0), so that its slope is 0 wherever "
        "it has one.",
        "return the number itself, without int(...), round(...) or len(...).",
    ),
    "stepped": (
        "The objective's value depends on the parameters by steps alone, here by {names}: its slope is 0 wherever it "
        "has one.",
        "leave the rounding or counting out, or use a smooth function in its place, such as np.tanh or "
        "scipy.special.expit for a comparison.",
    ),
    "decided": (
        "At x0 the objective returns {value:.6g}, which depends on the parameters by decisions alone: its slope is 0.",
        "let this branch return a value that is computed from the parameters, or start where another is taken.",
    ),
    "constant": (
        "The objective returns {value:.6g} at x0, which does not depend on the parameters.",
        "return a value that is computed from them, with NumPy functions, or start where it is.",
    ),
}

_NAMES = {astype: "astype"}


def require_slope(objective: Differentiable, x: np.ndarray, fun: Callable, constrained: bool = False) -> None:
    """Raise ObjectiveError, with the user's lines, if the value at the start `x` cannot have a slope other than 0.

    A constant is none to refuse where it is `constrained`: any point that meets the constraints is asked for.
    """
    flat: Flat | None = objective.flatness(x)
    if flat is None or (constrained and flat.kind == "constant"):
        return
    value = objective.original(x)
    if not np.isfinite(value):  # which is the greater trouble
        return
    names = ", ".join(sorted({_NAMES.get(operation) or qualified(operation) for operation in flat.operations}))
    happened, remedy = _WHY[flat.kind if names or flat.kind != "stepped" else "constant"]  # sums of nothing are steps
    places = list(dict.fromkeys(Location.of_instruction(*site) for site in flat.sites))[:3]
    raise ObjectiveError(happened.format(value=value, names=names), places or definition(fun), remedy)
