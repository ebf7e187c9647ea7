"""An engine for tests that compiles nothing: NumPy runs the tape, whose guards are asked; derivatives go step by step.

A program costs a tenth of what compiling it would. What is tried so is all that comes before: how the objective is
followed, what guards its answers, the searches and texts on the tape, what is watched outside.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.execution.eager.sweeps import Sweeps
from autoopt.tape.kinks import counted
from autoopt.tape.tape import Guard, Tape


class Changed(Exception):
    """The objective takes another branch at this point."""


class Tied(Exception):
    """Operands of kinks are equal; the argument is how many."""


class Stepwise:
    """The interface of `autoopt.execution.interface.Compiled`; Jacobians of arrays and Hessians by columns included."""

    text = ""
    by_products = True  # a matrix is made a column at a time
    repeats = False
    stationary = kept = 0
    changed, tied = Changed, Tied

    def __init__(self, tape: Tape, kind: str, title: str, checked: bool = True, ties: bool = False) -> None:
        self.kind, self.checked, self.ties = kind, checked, ties
        self.bind(tape)

    def bind(self, tape: Tape) -> None:
        """Take the data of `tape`."""
        self.tape = counted(tape) if self.ties and self.kind != "value" else tape
        self.reads = frozenset(leaf.name for index, leaf in tape.leaves().items() if index)
        self.latest: tuple[Any, Any] = (None, None)
        self.sweeps = Sweeps(self.tape)

    def run(self, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Return what the derivative is at `x`."""
        return self._found(x, direction, self.stationary)

    def by_convention(self, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Return what the derivative is at `x`, kinks that are met having the slopes of their rules."""
        return self._found(x, direction, np.inf)

    def _found(self, x: np.ndarray, direction: tuple, most: float) -> Any:
        with np.errstate(all="ignore"):
            point, run = self.latest
            if point is None or not np.array_equal(point, x):
                run = self.sweeps.at(x.copy())
                self.latest = (x.copy(), run)
            for guard in self.tape.guards:
                self._ask(guard, run.values[guard.step], most)
            if self.kind == "value":
                return run.value
            if self.kind == "value_and_grad":
                return run.value, run.gradient()
            return {"hessp": run.product, "hess": run.hessian, "jacobian": run.jacobian}[self.kind](*direction)

    def _ask(self, guard: Guard, answer: Any, most: float) -> None:
        if guard.kind == "ties":
            if answer > most:
                raise Tied(int(answer))
        elif self.checked and not _holds(guard, answer):
            raise Changed


def _holds(guard: Guard, answer: Any) -> bool:
    if guard.kind in ("bool", "finite"):
        return bool(answer) == guard.answer
    if guard.kind in ("int", "float"):
        return {"int": int, "float": float}[guard.kind](answer) == guard.answer
    return np.array_equal(answer, guard.answer)
