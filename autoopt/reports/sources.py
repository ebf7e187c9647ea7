"""Texts of a report: the derivative that ran, as it ran, and the model as its user wrote it."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autoopt.errors import UsageError, display_path
from autoopt.reports.blocks import Block, Code, Text

LONGEST = 1500
"""Lines of a text that are shown."""

_ANEW = "derived anew at the best point, as a run that was interrupted leaves no code behind"


def derivatives(fitted: Any) -> list[Block]:
    """Return the text of the derivatives that were run, each kind that was; why there is none where there is none.

    A run that was ended from outside leaves no code behind: that of its best point is derived anew.
    """
    from autoopt.objectives.retained import objective_of, retain

    case = fitted.case
    if case is None:
        return [Text("The run was ended before there were derivatives.", True)]
    given = [name for name in ("jac", "hess", "hessp", "derivatives") if case.call.get(name) is not None]
    if given:
        return [Text(f"The model gives its own derivatives ({', '.join(given)}); none were derived in their place.")]
    is_of_residuals = case.minimised.residuals is not None
    function = case.minimised.residuals if is_of_residuals else case.objective
    kinds = ("jacobian",) if is_of_residuals else ("gradient", "hvp", "hessian")
    x0 = case.start.structure.unflatten(fitted.params) if fitted.interrupted else case.start.x0
    objective = objective_of(function, x0, case.call["args"], case.call["engine"], scalar=not is_of_residuals)
    texts = [(kind, objective.running(kind)) for kind in kinds]
    tiers = objective.plan().kinds
    blocks: list[Block] = [
        code(text, f"{kind}: {'; '.join([tiers[kind].tier, *tiers[kind].why])}") for kind, text in texts if text
    ]
    if fitted.interrupted and not blocks:
        with contextlib.suppress(UsageError):  # numba's code has no text
            blocks = [code(objective.source(kinds[0]), f"{kinds[0]}: {_ANEW}")]
    retain(objective)
    return blocks or [Text(f"No source was run: the {kinds[0]} was evaluated {tiers[kinds[0]].tier}.")]


def model(fitted: Any) -> list[Block]:
    """Return the text of the model's file, or of the function that was passed."""
    try:
        path = Path(fitted.source)
        if path.suffix == ".py" and path.is_file():
            return [code(path.read_text(encoding="utf-8", errors="replace"), display_path(str(path)))]
    except OSError:
        pass
    if fitted.case is None:
        return []
    function = users_function(fitted.case)
    try:
        lines, first = inspect.getsourcelines(function)
        file = inspect.getsourcefile(function) or ""
    except (OSError, TypeError):
        return [Text("Its text is not at hand: it was not read from a file.", True)]
    return [code("".join(lines), f"{display_path(file)}:{max(first, 1)}", max(first, 1))]


def users_function(case: Any) -> Callable:
    """Return the function as the user passed it, without what is done to its values."""
    function = inspect.unwrap(case.minimised.function)
    while isinstance(function, functools.partial):
        function = function.func
    return function


def code(text: str, caption: str, first: int = 1) -> Code:
    """Return lines of code, the first ones if there are very many."""
    lines = text.rstrip("\n").split("\n")
    if len(lines) > LONGEST:
        caption = f"{caption} (the first {LONGEST} of {len(lines)} lines)"
    return Code("\n".join(lines[:LONGEST]), caption, first)
