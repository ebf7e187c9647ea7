"""The PyTensor graph of a tape's steps that depend on the parameters; what they take from the data are its inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import getitem
from typing import Any, cast

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_grad
from pytensor.graph.basic import Variable
from pytensor.link.c.type import generic
from pytensor.tensor.variable import TensorVariable

from autoopt.errors import Location, UnsupportedFunctionError
from autoopt.graph import equations  # noqa: F401  (fills BUILDERS)
from autoopt.graph.loops.recurrence import find_holding
from autoopt.graph.mirrored import mark_symmetric
from autoopt.graph.nests import operation  # noqa: F401  (fills BUILDERS)
from autoopt.graph.parts import Part, find_parts
from autoopt.rules import find
from autoopt.rules.casting import in_floats, read_as_floats
from autoopt.rules.table import Unsupported
from autoopt.tape.digest import LITERAL, is_uniform
from autoopt.tape.loops.irregular import refuse_irregular
from autoopt.tape.names import qualified
from autoopt.tape.operations import component, pack, put
from autoopt.tape.tape import CONSTANT, DATA, PARAMETER, Guard, Leaf, Step, Tape, call


@dataclass
class Graph:
    """The objective as PyTensor sees it.

    Attributes
    ----------
    parameters : Variable
        The flat vector.
    inputs : dict of int to Variable
        The steps below parameter level that the graph takes as given, in program order.
    value : Variable
        The objective's value, 0-d.
    guards : list of (Variable, Guard)
    parts : tuple of Part
        The parts of the vector that are variables of their own, in order; empty if it is read as a whole.
    """

    parameters: TensorVariable
    value: TensorVariable
    tape: Tape
    inputs: dict[int, Variable] = field(default_factory=dict)
    guards: list[tuple[Variable, Guard]] = field(default_factory=list)
    parts: tuple[Part, ...] = ()

    @property
    def size(self) -> int:
        """The number of parameters."""
        return self.tape.steps[0].shape[0]

    @property
    def wrt(self) -> list[TensorVariable]:
        """What to differentiate with respect to: the parts, or the whole vector."""
        return [part.variable for part in self.parts] or [self.parameters]


@dataclass(frozen=True)
class Origin:
    """The step that a variable stems from; PyTensor's rewrites hand it on with the stack trace."""

    step: int


def origin(variable: Variable) -> int | None:
    """Return the step that a variable stems from."""
    return next((mark.step for mark in getattr(variable.tag, "trace", ()) if isinstance(mark, Origin)), None)


def products_written(tape: Tape) -> Callable[[Variable, Variable], bool]:
    """Return what says of two variables whether the user multiplies them with each other."""
    steps = {frozenset(step.inputs) for step in tape.steps if step.operation is np.multiply and len(step.inputs) == 2}
    return lambda one, other: frozenset((origin(one), origin(other))) in steps


def build(tape: Tape) -> Graph:
    """Return the graph of `tape`.

    Raises
    ------
    UnsupportedFunctionError
        Naming every function on the way from the parameters to the value that has no rule, with the user's lines.
    TracingError
        If the tape is too long to be compiled.
    """
    refuse_irregular(tape)
    return _Builder(tape).build()


