"""What the functions of a module of derivatives return, as flat vectors; where it is of another form, what and how."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.errors import UsageError


class Misshapen(Exception):
    """What a function returned is not of the form that its name promises; the message says both."""


def flattened(name: str, result: Any, structure: Any) -> np.ndarray:
    """Return what the function `name` of a module returned as a flat vector, the value before the gradient.

    Raises
    ------
    Misshapen
        If it is not what is expected: swapped, transposed, or of another shape.
    """
    try:
        if name == "hess":
            hessian = np.asarray(result, float)
            if hessian.shape != (structure.size, structure.size):
                raise ValueError
            return np.ravel(hessian)
        if name != "value_and_grad":
            return structure.vector(result)
        value, gradient = result
        return np.concatenate([np.reshape(np.asarray(value, float), 1), structure.vector(gradient)])
    except (TypeError, ValueError, UsageError):
        raise Misshapen(f"it returns {form(result)}, and not {_expected(name, structure)}") from None


def form(result: Any) -> str:
    """Return in words what something that was returned looks like.

    >>> form((np.ones(3), 2.0))
    '(an array of shape (3,), a number)'
    """
    if isinstance(result, tuple | list):
        left, right = "()" if isinstance(result, tuple) else "[]"
        return f"{left}{', '.join(map(form, result[:_SHOWN]))}{', ...' if len(result) > _SHOWN else ''}{right}"
    if isinstance(result, dict):
        return "{" + ", ".join(f"{key!r}: {form(value)}" for key, value in result.items()) + "}"
    if isinstance(result, str | bytes | None):
        return repr(result)
    if np.ndim(result) == 0:
        return "a number" if np.asarray(result).dtype.kind in "biufc" else f"a value of type {type(result).__name__}"
    return f"an array of shape {np.shape(result)}"


_SHOWN = 4
"""Parts of a tuple that are described."""


def _expected(name: str, structure: Any) -> str:
    vector = form(structure.unflatten(np.zeros(structure.size)))
    forms = {"value_and_grad": f"(a number, {vector})", "hess": f"an array of shape {(structure.size,) * 2}"}
    return forms.get(name, vector)
