"""Derivatives that an objective takes itself, of functions of its own: `autoopt.grad(g)(x)` while it is traced.

    def f(x):                                  x' = +x, which stands for g's argument
        def g(y): return np.sum(y**3)          the steps of g, from x' on: a tape of its own
        return np.sum(grad(g)(x) ** 2)         3 * x**2, by the code printed of the gradient of that tape, run on x

g runs as the rest of the objective does, so that its branches are guards like any other and what it reads is followed.
The steps that lead from x' to its value are cut out; what they read of the steps before is data to them. Their
derivative is derived and printed as always, and the printed functions are run on the traced values: what is on the
objective's tape is NumPy's calls alone, which are made arrays, differentiated again and printed as any others.
"""

from __future__ import annotations

import hashlib
import inspect
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from autoopt.errors import AutooptError, Location, ObjectiveError, TracingError, UnsupportedFunctionError, UsageError
from autoopt.execution import engines
from autoopt.objectives import one_sided
from autoopt.parameters import Structure
from autoopt.tape.batching.batching import has_loops
from autoopt.tape.digest import LITERAL, digest, is_uniform
from autoopt.tape.searches.bisection import bisecting
from autoopt.tape.searches.comparisons import asked
from autoopt.tape.simplify import live, without_empty
from autoopt.tape.tape import CONSTANT, DATA, PARAMETER, Leaf, Step, Tape, call
from autoopt.tracing.arrays.functions import call_function
from autoopt.tracing.trace import output_step

DENSE = 400
"""With more entries than this a Hessian is taken a column at a time, as in `objective.py`."""

_FLOAT = np.dtype(float)
_STABLE = (
    "write the function smoothly, as with np.logaddexp or scipy.special.expit, start beside this point, "
    "or pass jac='finite-difference'."
)
_KEPT = "use np.floor, compute anew what is looked up by it, or pass jac='finite-difference'."
_ROOT = "find the number with scipy.optimize.brentq, or pass jac='finite-difference'."
_REMEDY = "write this derivative as a formula of its own, or pass jac='finite-difference'."


