"""What a global search leaves in checkpoints for the call that goes on with it, as far as SciPy takes it back.

    {"name": "differential_evolution", "done": 40, "random": state of the generator, "population": [[...], ...]}

`done` are the iterations of all parts, which `maxiter` counts together; random numbers go on where they were. What is
not here begins anew: temperatures, step sizes that are adapted, counts of iterations without success.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.runs import storing
from autoopt.solvers import Problem
from autoopt.solvers.translation import parameters, variables_of


class Left:
    """What the search `name` has left in the checkpoint that a run goes on from, and what it leaves now.

    Parameters
    ----------
    problem : Problem
    name : str
    rng : numpy.random.Generator
        Of the search; put where an earlier part of the run has left it.

    Attributes
    ----------
    before : dict
        What an earlier part has left; empty if there was none.
    done : int
        The iterations of all parts.
    """

    def __init__(self, problem: Problem, name: str, rng: np.random.Generator) -> None:
        self._problem, self._rng = problem, rng
        record = problem.record
        self.before: dict[str, Any] = (record and record.left(name)) or {}
        self.done = self.before.get("done", 0)
        if self.before:
            rng.bit_generator.state = storing.restored(self.before["random"])
        self._random, self._more = rng.bit_generator.state, dict[str, Any]()
        if (rows := self.population()) is not None:
            self._more["population"] = rows
        if record is not None:
            record.searching(name, self._state)

    def remaining(self, iterations: int) -> int:
        """Return how many of so many iterations are left to be done."""
        return max(iterations - self.done, 0)

    def noted(self, iterations: int = 1, **more: Any) -> None:
        """Note so many iterations that are done, and what else the search goes on with after them."""
        self.done += iterations
        self._random, self._more = self._rng.bit_generator.state, more

    def population(self) -> np.ndarray | None:
        """Return the population that an earlier part has left, shape (k, m), in the variables of the problem."""
        if "population" not in self.before:
            return None
        return np.array([variables_of(self._problem, row) for row in storing.restored(self.before["population"])])

    def _state(self) -> dict[str, Any]:
        state = {"done": self.done, "random": storing.stored(self._random), **self._more}
        if (rows := state.pop("population", None)) is not None:
            with contextlib.suppress(storing.NotStorable):  # of a population of that size the best member is kept
                state["population"] = storing.stored(np.array([parameters(self._problem, row) for row in rows]))
        return state

    def counting(self, function: Callable, every: int = 1, **more: Any) -> Callable:
        """Return a function that notes an iteration at every so many of its calls, and what else goes with it."""
        calls = itertools.count(1)

        def counted(*args: Any, **options: Any) -> Any:
            if next(calls) % every == 0:
                self.noted(**more)
            return function(*args, **options)

        return counted
