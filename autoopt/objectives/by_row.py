"""An objective that is a sum over the rows of its data as one that returns its terms, by its tape (`tape/rows`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from autoopt.errors import TracingError
from autoopt.objectives.objective import Objective
from autoopt.objectives.original import Original
from autoopt.origin import definition
from autoopt.parameters import Structure
from autoopt.tape.rows import NotByRow, Terms, terms_of, weighted
from autoopt.tape.tape import values_at
from autoopt.tracing.trace import Trace


class RowTerms(Original):
    """The terms of a function that returns a number: its traces are those of the function, but for their value.

    Parameters
    ----------
    rows : int or None
        How many rows the data have; None to take it from them.
    weights : ndarray, shape (m,), optional
        How much each term counts.
    """

    is_summed = False
    """Whether the value is the sum of the terms."""

    def __init__(
        self,
        function: Callable,
        args: tuple,
        structure: Structure,
        start: np.ndarray,
        rows: int | None,
        weights: np.ndarray | None = None,
    ) -> None:
        super().__init__(function, args, structure, start, scalar=True)
        self.rows, self.weights = rows, weights

    def __reduce__(self) -> tuple:
        """Copies, and what is read from a pickle, are as this was before it was called."""
        return type(self), (self.function, self.args, self.structure, self.start, self.rows, self.weights)

    def trace(self, x: np.ndarray) -> Trace:
        """Return the trace at `x` with the terms as its value, or with their sum.

        Raises
        ------
        TracingError
            If the value is not recognised as a sum over rows.
        """
        recorded = super().trace(x)
        try:
            terms = terms_of(recorded.tape, self.rows)
        except NotByRow as error:
            recorded.side_effects.take_back()
            raise TracingError(
                f"The objective is not recognised as a sum over the rows of its data: {error.why}.",
                error.location or definition(self.function),
                "have it return its terms, an array with one entry for each row, in place of their sum.",
            ) from None
        tape = terms.tape
        if self.weights is not None:
            self.require_weighable(recorded, terms, x)
            tape = weighted(tape, self.weights, self.is_summed)
        return replace(recorded, tape=tape, value=np.asarray(values_at(tape, x)[tape.output], dtype=float))

    def require_weighable(self, recorded: Trace, terms: Terms, x: np.ndarray) -> None:
        """Raise where terms cannot be weighted; see `weighted_rows`."""

    def array(self, x: Any) -> np.ndarray:
        """Return the terms by the function's own steps at `x`, shape (m,)."""
        return np.asarray(self.trace(self.structure.vector(x)).value).reshape(-1)

    def result(self, x: Any) -> np.ndarray:
        """Return the same."""
        return self.array(x)


def terms_by_row(
    function: Callable,
    x0: Any,
    args: tuple,
    engine: str = "auto",
    rows: int | None = None,
    weights: np.ndarray | None = None,
) -> Objective:
    """Return the objective of the terms of `function`, shape (m,), which sum to it; their `jacobian` are its scores.

    Parameters
    ----------
    function : callable, function(params, *args) -> number
    x0, args, engine
        As for `Objective`.
    rows : int, optional
        m, if it is known.
    weights : ndarray, shape (m,), optional
        How much each counts.

    Raises
    ------
    TracingError
        If the function is not recognised as a sum over rows.
    """
    structure = Structure.of(x0)
    original = RowTerms(function, args, structure, structure.flatten(x0).copy(), rows, weights)
    objective = Objective.of(original, engine)
    objective.scalar = original.scalar = False
    return objective
