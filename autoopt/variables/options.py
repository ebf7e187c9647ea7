"""Options of methods that are in the parameters, as the method needs them: in its variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.variables.variables import Variables

# Each takes (variables, z at the start, the user's array) and returns that for the method.
_OPTIONS: dict[str, tuple[int, Callable]] = {
    "hess_inv0": (2, lambda own, z, given: given[np.ix_(own.home, own.home)] / np.outer(own.slopes(z), own.slopes(z))),
    "initial_simplex": (2, lambda own, z, given: np.array([own.variables(row) for row in given])),
    "direc": (2, lambda own, z, given: given[:, own.home] / own.slopes(z)),
    "scale": (1, lambda own, z, given: given[own.home] / own.slopes(z)),
    "offset": (1, lambda own, z, given: own.variables(given)),
}
"""Options whose last dimension is the parameters, by SciPy's names: of how many dimensions each is."""

_ROWS = {"initial_simplex": lambda m: m + 1, "direc": lambda m: m}


def changed_options(settings: Mapping[str, Any], variables: Variables | None, z: np.ndarray) -> dict[str, Any]:
    """Return the settings of a method with arrays in the parameters, shape (n,) and the like, in its variables.

    Raises
    ------
    UsageError
        For arrays that do not fit the parameters, or what is left of them.
    """
    changed = dict(settings)
    for name, (dimensions, change) in _OPTIONS.items():
        if variables is None or np.ndim(settings.get(name)) == 0:
            continue
        given, n = np.asarray(settings[name], dtype=np.float64), len(variables.names)
        if given.ndim != dimensions or given.shape[-1] != n or (name == "hess_inv0" and given.shape[0] != n):
            raise UsageError(
                f"The option {name} has shape {given.shape}, but there are {n} parameters.",
                remedy=f"give {name} as for all parameters, those that are held among them.",
            )
        if name in _ROWS and given.shape[0] != (wanted := _ROWS[name](variables.size)):
            raise UsageError(
                f"The option {name} has {given.shape[0]} rows, but {variables.size} parameters are moved.",
                remedy=f"give it {wanted} rows of {n} numbers, or leave it out.",
            )
        changed[name] = change(variables, z, given)
    return changed
