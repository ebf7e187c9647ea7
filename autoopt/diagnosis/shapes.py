"""What arrays are and should not be: columns against rows, whole numbers that overflow, columns that say the same."""

from __future__ import annotations

import numpy as np

from autoopt.diagnosis.evidence import Evidence
from autoopt.diagnosis.table import Diagnosis, cause
from autoopt.diagnosis.walk import depends, shown
from autoopt.objectives.arrays_met import is_square, overflowing
from autoopt.tape.tape import Leaf


@cause("a column against a row", 6, of_success=True)
def column_against_row(evidence: Evidence) -> Diagnosis | None:
    """An array (n, 1) and one (n,) make a matrix (n, n), of which all entries are added up."""
    walk = evidence.walk(evidence.x0)
    if walk is None:
        return None
    steps = walk.tape.steps
    for index, step in enumerate(steps):
        if not is_square(walk.tape, index):
            continue
        shapes = [steps[source].shape for source in step.inputs]
        count = step.shape[0]
        column = step.inputs[shapes.index((count, 1))]
        leaves = [steps[source].template for source in depends(walk.tape, column)]
        of = [leaf.name for leaf in leaves if isinstance(leaf, Leaf) and leaf.kind != "parameter"]
        named = [name for name, array in evidence.data if array.shape == (count, 1)] or of
        about = f" ({', '.join(dict.fromkeys(named))})" if named else ""
        happened = (
            f"An array of shape ({count}, 1){about} meets one of shape ({count},): the result has shape "
            f"({count}, {count}), each row against each, and all of its entries are added up"
        )
        flatten = f"{named[0]}.ravel()" if named else "its .ravel()"
        return Diagnosis(f"{happened}.", shown(step), f"pass {flatten}, so that both have shape ({count},).")
    return None


@cause("constant data", 96)
def constant_data(evidence: Evidence) -> Diagnosis | None:
    """An array of the data, as long as another one, has the same number everywhere."""
    rows = [array.shape[0] for _, array in evidence.data if array.ndim]
    for name, array in evidence.data:
        if array.ndim == 1 and array.size > 2 and rows.count(array.size) > 1 and (array == array[0]).all():
            if array[0] == 1:  # weights, or the column of an intercept
                continue
            happened = f"The data do not vary: all {array.size} values of {name} are the same, {array[0]:g}"
            return Diagnosis(f"{happened}.", (), f"see how {name} was read or selected; what it shall explain is lost.")
    return None


@cause("whole numbers that overflow", 7, of_start=True, of_success=True)
def whole_numbers_overflow(evidence: Evidence) -> Diagnosis | None:
    """Arithmetic on whole numbers of few bits wraps around."""
    walk = evidence.walk(evidence.x0)
    if walk is None:
        return None
    for index, step in enumerate(walk.tape.steps[: len(walk.values)]):
        if not overflowing(step):
            continue
        given = [np.asarray(value) for value in walk.arguments(step)]
        own = np.asarray(walk.values[index])
        exact = np.asarray(step.operation(*[value.astype(float) for value in given]))  # type: ignore[misc]
        wrong = np.abs(exact - own) > 0.5 + 1e-9 * np.abs(exact)
        if wrong.any():
            k = tuple(int(place) for place in np.argwhere(wrong)[0])
            place = f" at row {k[0]}" + (f", column {k[1]}" if len(k) == 2 else "") if k else ""
            happened = (
                f"Whole numbers overflow: in {own.dtype.name} the result{place} is {own[k]}, where it should be "
                f"{exact[k]:.0f}"
            )
            return Diagnosis(f"{happened}.", shown(step), "convert the data first, as by .astype(float).")
    return None
