"""The source of a derivative as a loop over blocks of the rows of its data."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.execution.blocks.loops import with_loop
from autoopt.execution.blocks.streams import plan_of_module
from autoopt.execution.blocks.values import NotInBlocks
from autoopt.graph.kinds import kind_of
from autoopt.origin import definition


def row_source(objective: Any, derivatives: str) -> str:
    """Return the source of one kind of derivative as a loop over blocks of rows, see `Objective.source`."""
    kind, path = kind_of(derivatives), objective.dispatch.paths[0]
    values = {name: one.value for name, one in objective.inputs(derivatives).items()}
    lengths = Counter(len(value) for value in values.values() if np.ndim(value))
    rows = max(lengths, default=0)
    data = {name: value for name, value in values.items() if np.ndim(value) and len(value) == rows}
    known = {path.tape.steps[0].template.name: path.point, "direction": np.ones_like(path.point)}
    known |= {name: value for name, value in values.items() if name not in data}
    try:
        if not data:
            raise NotInBlocks("it reads no data")
        return with_loop(plan_of_module(objective.statements(derivatives), kind.functions, known, data))
    except NotInBlocks as problem:
        line = f", in\n    {problem.line}" if problem.line else "."
        message = f"The {kind.returns[-1]} is no sum over the rows of the data: {problem.reason}{line}"
        raise UsageError(message, definition(objective.function), remedy="ask for the source as it is run.") from None