class Inner:
    """A function that is traced within an objective, from a copy of its argument to its value.

    Parameters
    ----------
    tracer : Tracer
        Of the objective.
    function : callable
        The user's.
    run : callable
        Takes the argument, in the structure that the user gave it, and returns the value.
    structure : Structure
        Of the argument.
    vector : TracedArray, shape (n,)
        The argument.
    scalar : bool
        Whether the value must be a number.

    Attributes
    ----------
    value : TracedArray
    """

    def __init__(
        self, tracer: Any, function: Callable, run: Callable, structure: Structure, vector: Any, scalar: bool = True
    ) -> None:
        self.tracer, self.vector, self.site = tracer, vector, tracer.site()
        self.kept = _kept(tracer)
        source, guards, ties = vector.current(), len(tracer.tape.guards), len(tracer.tape.ties)
        copy = tracer.record(np.positive, (source,), None, np.array(vector.value), PARAMETER)
        self.start = copy.step
        unfollowed, tracer.tape.unfollowed = tracer.tape.unfollowed, {}
        try:
            value = run(structure.unflatten(copy))
        finally:
            made, tracer.tape.unfollowed = tracer.tape.unfollowed, unfollowed | tracer.tape.unfollowed
        try:
            self.output = output_step(tracer, value, function, scalar)
        except ObjectiveError as problem:
            happened = problem.happened.replace("The objective", "A function of which the objective takes a derivative")
            places = [*problem.where, *self._places()]
            raise ObjectiveError(happened, places, problem.remedy) from None
        self._depends = self._dependents()
        tape = self._cut(guards)
        self._refuse_decisions(tape, guards, ties, made)
        self.literal = without_empty(live(replace(tape, guards=[])))
        self.tape, self.numbers = _loosened(self.literal)
        if vector.level < PARAMETER:
            self._lower(guards)
        self.value = tracer.array(tracer, self.output, value_of(tracer, value), tracer.steps[self.output].level)

    # The tape ---------------------------------------------------------------------------------------------------------

    def _dependents(self) -> set[int]:
        """Return the steps that depend on the copy of the argument, with it."""
        found = {self.start}
        for index in range(self.start + 1, len(self.tracer.steps)):
            if not found.isdisjoint(self.tracer.steps[index].inputs):
                found.add(index)
        return found

    def _cut(self, first: int) -> Tape:
        """Return the tape from the argument to the value, with the guards from the number `first` on.

        What is read of steps before, but for constants, is an argument of the tape.
        """
        steps = self.tracer.steps
        guards = [guard for guard in self.tracer.tape.guards[first:] if guard.step in self._depends]
        inside = {self.output, *(guard.step for guard in guards)}
        for index in range(len(steps) - 1, self.start, -1):
            if index in inside and index in self._depends:
                inside.update(steps[index].inputs)
        for index in range(len(steps) - 1, -1, -1):
            if index in inside and index not in self._depends and _is_taken_in(steps[index]):
                inside.update(steps[index].inputs)
        outside = [k for k in sorted(inside) if k not in self._depends and not _is_taken_in(steps[k])]
        self.given = {f"given_{k}": index for k, index in enumerate(outside)}
        values = self.kept.values_of(outside)
        names = {index: name for name, index in self.given.items()}
        order = [self.start, *(index for index in sorted(inside) if index != self.start)]
        number = {index: k for k, index in enumerate(order)}
        tape = Tape()
        for k, index in enumerate(order):
            step = steps[index]
            if index == self.start:
                step = Step(None, (), Leaf("x", "parameter"), step.shape, _FLOAT, PARAMETER, None)
            elif index in names:
                step = Step(None, (), Leaf(names[index], "argument"), step.shape, step.dtype, DATA, None)
                tape.values[k] = values[index]
            elif step.operation is None:
                tape.values[k] = self.tracer.tape.values[index]
            elif index not in self._depends and step.level == PARAMETER:
                step = step._replace(level=DATA)
            step = step._replace(inputs=tuple([number[source] for source in step.inputs]))
            tape.steps.append(step)
        tape.guards = [guard._replace(step=number[guard.step]) for guard in guards]
        tape.output = number[self.output]
        return tape

    def _refuse_decisions(self, tape: Tape, first: int, ties: int, made: dict[Any, None]) -> None:
        """Raise where decisions may carry what no step shows: memos, branches of single points, searches.

        `made` are the lines that made texts, or whole numbers by the guards from the number `first` on.
        """
        others = {g.site for g in self.tracer.tape.guards[first:] if g.step not in self._depends}
        if made.keys() - (others - {guard.site for guard in tape.guards}):
            raise self.refusal("of a function that makes a text or a whole number of its argument", _KEPT)
        for site in self.tracer.tape.ties[ties:]:
            if any(self.tracer.steps[index].site == site for index in self._depends):
                raise self.refusal("of a function that finds numbers equal, which may be a branch of this point alone")
        if asked(tape) or bisecting(tape):
            raise self.refusal("of a function that finds a number by decisions, which have no derivative", _ROOT)

    def _lower(self, first: int) -> None:
        """Let the steps depend on what they do where the argument depends on no parameter."""
        steps, tape = self.tracer.steps, self.tracer.tape
        steps[self.start] = steps[self.start]._replace(level=self.vector.level)
        for index in sorted(self._depends)[1:]:
            level = max(steps[source].level for source in steps[index].inputs)
            steps[index] = steps[index]._replace(level=level)
        tape.data_decided = tape.data_decided or any(steps[g.step].level == DATA for g in tape.guards[first:])
        tape.guards[first:] = [guard for guard in tape.guards[first:] if steps[guard.step].level == PARAMETER]

    def refusal(self, what: str, remedy: str = _REMEDY) -> TracingError:
        """Return the error that the derivative of this function is not followed."""
        return TracingError(f"The objective takes a derivative {what}: this is not followed.", self._places(), remedy)

    def _places(self) -> list[Location]:
        """Return the user's line that takes the derivative."""
        return [Location.of_instruction(*self.site)] if self.site else []

    # Derivatives ------------------------------------------------------------------------------------------------------

    def gradient(self) -> Any:
        """Return the gradient, shape (n,)."""
        return self._run(self._compiled("value_and_grad"))[1]

    def product(self, *directions: Any) -> list[Any]:
        """Return the Hessian times each of `directions`, of shape (n,)."""
        return self._products(self._compiled("hessp"), directions)

    def hessian(self) -> Any:
        """Return the Hessian, shape (n, n)."""
        size = self.vector.shape[0]
        if size <= DENSE:
            try:
                compiled = self._compiled("hess")
                if not has_loops(compiled.tape):
                    return self._run(compiled)
            except UnsupportedFunctionError:  # some operation has no stacked form
                pass
        return self.tracer.nested(self.product(*np.eye(size)))

    def jacobian(self) -> Any:
        """Return the derivatives of an array, shape (m, n), m being the number of its entries."""
        compiled = self._compiled("jacobian")
        if not isinstance(compiled, engines.ByProducts):
            return self._run(compiled)
        rows, columns = compiled.shape
        directions = np.eye(rows if compiled.kind == "pullback" else columns)
        found = self.tracer.nested(self._products(compiled.product, directions))
        return found if compiled.kind == "pullback" else found.T

    def _products(self, compiled: Any, directions: Sequence[Any]) -> list[Any]:
        return self._run(compiled, directions)

    def _compiled(self, kind: str) -> Any:
        """Return the functions of one kind of derivative; some operation may want its numbers in the code."""
        try:
            return self._functions(kind)
        except UnsupportedFunctionError:
            if self.tape is self.literal:
                raise
            self.tape, self.numbers = self.literal, {}
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
                found = one_sided.settled(_Beside(concrete), concrete, concrete.kind, x, count, *direction)
            own, found = (one[1] if concrete.kind == "value_and_grad" else one for one in (own, found))
            room = 1e-9 * (1.0 + np.max(np.abs(found), initial=0.0))
            if not np.allclose(own, found, rtol=1e-9, atol=room, equal_nan=True):
                raise self.refusal("where operands of abs, maximum or a condition are equal, as a limit only", _STABLE)

    def _follow(self, code: _Code, directions: Sequence[Any] | None) -> Any:
        tracer = self.tracer
        known = {name: self._given(index) for name, index in self.given.items()} | self.numbers | code.constants
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
        step, value = self.tracer.steps[index], self.kept.values_of([index])[index]
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
            raise self.refusal(f"by operations that it cannot follow ({problem.happened})") from problem


