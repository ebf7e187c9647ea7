"""The words of an exported module: what it is, what its functions take and return."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from autoopt.errors import display_path
from autoopt.exporting.functions import wrapped
from autoopt.exporting.vectors import is_vector
from autoopt.graph.kinds import Kind
from autoopt.layout import WIDTH
from autoopt.origin import definition
from autoopt.version import __version__

if TYPE_CHECKING:
    from autoopt.exporting.signature import Signature
    from autoopt.objectives.objective import Objective

MANY = 12
"""More parameters than this are not named one by one."""

_SAID = {
    "value": "Return the value",
    "gradient": "Return the value and the gradient",
    "hessian": "Return the Hessian, shape ({n}, {n}),",
    "hvp": "Return the product of the Hessian with `direction`",
    "hvp_columns": "Return the products of the Hessian with the columns of `direction`",
    "jacobian": "Return the Jacobian, a column for each parameter,",
    "jvp": "Return the product of the Jacobian with `direction`",
    "vjp": "Return the product of `weights` with the Jacobian",
}


def docstring(kind: Kind, objective: Objective, signature: Signature, linearized: bool) -> list[str]:
    """Return the docstring of one function, as lines."""
    point = f"at `{signature.parameters}`"
    if linearized:
        what = "Hessian" if not kind.of_array else "Jacobian"
        return [f'"""Return the function that multiplies the {what} {point} by a direction."""']
    sentence = _SAID[kind.public or kind.name].format(n=objective.size)
    return [f'"""{sentence} {point}."""']


def heading(objective: Objective, signature: Signature, prepared: str) -> str:
    """Return the docstring of the module, whose functions take what is `prepared` by this name, if they do."""
    from autoopt.codegen.code import in_docstring

    place = definition(objective.function)
    where = f" ({display_path(place.file)}:{place.line})" if place else ""
    lines = [f'"""Derivatives of {in_docstring(_name(objective.function))}{in_docstring(where)}.', ""]
    lines += [f"Written by autoopt {__version__} for:", *_arguments(objective, signature)]
    for note in signature.notes:
        lines += wrapped(note, WIDTH)
    if prepared:
        call = f"prepare({', '.join(signature.names)})"
        told = f"What the data alone decide is computed in each call; to have it computed once, pass {prepared}={call}."
        lines += ["", *wrapped(told, WIDTH)]
    lines += [
        "",
        *wrapped("Run as a program, it compares the derivatives with differences of the value.", WIDTH),
        '"""',
    ]
    return "\n".join(lines)


def _name(function: Callable) -> str:
    """Return what a person calls a function: methods with their class, objects that are called by theirs."""
    while isinstance(function, functools.partial):
        function = function.func
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", None)
    if name is None:
        return type(function).__name__
    is_method = owner is not None and not inspect.ismodule(owner)
    return f"{getattr(owner, '__name__', type(owner).__name__)}.{name}" if is_method else name


def _arguments(objective: Objective, signature: Signature) -> list[str]:
    """Return a line for the parameters, and one for each of the data."""
    names = objective.structure.names
    size = objective.size
    shape = f"shape ({size},)" if is_vector(objective.structure) else f"{size} numbers"
    told = f"{signature.parameters}: {shape}"
    if 1 < size <= MANY and not all(name.startswith("x[") for name in names):
        told += ", in flat vectors " + ", ".join(names)
    lines = wrapped(told, WIDTH, "    ")
    for name in signature.names:
        value = signature.values[name]
        kind = f"shape {np.shape(value)}" if isinstance(value, np.ndarray) else type(value).__name__
        lines += wrapped(f"{name}: {kind}", WIDTH, "    ")
    return lines
