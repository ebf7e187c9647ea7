"""Functions of functions, under JAX's names: `grad`, `value_and_grad`, `hessian`, `hvp`, `jacobian`.

Each call gives other data as it likes; what is compiled is kept for data of the same shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.objective import Objective
from autoopt.parameters import Structure


def grad(f: Callable, argnums: int = 0) -> Callable:
    """Return the function that gives the gradient of `f` with respect to one argument.

    Parameters
    ----------
    f : callable, f(*args) -> scalar
        Plain NumPy code.
    argnums : int
        Which positional argument to differentiate by: a scalar, an array, or a nest of dicts, lists and tuples.

    Returns
    -------
    callable
        Takes what `f` takes, keywords too; returns the gradient in the structure of that argument.

    Examples
    --------
    >>> import numpy as np, autoopt
    >>> autoopt.grad(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """
    both = value_and_grad(f, argnums)
    return lambda *args, **options: both(*args, **options)[1]


def value_and_grad(f: Callable, argnums: int = 0) -> Callable:
    """Return the function that gives `f`'s value and its gradient with respect to one argument, see `grad`."""
    compiled = _Compiled(f, argnums)

    def evaluate(*args: Any, **options: Any) -> tuple[float, Any]:
        objective, x = compiled.at(args, options)
        value, gradient = objective.value_and_grad(x)
        return value, objective.structure.unflatten(gradient)

    return evaluate


def hvp(f: Callable, argnums: int = 0) -> Callable:
    """Return the function `(x, p, *rest) -> H(x) p`, where `p` and the result have the structure of x.

    `x` is the argument of `f` that `argnums` names; `p` comes right after it.

    Examples
    --------
    >>> import numpy as np, autoopt
    >>> autoopt.hvp(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    compiled = _Compiled(f, argnums)

    def evaluate(*args: Any, **options: Any) -> Any:
        if len(args) < argnums + 2:
            raise UsageError("hvp(f) takes the point and the direction.", remedy="call hvp(f)(x, p, *args).")
        direction = args[argnums + 1]
        objective, x = compiled.at((*args[: argnums + 1], *args[argnums + 2 :]), options)
        return objective.structure.unflatten(objective.hessp(x, direction))

    return evaluate


def hessian(f: Callable, argnums: int = 0) -> Callable:
    """Return the function that gives the second derivatives of `f` with respect to one argument.

    For an array of shape s the result has shape s + s; for a nest of arrays it is a nest of nests, as in JAX.
    """
    compiled = _Compiled(f, argnums)

    def evaluate(*args: Any, **options: Any) -> Any:
        objective, x = compiled.at(args, options)
        matrix, entries = objective.hess(x), _entries(objective.structure)
        return _each(entries, lambda rows: _each(entries, lambda columns: _block(matrix, rows, columns)))

    return evaluate


def jacobian(f: Callable, argnums: int = 0) -> Callable:
    """Return the function that gives the first derivatives of an array-valued `f` with respect to one argument.

    For a result of shape r and an argument of shape s it has shape r + s; for a nest of arrays it is such a nest.
    """
    compiled = _Compiled(f, argnums, scalar=False)

    def evaluate(*args: Any, **options: Any) -> Any:
        objective, x = compiled.at(args, options)
        matrix, shape = objective.jacobian(x)
        entries = _entries(objective.structure)
        return _each(entries, lambda columns: matrix[:, columns].reshape(shape + np.shape(columns)))

    return evaluate


def _block(matrix: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the second derivatives by the flat entries `rows` and `columns`, in their shapes."""
    block = matrix[np.ix_(np.ravel(rows), np.ravel(columns))]
    return block.reshape(np.shape(rows) + np.shape(columns))


def _entries(structure: Structure) -> Any:
    """Return a value of `structure` that holds the position of each entry in the flat vector."""
    return structure.unflatten(np.arange(structure.size))


def _each(tree: Any, function: Callable) -> Any:
    """Return `tree` with `function` applied to each of its arrays."""
    if isinstance(tree, dict):
        return type(tree)((key, _each(part, function)) for key, part in tree.items())
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(_each(part, function) for part in tree))
    if isinstance(tree, list | tuple):
        return type(tree)(_each(part, function) for part in tree)
    return function(tree)


_KEPT = 16
_SIMPLE = frozenset((int, float, bool, str, type(None)))


class _Compiled:
    """The objectives of one function, one for each structure of its arguments; the latest data are bound to it."""

    def __init__(self, f: Callable, argnums: int, scalar: bool = True) -> None:
        if not isinstance(argnums, int) or argnums < 0:
            raise UsageError(f"argnums={argnums!r} is not understood.", remedy="pass the position of one argument.")
        self.function, self.argnums, self.scalar = f, argnums, scalar
        self.objectives: dict[Any, Objective] = {}

    def at(self, args: tuple, options: dict[str, Any]) -> tuple[Objective, np.ndarray]:
        """Return the objective for `args` and keywords, and the flat vector of the argument to differentiate by."""
        if len(args) <= self.argnums:
            raise UsageError(f"The function was called without its argument {self.argnums}.", remedy="pass it.")
        x, data = args[self.argnums], (*args[: self.argnums], *args[self.argnums + 1 :], *options.values())
        structure = Structure.of(x)
        flat = structure.flatten(x)
        key = (structure, tuple(options), tuple(_shape(part) for part in data))
        known = self.objectives.get(key)
        if known is None or not known.rebind(data):
            while len(self.objectives) >= _KEPT:
                self.objectives.pop(next(iter(self.objectives)))
            known = self.objectives[key] = Objective(self._ordered(tuple(options)), x, data, scalar=self.scalar)
        return known, flat

    def _ordered(self, names: tuple[str, ...]) -> Callable:
        """Return `f` with the argument to differentiate by first and the arguments of these names last."""
        if self.argnums == 0 and not names:
            return self.function
        return _reordered(self.function, self.argnums, names)


def _reordered(function: Callable, position: int, names: tuple[str, ...]) -> Callable:
    def reordered(x, *data):
        count = len(data) - len(names)
        options = dict(zip(names, data[count:], strict=True))
        return function(*data[:position], x, *data[position:count], **options)

    return reordered


def _shape(value: Any) -> Any:
    """Return what must be equal for other data to be bound to the same code; never equal for what is not array data."""
    if type(value) is np.ndarray and value.dtype.kind in "fiub":
        return value.shape, value.dtype.str
    if type(value) is dict:
        return tuple((key, _shape(part)) for key, part in value.items())
    if type(value) is tuple:
        return tuple(_shape(part) for part in value)
    if isinstance(value, float):
        return float
    if type(value) is list and len(value) <= 1000 and all(type(part) in _SIMPLE for part in value):
        return list, tuple((type(part), part) for part in value)
    return (type(value), value) if value is None or isinstance(value, str | int) else object()
