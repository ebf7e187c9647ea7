"""The operation `Solve`: a differential equation that SciPy solves when the code runs; no slope leads through it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Apply, Variable, equal_computations
from pytensor.graph.op import Op
from pytensor.graph.replace import clone_replace

from autoopt.graph.loops.bodies import mapped
from autoopt.graph.loops.recurrence import BUILDERS, apply_step
from autoopt.graph.rewrites.rewriting import rewrite
from autoopt.ops.patterns import applied_to
from autoopt.tape.equation import GIVEN, Equation
from autoopt.tape.recurrence import Known


class Solve(Op):
    """SciPy's solution of an equation; inputs and results are those of `Equation`.

    Parameters
    ----------
    equation : Equation
        Its functions' bodies are no longer read.
    inputs : sequence of Variable
        The functions': the time, the state, and the operands of `Equation` that they read.
    values : sequence of Variable
        What each function returns.
    """

    def __init__(self, equation: Equation, inputs: Sequence[Variable], values: Sequence[Variable]) -> None:
        self.equation, self.inputs, self.values = equation, tuple(inputs), tuple(values)
        n = inputs[1].type.shape[0]
        rows = equation.slots * len(equation.nodes) * 2 * n
        kinds = ("times", (rows,)), ("states", (rows, n))
        self.rows = tuple([pt.tensor(name, dtype="float64", shape=shape) for name, shape in kinds])

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(other) is not Solve or self.equation.head != other.equation.head:
            return False
        if [v.type for v in self.inputs] != [v.type for v in other.inputs]:
            return False
        return equal_computations([*self.values], [*other.values], list(self.inputs), list(other.inputs))

    def __hash__(self) -> int:
        return hash(repr(self.equation.head))

    def __str__(self) -> str:
        return f"Solve{{{self.equation.solver}}}"

    @cached_property
    def slopes(self) -> Variable:
        """The slopes at `rows`, times and states."""
        given = dict(zip(self.inputs, self.rows, strict=False))
        fixed = {v: v for v in self.inputs[2:]}
        return mapped(self.rows[0].type.shape[0], given, fixed, self.values[:1])[0]

    def make_node(self, *inputs: Variable) -> Apply:
        operands = [pt.as_tensor(v) for v in inputs]
        types = self.equation.results(operands[0].type.shape[0], operands[GIVEN - 1].type.shape[0])
        return Apply(self, operands, [pt.tensor(name, dtype=kind, shape=shape) for name, kind, shape in types])

    def perform(self, node: Apply, inputs: Sequence, output_storage: list) -> None:
        """Solve it in PyTensor's own way: no code of autoopt's does, it prints the call."""
        mode = Mode(linker="py", optimizer="None")
        functions = [
            pytensor.function(list(arguments), value, mode=mode, on_unused_input="ignore")
            for arguments, value in [
                *((self.inputs, value) for value in self.values),
                ((*self.rows, *self.inputs[2:]), self.slopes),
            ]
        ]
        given, fixed = inputs[:GIVEN], inputs[GIVEN:]

        def of(function: Any, traits: Any) -> Any:
            def value(t: float, y: np.ndarray) -> Any:
                return function(np.asarray(t, dtype=float), y, *fixed)

            value.__dict__.update(traits)
            return value

        *functions, slopes = functions
        plain = [of(function, own.traits) for function, own in zip(functions, self.equation.functions, strict=True)]
        found = self.equation.solved(plain, lambda times, states: slopes(times, states, *fixed), *given)
        for storage, value, output in zip(output_storage, found, node.outputs, strict=True):
            storage[0] = np.asarray(value, dtype=output.type.dtype)

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[False] * len(node.outputs) for _ in node.inputs]


def build_equation(equation: Equation, *given: Any) -> tuple[Variable, ...]:
    """Return SciPy's solution of a tape's equation."""
    operands = [pt.as_tensor(operand) for operand in given]
    operands[:GIVEN] = [v.astype("float64") for v in operands[:GIVEN]]
    first = equation.functions[0].body
    inner: list[Variable] = [
        pt.tensor(name, dtype="float64", shape=step.shape) for name, step in zip(("t", "y"), first, strict=False)
    ]
    inner += [pt.tensor(dtype=str(v.dtype), shape=v.type.shape) for v in operands[GIVEN:]]
    results: list[Variable] = []
    for function in equation.functions:
        values: list = list(inner)
        for step in function.body[len(inner) :]:
            values.append(step.template.value if isinstance(step.template, Known) else apply_step(step, values))
        results.append(pt.as_tensor(values[function.result]))
    simple = rewrite(inner, results, "guards")
    results = clone_replace(simple.outputs, dict(zip(simple.inputs, inner, strict=True)))
    return tuple(applied_to(Solve(equation, inner, results), operands))


BUILDERS[Equation] = build_equation
