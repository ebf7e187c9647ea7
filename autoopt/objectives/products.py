"""The Hessian times a matrix: all its columns at once where there is code for that, else one after another.

The code is made where it is cheap, is in the cache, or when as much time has been spent on columns one by one as it is
likely to take. It serves points at which all is well: where the path changes, kinks are met or something is not finite,
each column is a product by itself, with all that is looked at for one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from autoopt.errors import AutooptError
from autoopt.execution import engines, ladder
from autoopt.graph.kinds import KINDS
from autoopt.objectives.dispatch import Dispatch
from autoopt.objectives.paths import Path
from autoopt.tape.batching.batching import has_loops, vectorise
from autoopt.tape.tape import PARAMETER, Tape

WORKSPACE = 2**27
"""Bytes that the largest array of the objective may have for all directions that are taken at once."""

OF_LOOPS = 10
"""How many times as long it takes to derive what has loops for many directions: their bodies are stacked."""


class Products:
    """The Hessian of one objective, or its Jacobian, times matrices.

    Parameters
    ----------
    dispatch : Dispatch
    kind : str
        Of KINDS, one that takes a matrix of directions.
    """

    def __init__(self, dispatch: Dispatch, kind: str = "hessp_columns") -> None:
        self.dispatch = dispatch
        self.kind = KINDS[kind]
        assert self.kind.singly is not None, kind
        self.singly: str = self.kind.singly
        self._spent = 0.0
        self._cost: float | None = None  # of making code for several directions, in seconds; infinite if there is none
        self._width = 1  # how many directions are taken at once

    def at(self, x: np.ndarray, directions: np.ndarray, length: int | None = None) -> np.ndarray:
        """Return the products with the columns of `directions`, shape (n, k), as columns; their length, if not n."""
        found = np.empty((len(directions) if length is None else length, directions.shape[1]))
        if not found.size or not directions.size:
            return np.zeros(found.shape)
        done, count = 0, directions.shape[1]
        while done < count:
            is_looked_at = done > 0 or self.dispatch.paths[0].is_plain
            if count - done > 1 and is_looked_at and self._pays(count - done):
                return self._at_once(x, directions, found, done)
            begin = time.perf_counter()
            found[:, done] = self.dispatch.run(self.singly, x, directions[:, done])
            self._spent += time.perf_counter() - begin
            done += 1
        return found

    def _at_once(self, x: np.ndarray, directions: np.ndarray, found: np.ndarray, done: int) -> np.ndarray:
        """Fill in the columns of `found` from `done` on, several at a time."""
        count = directions.shape[1]
        while done < count:
            some = slice(done, min(count, done + self._width))
            try:
                block = self.dispatch.run_plain(
                    self.kind.name, x, np.ascontiguousarray(directions[:, some]), is_taken=done > 0
                )
            except (AutooptError, NotImplementedError):  # some operation has no form for several directions
                self._cost, block = np.inf, None
            if block is None:
                for k in range(done, count):
                    found[:, k] = self.dispatch.run(self.singly, x, directions[:, k])
                return found
            found[:, some] = block
            done = some.stop
        return found

    def _pays(self, more: int) -> bool:
        """Whether code for several directions is there, or worth its making for `more` of them."""
        path = self.dispatch.paths[0]
        if self._cost is None:
            self._cost = self._expected(path)
        return self.kind.name in path.compiled or self._spent * max(more, 1) >= self._cost

    def _expected(self, path: Path) -> float:
        """Return the seconds that making the code is likely to take; see how many directions there is room for."""
        tape = vectorise(path.tape)
        self._width = max(1, WORKSPACE // (8 * largest(tape)))
        cost = ladder.estimated(tape, self.kind) * (OF_LOOPS if has_loops(tape) else 1)
        return 0.0 if cost <= ladder.PATIENCE or engines.is_known(tape, self.kind.name) else cost


def largest(tape: Tape) -> int:
    """Return the number of entries of the largest array of a tape that depends on the parameters."""
    return max((prod(step.shape) for step in tape.steps if step.level == PARAMETER), default=1)


def columns(product: Callable[[np.ndarray], Any], directions: np.ndarray) -> np.ndarray:
    """Return the products with the columns of a matrix, one after another, as the columns of one."""
    parts = [product(direction) for direction in directions.T]
    return np.stack(parts, axis=1) if parts else np.empty(directions.shape)
