"""Whether an exported module gives what the objective's own code gives, before anybody sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autoopt.errors import AutooptError
from autoopt.exporting.signature import Signature
from autoopt.graph.kinds import Kind
from autoopt.objectives.objective import Objective

_METHODS = ("value", "value_and_grad", "hess", "hessp")
"""The kinds that have a method of `Objective` of their name."""

_BESIDE = 1e-2
"""How far the second point is from the first one."""


def function_name(kind: Kind) -> str:
    """Return what the exported function of a kind is called."""
    return kind.public if kind.directed and kind.public else kind.name


def require_same(module: Mapping[str, Any], objective: Objective, signature: Signature, kinds: Sequence[Kind]) -> None:
    """Raise if the functions of a module give another thing than the objective.

    They are compared where it was traced and beside that, as at zeros many a term is nothing; not where the objective
    raises itself: it is not defined everywhere.
    """
    x = objective.dispatch.original.start
    beside = x + _BESIDE * (1 + np.abs(x)) * np.cos(np.arange(x.size))
    for kind in kinds:
        for point in (x, beside) if kind.name in _METHODS else ():
            _require_same_at(point, module, objective, signature, kind)


def _require_same_at(
    x: np.ndarray, module: Mapping[str, Any], objective: Objective, signature: Signature, kind: Kind
) -> None:
    """Raise if the function of a kind gives another thing than the objective at `x`, or raises where that does not."""
    name, structure = function_name(kind), objective.structure
    direction = [np.linspace(1.0, 2.0, x.size)] if kind.directed else []
    data = [signature.values[name] for name in signature.names]
    with np.errstate(all="ignore"):
        try:
            expected = getattr(objective, kind.name)(x, *direction)
        except Exception:  # the user's objective raises what it likes
            return
        try:
            found = module[name](structure.unflatten(x), *map(structure.unflatten, direction), *data)
        except module.get("PathChanged", ()):
            return
        except Exception as error:
            raise _ours(name, repr(error)) from error
    pairs = zip(found, expected, strict=True) if isinstance(expected, tuple) else [(found, expected)]
    for one, other in pairs:
        flat = np.ravel(one) if isinstance(one, float | np.ndarray | np.generic) else structure.flatten(one)
        size = max(float(np.max(np.abs(other), initial=0.0)), 1e-300)
        if not np.allclose(flat, np.ravel(other), rtol=1e-8, atol=1e-10 * size, equal_nan=True):
            raise _ours(name, f"off by {np.max(np.abs(flat - np.ravel(other))):.1e}")


def has_structure(module: Mapping[str, Any], objective: Objective, signature: Signature) -> bool:
    """Whether the gradient that a module gives, where it gives one, has the structure of the parameters."""
    structure = objective.structure
    point = structure.unflatten(objective.dispatch.original.start)
    try:
        with np.errstate(all="ignore"):
            gradient = module["value_and_grad"](point, *(signature.values[name] for name in signature.names))[1]
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
