"""Functions of NumPy and SciPy as formulas in NumPy that a trace follows, one file per kind.

Formulas know neither tapes nor rules: they take what the user passed and use functions that NumPy dispatches. A file of
SciPy's functions is loaded when such a function is first met, as importing SciPy costs time.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from autoopt.tracing.arrays import (
    defined,  # noqa: F401  (fill HANDLERS)
    in_place,  # noqa: F401  (fill HANDLERS)
    labels,  # noqa: F401  (fill HANDLERS)
    layout,  # noqa: F401  (fill HANDLERS)
)
from autoopt.tracing.formulas import (
    matrices,  # noqa: F401  (fill FORMULAS)
    sampled,  # noqa: F401  (fill FORMULAS)
)
from autoopt.tracing.formulas.table import FORMULAS, Formula

FILES = {
    "scipy.signal": ("signals",),
    "scipy.linalg": ("systems",),
    "scipy.sparse": ("systems",),
    "scipy.spatial": ("distances",),
    "scipy.integrate": ("integrals", "initial_values"),
    "scipy.optimize": ("roots",),
    "autoopt.roots": ("roots",),
    "scipy.interpolate": ("interpolants", "lookups"),
    "scipy.ndimage": ("signals",),
    "scipy.stats": ("statistics",),
    "scipy.special": ("special",),
    "statistics": ("averages",),
    "_statistics": ("averages",),
}

__all__ = ["FORMULAS", "Formula", "find", "load_all"]


def find(function: Any) -> Formula | None:
    """Return the formula of a hashable `function`, or None if there is none."""
    room = ".".join(str(getattr(function, "__module__", "")).split(".")[:2])
    for kind in FILES.get(room, ()):
        import_module(f"autoopt.tracing.formulas.{kind}")
    return FORMULAS.get(function)


def load_all() -> dict:
    """Return FORMULAS with those of SciPy's functions."""
    for kind in {kind for kinds in FILES.values() for kind in kinds}:
        import_module(f"autoopt.tracing.formulas.{kind}")
    return FORMULAS
