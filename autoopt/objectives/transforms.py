"""Functions of functions, under JAX's names: `grad`, `value_and_grad`, `hessian`, `hvp`, `jacobian`.

Each call gives other data as it likes; what is compiled is kept for data of the same shapes.
"""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.errors import TracingError, UsageError
from autoopt.objectives.adapted import reordered
from autoopt.objectives.arguments import private, shape
from autoopt.objectives.bindings import Binding
from autoopt.objectives.blocks import blocks as nested_blocks
from autoopt.objectives.blocks import columns
from autoopt.objectives.chosen import Blocks
from autoopt.objectives.objective import Objective
from autoopt.objectives.retained import objective_of, retain
from autoopt.parameters import Structure
from autoopt.tracing.arrays.array import TracedArray
from autoopt.tracing.standins.followed import FOLLOWED
from autoopt.tracing.standins.table import STAND_INS


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
    return _followed(grad, f, argnums, lambda *args, **options: both(*args, **options)[1])


def value_and_grad(f: Callable, argnums: int = 0) -> Callable:
    """Return the function that gives `f`'s value and its gradient with respect to one argument, see `grad`."""
    compiled = _Compiled(f, argnums)

    def evaluate(*args: Any, **options: Any) -> tuple[float, Any]:
        with compiled.at(args, options) as (objective, x):
            value, gradient = objective.value_and_grad(x)
        return value, objective.structure.unflatten(gradient)

    return _followed(value_and_grad, f, argnums, evaluate)


def hvp(f: Callable, argnums: int = 0) -> Callable:
    """Return the function `(x, p, *rest) -> H(x) p`, where `p` and the result have the structure of x.

    `x` is the argument of `f` that `argnums` names; `p` comes right after it. For a vector x, shape (n,), it may be a
    matrix of k directions, shape (n, k); so is the result then.

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
        with compiled.at((*args[: argnums + 1], *args[argnums + 2 :]), options) as (objective, x):
            product = objective.hessp(x, direction)
            return product if product.ndim == 2 else objective.structure.unflatten(product)

    return _followed(hvp, f, argnums, evaluate)


def hessian(f: Callable, argnums: int = 0, *, sparse: bool | None = None, blocks: Any = None) -> Callable:
    """Return the function that gives the second derivatives of `f` with respect to one argument.

    For an array of shape s the result has shape s + s; for a nest of arrays it is a nest of nests, as in JAX.

    Parameters
    ----------
    f, argnums
        See `grad`.
    sparse : bool, optional
        True: return a `scipy.sparse.csr_array` of shape (n, n), n being the number of all entries, in their order:
        computed from as few products as the places allow that may differ from 0. By default that of a vector of more
        than 2000 entries is, if at most a quarter of it may differ from 0. False: return arrays.
    blocks : True, or list of pairs of names, optional
        Return the blocks that belong to pairs of parts of that argument, as a dict by the pairs: those that are named,
        which alone are computed, or all of them, each once. Parts have the names of `autoopt.objective(...).structure`:
        the keys of a dict, "a.b" for those of dicts in it, "x[0]" for the first entry of a list.

    Examples
    --------
    >>> import numpy as np, autoopt
    >>> def f(x): return x["scale"] * np.sum(x["beta"] ** 2)
    >>> autoopt.hessian(f, blocks=[("beta", "scale")])({"beta": np.array([1.0, 2.0]), "scale": 3.0})
    {('beta', 'scale'): array([2., 4.])}
    """
    compiled = _Compiled(f, argnums)
    if blocks is not None and blocks is not False:
        return Blocks(f, argnums, blocks, lambda g: _matrix(g, bool(sparse)))

    def evaluate(*args: Any, **options: Any) -> Any:
        with compiled.at(args, options) as (objective, x):
            matrix = objective.hess(x, sparse=_wanted(sparse, objective.structure))
            return matrix if hasattr(matrix, "indptr") else nested_blocks(objective.structure, matrix.copy())

    return _followed(hessian, f, argnums, evaluate, sparse)


def _matrix(f: Callable, sparse: bool) -> Callable:
    """Return the function that gives the Hessian by the flat vector of the first argument, shape (n, n)."""
    compiled = _Compiled(f, 0)

    def evaluate(*args: Any, **options: Any) -> Any:
        with compiled.at(args, options) as (objective, x):
            return objective.hess(x, sparse=sparse).copy()

    return evaluate


def jacobian(f: Callable, argnums: int = 0, *, sparse: bool | None = None) -> Callable:
    """Return the function that gives the first derivatives of an array-valued `f` with respect to one argument.

    For a result of shape r and an argument of shape s it has shape r + s; for a nest of arrays it is such a nest. With
    `sparse=True` it is a `scipy.sparse.csr_array` of shape (m, n), m and n being the numbers of all entries; by default
    that of a vector is, if it has more than 4 000 000 entries of which at most a quarter may differ from 0.
    """
    compiled = _Compiled(f, argnums, scalar=False)

    def evaluate(*args: Any, **options: Any) -> Any:
        with compiled.at(args, options) as (objective, x):
            matrix, shape = objective.jacobian(x, sparse=_wanted(sparse, objective.structure))
        return matrix if hasattr(matrix, "indptr") else columns(objective.structure, matrix.copy(), shape)

    return _followed(jacobian, f, argnums, evaluate, sparse)


def value(f: Callable, argnums: int = 0) -> Callable:
    """Return the function that gives `f`'s value by compiled code: a number, or an array."""
    compiled = _Compiled(f, argnums, scalar=False)

    def evaluate(*args: Any, **options: Any) -> Any:
        with compiled.at(args, options) as (objective, x):
            found = objective.value(x)
        return found if found.ndim else float(found)

    return evaluate


