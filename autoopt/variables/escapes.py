"""Parameters that go to a limit that their transform reaches at infinity only: no minimum is there to be found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autoopt.objectives.differentiable import Derivatives
from autoopt.variables.blocks import Block
from autoopt.variables.edges import LAST, edges
from autoopt.variables.transforms import Transform
from autoopt.variables.variables import Variables
from autoopt.wording import aside

_NEAR = 1e-3
"""A parameter is looked at where it is as near to a limit as this part of the distance between the two, or of 1."""


AT_INFINITY = ", which its transform reaches at infinity only."
LEAVE = "leave the transform out: limits alone may be reached."
KEEP = "leave out what the data do without, or hold the whole with fixed=."


def require_inside(result: Any, objective: Derivatives, variables: Variables, z: np.ndarray) -> None:
    """Make `result`, at `z` in the variables, no success if f falls on to a limit that a transform does not reach.

    It is on it by rounding, or near, and f still falls where it is a fourth, and a sixteenth, as far off. A minimum
    that is near a limit has f rise on this side.
    """
    sentences = [
        *(text for one in variables.transforms for text in _left(one, objective, variables, z)),
        *(text for one in variables.blocks for text in _left_block(one, objective, variables, z)),
    ]
    if sentences:
        result.update(success=False, message=f"Not converged: {' '.join(sentences)}{aside(result.message)}")


def _left(transform: Transform, objective: Derivatives, variables: Variables, z: np.ndarray) -> Iterator[str]:
    """Yield what is to be said of parameters that go to a limit of an elementwise transform."""
    where, (below, above) = transform.where, transform.kind.closed
    values = transform.value(variables.scale[where] * z[where])
    size = np.where(np.isfinite(transform.upper - transform.lower), transform.upper - transform.lower, 1.0)
    for is_there, sign, limits in ((below, -1.0, transform.lower), (above, 1.0, transform.upper)):
        for k in np.flatnonzero(np.abs(values - limits) <= _NEAR * size) if is_there else ():
            along = np.zeros(z.size)
            along[where[k]] = sign / variables.scale[where[k]]
            if values[k] == limits[k] or _falls_on(objective, z, along):
                name = variables.variable_names[where[k]]
                yield f"{name} goes to its limit {limits[k]:g} (it is {values[k]:.6g}){AT_INFINITY} {_capital(LEAVE)}"


def _left_block(block: Block, objective: Derivatives, variables: Variables, z: np.ndarray) -> Iterator[str]:
    """Yield what is to be said of parameters that go to a limit of the transform that they have together."""
    where = block.where
    for edge in edges(block, variables.scale[where] * z[where]):
        along = np.zeros(z.size)
        along[where] = edge.along / variables.scale[where]
        if edge.is_met or (edge.distance <= _NEAR and _falls_on(objective, z, along)):
            last = edge.entry == LAST
            name = _last_share(variables, where) if last else variables.variable_names[where[edge.entry]]
            yield f"{edge.words.format(name)} (it is {edge.distance:.3g} off){AT_INFINITY} {_capital(KEEP)}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _last_share(variables: Variables, where: np.ndarray) -> str:
    """Return the name of the share that is 1 less those of the variables at `where`."""
    assert variables.mix is not None
    row = int(np.flatnonzero((variables.mix[:, where] == -1).all(axis=1))[0])
    return variables.names[int(variables.mixed[row])]


def _falls_on(objective: Derivatives, z: np.ndarray, along: np.ndarray) -> bool:
    """Whether f falls on the way to a limit: at a fourth and a sixteenth of the distance to it."""
    for closer in (4.0, 16.0):
        try:
            slope = float(along @ objective.value_and_grad(z + np.log(closer) * along)[1])
        except Exception:  # f is not defined there, so it does not fall
            return False
        if not slope < 0:
            return False
    return True
