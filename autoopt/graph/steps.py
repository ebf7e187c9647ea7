"""The derivatives of one step of a tape by itself, for any lengths of its operands.

A step's results are functions r(x) of the operands x that vary. With cotangents c of the results and tangents t of the
operands:

    pull      c . dr/dx                               cotangents of the operands
    push      dr/dx t                                 tangents of the results
    second    d/dx (c . dr/dx) t                      how the cotangents change as the operands do, c staying as it is

    np.exp     pull: c * r       push: t * r          second: t * c * r

A length is unknown to the graph unless it is 1, which broadcasts. The results themselves are inputs, too, where a
derivative can be written with them: `np.exp` is not computed again for its pullback.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import NullTypeGradError
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors
from pytensor.link.c.type import generic
from pytensor.tensor.basic import Alloc
from pytensor.tensor.variable import TensorVariable

from autoopt.errors import UnsupportedFunctionError
from autoopt.graph import equations  # noqa: F401  (fills BUILDERS)
from autoopt.graph.loops.recurrence import find_holding
from autoopt.graph.parts import slopes
from autoopt.graph.rewrites.quotients import split_all
from autoopt.graph.rewrites.rewriting import rewrite, settings
from autoopt.graph.stabilisation import simplified
from autoopt.rules import find
from autoopt.rules.table import Unsupported
from autoopt.tape.names import qualified
from autoopt.tape.tape import Step, call


class Operand(NamedTuple):
    """What an operand is to the derivatives of its step.

    Attributes
    ----------
    kind : "varies", "given" with each call, or "fixed" at `value`
    shape : tuple of int or None
        None for a length that is not part of the code.
    dtype : str
    value : number or ndarray
    """

    kind: str
    shape: tuple[int | None, ...] = ()
    dtype: str = "float64"
    value: Any = None


class StepFunction(NamedTuple):
    """One of the functions: its arguments with their names, and its results, None where these are zero."""

    name: str
    arguments: tuple[tuple[Variable, str], ...]
    results: tuple[Variable | None, ...]

    @property
    def has_arrays(self) -> bool:
        """Whether anything in it is an array: what is done to numbers without them can be done entry by entry."""
        return any(getattr(v.type, "ndim", 1) for v in ancestors([v for v in self.results if v is not None]))


def step_functions(step: Step, operands: Sequence[Operand], order: int) -> list[StepFunction]:
    """Return `pull` (order 1), or `push` and `second` (order 2), of a step.

    Their arguments are the cotangents c, the results r, the operands x and the tangents t: numbered, all that there
    are, in this order.

    Raises
    ------
    UnsupportedFunctionError
        If the function has no rule, or no derivative in what varies, with the user's line.
    """
    assert step.operation is not None
    with settings():
        try:
            return _Derivation(step, operands).functions(order)
        except (Unsupported, NotImplementedError, NullTypeGradError) as problem:
            what = getattr(problem, "what", f"the derivative of {qualified(step.operation)}")
            raise UnsupportedFunctionError(
                f"The objective needs {what}, which autoopt does not know.",
                step.location,
                getattr(problem, "remedy", "") or "write it with other functions, or pass jac='finite-difference'.",
            ) from problem


class _Derivation:
    def __init__(self, step: Step, operands: Sequence[Operand]) -> None:
        rule = find_holding(step.operation) or find(step.operation)
        assert step.operation is not None
        if rule is None:
            raise Unsupported(qualified(step.operation), "")
        self.operands = [_operand(operand) for operand in operands]
        self.varying = [v for v, operand in zip(self.operands, operands, strict=True) if operand.kind == "varies"]
        self.given = [v for v in self.operands if isinstance(v, Variable) and not isinstance(v, Constant)]
        result = call(step, self.operands, rule.build)
        made = list(result) if isinstance(result, tuple | list) else [result]
        self.made = [pt.as_tensor_variable(v) if not isinstance(v, Variable) else v for v in made]
        self.floats = [k for k, v in enumerate(self.made) if v.type.dtype == "float64"]
        values = simplified(self.given, [self.made[k] for k in self.floats], "first") if self.floats else []
        self.values = values
        self.cotangents = [v.type() for v in values]
        self.results = [v.type() for v in values]

    def functions(self, order: int) -> list[StepFunction]:
        terms = [(c * v).sum() for c, v in zip(self.cotangents, self.values, strict=True)]
        whole = pt.add(*terms, pt.constant(0.0))
        gradient = slopes(whole, self.varying)
        if order == 1:
            return [self.function("pull", gradient, [])]
        tangents = [v.type() for v in self.varying]
        along = pt.add(*[(t * g).sum() for t, g in zip(tangents, gradient, strict=True)], pt.constant(0.0))
        pushed = slopes(along, self.cotangents)
        # a pullback is linear in its cotangents, so that of them nothing but the shape remains in its slopes there
        pairs = zip(self.cotangents, self.results, strict=True)
        zeros: dict[Variable, Variable] = {c: pt.zeros_like(r) for c, r in pairs}
        pushed = cast("list[TensorVariable]", clone_replace(pushed, zeros))
        return [
            self.function("push", pushed, tangents),
            self.function("second", slopes(along, self.varying), tangents),
        ]

    def function(self, name: str, derivatives: Sequence[Variable], tangents: Sequence[Variable]) -> StepFunction:
        """Return a function, rewritten, that reads the step's results where it would compute them again."""
        inputs = [*self.cotangents, *self.results, *self.given, *tangents]
        graph = rewrite(inputs, [*derivatives, *self.values])
        split_all(graph)  # nobody knows here what an operand grows like
        found, values = graph.outputs[: len(derivatives)], graph.outputs[len(derivatives) :]
        given = iter(graph.inputs)
        cotangents = [next(given) for _ in self.cotangents]
        results = [next(given) for _ in self.results]
        known: dict[Variable, Variable] = {
            v: r for v, r in zip(values, results, strict=True) if v.owner and v.type == r.type
        }
        found = clone_replace(list(found), known) if known else list(found)
        passed = {old: next(given) for old in self.given}
        operands = [(passed[v], f"x{k}") for k, v in enumerate(self.operands) if v in self.given]
        arguments = (
            *_named("c", cotangents if name != "push" else []),
            *_named("r", results),
            *operands,
            *_named("t", list(given)),
        )
        return StepFunction(name, arguments, tuple(None if _is_zero(v) else v for v in found))


def _named(letter: str, variables: Sequence[Variable]) -> list[tuple[Variable, str]]:
    return [(variable, f"{letter}{k}") for k, variable in enumerate(variables)]


def _operand(operand: Operand) -> Any:
    if operand.kind == "fixed":
        return operand.value if np.ndim(operand.value) == 0 else pt.constant(operand.value)
    if operand.dtype == "object":  # a sparse matrix
        variable = generic()
        variable.tag.shape = operand.shape
        return variable
    return pt.tensor(dtype=operand.dtype, shape=operand.shape)


def _is_zero(variable: Variable) -> bool:
    """Whether a result is zero whatever it depends on."""
    if isinstance(variable, Constant):
        return not np.any(variable.data)
    node = variable.owner
    return bool(node and isinstance(node.op, Alloc) and _is_zero(node.inputs[0]))
