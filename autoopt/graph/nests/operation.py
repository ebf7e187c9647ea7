"""A nest of loops as one PyTensor operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Variable, equal_computations
from pytensor.graph.op import Op
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.loops.bodies import rewritten
from autoopt.graph.loops.marks import mark
from autoopt.graph.loops.recurrence import BUILDERS, apply_step
from autoopt.graph.nests.adjoints import backwards, variable_of
from autoopt.graph.nests.program import Assignment, Program
from autoopt.ops.patterns import applied_to
from autoopt.ops.releases import infers_shape
from autoopt.tape.nests.nest import Nest, Repeat, Statement
from autoopt.tape.nests.windows import index_at
from autoopt.tape.recurrence import Known


class NestOp(Op):
    """From what arrays hold before the loops to what they hold after them.

    Parameters
    ----------
    program : Program
    saves_for : NestOp, optional
        The operation whose results are the first of this one's, which saves what derivatives need besides.
    """

    def __init__(self, program: Program, saves_for: NestOp | None = None) -> None:
        self.program, self.saves_for = program, saves_for
        self._functions: dict[int, Callable] = {}

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(other) is not NestOp or hash(self) != hash(other):
            return False
        pairs = list(zip(self.program.assignments(), other.program.assignments(), strict=True))
        if any([v.type for v in a.variables] != [v.type for v in b.variables] for a, b in pairs):
            return False
        return all(equal_computations([a.value], [b.value], [*a.variables], [*b.variables]) for a, b in pairs)

    def __hash__(self) -> int:
        return hash(self.program.form())

    def __str__(self) -> str:
        return "Nest"

    def make_node(self, *inputs: Variable) -> Apply:
        operands = [pt.as_tensor(v, dtype="float64") for v in inputs]
        program = self.program
        outputs = [pt.tensor(program.names[k], dtype="float64", shape=program.shapes[k]) for k in program.results]
        return Apply(self, operands, outputs)

    def perform(self, node: Apply, inputs: Sequence, output_storage: list) -> None:
        """Run the loops in PyTensor's own way: no code of autoopt's does, it prints them."""
        program = self.program
        arrays = [np.array(x, dtype=float) for x in inputs]
        arrays += [np.zeros(shape) for shape in program.shapes[program.operands :]]

        def visit(statement: Assignment, counters: list[int]) -> None:
            values = [np.asarray(arrays[r.array][index_at(r.window, counters)]) for r in statement.reads]
            value = self._function(statement)(*values)
            index = index_at(statement.window, counters)
            if statement.add:
                arrays[statement.target][index] += value
            else:
                arrays[statement.target][index] = value

        program.run(visit)
        for storage, k in zip(output_storage, program.results, strict=True):
            storage[0] = arrays[k]

    def _function(self, statement: Assignment) -> Callable:
        """Return a statement's expression as a function, made when first asked for."""
        if id(statement) not in self._functions:
            mode = Mode(linker="py", optimizer="None")
            self._functions[id(statement)] = pytensor.function(
                list(statement.variables), statement.value, mode=mode, on_unused_input="ignore"
            )
        return self._functions[id(statement)]

    @infers_shape
    def infer_shape(self, node: Apply, shapes: Sequence) -> list[tuple]:
        return [tuple(self.program.shapes[k]) for k in self.program.results]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """Return the derivatives with respect to the operands: of another such operation, backwards."""
        both = backwards(self.program)
        saving = applied_to(NestOp(both.forward, self), list(inputs))
        restored, outer, saved = both.given
        operands: list[Variable] = [saving[k] for k in restored]
        operands += [inputs[k] for k in outer]
        operands += [saving[k] for k in saved]
        for array in both.seeds:
            given = [
                g for g, k in zip(cotangents, self.program.results, strict=True)
                if k == array and not isinstance(g.type, DisconnectedType)
            ]  # fmt: skip
            operands.append(reduce(pt.add, given) if given else pt.zeros(self.program.shapes[array]))
        return list(applied_to(NestOp(both.backward), operands))

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[True] * len(node.outputs) for _ in node.inputs]

    # What is not read ------------------------------------------------------------------------------------------------

    def needed(self, read: Sequence[int]) -> Sequence[int]:
        """Return the results that must be made for some to be."""
        return read

    def trimmed(self, inputs: Sequence[Variable], read: Sequence[int]) -> dict[int, TensorVariable]:
        """Return some of the results, and nothing made for the others."""
        program = self.program.without_unread(read)
        made = applied_to(NestOp(program), list(inputs))
        return dict(zip(read, made, strict=True))


def build_nest(nest: Nest, *given: Any) -> list[TensorVariable]:
    """Return the results of a tape's nest."""
    program = Program(nest.shapes, nest.names, nest.operands, _body(nest.loops), nest.results)
    return applied_to(NestOp(program), [pt.as_tensor(operand, dtype="float64") for operand in given])


def _body(body: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(
        part._replace(body=_body(part.body)) if isinstance(part, Repeat) else _assignment(part) for part in body
    )


def _assignment(statement: Statement) -> Assignment:
    """Return a statement with its steps as an expression."""
    variables = [variable_of(read.window) for read in statement.reads]
    values: list[Any] = list(variables)
    for step in statement.body[len(values) :]:
        values.append(step.template.value if isinstance(step.template, Known) else apply_step(step, values))
        mark(values[-1], step)
    value = pt.as_tensor(values[statement.result], dtype="float64")
    (simple,) = rewritten(variables, [value], "first")
    target, window, reads = statement.target, statement.window, statement.reads
    return Assignment(target, window, reads, tuple(variables), simple, origin=statement.step)


BUILDERS[Nest] = build_nest
