"""The derivative of a function at a point as a linear map, and its transpose, under JAX's names: `jvp`, `vjp`.

    value, tangent  = autoopt.jvp(f, primals, tangents)       tangent = J t
    value, pullback = autoopt.vjp(f, *primals)                pullback(w) = J' w, one part for each primal

All positional arguments are differentiated by, as the parts of one structure, the tuple of the primals.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.objectives.adapted import spread
from autoopt.objectives.objective import Objective
from autoopt.objectives.retained import objective_of, retain
from autoopt.tracing.arrays.array import TracedArray
from autoopt.tracing.standins.table import stands_in


def jvp(f: Callable, primals: tuple | list, tangents: tuple | list) -> tuple[Any, Any]:
    """Return `f(*primals)` and how it changes along `tangents`: the Jacobian-vector product, without the Jacobian.

    Parameters
    ----------
    f : callable, f(*primals) -> scalar or array
        Plain NumPy code.
    primals : tuple or list
        The point: all arguments of `f`, by position. Each is a scalar, an array, or a nest of dicts, lists and tuples.
    tangents : tuple or list
        The direction, of the same structure and shapes.

    Returns
    -------
    value, tangent
        Both of the shape of f's result.

    Examples
    --------
    >>> import numpy as np, autoopt
    >>> value, tangent = autoopt.jvp(lambda x, a: a * x**2, (np.array([1.0, 2.0]), 3.0), (np.array([1.0, 0.0]), 0.0))
    >>> value, tangent
    (array([ 3., 12.]), array([6., 0.]))
    """
    primals, tangents = _tuple("primals", primals), _tuple("tangents", tangents)
    if (traced := next(_traced((primals, tangents)), None)) is not None:  # in code that is not copied
        return _inner_jvp(traced.tracer, traced.tracer.substitute(f), primals, tangents)
    objective, x = _at(f, primals)
    direction = objective.structure.flatten(tangents, "tangents")
    value = objective.dispatch.original.result(x)
    tangent = objective.jvp(x, direction).reshape(value.shape)
    retain(objective)
    return value[()], tangent[()]


def vjp(f: Callable, *primals: Any) -> tuple[Any, Callable[[Any], tuple]]:
    """Return `f(*primals)` and the function that gives the vector-Jacobian products at this point.

    Parameters
    ----------
    f : callable, f(*primals) -> scalar or array
        Plain NumPy code.
    *primals : scalar, array, or nest of dicts, lists and tuples
        The point: all arguments of `f`, by position.

    Returns
    -------
    value : scalar or ndarray
        f's result.
    pullback : callable, pullback(w) -> tuple
        Takes weights of the shape of f's result; returns the gradient of `sum(w * f)`, one part for each primal, in
        its structure. What does not depend on the weights is computed at the first call.

    Examples
    --------
    >>> import numpy as np, autoopt
    >>> value, pullback = autoopt.vjp(lambda x, a: a * x**2, np.array([1.0, 2.0]), 3.0)
    >>> by_x, by_a = pullback(np.array([1.0, 1.0]))
    >>> by_x, float(by_a)
    (array([ 6., 12.]), 5.0)
    """
    if (traced := next(_traced(primals), None)) is not None:
        return _inner_vjp(traced.tracer, traced.tracer.substitute(f), *primals)
    objective, x = _at(f, primals)
    value = objective.dispatch.original.result(x)

    def pullback(w: Any) -> tuple:
        if np.shape(w) != value.shape:
            raise UsageError(
                f"The weights have shape {np.shape(w)}, but f's result has shape {value.shape}.",
                remedy="pass one weight for each entry of the result.",
            )
        return tuple(objective.structure.unflatten(objective.vjp(x, w)))

    weakref.finalize(pullback, retain, objective).atexit = False
    return value[()], pullback


class _Map(Objective):
    """An objective whose arrays may be written into between calls."""

    budget = float("inf")


def _at(f: Callable, primals: tuple) -> tuple[Any, np.ndarray]:
    """Return the objective of `f` over all its arguments, and their flat vector."""
    if not primals:
        raise UsageError("There is no argument to differentiate by.", remedy="pass the arguments of f.")
    objective = objective_of(spread(f), primals, scalar=False, kind=_Map)
    return objective, objective.structure.flatten(primals).copy()


def _tuple(name: str, values: Any) -> tuple:
    if not isinstance(values, tuple | list):
        raise UsageError(f"{name} is no tuple, but a {type(values).__name__}.", remedy=f"pass {name}=(x,) for one x.")
    return tuple(values)


def _traced(nest: Any) -> Iterator[TracedArray]:
    """Yield the traced arrays of a nest."""
    if type(nest) is TracedArray:
        yield nest
    elif isinstance(nest, dict):
        for part in nest.values():
            yield from _traced(part)
    elif isinstance(nest, tuple | list):
        for part in nest:
            yield from _traced(part)


# In an objective that is traced ---------------------------------------------------------------------------------------


@stands_in(jvp)
def _inner_jvp(tracer: Any, f: Callable, primals: Any, tangents: Any) -> tuple[Any, Any]:
    """Return value and tangent as steps of the objective."""
    primals, tangents = _tuple("primals", primals), _tuple("tangents", tangents)
    return _inner(tracer, f, primals).along(tangents)


@stands_in(vjp)
def _inner_vjp(tracer: Any, f: Callable, *primals: Any) -> tuple[Any, Callable[[Any], tuple]]:
    """Return value and pullback, which gives steps of the objective."""
    inner = _inner(tracer, f, primals)
    return inner.value, inner.pulled


def _inner(tracer: Any, f: Callable, primals: tuple) -> Any:
    from autoopt.objectives.nested import LinearMap  # few objectives take derivatives themselves

    return LinearMap(tracer, spread(f), primals)
