"""One PyTensor expression per NumPy or SciPy function, one file per kind.

Rules know neither tapes nor users: they take PyTensor variables and plain Python values and return PyTensor variables.
"""

from autoopt.rules import elementwise, indexing, linalg, primitives, reductions, series, shapes, special
from autoopt.rules.table import RULES, Rule, Unsupported, find, rule

__all__ = [
    "RULES",
    "Rule",
    "Unsupported",
    "elementwise",
    "find",
    "indexing",
    "linalg",
    "primitives",
    "reductions",
    "rule",
    "series",
    "shapes",
    "special",
]
