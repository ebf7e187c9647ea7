"""Many small constraints as one function, traced and derived once: what is compiled for each would take longer.

    constraints[0..499]: x[i] + 0.1 * i - x[i + 1]**2 >= 0       500 traces, 1000 compiled functions
    joined:              (500,) values, one array step for all     1 trace,      2 compiled functions

Joined are those that leave everything to be derived. One that cannot be followed, that branches, or that has no slope
at the start, is looked at by itself, and so are then all: its error or note is to name it alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.constraints import shapes
from autoopt.constraints.constraint import Constraint
from autoopt.constraints.function import ConstraintFunction, first_values
from autoopt.errors import AutooptError
from autoopt.objectives.adapted import joined
from autoopt.parameters import Structure

MANY = 5
"""From so many constraints on they are joined."""


@dataclass(frozen=True)
class Plain:
    """A constraint whose derivatives are all to be derived: its function, and what makes its limits of their number."""

    name: str
    fun: Any
    args: tuple
    limits: Any

    def original(self, x: np.ndarray, structure: Structure) -> Any:
        """Return what the user's function returns, as it is, after it has been looked at."""
        given = self.fun(structure.unflatten(np.array(x)), *self.args)
        values = shapes.vector(given, self.name, self.fun)
        shapes.require_finite(values, self.name, structure, self.fun)
        return values if np.ndim(given) else values[0]


def one_constraint(parts: list[Plain], x0: Any, engine: str) -> Constraint | None:
    """Return the constraints as one; None where each is to be looked at by itself.

    Raises
    ------
    ObjectiveError, UsageError
        What each by itself would raise at x0, with its name.
    """
    structure = Structure.of(x0)
    start = structure.flatten(x0).copy()
    values = [first_values(one.name, one.fun, lambda x, one=one: one.original(x, structure), start) for one in parts]
    limits = [one.limits(np.size(value)) for one, value in zip(parts, values, strict=True)]
    function = _function(parts, values, x0, engine)
    if function is None:
        return None
    counts = [np.size(value) for value in values]
    slopes = abs(function.jacobian(start)) @ np.ones(start.size)
    if not all(rows.any() for rows in np.split(slopes, np.cumsum(counts)[:-1])):
        return None
    lower, upper = (np.concatenate([side[k] for side in limits]) for k in (0, 1))
    named = tuple((one.name, count) for one, count in zip(parts, counts, strict=True))
    return Constraint(function, lower, upper, parts=named)


def _function(parts: list[Plain], values: list[Any], x0: Any, engine: str) -> ConstraintFunction | None:
    """Return the values of all as one function; None where that could not be followed, or has branches."""
    fun = joined(
        tuple(one.fun for one in parts),
        tuple(len(one.args) for one in parts),
        tuple(np.ndim(value) == 0 for value in values),
    )
    args = tuple(value for one in parts for value in one.args)
    name = f"{parts[0].name} to {parts[-1].name.removeprefix('constraints')}"
    try:
        function = ConstraintFunction(name, fun, x0, args, engine=engine)
    except AutooptError:
        return None
    branches = function.derived is None or function.derived.dispatch.paths[0].trace.tape.guards
    return None if branches else function
