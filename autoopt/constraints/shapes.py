"""What the user's functions return for a constraint: vectors and matrices of the right shapes, or a clear refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.errors import ObjectiveError, UsageError
from autoopt.origin import definition
from autoopt.parameters import Structure

_RETURN = "return one number or a vector of numbers, each of which the limits hold for."


def vector(given: Any, name: str, fun: Callable) -> np.ndarray:
    """Return the values of constraint `name` as floats, shape (k,); ObjectiveError if they are no vector."""
    try:
        array = np.asarray(given)
        array = array.astype(np.float64) if array.dtype == object and given is not None else array
    except (TypeError, ValueError):
        several = isinstance(given, list | tuple)
        kind = "parts of different shapes" if several else f"a {type(given).__name__}, not numbers"
        raise ObjectiveError(f"{name} returned {kind}.", definition(fun), _RETURN) from None
    if given is None or array.dtype.kind not in "fiub":
        kind = "nothing (None)" if given is None else f"values of type {array.dtype.name}, not real numbers"
        raise ObjectiveError(f"{name} returned {kind}.", definition(fun), _RETURN)
    if array.ndim > 1:
        remedy = "return a vector, for example np.ravel(...) of it."
        raise ObjectiveError(f"{name} returned a matrix, of shape {array.shape}.", definition(fun), remedy)
    return np.array(array, dtype=np.float64).reshape(-1)


def jacobian(given: Any, name: str, count: int, structure: Structure, jac: Callable) -> Any:
    """Return what the user's jac gave as a matrix (k, n), sparse if it is; UsageError if its shape is another."""
    expected = (count, structure.size)
    shapes = [expected, *([expected[1:]] if count == 1 else [])]
    if (shape := structure.shape) is not None:
        shapes += [(count, *shape), *([shape] if count == 1 else [])]
    matrix = given if hasattr(given, "toarray") else _numbers(given, f"jac of {name}", jac)
    if np.shape(matrix) in shapes:
        return matrix if hasattr(matrix, "toarray") else matrix.reshape(expected)
    raise UsageError(
        f"jac of {name} returned shape {np.shape(matrix)}, but {count} values of {structure.size} parameters have a "
        f"Jacobian of shape {expected}.",
        definition(jac),
        "let it return one row for each value, or leave jac out for the exact Jacobian.",
    )


def hessian(given: Any, name: str, size: int, hess: Callable) -> Any:
    """Return what the user's hess gave: a matrix (n, n), sparse or not, or a linear operator."""
    is_matrix = hasattr(given, "matvec") or hasattr(given, "toarray")
    matrix = given if is_matrix else _numbers(given, f"hess of {name}", hess)
    if matrix.shape == (size, size):
        return matrix
    raise UsageError(
        f"hess of {name} returned shape {matrix.shape}, not {(size, size)}.",
        definition(hess),
        "let hess(x, v) return the sum of v[k] times the Hessian of value k, or leave hess out.",
    )


def require_finite(given: Any, what: str, structure: Structure, fun: Callable) -> None:
    """Raise ObjectiveError if values (k,), or a Jacobian (k, n), are not finite at x0, naming the first that is not."""
    if np.isfinite(given.data if hasattr(given, "toarray") else given).all():
        return
    dense = given.toarray() if hasattr(given, "toarray") else given
    place = tuple(int(i) for i in np.argwhere(~np.isfinite(dense))[0])
    along = f" along {structure.names[place[1]]}" if len(place) > 1 else ""
    entry = f", in value [{place[0]}]{along}" if dense.size > 1 else ""
    remedy = "start from a point where it is finite, or keep such points out by bounds."
    raise ObjectiveError(f"{what} is {dense[place]} at x0{entry}.", definition(fun), remedy)


def _numbers(given: Any, what: str, function: Callable) -> np.ndarray:
    try:
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise UsageError(
            f"{what} returned a {type(given).__name__} that is no array of numbers.",
            definition(function),
            "let it return an array, or leave it out for the exact one.",
        ) from None
