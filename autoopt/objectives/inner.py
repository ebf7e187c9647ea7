"""Derivatives that an objective takes itself, of functions of its own: `autoopt.grad(g)(x)` while it is traced.

    def f(x):                                  x' = +x, which stands for g's argument
        def g(y): return np.sum(y**3)          the steps of g, from x' on: a tape of its own, see `excerpts.py`
        return np.sum(grad(g)(x) ** 2)         3 * x**2, by the code printed of the gradient of that tape, run on x

The derivative of the excerpt is derived and printed as always, and the printed functions are run on the traced values:
what is on the objective's tape is NumPy's calls alone, which are made arrays, differentiated again and printed as any
others.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autoopt.errors import AutooptError, UnsupportedFunctionError
from autoopt.execution import engines, modules
from autoopt.graph.kinds import KINDS
from autoopt.objectives import one_sided
from autoopt.objectives.excerpts import Excerpt
from autoopt.parameters import Structure
from autoopt.tape.digest import LITERAL, digest
from autoopt.tape.tape import CONSTANT
from autoopt.tracing.recording.values import Values

_STABLE = (
    "write the function smoothly, as with np.logaddexp or scipy.special.expit, start beside this point, "
    "or pass jac='finite-difference'."
)


class _Kept:
    """What is kept in one run of an objective: values of earlier steps, and code."""

    def __init__(self, tracer: Any) -> None:
        self.values = Values(tracer)
        self.codes: dict[str, Any] = {}
        self.texts: dict[str, _Code] = {}


def _kept(tracer: Any) -> _Kept:
    if tracer.derivatives is None:
        tracer.derivatives = _Kept(tracer)
    return tracer.derivatives


class Inner:
    """The derivatives of a function that is traced within an objective, as steps of the objective.

    Parameters
    ----------
    tracer, function, run, structure, vector, scalar
        As in `Excerpt`.

    Attributes
    ----------
    value : TracedArray
    """

    def __init__(
        self, tracer: Any, function: Callable, run: Callable, structure: Structure, vector: Any, scalar: bool = True
    ) -> None:
        self.tracer, self.vector, self.kept = tracer, vector, _kept(tracer)
        self.excerpt = Excerpt(tracer, self.kept.values, function, run, structure, vector, scalar)
        self.value = self.excerpt.value
        self.tape, self.numbers = self.excerpt.tape, self.excerpt.numbers

    def gradient(self) -> Any:
        """Return the gradient, shape (n,)."""
        return self._run(self._compiled("value_and_grad"))[1]

    def product(self, *directions: Any) -> list[Any]:
        """Return the Hessian times each of `directions`, of shape (n,)."""
        return self._products(self._compiled("hessp"), directions)

    def pushed(self, direction: Any) -> Any:
        """Return the Jacobian times `direction`, of shape (n,): shape (m,), m being the number of results."""
        return self._products(self._compiled("pushforward"), [direction])[0]

    def pulled(self, weights: Any) -> Any:
        """Return the transposed Jacobian times `weights`, of shape (m,): shape (n,)."""
        return self._products(self._compiled("pullback"), [weights])[0]

    def hessian(self) -> Any:
        """Return the Hessian, shape (n, n)."""
        compiled = self._compiled("hess")
        if compiled.by_products:
            return self.tracer.nested(self.product(*np.eye(self.vector.shape[0])))
        return self._run(compiled)

    def jacobian(self) -> Any:
        """Return the derivatives of an array, shape (m, n), m being the number of its entries."""
        compiled = self._compiled("jacobian")
        if not compiled.by_products:
            return self._run(compiled)
        rows, columns = int(np.prod(self.value.shape)), self.vector.shape[0]
        if columns <= rows:
            return self.tracer.nested([self.pushed(unit) for unit in np.eye(columns)]).T
        return self.tracer.nested([self.pulled(unit) for unit in np.eye(rows)])

    def _products(self, compiled: Any, directions: Sequence[Any]) -> list[Any]:
        return self._run(compiled, directions)

    def _compiled(self, kind: str) -> Any:
        """Return the functions of one kind of derivative; some operation may want its numbers in the code."""
        try:
            return self._functions(kind)
        except UnsupportedFunctionError:
            if self.tape is self.excerpt.literal:
                raise
            self.tape, self.numbers = self.excerpt.literal, {}
            return self._functions(kind)

    def _functions(self, kind: str) -> Any:
        large = [value for k, value in self.tape.values.items() if np.size(value) > LITERAL and self._is_constant(k)]
        contents = [hashlib.blake2b(np.ascontiguousarray(value).tobytes()).hexdigest() for value in large]
        key = digest(self.tape, kind, *contents)
        if key not in self.kept.codes:
            title = "A derivative that an objective takes."
            with np.errstate(all="ignore"):
                self.kept.codes[key] = engines.compiled(engines.NumpyFunctions, self.tape, kind, title, ties=True)
        return self.kept.codes[key]

    def _is_constant(self, index: int) -> bool:
        return self.tape.steps[index].level == CONSTANT

    def _run(self, compiled: Any, directions: Sequence[Any] | None = None) -> Any:
        """Return what the printed functions make of the traced argument; one result for each direction."""
        place = f"{id(compiled)}|0"
        code = self.kept.texts.get(place) or self.kept.texts.setdefault(place, _Code(compiled, 0))
        try:
            found = self._follow(code, directions)
            if not _is_finite(self.tracer.concrete(found)):
                self._settle(compiled, 0, directions)
            return found
        except Exception as problem:
            met = code.tied
            if met is None or not isinstance(problem, met):
                raise
            count = int(problem.args[0].value)
        self._settle(compiled, count, directions)
        place = f"{id(compiled)}|{count}"
        code = self.kept.texts.get(place) or self.kept.texts.setdefault(place, _Code(compiled, count))
        return self._follow(code, directions)

    def _settle(self, compiled: Any, count: int, directions: Sequence[Any] | None) -> None:
        """Raise if the conventions of the kinks that are met here do not give the derivative."""
        x = np.array(self.vector.value)
        concrete = engines.rebound(compiled, self.tape)
        for direction in [()] if directions is None else [(self.tracer.concrete(one),) for one in directions]:
            with np.errstate(all="ignore"):
                own = concrete.by_convention(x, *direction)
                found = one_sided.settled(_Beside(concrete), concrete, compiled.kind, x, count, *direction)
            own, found = (KINDS[compiled.kind].derivative(result) for result in (own, found))
            room = 1e-9 * (1.0 + np.max(np.abs(found), initial=0.0))
            if not np.allclose(own, found, rtol=1e-9, atol=room, equal_nan=True):
                what = "where operands of abs, maximum or a condition are equal, as a limit only"
                raise self.excerpt.refusal(what, _STABLE)

    def _follow(self, code: _Code, directions: Sequence[Any] | None) -> Any:
        tracer = self.tracer
        known = {name: self._given(index) for name, index in self.excerpt.given.items()} | self.numbers | code.constants
        single = tracer.single  # printed code writes some constants in single precision
        try:
            with np.errstate(all="ignore"):
                if "prepare" in code.namespace:
                    known |= self._call(code, "prepare", (), known)
                if directions is None:
                    return self._call(code, code.kind, (self.vector,), known)
                known |= {"x": self.vector}
                known |= self._call(code, "linearize", (self.vector,), known)
                return [self._call(code, code.kind, (direction,), known) for direction in directions]
        finally:
            tracer.single = single

    def _given(self, index: int) -> Any:
        """Return a step from outside as what the printed functions read."""
        step, value = self.tracer.steps[index], self.kept.values.of([index])[index]
        if step.operation is None and step.dtype == object:  # a sparse matrix
            return self.tracer.substitute(value)
        return self.tracer.array(self.tracer, index, value, step.level)

    def _call(self, code: _Code, name: str, first: tuple, known: dict[str, Any]) -> Any:
        """Call a printed function with `first` and with what it takes besides."""
        function = code.namespace[name]
        names = list(inspect.signature(function).parameters)[len(first) :]
        try:
            return self.tracer.substitute(function)(*first, *(known[argument] for argument in names))
        except AutooptError as problem:
            raise self.excerpt.refusal(f"by operations that it cannot follow ({problem.happened})") from problem


class _Code:
    """The printed functions of a derivative, which may meet `count` kinks, no more and no fewer."""

    def __init__(self, compiled: Any, count: int) -> None:
        self.kind = compiled.kind
        text = engines.module_source(compiled.tape, compiled.kind, "")
        text = text.replace("> TIES:", "!= TIES:")
        text = re.sub(r"^TIES = 0", f"TIES = {count}", text, flags=re.MULTILINE)
        self.namespace = modules.executed(text, compiled.kind)
        self.tied = self.namespace.get("Tied")
        self.constants = compiled.inputs.constants


def _is_finite(results: Any) -> bool:
    """Whether all numbers of a derivative are finite."""
    return all(map(_is_finite, results)) if isinstance(results, tuple | list) else bool(np.isfinite(results).all())


class _Beside:
    """What `kinks` asks for values of a derivative beside a point."""

    def __init__(self, compiled: Any) -> None:
        self.compiled = compiled

    def by_convention(self, kind: str, x: np.ndarray, *direction: np.ndarray) -> Any:
        """Return the derivative, kinks that are met having the slopes of their rules."""
        return self.compiled.by_convention(x, *direction)
