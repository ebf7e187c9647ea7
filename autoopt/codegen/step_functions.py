"""The derivatives of one step as text: functions that read cotangents, results, operands and tangents by position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytensor.graph.basic import Variable

from autoopt.codegen.listing import list_function
from autoopt.codegen.module import joined
from autoopt.codegen.printers.writer import Listing
from autoopt.graph.steps import Operand, StepFunction, step_functions
from autoopt.tape.tape import Step


def write_step_functions(step: Step, operands: Sequence[Operand], order: int) -> str:
    """Return the text of a module with `pull` (order 1), or with `push` and `second` (order 2), of a step.

    It begins with ARRAYS if these have arrays within, such as the nodes of a quadrature.
    """
    functions = step_functions(step, operands, order)
    mark = ARRAYS if any(function.has_arrays for function in functions) else ""
    return mark + joined([_listing(function) for function in functions])


ARRAYS = "# with arrays\n"


def _listing(function: StepFunction) -> Listing:
    results: list[Variable] = [result for result in function.results if result is not None]
    listing = list_function(function.name, function.arguments, results)
    returned = iter(listing.returned)
    return replace(listing, returned=tuple("None" if r is None else next(returned) for r in function.results))
