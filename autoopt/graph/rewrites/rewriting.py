"""PyTensor's rewrites as autoopt uses them: no in-place operations, no fusion, nothing that cannot be printed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

from pytensor import config
from pytensor.compile.mode import optdb
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.features import Feature
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import GraphRewriter
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from pytensor.tensor.basic import Alloc, alloc
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.rewriting.basic import topo_constant_folding
from pytensor.tensor.subtensor import AdvancedIncSubtensor, IncSubtensor

from autoopt.graph.rewrites.factors import past_factors
from autoopt.graph.rewrites.joins import unsplit
from autoopt.graph.rewrites.masks import carry_masks
from autoopt.graph.rewrites.quotients import split_all, split_quotients, steady
from autoopt.graph.rewrites.rows import pick_rows
from autoopt.graph.rewrites.shifts import unshift
from autoopt.graph.rewrites.signs import drop_signs
from autoopt.graph.rewrites.softplus import expand_tails, join_halves
from autoopt.graph.rewrites.symmetric import drop_transposes
from autoopt.graph.rewrites.whole_sums import order_products
from autoopt.graph.rewrites.written import put_together, read_through, skip_unread
from autoopt.ops.patterns import applied

LARGE = 300
"""From this many nodes on the cheaper set of rewrites is used."""

ORIGINS = 8
"""The most steps of the tape that are remembered for one variable: rewrites join variables, and with them these."""

DEEP = 50_000
"""Calls within calls that PyTensor may need: several for each step of a chain, which `tape.irregular` bounds."""

_EXCLUDED = (
    "inplace", "fusion", "BlasOpt", "add_mul_fusion", "local_pow_to_nested_squaring", "scan", "cxx_only",
    "scan_eqopt1", "scan_eqopt2", "local_greedy_distributor",  # the last may run for seconds without an end
    "local_dimshuffle_subtensor",  # takes x[::-1][:1] for x[0] (3.0.7)
    "local_div_by_one",  # takes x // 1 for x, whole or not (3.0.7)
    "local_log_sum_exp",  # shifts.py does it with finite second derivatives
    "local_read_of_write_same_indices",  # goes on without an end where a length is not known (3.0.7)
    "local_set_to_inc_subtensor",  # takes x[i] + a + b for x[i] + a (3.0.7)
    "local_add_of_sparse_write",  # the last gives a result of the wrong shape (3.0.7)
    "local_mul_exp_to_exp_add",  # exp(400)**2 overflows where exp(400) does not
    "useless_symmetric_transpose",  # takes a stack for symmetric whose transpose has another shape (3.0.7)
)  # fmt: skip
_STABLE = ("local_softmax_stabilize", "local_logsoftmax")  # no use once the objective itself has been stabilised
_KEPT = (*_STABLE, "inv_to_solve")  # second derivatives read an inverse again and again
# What could not be differentiated afterwards:
_UNFINISHED = (
    "local_abs_lift",  # |x * x| as |x| * |x| has a kink
    "inv_to_solve", "generic_solve_to_structured_form",  # what symmetric ones give reads triangles
    "local_view_op", "reuse_decomposition_multiple_solves",
    "local_mul_switch_sink", "local_div_switch_sink",  # a mask moved past a broadcast is lost in its derivative
)  # fmt: skip
_CHEAP = ("canonicalize", "canonicalize_db", "merge", "useless", "stabilize")


def _rewriter(graph: FunctionGraph, stage: str) -> GraphRewriter:
    """Return the rewrites for a graph; disconnected_grad, a view, stays until all derivatives are taken."""
    include = ("fast_run",) if len(graph.apply_nodes) < LARGE else _CHEAP
    stacked = any(isinstance(node.op, Blockwise) and node.op.batch_ndim(node) for node in graph.apply_nodes)
    more = ("reuse_decomposition_multiple_solves",) if stacked else ()  # NumPy has no factors of a stack of matrices
    exclude = {"first": _UNFINISHED, "between": (*_UNFINISHED, *_STABLE), "last": _STABLE, "second": _KEPT}[stage]
    return _chosen(include, (*_EXCLUDED, *exclude, *more))


@cache
def _chosen(include: tuple[str, ...], exclude: tuple[str, ...]) -> GraphRewriter:
    """Return the rewrites of these names, kept: putting them together takes as long as rewriting a small graph."""
    return optdb.query(RewriteDatabaseQuery(include=include, exclude=exclude))


@contextmanager
def settings() -> Iterator[None]:
    """Give a context in which PyTensor's configuration is what autoopt needs, and deep graphs may be walked."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, DEEP))
    try:
        with config.change_flags(floatX="float64", cxx="", linker="py", traceback__limit=0, on_opt_error="ignore"):
            yield
    finally:
        sys.setrecursionlimit(limit)


