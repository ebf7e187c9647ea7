"""Derivatives of a graph, rewritten and divided by what they depend on.

Each kind of derivative becomes up to three functions: `prepare`, what the data alone decide, computed once per data
set; for products with the Hessian `linearize`, what one point decides, computed once per point; and the function
itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytensor
import pytensor.tensor as pt
from pytensor.gradient import NullTypeGradError, jacobian
from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace

from autoopt.graph.build import Graph
from autoopt.graph.division import Function, _divide
from autoopt.graph.kinds import KINDS, PREPARE
from autoopt.graph.missing import refusal
from autoopt.graph.parts import join
from autoopt.graph.rewrites.rewriting import rewrite, settings
from autoopt.graph.stabilisation import divided, simplified

MAX_BLOCKS = 8
"""With more parts of the parameters than this the Hessian is not put together from blocks."""

Derivation = Callable[[Graph, Variable], tuple[list[Variable], list[Variable]]]
"""Takes the graph and its value; returns the directions that the derivative takes, if any, and its results."""

DERIVATIONS: dict[str, Derivation] = {}
"""By the names of KINDS."""


def derives(kind: str) -> Callable[[Derivation], Derivation]:
    """Register what makes a kind of derivative."""

    def register(derivation: Derivation) -> Derivation:
        DERIVATIONS[KINDS[kind].name] = derivation
        return derivation

    return register


@derives("value")
def _value(graph: Graph, value: Variable) -> tuple[list[Variable], list[Variable]]:
    return [], [value]


@derives("value_and_grad")
def _gradient(graph: Graph, value: Variable) -> tuple[list[Variable], list[Variable]]:
    return [], [value, _joined(graph, _slopes(value, graph.wrt))]


@derives("hess")
def _hessian(graph: Graph, value: Variable) -> tuple[list[Variable], list[Variable]]:
    if len(graph.parts) > MAX_BLOCKS:
        slope = _over_vector(graph, [_joined(graph, _slopes(value, graph.wrt))])[0]
        slope = simplified([graph.parameters, *graph.inputs.values()], [slope])[0]
        return [], [jacobian(slope, graph.parameters, vectorize=True, disconnected_inputs="ignore")]
    slopes = simplified([*graph.wrt, *graph.inputs.values()], _slopes(value, graph.wrt))
    blocks = [
        [_block(slopes, graph.wrt, i, j) if i <= j else None for j in range(len(slopes))] for i in range(len(slopes))
    ]
    for i in range(len(slopes)):
        for j in range(i):
            blocks[i][j] = blocks[j][i].T
    if not graph.parts:
        return [], [blocks[0][0]]
    rows = [
        join(row, graph.parts, graph.size, axis=0 if part.scalar else 1)
        for row, part in zip(blocks, graph.parts, strict=True)
    ]
    return [], [join(rows, graph.parts, graph.size)]


def _block(slopes: list[Variable], wrt: list[Variable], i: int, j: int) -> Variable:
    """Return the derivative of one part of the gradient with respect to one part of the parameters."""
    if slopes[i].ndim == 0:
        return _slopes(slopes[i], [wrt[j]])[0]
    block = jacobian(slopes[i], wrt[j], vectorize=True, disconnected_inputs="ignore")
    shape = wrt[i].type.shape + wrt[j].type.shape
    return block if block.type.shape == shape else pt.specify_shape(block, shape)


@derives("hessp")
def _product(graph: Graph, value: Variable) -> tuple[list[Variable], list[Variable]]:
    direction = pt.tensor("direction", dtype="float64", shape=graph.parameters.type.shape)
    pieces = [part.of(direction) for part in graph.parts] or [direction]
    slopes = _slopes(value, graph.wrt)
    along = pt.add(*[(slope * piece).sum() for slope, piece in zip(slopes, pieces, strict=True)])
    return [direction], [_joined(graph, _slopes(along, graph.wrt))]


@derives("jacobian")
def _jacobian(graph: Graph, value: Variable) -> tuple[list[Variable], list[Variable]]:
    value = _over_vector(graph, [value.ravel()])[0]
    return [], [jacobian(value, graph.parameters, vectorize=True, disconnected_inputs="ignore")]


@derives("pullback")
def _pullback(graph: Graph, value: Variable) -> tuple[list[Variable], list[Variable]]:
    """The sum of the Jacobian's rows, each times an entry of the direction."""
    rows = value.ravel()
    direction = pt.tensor("direction", dtype="float64", shape=rows.type.shape)
    return [direction], [_joined(graph, _slopes((rows * direction).sum(), graph.wrt))]


@derives("pushforward")
def _pushforward(graph: Graph, value: Variable) -> tuple[list[Variable], list[Variable]]:
    """The sum of its columns: a pullback is linear in its direction, and its slopes there are the Jacobian's."""
    rows = value.ravel()
    direction = pt.tensor("direction", dtype="float64", shape=graph.parameters.type.shape)
    pieces = [part.of(direction) for part in graph.parts] or [direction]
    weights = pt.tensor(dtype="float64", shape=rows.type.shape)
    slopes = _slopes((rows * weights).sum(), graph.wrt)
    along = pt.add(*[(slope * piece).sum() for slope, piece in zip(slopes, pieces, strict=True)], 0.0)
    columns = _slopes(along, [weights])
    return [direction], clone_replace(columns, {weights: pt.zeros(rows.type.shape)})


def _slopes(value: Variable, wrt: list[Variable]) -> list[Variable]:
    return pytensor.grad(value, wrt, disconnected_inputs="ignore")


def _joined(graph: Graph, pieces: list[Variable]) -> Variable:
    """Return the derivatives with respect to the parts as one vector."""
    return join(pieces, graph.parts, graph.size) if graph.parts else pieces[0]


def _over_vector(graph: Graph, variables: Sequence[Variable]) -> list[Variable]:
    """Return `variables` with the parts as slices of the parameter vector."""
    slices = {part.variable: part.of_parameters(graph.parameters) for part in graph.parts}
    return clone_replace(list(variables), slices)


def derive(graph: Graph, kind: str, divide: bool = True) -> list[Function]:
    """Return the functions of one kind of derivative.

    Parameters
    ----------
    graph : Graph
        From `stabilised`.
    kind : str
        A name in KINDS.
    divide : bool
        If True what the data or the point decide is in functions of its own; if False the last function does all.

    Raises
    ------
    UnsupportedFunctionError
        If a function has no derivative in one of its arguments, with the user's line.
    """
    with settings():
        given = list(graph.inputs.values())
        try:
            extra, results = DERIVATIONS[kind](graph, graph.value)
        except (NullTypeGradError, NotImplementedError) as problem:
            raise refusal(graph, problem) from problem
        inputs = [*extra, graph.parameters, *given]
        own, joint = divided(graph.guards)
        final = rewrite(inputs, _over_vector(graph, [*results, *(variable for variable, _ in joint)]))
        results, late = final.outputs[: len(results)], final.outputs[len(results) :]
        early = _over_vector(graph, [variable for variable, _ in own])
        early = clone_replace(early, dict(zip(inputs, final.inputs, strict=True)))
        guards = tuple((check, guard) for check, (_, guard) in zip([*early, *late], [*own, *joint], strict=True))
        extra, vector, given = final.inputs[: len(extra)], final.inputs[len(extra)], final.inputs[len(extra) + 1 :]
        if not divide:
            final = Function(kind, (*extra, vector, *given), tuple(results), guards)
            return [Function(PREPARE, tuple(given), ()), final]
        return _divide(kind, list(extra), vector, list(given), results, guards)