class _Builder:
    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.read = {source for step in tape.steps if step.level == PARAMETER for source in step.inputs}
        self.floats = read_as_floats(tape)
        self.variables: dict[int, Any] = {}
        self.inputs: dict[int, Variable] = {}
        self.constants: dict[int, Any] = {}
        self.problems: list[tuple[str, Step, str]] = []

    def build(self) -> Graph:
        vector = pt.tensor(self.tape.steps[0].template.name, dtype="float64", shape=self.tape.steps[0].shape)
        vector.tag.parameters = True
        self.variables[0] = vector
        parts = find_parts(self.tape)
        for index, part in parts.items():
            part.variable.tag.trace = [Origin(index)]
            part.variable.tag.parameters = True
            self.variables[index] = part.variable
        broken: set[int] = set()
        for index, step in enumerate(self.tape.steps):
            if step.level != PARAMETER or index in self.variables:
                continue
            if broken.intersection(step.inputs) or not self.add(index, step):
                broken.add(index)
        if self.problems:
            raise self.refusal()
        value = self.operand(self.tape.output)
        number = cast(TensorVariable, value) if isinstance(value, Variable) else pt.constant(np.asarray(value, float))
        value = number.astype("float64")
        guards = [(self.variables[guard.step], guard) for guard in self.tape.guards]
        mark_symmetric(self.tape, self.inputs)
        distinct = sorted(set(parts.values()), key=lambda part: part.start)
        return Graph(vector, value, self.tape, dict(sorted(self.inputs.items())), guards, tuple(distinct))

    def add(self, index: int, step: Step) -> bool:
        """Enter the variable of one step; False if there is no rule for it."""
        if step.dtype.kind == "c":
            self.problems.append(("complex numbers", step, "write the calculation with real and imaginary parts"))
            return False
        if step.dtype.kind == "V":
            self.problems.append(("an array of records", step, "keep each field in an array of its own"))
            return False
        if step.dtype == object and step.operation in (put, pack):
            self.problems.append(("an array of objects", step, "use a list"))
            return False
        if step.operation is component:
            part = self.variables[index] = self.variables[step.inputs[0]][step.template[0][1]]
            part.tag.trace = [Origin(index)]
            return True
        assert step.operation is not None  # the parameters are entered, and other leaves are below their level
        rule = find_holding(step.operation) or find(step.operation)
        if rule is None:
            self.problems.append((f"{qualified(step.operation)}", step, ""))
            return False
        operands = in_floats(step, [self.operand(source) for source in step.inputs])
        try:
            result = call(step, operands, rule.build)
        except (Unsupported, NotImplementedError) as problem:
            self.problems.append((getattr(problem, "what", str(problem)), step, getattr(problem, "remedy", "")))
            return False
        except TypeError as problem:
            self.problems.append((f"{qualified(step.operation)} in this way ({problem})", step, ""))
            return False
        for variable in result if isinstance(result, tuple | list) else (result,):
            if isinstance(variable, Variable):
                variable.tag.trace = [Origin(index)]
        if isinstance(result, Variable) and step.dtype.kind in "iu":
            result = disconnected_grad(result)  # some operations refuse to be asked for a slope in integers
        self.variables[index] = result
        return True

    def operand(self, index: int) -> Any:
        """Return what a rule gets for step `index`: a variable, or a plain number."""
        operand = self.variables.get(index)
        if operand is None:
            operand = self.variables[index] = self.given(index)
        return operand

    def given(self, index: int) -> Any:
        """Return a step below parameter level: a number, a small constant, or an input of the graph."""
        step = self.tape.steps[index]
        for of_another in (self.scaled, self.expanded) if step.level == DATA else ():
            if (made := of_another(step)) is not None:
                made.tag.trace = [Origin(index)]
                return made
        if step.level == CONSTANT:
            value = self.constant(index)
            if np.ndim(value) == 0:
                return value
            if value.size <= LITERAL:
                return pt.constant(value)
            if is_uniform(value):
                return pt.full(value.shape, pt.constant(value.flat[0]), dtype=str(value.dtype))
        if step.dtype == object and isinstance(step.template, Leaf):  # a sparse matrix
            variable = generic()
            variable.tag.shape = step.shape
        else:
            numbers = step.level == DATA and index in self.floats
            variable = pt.tensor(dtype="float64" if numbers else str(step.dtype), shape=step.shape)
        variable.tag.trace = [Origin(index)]
        variable.tag.given = True
        if step.level == CONSTANT:
            variable.tag.constant = value  # of which rules may ask what `tape.digest.folded` tells, too
        if step.level == CONSTANT and step.dtype.kind == "i" and np.array_equal(value, np.arange(value.size)):
            variable.tag.counts = value.size
        self.inputs[index] = variable
        return variable

    def scaled(self, step: Step) -> Variable | None:
        """Return a multiple of an array that the graph takes as given anyway: what else is made of it may be shared."""
        if step.operation is not np.multiply or step.template is not None or step.dtype != "float64":
            return None
        for number, array in (step.inputs, step.inputs[::-1]):
            factor = self.tape.steps[number]
            if factor.level == CONSTANT and factor.shape == () and array in self.read:
                return pt.mul(*in_floats(step, [self.constant(number), self.operand(array)]))
        return None

    def expanded(self, step: Step) -> Variable | None:
        """Return an array that only has more axes than a given one: no array of its own."""
        if step.operation is not getitem or step.template is None or step.dtype != "float64":
            return None
        (_, index), named = step.template
        index = index if isinstance(index, tuple) else (index,)
        (source,) = step.inputs if len(step.inputs) == 1 else (None,)
        if source is None or named or not all(entry is None or entry == slice(None) for entry in index):
            return None
        return cast(TensorVariable, self.operand(source))[index]

    def constant(self, index: int) -> Any:
        """Return the number or array of a step that depends on nothing."""
        if index not in self.constants:
            step = self.tape.steps[index]
            if step.operation is None:
                self.constants[index] = self.tape.values[index]
            else:
                self.constants[index] = call(step, [self.constant(source) for source in step.inputs])
        return self.constants[index]

    def refusal(self) -> UnsupportedFunctionError:
        """Return the error that names every step without a rule."""
        names = list(dict.fromkeys(what for what, _, _ in self.problems))
        places = list(dict.fromkeys(Location.of_instruction(*step.site) for _, step, _ in self.problems if step.site))
        remedies = list(dict.fromkeys(remedy for _, _, remedy in self.problems if remedy))
        calls = "calls" if all("." in name or name.isidentifier() for name in names) else "uses"
        return UnsupportedFunctionError(
            f"The objective {calls} {', '.join(names)}, which autoopt cannot differentiate.",
            places,
            "; ".join(remedies) or "write it with other NumPy functions, or pass jac='finite-difference'.",
        )
