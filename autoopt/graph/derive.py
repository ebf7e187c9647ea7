"""Derivatives of a graph, rewritten and divided by what they depend on.

Each kind of derivative becomes up to three functions: `prepare`, what the data alone decide, computed once per data
set; for products with a direction `linearize`, what one point decides, computed once per point; and the function
itself. `division` shows an example.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

import pytensor.tensor as pt
from pytensor.gradient import NullTypeGradError, jacobian
from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace, vectorize_graph
from pytensor.graph.traversal import ancestors
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.build import Graph, products_written
from autoopt.graph.division import Function, divide_graph, grouped
from autoopt.graph.equations import Solve
from autoopt.graph.indexed import hessian as indexed
from autoopt.graph.indexed.assembly import assembled
from autoopt.graph.indexed.terms import NotFactored
from autoopt.graph.kinds import DENSE, KINDS, PREPARE
from autoopt.graph.missing import refusal
from autoopt.graph.parts import join, parameter_columns, slopes
from autoopt.graph.rewrites.rewriting import rewrite, settings
from autoopt.graph.smoothness import without_cancelled
from autoopt.graph.stabilisation import divided, simplified
from autoopt.graph.tangents.forward import forward
from autoopt.graph.tangents.terms import Unstructured
from autoopt.ops.barriers import opened
from autoopt.ops.matmul import as_dots
from autoopt.ops.refined import settled

MAX_BLOCKS = 8
"""With more parts of the parameters than this the Hessian is not put together from blocks."""

Derivation = Callable[[Graph, TensorVariable], tuple[list[TensorVariable], list[TensorVariable]]]
"""Takes the graph and its value; returns the directions that the derivative takes, if any, and its results."""

DERIVATIONS: dict[str, Derivation] = {}
"""By the names of KINDS."""


LINKED: dict[str, Derivation] = {}
"""Those that need nothing but PyTensor's own operations, for what compiles these, where others are better printed."""


def derives(kind: str) -> Callable[[Derivation], Derivation]:
    """Register what makes a kind of derivative."""

    def register(derivation: Derivation) -> Derivation:
        DERIVATIONS[KINDS[kind].name] = derivation
        return derivation

    return register


@derives("value")
def _value(graph: Graph, value: TensorVariable) -> tuple[list[TensorVariable], list[TensorVariable]]:
    return [], [value]


@derives("value_and_grad")
def _gradient(graph: Graph, value: TensorVariable) -> tuple[list[TensorVariable], list[TensorVariable]]:
    return [], [value, _joined(graph, slopes(value, graph.wrt))]


@derives("hess")
def _hessian(graph: Graph, value: TensorVariable) -> tuple[list[TensorVariable], list[TensorVariable]]:
    try:
        wrt = list(zip(graph.wrt, [part.start for part in graph.parts] or [0], strict=True))
        return [], [indexed.hessian(value, wrt, graph.size, list(graph.inputs.values()), simplified)]
    except NotFactored:
        if graph.size > DENSE:  # temporaries for all directions at once would be large
            raise
        return _stacked(graph, value)


def _stacked(graph: Graph, value: TensorVariable) -> tuple[list[TensorVariable], list[TensorVariable]]:
    """The slopes of all entries of the gradient at once, for all directions at once."""
    if len(graph.parts) > MAX_BLOCKS:
        slope = _over_vector(graph, [_joined(graph, slopes(value, graph.wrt))])[0]
        slope = simplified([graph.parameters, *graph.inputs.values()], [slope])[0]
        return [], [_jacobian_of(slope, graph.parameters)]
    gradient = simplified([*graph.wrt, *graph.inputs.values()], slopes(value, graph.wrt))
    blocks: list[list[TensorVariable]] = []
    for i in range(len(gradient)):
        above = [blocks[j][i].T for j in range(i)]
        blocks.append([*above, *(_block(gradient, graph.wrt, i, j) for j in range(i, len(gradient)))])
    if not graph.parts:
        return [], [blocks[0][0]]
    rows = [
        join(row, graph.parts, graph.size, axis=0 if part.scalar else 1)
        for row, part in zip(blocks, graph.parts, strict=True)
    ]
    return [], [join(rows, graph.parts, graph.size)]


LINKED["hess"] = _stacked


