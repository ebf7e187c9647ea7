"""What stands in for `grad`, `hessian`, `Objective` and the like while an objective that uses them is traced.

Each call traces the user's function within the objective, and gives its derivatives as steps of it: see `inner.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autoopt.errors import TracingError, UsageError
from autoopt.objectives.blocks import blocks, columns, each
from autoopt.objectives.excerpts import WRITTEN_OUT
from autoopt.objectives.inner import Inner
from autoopt.parameters import Structure
from autoopt.tracing.arrays.functions import call_function

_FLOAT = np.dtype(float)


class Transformed:
    """Stands in for what `grad`, `hessian` and the like return."""

    def __init__(self, tracer: Any, transform: Callable, function: Callable, argnums: int) -> None:
        self.tracer, self.transform, self.function, self.argnums = tracer, transform, function, argnums
        self.kind = transform.__name__

    def __outside__(self, settled: Callable) -> Callable:
        """Return what this is outside of the objective."""
        return self.transform(settled(self.function), self.argnums)

    def __call__(self, *args: Any, **options: Any) -> Any:
        with _placed(self.tracer):
            return self._evaluate(args, options)

    def _evaluate(self, args: tuple, options: dict[str, Any]) -> Any:
        place, direction = self.argnums, None
        if len(args) <= place + (self.kind == "hvp"):
            raise UsageError(
                f"{self.kind}(f) was called without the argument to differentiate by, or a direction.",
                remedy="pass it by position.",
            )
        x = args[place]
        if self.kind == "hvp":
            direction, args = args[place + 1], (*args[: place + 1], *args[place + 2 :])
        structure = Structure.of(concrete(self.tracer, x))
        inner = Inner(
            self.tracer,
            self.function,
            lambda given: self.function(*args[:place], given, *args[place + 1 :], **options),
            structure,
            flat(self.tracer, structure, x),
            self.kind != "jacobian",
        )
        if self.kind == "hvp" and structure.is_matrix(direction):
            return _along_columns(inner, direction)
        if self.kind == "hvp":
            along = flat(self.tracer, structure, direction, "direction")
            return structure.unflatten(inner.product(along)[0])
        if self.kind == "hessian":
            return blocks(structure, inner.hessian())
        if self.kind == "jacobian":
            return columns(structure, inner.jacobian(), inner.value.shape)
        gradient = structure.unflatten(inner.gradient())
        return (inner.value, gradient) if self.kind == "value_and_grad" else gradient


class LinearMap:
    """The derivative of a function of several arguments at a point, for `jvp` and `vjp`.

    Attributes
    ----------
    value : TracedArray
    """

    def __init__(self, tracer: Any, function: Callable, primals: tuple) -> None:
        self.tracer = tracer
        with _placed(tracer):
            self.structure = Structure.of(concrete(tracer, primals))
            vector = flat(tracer, self.structure, primals)
        self.inner = Inner(tracer, function, function, self.structure, vector, False)
        self.value = self.inner.value

    def along(self, tangents: tuple) -> tuple[Any, Any]:
        """Return the value, and how it changes along `tangents`."""
        with _placed(self.tracer):
            direction = flat(self.tracer, self.structure, tangents, "tangents")
        return self.value, self.inner.pushed(direction).reshape(self.value.shape)

    def pulled(self, w: Any) -> tuple:
        """Return the derivatives of the results' sum with weights `w`, a part for each argument."""
        shape = np.shape(concrete(self.tracer, w))
        if shape != self.value.shape:
            raise UsageError(
                f"The weights have shape {shape}, but f's result has shape {self.value.shape}.",
                self.tracer.location(),
                "pass one weight for each entry of the result.",
            )
        return tuple(self.structure.unflatten(self.inner.pulled(_vector(self.tracer, w))))


