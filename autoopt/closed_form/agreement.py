"""The formulas that are set, evaluated beside the compiled value and gradient at points about x0."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from autoopt.closed_form.document import Formulas
from autoopt.closed_form.evaluation import Evaluation
from autoopt.closed_form.reading import NoForm
from autoopt.closed_form.tree import Array, Node
from autoopt.objectives.objective import Objective

TOLERANCE = 1e-8
"""How far formulas may be from the compiled value and gradient, relative to their size."""

TRIALS, WANTED = 12, 4
"""How many points are tried, and at how many formulas are compared."""


class Points:
    """Points about x0, with what the objective and its gradient are there.

    Parameters
    ----------
    objective : Objective
    parameters : sequence of Array
        The parts of the parameters.
    conditions : sequence of Node
        What holds where the formulas do.
    flat : ndarray
        x0.
    """

    def __init__(
        self, objective: Objective, parameters: Sequence[Array], conditions: Sequence[Node], flat: np.ndarray
    ) -> None:
        self.objective, self.parameters, self.conditions, self.flat = objective, parameters, conditions, flat
        self.known: list[tuple[Evaluation, float, np.ndarray]] = []
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            self._find()
        if len(self.known) < WANTED:
            raise NoForm("comparison: the value and gradient are finite at too few points about x0")

    def _find(self) -> None:
        random = np.random.default_rng(0)
        for trial in range(TRIALS):
            scale = 0.0 if not trial else 0.3 * 0.7**trial
            point = self.flat + scale * random.normal(size=self.flat.shape) * np.maximum(np.abs(self.flat), 1.0)
            evaluation = Evaluation(self._given(point))
            if not all(evaluation.holds(condition) for condition in self.conditions):
                continue
            value, gradient = self.objective.value_and_grad(self.objective.structure.unflatten(point))
            gradient = self.objective.structure.flatten(gradient) if np.shape(gradient) != point.shape else gradient
            if np.isfinite(value) and np.isfinite(gradient).all():
                self.known.append((evaluation, float(value), np.asarray(gradient)))
            if len(self.known) == WANTED:
                return

    def _given(self, point: np.ndarray) -> dict[Array, Any]:
        return {piece: point[slice(*piece.value)].reshape(piece.shape) for piece in self.parameters}

    def is_symmetric(self, array: Array) -> bool:
        """Whether a matrix that moves is symmetric at all points."""
        if not array.moves or len(array.shape) != 2 or array.shape[0] != array.shape[1]:
            return False
        with np.errstate(all="ignore"):
            values = [evaluation.array(array) for evaluation, _, _ in self.known]
        return all(np.allclose(value, value.T, rtol=1e-12, atol=0) for value in values)

    def agree(self, made: Formulas) -> bool:
        """Whether formulas give the compiled value and gradient at all points, as far as rounding lets them."""
        with np.errstate(all="ignore"):
            for evaluation, value, gradient in self.known:
                own = float(evaluation.value(made.value, ()))
                slopes = np.zeros(len(self.flat))  # where the parameters are not read
                for piece in self.parameters:
                    formula, indices = made.slopes.formulas[piece], made.slopes.indices[piece]
                    slopes[slice(*piece.value)] = np.ravel(evaluation.at_all(formula, indices))
                size = max(float(np.abs(gradient).max()), abs(value))
                if not abs(own - value) <= TOLERANCE * max(abs(value), 1e-3):
                    return False
                if not np.abs(slopes - gradient).max() <= TOLERANCE * size:
                    return False
        return True
