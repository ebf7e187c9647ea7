"""How the printed functions of one kind of derivative divide by the rows of the data that are bound to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autoopt.execution.blocks.plan import RowPlan
from autoopt.execution.blocks.row_functions import RowFunction
from autoopt.execution.blocks.values import NotInBlocks
from autoopt.execution.engines import NumpyFunctions, with_prepared
from autoopt.execution.modules import arguments_of
from autoopt.graph.kinds import KINDS, LINEARIZE, PREPARE

UNTOLD = ("few rows", "it does nothing with rows")
"""Reasons that are no news: nothing would be gained."""


def row_plans(compiled: NumpyFunctions, x: np.ndarray) -> Iterator[tuple[str, RowPlan | NotInBlocks]]:
    """Yield the functions that are called at a point, by name, with their plans, or why there is none."""
    from autoopt.execution.blocks.running import planned

    bound = compiled._bound
    known = with_prepared(compiled.namespace, compiled.inputs.of(bound)) | {bound.steps[0].template.name: x}
    for name in KINDS[compiled.kind].functions:
        state = compiled.namespace.get(name)
        function = getattr(state, "function", state)
        if name == PREPARE or function is None:
            continue
        names = arguments_of(function)
        operands: list[Any] = [known.get(one, np.ones_like(x)) for one in names]
        try:
            yield name, planned(function, operands)
        except NotInBlocks as problem:
            yield name, problem
        if name == LINEARIZE:
            with np.errstate(all="ignore"):
                known = known | function(*operands)


def row_notes(compiled: NumpyFunctions, x: np.ndarray) -> list[str]:
    """Return what there is to say of how functions run by rows."""
    notes = []
    for name, plan in row_plans(compiled, x):
        if isinstance(plan, NotInBlocks):
            if plan.reason in UNTOLD:
                continue
            line = f", in `{plan.line}`" if plan.line else ""
            notes.append(f"{name} is not divided by rows: {plan.reason}{line}")
            continue
        passes = len(plan.passes)
        note = f"{name} is a sum over rows in {passes} {'pass' if passes == 1 else 'passes'}"
        notes.append(f"{note}{_running(compiled.namespace.get(name))}")
    return notes


def _running(state: Any) -> str:
    if not isinstance(state, RowFunction) or state.blocks is None:
        return ", run on whole arrays so far"
    return ", run over blocks as machine code" if state.blocks.fast else ", run over blocks"
