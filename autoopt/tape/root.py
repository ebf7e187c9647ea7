"""A root that SciPy finds as one operation of the tape.

    root = scipy.optimize.brentq(lambda z: z**3 + np.exp(p[0]) * z - y, -10, 10)

     1  p[0]    2  exp(1)    3  Root by brentq from (-10, 10), with 3, 2 and y
                                 0  z    1  3    2  exp    3  y                          the equation, as a small tape
                                 4  0 ** 1    5  2 * 0    6  4 + 5    7  6 - 3           that shall be 0

The search is SciPy's own at every point, on the equation's steps in place of the user's function. How the root moves
with the operands is no matter of the search: it is what keeps the equation true (`graph/loops/roots.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np

from autoopt.tape.keyed import Keyed
from autoopt.tape.names import qualified
from autoopt.tape.recurrence import text_of
from autoopt.tape.tape import Step, call


@dataclass(frozen=True, eq=False)
class Root(Keyed):
    """From (where the search starts, what the equation reads) to the root.

    Attributes
    ----------
    search : str
        The function of scipy.optimize.
    options : tuple of (str, object)
        Its options, by name.
    starts : int
        How many of the operands are where it starts: two ends of a bracket, or one point.
    body : tuple of Step
        The equation: first a leaf for the unknown, then one for each of the other operands, then the steps.
    functions : tuple of (str, int)
        The steps that the search is given as functions of the unknown, by the names of its options; the first, without
        a name, is the one that counts.
    fixed : bool
        Whether that shall be the unknown itself, not 0.
    stacked : tuple of bool
        For each operand whether it has one entry along axis 0 for each of many roots; empty if there is one root.
    """

    search: str
    options: tuple[tuple[str, Any], ...]
    starts: int
    body: tuple[Step, ...]
    functions: tuple[tuple[str, int], ...]
    fixed: bool = False
    stacked: tuple[bool, ...] = ()

    def __call__(self, *operands: Any) -> Any:
        """Find the root, or one for each entry of the operands that are stacked."""
        if not self.stacked:
            return self._one(operands)
        count = next(len(x) for x, many in zip(operands, self.stacked, strict=True) if many)
        pairs = list(zip(operands, self.stacked, strict=True))
        return np.array([self._one([x[i] if many else x for x, many in pairs]) for i in range(count)])

    def _one(self, operands: Sequence[Any]) -> Any:
        starts, given = operands[: self.starts], operands[self.starts :]
        functions = {name: self._function(step, given) for name, step in self.functions}
        return search(self.search, functions.pop(""), starts, functions | dict(self.options))

    def _function(self, result: int, given: Sequence[Any]) -> Callable:
        def function(unknown: Any) -> Any:
            values: list[Any] = [unknown, *given]
            for step in self.body[len(values) :]:
                known = step.operation is None
                values.append(step.template.value if known else call(step, [values[k] for k in step.inputs]))
            return values[result]

        return function

    @property
    def is_rough(self) -> bool:
        """Whether the search may end further from the root than rounding, seen in derivatives, would take it."""
        tolerances = [value for name, value in self.options if name in ("xtol", "rtol", "tol")]
        return max(tolerances, default=0.0) > _TIGHT.get(self.search, 0.0) or self.search not in _TIGHT

    @cached_property
    def key(self) -> str:
        """A hash of everything but the names."""
        head = f"{self.search} {self.options} {self.starts} {self.functions} {self.fixed} {self.stacked}"
        parts = [head]
        for step in self.body:
            name = qualified(step.operation) if step.operation is not None else ""
            parts.append(f"{name}|{step.inputs}|{text_of(step.template)}|{step.shape}|{step.dtype}")
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()


_TIGHT = {**dict.fromkeys(("brentq", "brenth", "ridder", "bisect", "toms748"), 1e-11), "newton": 1.5e-8}
"""The largest tolerances at which searches end next to the root: Newton's last step is the square of the one before."""


def search(name: str, function: Callable, starts: Sequence[Any], options: dict[str, Any]) -> Any:
    """Return what a function of scipy.optimize finds.

    Raises
    ------
    RuntimeError
        If it does not find one.
    """
    find = getattr(import_module("scipy.optimize"), name)
    if name == "root":
        solution = find(function, *starts, **options)
        if not solution.success:
            raise RuntimeError(solution.message)
        return solution.x
    if name == "fsolve":
        found, _, success, message = find(function, *starts, full_output=True, **options)
        if success != 1:
            raise RuntimeError(message)
        return found
    return np.asarray(find(function, *starts, **options), dtype=float)[()]
