"""Which data are bound to an objective, and whether those of the next call are the same.

What of data must be the same for one piece of code is told by `arguments.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autoopt.objectives.arguments import is_same, is_same_long, private
from autoopt.objectives.objective import Objective
from autoopt.parameters import Structure
from autoopt.tracing.outside.watching import is_unique


class Binding:
    """An objective, and the data that were bound to it last.

    Attributes
    ----------
    key : tuple
        Equal for data that can be bound in each other's place.
    names : tuple of str
        The keywords that they were passed by.
    """

    def __init__(self, key: Any, names: tuple[str, ...], objective: Objective) -> None:
        self.key, self.names, self.objective = key, names, objective
        self._take(objective.args)
        self._shape = objective.structure.shape

    def has(self, data: tuple) -> bool:
        """Whether these data are bound; arrays that are the same objects may have been written into since."""
        if len(data) != len(self._data):
            return False
        for value, own in zip(data, self._data, strict=True):
            if value is not own and not (is_same_long if id(own) in self._long else is_same)(value, own):
                return False
        return True

    def bind(self, data: tuple) -> bool:
        """Bind other data; False if the objective may run differently with them."""
        own = private(data)
        if not self.objective.rebind(own):
            return False
        self._take(own)
        return True

    def _take(self, own: tuple) -> None:
        self._data = own
        self._long = {id(part) for part in own if type(part) is list and len(part) > 8 and all(map(is_unique, part))}

    def flat(self, x: Any) -> np.ndarray | None:
        """Return the flat vector of a value of the objective's structure, None if it is none, or not finite."""
        if type(x) is np.ndarray and x.dtype == np.float64 and x.shape == self._shape:
            flat = x.reshape(-1)
        elif Structure.of(x) == self.objective.structure:
            return self.objective.structure.flatten(x)
        else:
            return None
        return flat if math.isfinite(flat.dot(flat)) else None
