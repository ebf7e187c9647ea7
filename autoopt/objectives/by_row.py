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
from autoopt.tape.rows import NotByRow, by_row
from autoopt.tape.tape import values_at
from autoopt.tracing.trace import Trace


class RowTerms(Original):
    """The terms of a function that returns a number: its traces are those of the function, but for their value.

    Parameters
    ----------
    rows : int or None
        How many rows the data have; None to take it from them.
    """

    def __init__(
        self, function: Callable, args: tuple, structure: Structure, start: np.ndarray, rows: int | None
    ) -> None:
        super().__init__(function, args, structure, start, scalar=True)
        self.rows = rows

    def trace(self, x: np.ndarray) -> Trace:
        """Return the trace at `x` with the terms as its value.

        Raises
        ------
        TracingError
            If the value is not recognised as a sum over rows.
        """
        recorded = super().trace(x)
        try:
            tape = by_row(recorded.tape, self.rows)
        except NotByRow as error:
            recorded.side_effects.take_back()
            raise TracingError(
                f"The objective is not recognised as a sum over the rows of its data: {error.why}.",
                error.location or definition(self.function),
                "have it return its terms, an array with one entry for each row, in place of their sum.",
            ) from None
        return replace(recorded, tape=tape, value=np.asarray(values_at(tape, x)[tape.output], dtype=float))

    def array(self, x: Any) -> np.ndarray:
        """Return the terms by the function's own steps at `x`, shape (m,)."""
        return np.asarray(self.trace(self.structure.vector(x)).value).reshape(-1)

    def result(self, x: Any) -> np.ndarray:
        """Return the same."""
        return self.array(x)


def terms_by_row(function: Callable, x0: Any, args: tuple, engine: str = "auto", rows: int | None = None) -> Objective:
    """Return the objective of the terms of `function`, shape (m,), which sum to it; their `jacobian` are its scores.

    Parameters
    ----------
    function : callable, function(params, *args) -> number
    x0, args, engine
        As for `Objective`.
    rows : int, optional
        m, if it is known.

    Raises
    ------
    TracingError
        If the function is not recognised as a sum over rows.
    """
    structure = Structure.of(x0)
    original = RowTerms(function, args, structure, structure.flatten(x0).copy(), rows)
    objective = Objective.of(original, engine)
    objective.scalar = original.scalar = False
    return objective
