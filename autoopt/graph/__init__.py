"""Tape -> PyTensor: the symbolic graph of the objective, its derivatives, their rewriting."""

from autoopt.graph.build import Graph, build
from autoopt.graph.derive import KINDS, derive
from autoopt.graph.division import Function
from autoopt.graph.stabilisation import stabilised

__all__ = ["KINDS", "Function", "Graph", "build", "derive", "stabilised"]