def _block(gradient: Sequence[TensorVariable], wrt: Sequence[TensorVariable], i: int, j: int) -> TensorVariable:
    """Return the derivative of one part of the gradient with respect to one part of the parameters."""
    if gradient[i].ndim == 0:
        return slopes(gradient[i], [wrt[j]])[0]
    block = _jacobian_of(gradient[i], wrt[j])
    shape = wrt[i].type.shape + wrt[j].type.shape
    return block if block.type.shape == shape else pt.specify_shape(block, shape)


def _jacobian_of(vector: TensorVariable, wrt: TensorVariable) -> TensorVariable:
    """Return the derivatives of all entries at once."""
    return cast(TensorVariable, jacobian(vector, wrt, vectorize=True, disconnected_inputs="ignore"))


@derives("hessp")
def _product(graph: Graph, value: TensorVariable) -> tuple[list[TensorVariable], list[TensorVariable]]:
    direction = pt.tensor("direction", dtype="float64", shape=graph.parameters.type.shape)
    pieces = [part.of(direction) for part in graph.parts] or [direction]
    gradient = slopes(value, graph.wrt)
    along = pt.add(*[(slope * piece).sum() for slope, piece in zip(gradient, pieces, strict=True)])
    return [direction], [_joined(graph, slopes(along, graph.wrt))]


@derives("hessp_columns")
def _products(graph: Graph, value: TensorVariable) -> tuple[list[TensorVariable], list[TensorVariable]]:
    """The Hessian times a matrix: the product with one direction in its final form, stacked over the columns."""
    return _several(graph, *_product(graph, value))


def _several(
    graph: Graph, given: list[TensorVariable], results: list[TensorVariable]
) -> tuple[list[TensorVariable], list[TensorVariable]]:
    """Return a derivative that takes a direction as one that takes a matrix of them, of any number of columns."""
    (direction,), known = given, [*graph.wrt, *graph.inputs.values()]
    single = grouped(simplified([direction, *known], settled(results, 2), "second"), [direction], known)
    directions = pt.tensor("direction", dtype="float64", shape=(*direction.type.shape, None))
    stacked = cast("list[TensorVariable]", vectorize_graph(single, {direction: directions.T}))
    count = directions.shape[1]  # what does not depend on the direction is 0
    wide = [v.T if v.ndim > 1 else pt.zeros((v.type.shape[0], count)) for v in stacked]
    return [directions], cast("list[TensorVariable]", wide)


@derives("jacobian")
def _jacobian(graph: Graph, value: TensorVariable) -> tuple[list[TensorVariable], list[TensorVariable]]:
    """By a sweep that keeps the structure where there is one, else all rows at once."""
    try:
        return [], [forward(value, parameter_columns(graph.parts, graph.parameters), graph.size)]
    except Unstructured:
        if value.type.shape == (1,) * value.ndim:
            return [], [_joined(graph, slopes(value.sum(), graph.wrt)).reshape((1, graph.size))]
        value = _over_vector(graph, [value.ravel()])[0]
        return [], [_jacobian_of(value, graph.parameters)]


@derives("pullback")
def _pullback(graph: Graph, value: TensorVariable) -> tuple[list[TensorVariable], list[TensorVariable]]:
    """The sum of the Jacobian's rows, each times an entry of the direction."""
    rows = value.ravel()
    direction = pt.tensor("direction", dtype="float64", shape=rows.type.shape)
    return [direction], [_joined(graph, slopes((rows * direction).sum(), graph.wrt))]


@derives("pushforward")
def _pushforward(graph: Graph, value: TensorVariable) -> tuple[list[TensorVariable], list[TensorVariable]]:
    """The sum of its columns: a pullback is linear in its direction, and its slopes there are the Jacobian's."""
    rows = value.ravel()
    direction = pt.tensor("direction", dtype="float64", shape=graph.parameters.type.shape)
    pieces = [part.of(direction) for part in graph.parts] or [direction]
    weights = pt.tensor(dtype="float64", shape=rows.type.shape)
    gradient = slopes((rows * weights).sum(), graph.wrt)
    along = pt.add(*[(slope * piece).sum() for slope, piece in zip(gradient, pieces, strict=True)], 0.0)
    columns = slopes(along, [weights])
    zeros: dict[Variable, Variable] = {weights: pt.zeros(rows.type.shape)}
    return [direction], cast("list[TensorVariable]", clone_replace(columns, zeros))