def _wanted(sparse: bool | None, structure: Structure) -> bool | None:
    """Return whether a matrix is to be sparse; by default it is not where it would be cut into blocks."""
    return False if sparse is None and structure.shape != (structure.size,) else sparse


def _followed(
    transform: Callable, f: Callable, argnums: int, evaluate: Callable, sparse: bool | None = None
) -> Callable:
    """Return `evaluate`, followed where an objective that is traced calls it, in copied code or in code as it is."""

    def stand_in(tracer: Any, substitute: Callable) -> Any:
        from autoopt.objectives.nested import Transformed, sparse_within  # few objectives take derivatives themselves

        if sparse:
            raise sparse_within(tracer)
        return Transformed(tracer, transform, substitute(f), argnums)

    def derivative(*args: Any, **options: Any) -> Any:
        for part in args:
            if type(part) is TracedArray:
                return stand_in(part.tracer, part.tracer.substitute)(*args, **options)
        return evaluate(*args, **options)

    setattr(derivative, FOLLOWED, stand_in)
    return derivative


def _inside(transform: Callable) -> Callable:
    """Return the stand-in for a function of this module in an objective that is traced."""

    def stand_in(tracer: Any, f: Callable, argnums: int = 0, sparse: bool | None = None, blocks: Any = None) -> Any:
        from autoopt.objectives.nested import Transformed, sparse_within

        if sparse:
            raise sparse_within(tracer)
        if blocks:
            raise TracingError(
                f"{transform.__name__} is called inside of an objective with blocks={blocks!r}.",
                tracer.location(),
                "leave blocks out: what is not needed of the result is not computed.",
            )
        _Compiled(f, argnums)  # complains of what is no position
        return Transformed(tracer, transform, f, argnums)

    return stand_in


STAND_INS.update({transform: _inside(transform) for transform in (grad, value_and_grad, hvp, hessian, jacobian)})


_KEPT = 16


class _Compiled:
    """The objectives of one function, for each structure of its arguments, and the data that are bound to them.

    A call takes one of them for itself until it has its result, so that other threads never see its data; while all
    of one structure are taken, another call gets a twin.
    """

    def __init__(self, f: Callable, argnums: int, scalar: bool = True) -> None:
        if not isinstance(argnums, int) or argnums < 0:
            raise UsageError(f"argnums={argnums!r} is not understood.", remedy="pass the position of one argument.")
        self.function, self.argnums, self.scalar = f, argnums, scalar
        self._free: list[Binding] = []  # those that no call has taken, the latest last
        self._models: dict[Any, Objective] = {}
        self._lock = threading.RLock()
        weakref.finalize(self, _retain, self._free).atexit = False

    def at(self, args: tuple, options: dict[str, Any]) -> _Taken:
        """Return a context that gives the objective for `args` and keywords, and the flat vector of the parameters."""
        if len(args) <= self.argnums:
            raise UsageError(f"The function was called without its argument {self.argnums}.", remedy="pass it.")
        x, data = args[self.argnums], (*args[: self.argnums], *args[self.argnums + 1 :], *options.values())
        names = tuple(options)
        try:
            binding = self._free.pop()
        except IndexError:
            binding = None
        if binding is not None:
            flat = binding.flat(x) if binding.names == names and binding.has(data) else None
            if flat is not None:
                return _Taken(self._free, binding, flat)
            self._free.append(binding)
        structure = Structure.of(x)
        return _Taken(self._free, self._bound(structure, x, data, names), structure.flatten(x))

    def _bound(self, structure: Structure, x: Any, data: tuple, names: tuple[str, ...]) -> Binding:
        """Return an objective to which `data` are bound: one that was, one that can be, or a new one."""
        key = structure, names, tuple(map(shape, data))
        with self._lock:
            alike = [binding for binding in list(self._free) if binding.key == key]
            alike.sort(key=lambda binding: not binding.has(data))
            for binding in alike:
                try:
                    self._free.remove(binding)
                except ValueError:  # another thread was quicker
                    continue
                if binding.has(data) or binding.bind(data):
                    return binding
            del self._free[: max(0, len(self._free) - _KEPT)]
            model = self._models.get(key)
            own = private(data)
            if model is not None and (twin := model.twin()).rebind(own):
                return Binding(key, names, twin)
            while len(self._models) >= _KEPT:
                self._models.pop(next(iter(self._models)))
            made = self._models[key] = objective_of(self._ordered(names), x, own, scalar=self.scalar, kind=_Functional)
            return Binding(key, names, made)

    def _ordered(self, names: tuple[str, ...]) -> Callable:
        """Return `f` with the argument to differentiate by first and the arguments of these names last."""
        if self.argnums == 0 and not names:
            return self.function
        return reordered(self.function, self.argnums, names)


def _retain(free: list[Binding]) -> None:
    """Keep what is known of a function whose derivatives nobody calls any more: they may be asked for anew."""
    for binding in free:
        retain(binding.objective)


class _Taken:
    """A binding for the time of one call."""

    __slots__ = ("_binding", "_flat", "_free")

    def __init__(self, free: list[Binding], binding: Binding, flat: np.ndarray) -> None:
        self._free, self._binding, self._flat = free, binding, flat

    def __enter__(self) -> tuple[Objective, np.ndarray]:
        return self._binding.objective, self._flat

    def __exit__(self, *problem: Any) -> None:
        if self._binding.objective.is_complete:
            self._free.append(self._binding)


class _Functional(Objective):
    """An objective whose arrays may be written into at any time, however large they are."""

    budget = math.inf
