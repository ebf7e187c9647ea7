"""Whether an exported module gives what the objective's own code gives, before anybody sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autoopt.errors import AutooptError
from autoopt.exporting.signature import Signature
from autoopt.graph.kinds import Kind
from autoopt.objectives.objective import Objective

_METHODS = ("value", "value_and_grad", "hess", "hessp")
"""The kinds that have a method of `Objective` of their name."""


def function_name(kind: Kind) -> str:
    """Return what the exported function of a kind is called."""
    return kind.public if kind.directed and kind.public else kind.name


def require_same(text: str, objective: Objective, signature: Signature, kinds: Sequence[Kind]) -> dict[str, Any]:
    """Return the names of a module; raise if its functions give another thing than the objective, where it was traced.

    What either raises there is no difference: the objective is not defined at every start.
    """
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(text, "<autoopt exported>", "exec"), namespace)
    x, structure = objective.dispatch.original.start, objective.structure
    data = [signature.values[name] for name in signature.names]
    for kind in kinds:
        if kind.name not in _METHODS:
            continue
        direction = np.linspace(1.0, 2.0, x.size)
        point = structure.unflatten(x)
        along = [structure.unflatten(direction)] if kind.directed else []
        try:
            with np.errstate(all="ignore"):
                expected = getattr(objective, kind.name)(x, *([direction] if kind.directed else []))
                found = namespace[function_name(kind)](point, *along, *data)
        except Exception as error:
            if isinstance(error, NameError | TypeError | SyntaxError | KeyError):  # the text is to blame
                raise _ours(function_name(kind), repr(error)) from error
            continue
        pairs = zip(found, expected, strict=True) if isinstance(expected, tuple) else [(found, expected)]
        for one, other in pairs:
            flat = np.ravel(one) if isinstance(one, float | np.ndarray | np.generic) else structure.flatten(one)
            size = max(float(np.max(np.abs(other), initial=0.0)), 1e-300)
            if not np.allclose(flat, np.ravel(other), rtol=1e-8, atol=1e-10 * size, equal_nan=True):
                raise _ours(function_name(kind), f"off by {np.max(np.abs(flat - np.ravel(other))):.1e}")
    return namespace


def has_structure(text: str, objective: Objective, signature: Signature) -> bool:
    """Whether the gradient that a module gives, where it gives one, has the structure of the parameters."""
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(text, "<autoopt exported>", "exec"), namespace)
    structure = objective.structure
    point = structure.unflatten(objective.dispatch.original.start)
    try:
        with np.errstate(all="ignore"):
            gradient = namespace["value_and_grad"](point, *(signature.values[name] for name in signature.names))[1]
    except Exception:  # there is none, or it is not defined here: another check says so
        return True
    try:
        structure.flatten(gradient)
    except AutooptError:
        return False
    return True


def _ours(name: str, what: str) -> AutooptError:
    return AutooptError(
        f"The function {name} of the exported module does not give what autoopt itself computes: {what}.",
        remedy="report this with the objective as a bug of autoopt.",
    )