@derives("pushforward_columns")
def _pushforwards(graph: Graph, value: TensorVariable) -> tuple[list[TensorVariable], list[TensorVariable]]:
    """The Jacobian times a matrix."""
    return _several(graph, *_pushforward(graph, value))


@derives("pullback_columns")
def _pullbacks(graph: Graph, value: TensorVariable) -> tuple[list[TensorVariable], list[TensorVariable]]:
    """The transposed Jacobian times a matrix."""
    return _several(graph, *_pullback(graph, value))


def _joined(graph: Graph, pieces: Sequence[TensorVariable]) -> TensorVariable:
    """Return the derivatives with respect to the parts as one vector."""
    return join(pieces, graph.parts, graph.size) if graph.parts else pieces[0]


def _over_vector(graph: Graph, variables: Sequence[Variable]) -> list[TensorVariable]:
    """Return `variables` with the parts as slices of the parameter vector."""
    slices: dict[Variable, Variable] = {part.variable: part.of_parameters(graph.parameters) for part in graph.parts}
    return cast("list[TensorVariable]", clone_replace(list(variables), slices))


def _computed(variables: Sequence[Variable]) -> list[Variable]:
    """Return what `variables` are computed by, with them, but for what is given."""
    return [v for v in ancestors(variables) if v.owner]


def derive(graph: Graph, kind: str, divide: bool = True) -> list[Function]:
    """Return the functions of one kind of derivative.

    Parameters
    ----------
    graph : Graph
        From `stabilised`.
    kind : str
        A name in KINDS.
    divide : bool
        If True what the data or the point decide is in functions of its own; if False the last function does all, with
        PyTensor's own operations where it can be.

    Raises
    ------
    UnsupportedFunctionError
        If a function has no derivative in one of its arguments, with the user's line.
    """
    with settings():
        given = list(graph.inputs.values())
        # a simpler form will do for first derivatives, if what it is a form of is all here
        order = KINDS[kind].order if any(isinstance(v.owner.op, Solve) for v in _computed([graph.value])) else 2
        if order < 2:
            graph = replace(graph, value=cast(TensorVariable, settled([graph.value], order)[0]))
        try:
            derivation = DERIVATIONS[kind] if divide else LINKED.get(kind, DERIVATIONS[kind])
            extra, results = derivation(graph, graph.value)
        except NotFactored as problem:
            raise NotImplementedError(f"is computed a column at a time: {problem}") from problem
        except (NullTypeGradError, NotImplementedError) as problem:
            raise refusal(graph, problem) from problem
        checks = [check for check, _ in graph.guards]
        everything = settled([*results, *checks], order)
        results = cast("list[TensorVariable]", everything[: len(results)])
        found = zip(everything[len(results) :], graph.guards, strict=True)
        graph = replace(graph, guards=[(check, guard) for check, (_, guard) in found])
        inputs = [*extra, graph.parameters, *given]
        own, joint = divided(graph.guards)
        stage = "second" if KINDS[kind].order == 2 else "last"
        whole = rewrite(inputs, _over_vector(graph, [*results, *(variable for variable, _ in joint)]), stage)
        outputs = opened(whole.outputs)
        rewritten, late = assembled(outputs[: len(results)], whole.inputs[len(extra)]), outputs[len(results) :]
        early = clone_replace(
            _over_vector(graph, [variable for variable, _ in own]), dict(zip(inputs, whole.inputs, strict=True))
        )
        count = len(extra)
        directions, vector, data = whole.inputs[:count], whole.inputs[count], whole.inputs[count + 1 :]
        guards = tuple((check, guard) for check, (_, guard) in zip([*early, *late], [*own, *joint], strict=True))
        guards = without_cancelled(guards, kind, rewritten, vector)
        if not divide:
            last = Function(kind, (*directions, vector, *data), tuple(as_dots(rewritten)), guards)
            return [Function(PREPARE, tuple(data), ()), last]
        written = products_written(graph.tape)
        return divide_graph(kind, list(directions), vector, list(data), rewritten, guards, written)