def _is_taken_in(step: Step) -> bool:
    """Whether a step from outside is one of the inner tape: a constant, or a part that is read of an array."""
    return step.level == CONSTANT or (step.operation is operator.getitem and len(step.inputs) == 1)


def _loosened(tape: Tape) -> tuple[Tape, dict[str, Any]]:
    """Return the tape with arguments for numbers that the user's text does not hold, and these by name.

    A loop over numbers then takes the same derivative in each iteration, and one piece of code serves for all.
    """
    steps, kept = tape.steps, set()
    for step in steps:
        for place, source in enumerate(step.inputs):
            exponent = step.operation is np.power and place == 1
            if exponent or step.level != PARAMETER or _is_written(tape.values.get(source), step.site):
                kept.add(source)
    loose = [
        index
        for index, step in enumerate(steps)
        if step.operation is None and step.level == CONSTANT and step.dtype == _FLOAT and index not in kept
    ]
    names = {index: f"number_{k}" for k, index in enumerate(loose) if index != tape.output}
    if not names:
        return tape, {}
    steps = [
        step._replace(template=Leaf(names[index], "argument"), level=DATA) if index in names else step
        for index, step in enumerate(steps)
    ]
    return replace(tape, steps=steps), {name: tape.values[index] for index, name in names.items()}


def _is_written(value: Any, site: Any) -> bool:
    """Whether a constant is a number of the code at `site`, a whole one, or an array of equal numbers."""
    if not isinstance(value, np.ndarray | float):
        return False  # no constant, or none of floats
    if np.ndim(value):
        return not np.size(value) or is_uniform(value)
    return site is None or value == np.round(value) or float(value) in site[0].co_consts


class _Code:
    """The printed functions of a derivative, which may meet `count` kinks, no more and no fewer."""

    def __init__(self, compiled: Any, count: int) -> None:
        self.kind = compiled.kind
        text = engines.module_source(compiled.tape, compiled.kind, "")
        text = text.replace("> TIES:", "!= TIES:")
        text = re.sub(r"^TIES = 0", f"TIES = {count}", text, flags=re.MULTILINE)
        self.namespace = engines.executed(text, compiled.kind)
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


class _Kept:
    """What is kept in one run of an objective: values of earlier steps, and code."""

    def __init__(self, tracer: Any) -> None:
        self.tracer = tracer
        self.values: dict[int, Any] = {0: tracer.point}
        self.codes: dict[str, Any] = {}
        self.texts: dict[str, _Code] = {}

    def values_of(self, wanted: Any) -> dict[int, Any]:
        """Return the values of steps, by the calls that made them."""
        steps, leaves = self.tracer.steps, self.tracer.tape.values
        waiting, missing = list(wanted), set()
        while waiting:
            index = waiting.pop()
            if index in self.values or index in missing:
                continue
            missing.add(index)
            waiting.extend(steps[index].inputs)
        with np.errstate(all="ignore"):
            for index in sorted(missing):
                step = steps[index]
                known = step.operation is None
                self.values[index] = leaves[index] if known else call(step, [self.values[k] for k in step.inputs])
        return {index: self.values[index] for index in wanted}


