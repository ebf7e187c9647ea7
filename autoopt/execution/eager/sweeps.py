"""A tape's value and derivatives at a point, by sweeps along its steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from autoopt.execution.eager import moves  # noqa: F401  (it fills MOVES)
from autoopt.execution.eager.careful import Careful
from autoopt.execution.eager.program import Program, Values
from autoopt.graph.kinds import KINDS
from autoopt.tape.resting import collector_resting
from autoopt.tape.tape import CONSTANT, PARAMETER, Tape, call


class Sweeps:
    """The instructions of one tape, with data.

    Parameters
    ----------
    tape : Tape
    asked : dict of int to list of int
        The questions about the values of steps, by number.
    question : callable
        `question(number, value)`, called as soon as the value is known; what it raises ends the sweep.
    program : Program
        The instructions of the tape, if they have been made for other data.
    """

    def __init__(
        self,
        tape: Tape,
        asked: Mapping[int, Sequence[int]] | None = None,
        question: Callable | None = None,
        program: Program | None = None,
    ) -> None:
        self.tape, self.question = tape, question
        self.given = self._given(tape.values)
        if program is None:
            steps = [*tape.steps, None]
            known = [  # data are nothing that instructions are made of
                value if value is None or step is None or step.level == CONSTANT else True
                for step, value in zip(steps, self.given, strict=True)
            ]
            with collector_resting():
                program = Program(tape.steps, known, {0}, {tape.output, *(asked or {})}, asked or {})
        self.program = program

    def _given(self, leaves: Mapping[int, Any]) -> Values:
        """Return the values of the inputs, and of what depends on them alone."""
        given: Values = [None] * (len(self.tape.steps) + 1)
        with np.errstate(all="ignore"):
            for index, step in enumerate(self.tape.steps):
                if step.level == PARAMETER:
                    continue
                if step.operation is None:
                    given[index] = leaves[index]
                else:
                    given[index] = call(step, [given[source] for source in step.inputs])
        return given

    def at(self, x: np.ndarray) -> EagerRun:
        """Evaluate the tape at `x`."""
        return EagerRun(self, x)


class EagerRun:
    """One run of a tape at one point.

    Attributes
    ----------
    value : number or ndarray
        What the objective returns.
    """

    def __init__(self, sweeps: Sweeps, x: np.ndarray) -> None:
        self.tape, self.program, self.point = sweeps.tape, sweeps.program, x
        self.values: Values = sweeps.given.copy()
        self.values[0], self.values[-1] = x, sweeps.question
        with collector_resting():
            self.program.forward(self.values)
        self.value = self.values[self.tape.output]
        self._cotangents: Values | None = None  # of the value, kept for second derivatives

    def gradient(self) -> np.ndarray:
        """Return the gradient, shape (n,)."""
        return self.pullback(np.float64(1.0))

    def pullback(self, weights: Any) -> np.ndarray:
        """Return the gradient of the sum of the results times `weights`, shape (n,)."""
        found = self._flat(self._swept(weights, keep=False))
        if np.isfinite(found).all() or not np.isfinite(self.value).all():
            return found
        cotangents = self._seeded(weights)
        Careful(self.program, self.values).backward(cotangents)
        return self._flat(cotangents)

    def product(self, direction: np.ndarray) -> np.ndarray:
        """Return the Hessian times `direction`, shape (n,): the change of the gradient along it."""
        if self._cotangents is None:
            self._cotangents = self._swept(np.float64(1.0), keep=True)
        tangents, changes = self._tangents(direction), self._none()
        self.program.changes(self.values, self._cotangents, tangents, changes)
        found = self._flat(changes)
        if np.isfinite(found).all() or not np.isfinite(self.value).all():
            return found
        careful, cotangents, changes = Careful(self.program, self.values), self._seeded(np.float64(1.0)), self._none()
        careful.backward(cotangents)
        careful.changes(cotangents, tangents, changes)
        return self._flat(changes)

    def products(self, directions: np.ndarray) -> np.ndarray:
        """Return the Hessian times each column of a matrix, shape (n, k): the sweeps to and from the value are one."""
        found = [self.product(direction) for direction in directions.T]
        return np.array(found, dtype=float).reshape(directions.shape[::-1]).T

    def hessian(self) -> np.ndarray:
        """Return the Hessian, shape (n, n)."""
        return self.products(np.eye(self.point.size))

    def pushforward(self, direction: np.ndarray) -> np.ndarray:
        """Return how the results change along `direction`, flat."""
        tangent = self._tangents(direction)[self.tape.output]
        return np.zeros(prod(self._shape)) if tangent is None else np.array(tangent, dtype=float).reshape(-1)

    def pushforwards(self, directions: np.ndarray) -> np.ndarray:
        """Return the Jacobian times each column of a matrix, shape (m, k)."""
        found = [self.pushforward(direction) for direction in directions.T]
        return np.array(found, dtype=float).reshape(directions.shape[1], prod(self._shape)).T

    def pullbacks(self, weights: np.ndarray) -> np.ndarray:
        """Return the transposed Jacobian times each column of a matrix, shape (n, k)."""
        found = [self.pullback(column.reshape(self._shape)) for column in weights.T]
        return np.array(found, dtype=float).reshape(weights.shape[1], self.point.size).T

    def jacobian(self) -> np.ndarray:
        """Return the derivatives of an array-valued objective, shape (m, n)."""
        rows, columns = prod(self._shape), self.point.size
        if columns < rows:
            return np.array([self.pushforward(unit) for unit in np.eye(columns)]).reshape(columns, rows).T
        return np.array([self.pullback(unit.reshape(self._shape)) for unit in np.eye(rows)]).reshape(rows, columns)

    def derivative(self, kind: str, *direction: np.ndarray) -> Any:
        """Return the derivative of one of KINDS, without the value."""
        method = KINDS[kind].eager
        assert method is not None, kind
        return getattr(self, method)(*direction)

    @property
    def _shape(self) -> tuple[int, ...]:
        return self.tape.steps[self.tape.output].shape

    def _none(self) -> Values:
        return [None] * (len(self.tape.steps) + 1)

    def _seeded(self, weights: Any) -> Values:
        cotangents = self._none()
        if self.program.varies[self.tape.output]:
            self.program.receive(cotangents, self.tape.output, np.reshape(weights, self._shape)[()])
        return cotangents

    def _swept(self, weights: Any, keep: bool) -> Values:
        cotangents = self._seeded(weights)
        with collector_resting():
            self.program.backward(self.values, cotangents, keep)
        return cotangents

    def _tangents(self, direction: np.ndarray) -> Values:
        tangents = self._none()
        tangents[0] = np.asarray(direction, dtype=float)
        self.program.tangents(self.values, tangents)
        return tangents

    def _flat(self, cotangents: Values) -> np.ndarray:
        found = cotangents[0]
        return np.zeros(self.point.shape) if found is None else np.array(found, dtype=float)
