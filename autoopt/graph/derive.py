"""Derivatives of a graph, rewritten and divided by what they depend on.

Each kind of derivative becomes up to three functions: `prepare`, what the data alone decide, computed once per data set; for
products with the Hessian `linearize`, what one point decides, computed once per point; and the function itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytensor
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType, jacobian
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.tensor.basic import Alloc
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.reshape import JoinDims, SplitDims
from pytensor.tensor.shape import Reshape, SpecifyShape
from pytensor.tensor.subtensor import Subtensor

from autoopt.graph.build import Graph
from autoopt.graph.rewriting import rewrite, settings
from autoopt.tape.tape import Guard

VIEWS = (DimShuffle, Reshape, SpecifyShape, Subtensor, Alloc, JoinDims, SplitDims)
"""Operations that cost nothing, so that computing them ahead gains nothing."""

HOIST_LIMIT = 2**28
"""Bytes of results that may be computed ahead and kept."""


@dataclass(frozen=True)
class Function:
    """One function to be printed.

    Attributes
    ----------
    name : str
    arguments : tuple of Variable
    results : tuple of Variable
    guards : tuple of (Variable, Guard)
        To be checked on the way.
    """

    name: str
    arguments: tuple[Variable, ...]
    results: tuple[Variable, ...]
    guards: tuple[tuple[Variable, Guard], ...] = ()


def _value(graph: Graph, value: Variable) -> tuple[list[Variable], list[Variable]]:
    return [], [value]


def _gradient(graph: Graph, value: Variable) -> tuple[list[Variable], list[Variable]]:
    return [], [value, _grad(value, graph.parameters)]


def _hessian(graph: Graph, value: Variable) -> tuple[list[Variable], list[Variable]]:
    slope = _simplified(graph, _grad(value, graph.parameters))
    return [], [jacobian(slope, graph.parameters, vectorize=True, disconnected_inputs="ignore")]


def _product(graph: Graph, value: Variable) -> tuple[list[Variable], list[Variable]]:
    direction = pt.tensor("direction", dtype="float64", shape=graph.parameters.type.shape)
    slope = _grad(value, graph.parameters)
    return [direction], [_grad((slope * direction).sum(), graph.parameters)]


def _grad(value: Variable, wrt: Variable) -> Variable:
    if isinstance(value.type, DisconnectedType):
        return pt.zeros_like(wrt)
    return pytensor.grad(value, wrt, disconnected_inputs="ignore")


def _simplified(graph: Graph, variable: Variable) -> Variable:
    """Return `variable` rewritten, over the same inputs."""
    inputs = [graph.parameters, *graph.inputs.values()]
    return _over(inputs, rewrite(inputs, [variable]))[0]


def _over(inputs: Sequence[Variable], graph: FunctionGraph) -> list[Variable]:
    """Return the outputs of `graph` as expressions of `inputs`."""
    return pytensor.graph.replace.clone_replace(graph.outputs, dict(zip(graph.inputs, inputs, strict=True)))


KINDS: dict[str, Callable] = {
    "value": _value,
    "value_and_grad": _gradient,
    "hess": _hessian,
    "hessp": _product,
}


def derive(graph: Graph, kind: str) -> list[Function]:
    """Return the functions of one kind of derivative: `prepare` if the data decide something, and so on.

    Parameters
    ----------
    graph : Graph
    kind : str
        A key of KINDS.
    """
    with settings():
        given = list(graph.inputs.values())
        inputs = [graph.parameters, *given]
        stable = _over(inputs, rewrite(inputs, [graph.value, *(variable for variable, _ in graph.guards)]))
        extra, results = KINDS[kind](graph, stable[0])
        final = rewrite([*extra, *inputs], [*results, *stable[1:]])
    extra, vector, given = final.inputs[: len(extra)], final.inputs[len(extra)], final.inputs[len(extra) + 1 :]
    results, checks = final.outputs[: len(results)], final.outputs[len(results) :]
    guards = tuple((check, guard) for check, (_, guard) in zip(checks, graph.guards, strict=True))
    return _divide(kind, list(extra), vector, list(given), results, guards)


def _divide(
    kind: str, extra: list[Variable], vector: Variable, given: list[Variable], results: Sequence[Variable], guards: tuple
) -> list[Function]:
    """Cut the graph where it stops to depend on the parameters, and where on the direction."""
    roots = [*results, *(variable for variable, _ in guards)]
    ahead = _frontier(roots, given, {vector, *extra})
    functions = [Function("prepare", tuple(given), tuple(ahead))]
    known = [*given, *ahead]
    if extra:
        point = _frontier(results, [vector, *known], set(extra))
        functions.append(Function("linearize", (vector, *known), tuple(point), guards))
        functions.append(Function(kind, (*extra, vector, *known, *point), tuple(results)))
    else:
        functions.append(Function(kind, (vector, *known), tuple(results), guards))
    return functions


def _frontier(roots: Sequence[Variable], known: Sequence[Variable], late: set[Variable]) -> list[Variable]:
    """Return the largest parts of `roots` that do not depend on `late`, are not simply `known`, and are worth keeping."""
    order = pytensor.graph.traversal.io_toposort([*known, *late], roots)
    depends = set(late)
    stop = set(known)
    for node in order:
        if any(v in depends for v in node.inputs) and not any(out in stop for out in node.outputs):
            depends.update(node.outputs)
    found: dict[Variable, None] = {}
    needed = [*roots]
    for node in order:
        if node.outputs[0] in depends:
            needed.extend(v for v in node.inputs if v not in depends)
    for variable in needed:
        if variable not in depends:
            for part in _costly(variable, stop):
                found[part] = None
    position = {out: k for k, node in enumerate(order) for out in node.outputs}
    kept, size = [], 0
    for variable in sorted(found, key=position.__getitem__):
        size += _bytes(variable)
        if size <= HOIST_LIMIT:
            kept.append(variable)
    return kept


def _costly(variable: Variable, stop: set[Variable]) -> list[Variable]:
    """Return what has to be computed to have `variable`, looking through views."""
    if variable in stop or isinstance(variable, Constant) or variable.owner is None:
        return []
    if isinstance(variable.owner.op, VIEWS):
        return [part for source in variable.owner.inputs for part in _costly(source, stop)]
    return [variable]


def _bytes(variable: Variable) -> int:
    size = 8
    for length in variable.type.shape:
        size *= length or 1
    return size