def rewrite(inputs: Sequence[Variable], outputs: Sequence[Variable], stage: str = "last") -> FunctionGraph:
    """Return the rewritten graph of `outputs`; its inputs and outputs are in the order given.

    `stage` is "first" for the objective itself, from which shifts by a maximum are taken out, "between" for derivatives
    that are differentiated further, and "last", or "second" for second derivatives; "guards" for what must not change
    by a rounding.
    """
    graph = FunctionGraph(list(inputs), list(outputs), clone=True, features=[_ShortTraces()])
    _share(graph)
    _trim(graph)
    _fix_shapes(graph)
    if stage == "guards":
        topo_constant_folding.rewrite(graph)
        return graph
    if stage == "first":
        drop_signs(graph)
        unshift(graph)
        pick_rows(graph)
    else:
        skip_unread(graph)
        read_through(graph)
        carry_masks(graph)
    unsplit(graph)
    _rewriter(graph, stage).rewrite(graph)
    unsplit(graph)  # those whose axis is known only now
    if stage == "first" and join_halves(graph):
        _rewriter(graph, stage).rewrite(graph)
    if stage == "first":
        drop_signs(graph)  # of what has turned out to be equal factors
        past_factors(graph)
    if stage in ("last", "second"):
        read_through(graph)
        put_together(graph)
        drop_transposes(graph)
        if order_products(graph):
            _rewriter(graph, stage).rewrite(graph)  # for the numbers
        split_quotients(graph)
        if stage == "second":
            split_all(graph)  # what is multiplied by them may be large where the quotient has vanished
        expand_tails(graph)
    else:
        steady(graph)
    return graph


class _ShortTraces(Feature):
    """Keeps what variables know of their origin short: PyTensor's rewrites put such lists together again and again."""

    def on_import(self, fgraph: FunctionGraph, node: Apply, reason: str | None = None) -> None:
        for variable in node.outputs:
            self.shorten(variable)

    def on_change_input(
        self, fgraph: FunctionGraph, node: Apply, i: int, r: Variable, new_r: Variable, reason: str | None = None
    ) -> None:
        self.shorten(new_r)

    def shorten(self, variable: Variable) -> None:
        trace = getattr(variable.tag, "trace", ())
        if len(trace) > ORIGINS:
            variable.tag.trace = list(dict.fromkeys(mark for mark in trace if type(mark) is not list))[:ORIGINS]


def _share(graph: FunctionGraph) -> None:
    """Take the results of nests of loops from those that do the same and save what derivatives need."""
    for node in graph.toposort():
        plain = getattr(node.op, "saves_for", None)
        if plain is None:
            continue
        for other in {reader for reader, _ in graph.clients[node.inputs[0]] if isinstance(reader, Apply)}:
            if other is not node and other.op == plain and other.inputs == node.inputs:
                graph.replace_all(list(zip(other.outputs, node.outputs, strict=False)))


def _trim(graph: FunctionGraph) -> None:
    """Replace loops that make results nobody reads by loops that make none."""
    for node in reversed(graph.toposort()):
        if hasattr(node.op, "trimmed"):
            read = [k for k, out in enumerate(node.outputs) if graph.clients[out]]
            if len(node.op.needed(read)) < len(node.outputs):
                made = node.op.trimmed(node.inputs, read)
                graph.replace_all([(node.outputs[k], made[k]) for k in read])


def _fix_shapes(graph: FunctionGraph) -> None:
    """Give arrays that are filled with a value their shapes as numbers.

    PyTensor asks for the shape of every such array by a pass over all that it depends on, each time that it is made.
    """
    for node in graph.toposort():
        out = node.outputs[0]
        if None in getattr(out.type, "shape", (None,)):
            continue
        if isinstance(node.op, Alloc) and not all(isinstance(size, Constant) for size in node.inputs[1:]):
            graph.replace(out, applied(alloc, node.inputs[0], *out.type.shape))
        elif isinstance(node.op, Blockwise) and isinstance(node.op.core_op, IncSubtensor | AdvancedIncSubtensor):
            target, *rest = node.inputs
            if target.type.shape != out.type.shape:  # written into once for every entry of a stack
                graph.replace(out, applied(node.op, applied(alloc, target, *out.type.shape), *rest))
