"""A derivative divided by what it depends on: the data alone, the point, the direction.

    hessp(d, b, X, y)    A = X * X.mean(axis=0)                  what is derived: one graph
                         s = expit(A @ b)
                         A.T @ ((A @ d) * y * s * (1 - s))

    prepare(X)           A = X * X.mean(axis=0)                  free of b and d: once per data set
    linearize(b, y, A)   p = y * expit(A @ b) * (1 - expit(A @ b))       free of d: once per point
    hessp(d, A, p)       A.T @ ((A @ d) * p)                     for each direction

First sums and products are regrouped, so that the factors that are free of d stand together, as p does here. Then the
graph is cut at a frontier: the largest parts that are free of what comes late and are more than a view of something
that is there already. What is cut off is an argument of the next function, under the name it has in the dictionary
that the earlier one returns. So hessp(d, **prepare(X), **linearize(b, y, A)) is the whole derivative, and no function
computes what an earlier one has. Parts that are too large, or too many, are computed again each time rather than kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytensor.graph.basic import Constant, Variable
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import io_toposort
from pytensor.tensor.basic import Alloc
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.reshape import JoinDims, SplitDims
from pytensor.tensor.shape import Reshape, SpecifyShape
from pytensor.tensor.subtensor import Subtensor

from autoopt.graph.idioms.associating import Written, associated
from autoopt.graph.idioms.common_factors import factored
from autoopt.graph.idioms.sharing import with_shared_products
from autoopt.graph.idioms.sweep import simplify
from autoopt.graph.kinds import KINDS, LINEARIZE, PREPARE
from autoopt.graph.rewrites.grouping import group_by_dependence
from autoopt.ops.barriers import Barrier, closed
from autoopt.ops.patterns import applied, size_in_bytes
from autoopt.tape.tape import Guard

FREE = (DimShuffle, Reshape, SpecifyShape, Subtensor, Alloc, JoinDims, SplitDims)
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


MANY = 64
"""The most values of a point that are kept for products with further directions; more are sooner made than read."""


def divide_graph(
    kind: str,
    extra: list[Variable],
    vector: Variable,
    given: list[Variable],
    results: Sequence[Variable],
    guards: tuple,
    written: Written,
) -> list[Function]:
    """Cut the graph where it stops to depend on the parameters, and where on the direction.

    `written` has the products of the user's, see `idioms.associating`.
    """
    count = len(results)
    roots = _readable([vector, *extra, *given], [*results, *(variable for variable, _ in guards)])
    results, checks = roots[:count], roots[count:]
    if KINDS[kind].order == 2 and not extra:
        results = with_shared_products([vector, *given], results)
    results = group_by_dependence(results, {vector, *extra}, set(given))
    if extra:
        results = group_by_dependence(results, set(extra), {vector, *given}, linear=True)
    roots = _readable([vector, *extra, *given], [*results, *checks])  # what is equal now is one
    results, checks = roots[:count], roots[count:]
    ahead = _frontier(roots, given, {vector, *extra})
    functions = [Function(PREPARE, tuple(given), tuple(ahead))]
    roots, known = _cut(roots, ahead)
    arguments = [vector, *given, *known]
    if not extra and KINDS[kind].order < 2:
        roots = associated(arguments, factored(arguments, roots, count), count, written)
    results = roots[:count]
    guards = tuple((check, guard) for check, (_, guard) in zip(roots[count:], guards, strict=True))
    if extra:
        point = _frontier(results, arguments, set(extra))
        if len(point) > MANY:
            point = []
        functions.append(Function(LINEARIZE, tuple(arguments), tuple(point), guards))
        results, late = _cut(results, point)
        functions.append(Function(kind, (*extra, *arguments, *late), tuple(results)))
    else:
        functions.append(Function(kind, tuple(arguments), tuple(results), guards))
    return functions


def _cut(roots: list[Variable], ahead: list[Variable]) -> tuple[list[Variable], list[Variable]]:
    """Return `roots` as expressions of inputs that stand for the variables computed `ahead`, and these inputs."""
    inputs = []
    for variable in ahead:
        stand_in = variable.type()
        stand_in.tag.stands_for = variable
        inputs.append(stand_in)
    return clone_replace(list(roots), dict(zip(ahead, inputs, strict=True))), inputs


def _readable(inputs: list[Variable], roots: list[Variable]) -> list[Variable]:
    """Return `roots` as a person would write them: vectors where PyTensor has columns, above all."""
    simple = simplify(inputs, roots)
    for old, new in simple.items():
        if not getattr(new.tag, "trace", None):
            new.tag.trace = getattr(old.tag, "trace", [])
    return [simple[root] for root in roots]


def grouped(roots: Sequence[Variable], late: list[Variable], given: list[Variable]) -> list[Variable]:
    """Return `roots` as a person would write them, what is free of `late` together, and safe from further rewrites."""
    whole = _readable([*late, *given], list(roots))
    whole = closed(_frontier(whole, given, set(late)), whole)
    whole = group_by_dependence(whole, set(late), set(given), lambda v: applied(Barrier(), v), linear=True)
    return closed(_frontier(whole, given, set(late)), whole)


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
        size += size_in_bytes(variable)
        if size <= HOIST_LIMIT:
            kept.append(variable)
    return kept


def _costly(variable: Variable, stop: set[Variable]) -> list[Variable]:
    """Return what has to be computed to have `variable`, looking through views."""
    if variable in stop or isinstance(variable, Constant) or variable.owner is None:
        return []
    if isinstance(variable.owner.op, FREE):
        return [part for source in variable.owner.inputs for part in _costly(source, stop)]
    return [variable]
