"""One PyTensor expression per NumPy or SciPy function, one file per kind.

Rules know neither tapes nor users: they take PyTensor variables and plain Python values and return PyTensor variables.
The rules of SciPy's functions are loaded when such a function is first asked for, as importing SciPy costs time.
"""

from importlib import import_module

from autoopt.rules import (
    elementwise,  # noqa: F401  (fill RULES)
    fourier,  # noqa: F401  (fill RULES)
    indexing,  # noqa: F401  (fill RULES)
    linalg,  # noqa: F401  (fill RULES)
    primitives,  # noqa: F401  (fill RULES)
    reductions,  # noqa: F401  (fill RULES)
    series,  # noqa: F401  (fill RULES)
    shapes,  # noqa: F401  (fill RULES)
)
from autoopt.rules.table import RULES, Rule, Unsupported, rule
from autoopt.rules.table import find as _find

_SCIPY = ("special", "analytic", "scipy_linalg", "scipy_integrate", "sparse")

__all__ = ["RULES", "Rule", "Unsupported", "find", "load_all", "rule"]


def load_all() -> dict:
    """Return RULES with those of SciPy's functions."""
    for kind in _SCIPY:
        import_module(f"autoopt.rules.{kind}")
    return RULES


def find(function: object) -> Rule | None:
    """Return the rule of `function`, or None if there is none."""
    found = _find(function)
    if found is None and not str(getattr(function, "__module__", "scipy")).startswith("numpy"):
        load_all()
        found = _find(function)
    return found
