"""PyTensor's rewrites as autoopt uses them: no in-place operations, no fusion, nothing that cannot be printed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from pytensor import config
from pytensor.compile.mode import optdb
from pytensor.graph.basic import Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.db import RewriteDatabaseQuery

LARGE = 300
"""From this many nodes on the cheaper set of rewrites is used."""

_EXCLUDED = (
    "inplace", "fusion", "BlasOpt", "add_mul_fusion", "local_pow_to_nested_squaring", "scan", "cxx_only",
    "scan_eqopt1", "scan_eqopt2",
)  # fmt: skip
_FULL = RewriteDatabaseQuery(include=["fast_run"], exclude=_EXCLUDED)
_CHEAP = RewriteDatabaseQuery(include=["canonicalize", "canonicalize_db", "merge", "useless", "stabilize"], exclude=_EXCLUDED)


def settings() -> AbstractContextManager:
    """Return a context in which PyTensor's global configuration is what autoopt needs."""
    return config.change_flags(floatX="float64", cxx="", traceback__limit=0, compute_test_value="off", on_opt_error="raise")


def rewrite(inputs: Sequence[Variable], outputs: Sequence[Variable], full: bool = True) -> FunctionGraph:
    """Return the rewritten graph of `outputs`; its inputs and outputs are in the order given."""
    graph = FunctionGraph(list(inputs), list(outputs), clone=True)
    query = _FULL if full and len(graph.apply_nodes) < LARGE else _CHEAP
    optdb.query(query).rewrite(graph)
    return graph
