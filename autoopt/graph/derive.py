"""Derivatives of a graph, rewritten and divided by what they depend on.

Each kind of derivative becomes up to three functions: `prepare`, what the data alone decide, computed once per data
set; for products with the Hessian `linearize`, what one point decides, computed once per point; and the function
itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from weakref import ref

import pytensor
import pytensor.tensor as pt
from pytensor.gradient import NullTypeGradError, jacobian
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors, io_toposort
from pytensor.tensor.basic import Alloc
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.reshape import JoinDims, SplitDims
from pytensor.tensor.shape import Reshape, SpecifyShape
from pytensor.tensor.subtensor import Subtensor

from autoopt.graph.build import Graph, build
from autoopt.graph.missing import refusal
from autoopt.graph.parts import join
from autoopt.graph.rewriting import group_by_dependence, rewrite, settings
from autoopt.source.idioms import simplify
from autoopt.tape.tape import Guard, Tape

VIEWS = (DimShuffle, Reshape, SpecifyShape, Subtensor, Alloc, JoinDims, SplitDims)
"""Operations that cost nothing, so that computing them ahead gains nothing."""

MAX_BLOCKS = 8
"""With more parts of the parameters than this the Hessian is not put together from blocks."""

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
    return [], [value, _joined(graph, _slopes(value, graph.wrt))]


def _hessian(graph: Graph, value: Variable) -> tuple[list[Variable], list[Variable]]:
    if len(graph.parts) > MAX_BLOCKS:
        slope = _over_vector(graph, [_joined(graph, _slopes(value, graph.wrt))])[0]
        slope = _simplified([graph.parameters, *graph.inputs.values()], [slope])[0]
        return [], [jacobian(slope, graph.parameters, vectorize=True, disconnected_inputs="ignore")]
    slopes = _simplified([*graph.wrt, *graph.inputs.values()], _slopes(value, graph.wrt))
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


def _product(graph: Graph, value: Variable) -> tuple[list[Variable], list[Variable]]:
    direction = pt.tensor("direction", dtype="float64", shape=graph.parameters.type.shape)
    pieces = [part.of(direction) for part in graph.parts] or [direction]
    slopes = _slopes(value, graph.wrt)
    along = pt.add(*[(slope * piece).sum() for slope, piece in zip(slopes, pieces, strict=True)])
    return [direction], [_joined(graph, _slopes(along, graph.wrt))]


def _jacobian(graph: Graph, value: Variable) -> tuple[list[Variable], list[Variable]]:
    value = _over_vector(graph, [value.ravel()])[0]
    return [], [jacobian(value, graph.parameters, vectorize=True, disconnected_inputs="ignore")]


def _pullback(graph: Graph, value: Variable) -> tuple[list[Variable], list[Variable]]:
    """The sum of the Jacobian's rows, each times an entry of the direction."""
    rows = value.ravel()
    direction = pt.tensor("direction", dtype="float64", shape=rows.type.shape)
    return [direction], [_joined(graph, _slopes((rows * direction).sum(), graph.wrt))]


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


def _simplified(inputs: list[Variable], variables: list[Variable], stage: str = "between") -> list[Variable]:
    """Return `variables` rewritten, over the same inputs."""
    rewritten = rewrite(inputs, variables, stage)
    return clone_replace(rewritten.outputs, dict(zip(rewritten.inputs, inputs, strict=True)))


MANY = 64
"""So many values of a point may be kept for products with further directions; more are sooner made than read."""

KINDS: dict[str, Callable] = {
    "value": _value,
    "value_and_grad": _gradient,
    "hess": _hessian,
    "hessp": _product,
    "jacobian": _jacobian,
    "pullback": _pullback,
    "pushforward": _pushforward,
}


_NONE: tuple = (lambda: None, None)
_latest: list[tuple] = [_NONE]


def stabilised(tape: Tape) -> Graph:
    """Return the graph of `tape`, its value rewritten so that its derivatives are finite wherever they can be.

    The latest is kept for as long as its tape, so that all kinds of derivative start from the same graph. Guards keep
    the user's own arithmetic, rounding included; those that read loops that end on a condition read the same loops as
    the value.
    """
    known, graph = _latest[0]
    if known() is not tape:
        graph = build(tape)
        inputs = [*graph.wrt, *graph.inputs.values()]
        with settings():
            own, joint = _divided(graph.guards)
            value, *late = _simplified(inputs, [graph.value, *(check for check, _ in joint)], "first")
            early = _simplified(inputs, [check for check, _ in own], "guards") if own else []
        guards = [(check, guard) for check, (_, guard) in zip([*early, *late], [*own, *joint], strict=True)]
        graph = replace(graph, value=value, guards=guards)
        _latest[0] = (ref(tape, _forget), replace(graph, tape=None))
    return replace(graph, tape=tape)


