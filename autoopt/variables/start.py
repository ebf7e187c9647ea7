"""What `minimize` is asked for, read: a start of plain values, its limits, and the variables that are left to move."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autoopt.parameters import Structure
from autoopt.variables.fixed import read_fixed
from autoopt.variables.variables import Variables


@dataclass(frozen=True)
class Start:
    """A start as the objective sees it, what is held at its value.

    Attributes
    ----------
    x0 : value of `structure`
    structure : Structure
    bounds : object
        In any of the forms that `minimize` takes.
    variables : Variables or None
        None where they are the parameters.
    """

    x0: Any
    structure: Structure
    bounds: Any = None
    variables: Variables | None = None

    @cached_property
    def flat(self) -> np.ndarray:
        """The start as a vector of its own, shape (n,)."""
        return self.structure.flatten(self.x0).copy()

    @property
    def size(self) -> int:
        """How many variables there are."""
        return self.structure.size if self.variables is None else self.variables.size

    @classmethod
    def of(cls, x0: Any, bounds: Any = None, fixed: Any = None) -> Start:
        """Return the start; UsageError for what does not fit x0."""
        structure = Structure.of(x0)
        if fixed is None:
            return cls(x0, structure, bounds)
        variables, flat = read_fixed(fixed, structure, structure.flatten(x0))
        return cls(structure.unflatten(flat), structure, bounds, None if variables.is_trivial else variables)
