"""The table of smooth problems, without constraints or with bounds alone, that solvers and their verdicts are held to.

Each is written from a published formula in plain NumPy, with its standard start and the values at its minima. What is
printed to few digits is computed to all of them, and compared with the print.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Smooth:
    """Minimise `f` from `x0` within `bounds`.

    Attributes
    ----------
    values : tuple of float
        f at the minima that are known, the lowest first; there may be others.
    kind : str
        "" for a minimum with a positive definite Hessian, "singular" for one without (f rises by its fourth power, or
        not at all along a line), "infinity" where there is none: f falls for ever.
    """

    name: str
    f: Callable
    x0: np.ndarray
    values: tuple[float, ...]
    bounds: tuple | None = None
    kind: str = ""


SMOOTH: dict[str, Smooth] = {}


def enter(name: str, f: Callable, x0, values, bounds=None, kind: str = "") -> None:
    """Enter a problem; `values` is a number or a tuple."""
    if name in SMOOTH:
        raise ValueError(f"there are two problems {name}")
    values = tuple(np.atleast_1d(np.asarray(values, dtype=float)).tolist())
    SMOOTH[name] = Smooth(name, f, np.asarray(x0, dtype=float), values, bounds, kind)


def smooth(x0, values, **more) -> Callable:
    """Return a decorator that enters a function under its own name."""

    def entered(f: Callable) -> Callable:
        enter(f.__name__, f, x0, values, **more)
        return f

    return entered