def _divided(guards: Sequence[tuple[Variable, Guard]]) -> tuple[list, list]:
    """Return the guards that keep the user's arithmetic, and those that are rewritten with the value.

    These read loops that end on a condition, count ties, or ask whether a decomposition has succeeded: what the value
    computes is not computed twice.
    """
    repeats = [
        guard.kind in ("ties", "finite")
        or any(v.owner and getattr(v.owner.op, "ending", None) for v in ancestors([check]))
        for check, guard in guards
    ]
    return (
        [pair for pair, late in zip(guards, repeats, strict=True) if not late],
        [pair for pair, late in zip(guards, repeats, strict=True) if late],
    )


def _ends_on_condition(variable: Variable) -> bool:
    """Whether a variable reads a loop that ends on a condition."""
    return any(v.owner is not None and getattr(v.owner.op, "ending", None) for v in ancestors([variable]))


def _forget(dead: ref) -> None:
    if _latest[0][0] is dead:
        _latest[0] = _NONE


def derive(graph: Graph, kind: str, divide: bool = True) -> list[Function]:
    """Return the functions of one kind of derivative.

    Parameters
    ----------
    graph : Graph
        From `stabilised`.
    kind : str
        A key of KINDS.
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
            extra, results = KINDS[kind](graph, graph.value)
        except (NullTypeGradError, NotImplementedError) as problem:
            raise refusal(graph, problem) from problem
        inputs = [*extra, graph.parameters, *given]
        own, joint = _divided(graph.guards)
        final = rewrite(inputs, _over_vector(graph, [*results, *(variable for variable, _ in joint)]))
        results, late = final.outputs[: len(results)], final.outputs[len(results) :]
        early = _over_vector(graph, [variable for variable, _ in own])
        early = clone_replace(early, dict(zip(inputs, final.inputs, strict=True)))
        guards = tuple((check, guard) for check, (_, guard) in zip([*early, *late], [*own, *joint], strict=True))
        extra, vector, given = final.inputs[: len(extra)], final.inputs[len(extra)], final.inputs[len(extra) + 1 :]
        if not divide:
            final = Function(kind, (*extra, vector, *given), tuple(results), guards)
            return [Function("prepare", tuple(given), ()), final]
        return _divide(kind, list(extra), vector, list(given), results, guards)


def _divide(
    kind: str,
    extra: list[Variable],
    vector: Variable,
    given: list[Variable],
    results: Sequence[Variable],
    guards: tuple,
) -> list[Function]:
    """Cut the graph where it stops to depend on the parameters, and where on the direction."""
    count = len(results)
    roots = _readable([vector, *extra, *given], [*results, *(variable for variable, _ in guards)])
    results, checks = roots[:count], roots[count:]
    results = group_by_dependence(results, {vector, *extra}, set(given))
    results = group_by_dependence(results, set(extra), {vector, *given}) if extra else results
    roots = [*results, *checks]
    ahead = _frontier(roots, given, {vector, *extra})
    functions = [Function("prepare", tuple(given), tuple(ahead))]
    roots, known = _cut(roots, ahead)
    results = roots[:count]
    guards = tuple((check, guard) for check, (_, guard) in zip(roots[count:], guards, strict=True))
    if extra:
        point = _frontier(results, [vector, *given, *known], set(extra))
        if len(point) > MANY:
            point = []
        functions.append(Function("linearize", (vector, *given, *known), tuple(point), guards))
        results, late = _cut(results, point)
        functions.append(Function(kind, (*extra, vector, *given, *known, *late), tuple(results)))
    else:
        functions.append(Function(kind, (vector, *given, *known), tuple(results), guards))
    return functions


def _cut(roots: list[Variable], ahead: list[Variable]) -> tuple[list[Variable], list[Variable]]:
    """Return `roots` as expressions of inputs that stand for the variables computed `ahead`, and these inputs."""
    inputs = []
    for variable in ahead:
        made = variable.type()
        made.tag.stands_for = variable
        inputs.append(made)
    return clone_replace(list(roots), dict(zip(ahead, inputs, strict=True))), inputs


def _readable(inputs: list[Variable], roots: list[Variable]) -> list[Variable]:
    """Return `roots` as a person would write them: vectors where PyTensor has columns, above all."""
    simple = simplify(inputs, roots)
    for old, new in simple.items():
        if not getattr(new.tag, "trace", None):
            new.tag.trace = getattr(old.tag, "trace", [])
    return [simple[root] for root in roots]


def _frontier(roots: Sequence[Variable], known: Sequence[Variable], late: set[Variable]) -> list[Variable]:
    """Return the largest parts of `roots` that do not depend on `late`, are not `known`, and are worth keeping."""
    order = io_toposort([*known, *late], roots)
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