def _kept(tracer: Any) -> _Kept:
    if tracer.derivatives is None:
        tracer.derivatives = _Kept(tracer)
    return tracer.derivatives


def value_of(tracer: Any, value: Any) -> Any:
    """Return the numbers of what a function returned."""
    return tracer.concrete(value)


# What the objective sees ----------------------------------------------------------------------------------------------


class Transformed:
    """Stands in for what `grad`, `hessian` and the like return."""

    def __init__(self, tracer: Any, kind: str, function: Callable, argnums: int) -> None:
        self.tracer, self.kind, self.function, self.argnums = tracer, kind, function, argnums

    def __outside__(self, settled: Callable) -> Callable:
        """Return what this is outside of the objective."""
        from autoopt.objectives import transforms

        return getattr(transforms, self.kind)(settled(self.function), self.argnums)

    def __call__(self, *args: Any, **options: Any) -> Any:
        with _placed(self.tracer):
            return self._evaluate(args, options)

    def _evaluate(self, args: tuple, options: dict[str, Any]) -> Any:
        from autoopt.objectives.transforms import blocks, columns

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
        if self.kind == "hvp":
            along = flat(self.tracer, structure, direction, "direction")
            return structure.unflatten(inner.product(along)[0])
        if self.kind == "hessian":
            return blocks(structure, inner.hessian())
        if self.kind == "jacobian":
            return columns(structure, inner.jacobian(), inner.value.shape)
        gradient = structure.unflatten(inner.gradient())
        return (inner.value, gradient) if self.kind == "value_and_grad" else gradient


class NestedObjective:
    """Stands in for an `Objective`: the methods that give numbers."""

    def __init__(self, tracer: Any, function: Callable, x0: Any, args: tuple, scalar: bool = True) -> None:
        self.tracer, self.function, self.args, self.scalar = tracer, function, args, scalar
        with _placed(tracer):
            self.structure = x0 if isinstance(x0, Structure) else Structure.of(concrete(tracer, x0))
        self.size = self.structure.size

    def __outside__(self, settled: Callable) -> Any:
        """Return what this is outside of the objective: as it is made inside, it is anew with each call."""
        from autoopt.objectives.objective import Objective

        if self.tracer.holds_traced(self.args):
            raise TracingError(
                "The objective keeps an objective that it makes of values that depend on the parameters.",
                self.tracer.location(),
                "make it outside, or anew in each call.",
            )
        x0 = self.structure.unflatten(np.ones(self.size))
        return Objective(settled(self.function), x0, self.args, scalar=self.scalar)

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

    def hess(self, x: Any) -> Any:
        """Return the Hessian, shape (n, n)."""
        return self._inner(x).hessian()

    def hessp(self, x: Any, p: Any) -> Any:
        """Return the Hessian times `p`, shape (n,)."""
        return self._inner(x).product(self._flat(p, "direction"))[0]

    def jacobian(self, x: Any) -> tuple[Any, tuple[int, ...]]:
        """Return the derivatives of an array-valued f, shape (m, n), and the shape of f's result."""
        inner = self._inner(x)
        return inner.jacobian(), inner.value.shape

    def __getattr__(self, name: str) -> Any:
        raise TracingError(
            f"The objective uses .{name} of an objective within it: only its value and derivatives are followed.",
            self.tracer.location(),
            "use it outside of the objective.",
        )

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


@contextmanager
def _placed(tracer: Any) -> Iterator[None]:
    """Have a complaint of how a derivative is used name the user's line."""
    try:
        yield
    except UsageError as problem:
        place = tracer.location()
        if problem.where or place is None:
            raise
        raise UsageError(problem.happened.replace("x0", "x"), place, problem.remedy) from None


def concrete(tracer: Any, x: Any) -> Any:
    """Return a nest of arrays with the numbers of those that are traced."""
    from autoopt.objectives.transforms import each

    return each(x, lambda part: tracer.concrete(part))


def flat(tracer: Any, structure: Structure, x: Any, name: str = "x") -> Any:
    """Return the entries of `x` as one traced vector of floats."""
    numbers = structure.flatten(concrete(tracer, x), name)
    places = structure.unflatten(np.arange(structure.size))
    pieces = [_vector(tracer, part) for part in _parts(tracer, places, x)]
    if not pieces or sum(piece.shape[0] for piece in pieces) != numbers.size:
        raise TracingError("The argument of a derivative is no nest of arrays.", tracer.location(), _REMEDY)
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
