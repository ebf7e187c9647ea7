"""Which entries of a result are wrong: each is compared beside its own rounding; where two differ, differences decide.

A gradient of 1e9 along one parameter, or a value of 1e10, says nothing of how well another entry is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.verification.rounding import last_place

SAME = 1e-10, 1e-3
"""Part of an entry to which two right formulas agree beside the rounding of their terms, in double and single."""

EXAMINED = 6
"""Entries of one result that differences are taken for."""

_DRAWS, _MARGIN = 3, 32


@dataclass(frozen=True)
class Apart:
    """An entry in which two results differ by more than rounding explains.

    Attributes
    ----------
    index : int
    measured, error : float
        What differences give; NaN and inf where they tell nothing.
    is_wrong : bool
        Whether it is the one that was given, beyond doubt.
    """

    index: int
    measured: float
    error: float
    is_wrong: bool

    @property
    def is_told(self) -> bool:
        """Whether differences tell anything."""
        return bool(np.isfinite(self.measured) and np.isfinite(self.error))


def allowances(objective: Any, x: np.ndarray, results: list, functions: tuple[Callable, ...]) -> np.ndarray:
    """Return what each entry of `results`, what `functions` give at `x`, may be off by rounding.

    It is seen by how each moves when x moves by a rounding, beside its size and the last places of the largest entry:
    at a kink, where formulas may have either side, by all that is between these.
    """
    unit, rng = last_place(objective), np.random.default_rng(3)
    sizes = np.max([np.where(np.isfinite(one), np.abs(one), 0.0) for one in results], axis=0)
    allowed = SAME[unit > 1e-10] * sizes + 4 * unit * np.max(sizes, initial=0.0)
    moves = [2 * unit * differences.step_scale(x) * rng.choice([-1.0, 1.0], x.size) for _ in range(_DRAWS)]
    for move in moves:
        for here, function in zip(results, functions, strict=True):
            there = function(x + move)
            if isinstance(there, np.ndarray) and there.shape == here.shape:
                moved = np.abs(there - here)
                allowed = np.maximum(allowed, _MARGIN * np.where(np.isfinite(moved), moved, 0.0))
    return allowed


def apart(given: np.ndarray, expected: np.ndarray, allowed: np.ndarray, scalar: Callable, x: np.ndarray) -> list[Apart]:
    """Return the entries in which two results differ by more than `allowed`, those that differ most first.

    `scalar` returns for the index of an entry a function, the step along which its derivative is that entry times the
    last of the three, a length.
    """
    off = np.where(np.isfinite(given), np.abs(given - expected), np.inf)
    beside = off / np.maximum(allowed, 1e-300)
    found = []
    for i in np.argsort(-beside)[:EXAMINED]:
        if beside[i] <= 1:
            break
        function, step, length = scalar(int(i))
        rough = differences.noise(function, x, step)
        slope, error = differences.directional(function, x, step, roughness=rough)
        measured, error = float(slope) / length, float(error) / length
        beyond, own = abs(given[i] - measured), abs(expected[i] - measured)
        is_far = not (beyond <= 5 * error + allowed[i] or beyond <= 2 * own)
        is_told = bool(np.isfinite(measured) and np.isfinite(error))
        found.append(Apart(int(i), measured, error, is_told and is_far))
    return found


def digits(given: np.ndarray, expected: np.ndarray, allowed: np.ndarray, examined: list[Apart]) -> float:
    """Return to how many digits two results agree: beside each entry's size, or the largest where rounding explains it.

    What differences have told to be right, or cannot tell, is left out.
    """
    off, size = np.abs(given - expected), np.maximum(np.abs(expected), np.abs(given))
    keep = np.isfinite(off)
    keep[[one.index for one in examined]] = False
    largest = float(np.max(np.abs(expected), initial=0.0))
    parts = off[keep] / np.maximum(np.where(off[keep] > allowed[keep], size[keep], largest), 1e-300)
    worst = float(np.max(parts, initial=0.0))
    return 16.0 if worst == 0 else float(min(16.0, -np.log10(min(worst, 1.0))))