class NestedObjective:
    """Stands in for an `Objective`: the methods that give numbers. `anew` makes one outside of the objective."""

    def __init__(
        self, tracer: Any, function: Callable, x0: Any, args: tuple, anew: Callable, scalar: bool = True
    ) -> None:
        self.tracer, self.function, self.args, self.anew, self.scalar = tracer, function, args, anew, scalar
        with _placed(tracer):
            self.structure = x0 if isinstance(x0, Structure) else Structure.of(concrete(tracer, x0))
        self.size = self.structure.size

    def __outside__(self, settled: Callable) -> Any:
        """Return what this is outside of the objective: as it is made inside, it is anew with each call."""
        if self.tracer.holds_traced(self.args):
            raise TracingError(
                "The objective keeps an objective that it makes of values that depend on the parameters.",
                self.tracer.location(),
                "make it outside, or anew in each call.",
            )
        x0 = self.structure.unflatten(np.ones(self.size))
        return self.anew(settled(self.function), x0, self.args, scalar=self.scalar)

    def value(self, x: Any) -> Any:
        """Return f(x)."""
        return self._run(self.structure.unflatten(self._flat(x)))

    def grad(self, x: Any) -> Any:
        """Return the gradient, shape (n,)."""
        return self._inner(x).gradient()

    def value_and_grad(self, x: Any) -> tuple[Any, Any]:
        """Return f(x) and its gradient."""
        inner = self._inner(x)
        return inner.value, inner.gradient()

    def hess(self, x: Any, sparse: bool | None = None) -> Any:
        """Return the Hessian, shape (n, n)."""
        self._refuse(sparse)
        return self._inner(x).hessian()

    def hessp(self, x: Any, p: Any) -> Any:
        """Return the Hessian times `p`, shape (n,), or times each column of a matrix (n, k)."""
        if self.structure.is_matrix(p):
            return _along_columns(self._inner(x), p)
        return self._inner(x).product(self._flat(p, "direction"))[0]

    def jacobian(self, x: Any, sparse: bool | None = None) -> tuple[Any, tuple[int, ...]]:
        """Return the derivatives of an array-valued f, shape (m, n), and the shape of f's result."""
        self._refuse(sparse)
        inner = self._inner(x)
        return inner.jacobian(), inner.value.shape

    def jvp(self, x: Any, p: Any) -> Any:
        """Return the Jacobian times `p`, shape (m,)."""
        return self._inner(x).pushed(self._flat(p, "direction"))

    def vjp(self, x: Any, w: Any) -> Any:
        """Return the transposed Jacobian times `w`, shape (n,)."""
        return self._inner(x).pulled(_vector(self.tracer, w))

    def __getattr__(self, name: str) -> Any:
        raise TracingError(
            f"The objective uses .{name} of an objective within it: only its value and derivatives are followed.",
            self.tracer.location(),
            "use it outside of the objective.",
        )

    def _refuse(self, sparse: bool | None) -> None:
        """Refuse what no traced array can hold."""
        if sparse:
            raise sparse_within(self.tracer)

    def _run(self, x: Any) -> Any:
        return self.function(x, *self.args)

    def _inner(self, x: Any) -> Inner:
        return Inner(self.tracer, self.function, self._run, self.structure, self._flat(x), self.scalar)

    def _flat(self, x: Any, name: str = "x") -> Any:
        shape = np.shape(concrete(self.tracer, x)) if not isinstance(x, dict | list | tuple) else None
        if shape == (self.size,):
            return _vector(self.tracer, x)
        with _placed(self.tracer):
            return flat(self.tracer, self.structure, x, name)


def _along_columns(inner: Inner, directions: Any) -> Any:
    """Return the Hessian times each column of a matrix, shape (n, k)."""
    parts = inner.product(*(_vector(inner.tracer, directions[:, k]) for k in range(directions.shape[1])))
    return inner.tracer.nested(parts).T if parts else np.empty(directions.shape)


def sparse_within(tracer: Any) -> TracingError:
    """Return the complaint about a sparse matrix that is asked for where everything is traced."""
    return TracingError(
        "The objective asks for a sparse matrix of derivatives within it: only arrays of them are followed.",
        tracer.location(),
        "leave out sparse=True.",
    )


@contextmanager
def _placed(tracer: Any) -> Iterator[None]:
    """Name the user's line in a complaint about how a derivative is used."""
    try:
        yield
    except UsageError as problem:
        place = tracer.location()
        if problem.where or place is None:
            raise
        raise UsageError(problem.happened.replace("x0", "x"), place, problem.remedy) from None


def concrete(tracer: Any, x: Any) -> Any:
    """Return a nest of arrays with the numbers of those that are traced."""
    return each(x, lambda part: tracer.concrete(part))


def flat(tracer: Any, structure: Structure, x: Any, name: str = "x") -> Any:
    """Return the entries of `x` as one traced vector of floats."""
    numbers = structure.flatten(concrete(tracer, x), name)
    places = structure.unflatten(np.arange(structure.size))
    pieces = [_vector(tracer, part) for part in _parts(tracer, places, x)]
    if not pieces or sum(piece.shape[0] for piece in pieces) != numbers.size:
        raise TracingError("The argument of a derivative is no nest of arrays.", tracer.location(), WRITTEN_OUT)
    return pieces[0] if len(pieces) == 1 else call_function(tracer, np.concatenate, (pieces,), {})


def _parts(tracer: Any, places: Any, x: Any) -> Iterator[Any]:
    """Yield the arrays of `x` in the order in which they are in the flat vector."""
    if isinstance(places, dict):
        for key, part in places.items():
            yield from _parts(tracer, part, x[key])
    elif isinstance(places, tuple | list):
        for part, own in zip(places, x, strict=True):
            yield from _parts(tracer, part, own)
    else:
        yield x


def _vector(tracer: Any, part: Any) -> Any:
    """Return a number, array, or list of numbers as a traced vector of floats."""
    if isinstance(part, list | tuple):
        part = tracer.nested(part) if tracer.holds_traced(part) else np.array(part, dtype=float)
    part = tracer.lift(part)
    part = part if part.dtype == _FLOAT else part.cast(float)
    if part.ndim == 0:
        return tracer.nested([part])
    return part if part.ndim == 1 else part.reshape(-1)
