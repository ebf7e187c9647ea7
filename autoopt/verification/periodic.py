"""Iterates of a run compared with the original function, as many as a fiftieth of the run's time allows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from autoopt.errors import AutooptError, VerificationError
from autoopt.verification.brief import compare_briefly
from autoopt.verification.certificate import ITERATE, Verification
from autoopt.verification.points import Counted

SHARE = 0.02
"""The part of a run's time that comparisons may take."""

_LOST = ArithmeticError, ValueError, RuntimeError, AutooptError


class Periodic:
    """What looks at each iterate of a run, and compares those that there is time for.

    Parameters
    ----------
    objective_at : callable
        Returns what is compared at a point.
    start : Verification
        What was found at x0: its seconds say what a comparison costs.
    floor : float
        Values and slopes that do not matter beside it are not looked at.
    limits : Limits or None
    remedy : str
        What to do about code that is wrong.
    """

    def __init__(
        self, objective_at: Callable, start: Verification, floor: float, limits: Any = None, remedy: str = ""
    ) -> None:
        self._objective_at, self._floor, self._limits, self._remedy = objective_at, floor, limits, remedy
        self._begin, self._met = time.perf_counter(), 0
        self._cost = start.seconds if start.evaluations else np.nan  # nothing was called for what is known
        self.found = Verification(True)

    def around(self, callback: Callable | None) -> Callable:
        """Return a callback that compares, and then calls the user's."""

        def watched(x: np.ndarray, *state: Any) -> None:
            self.look(x)
            if callback is not None:
                callback(x, *state)

        return watched

    def look(self, x: np.ndarray) -> None:
        """Compare the iterate `x`, if there is time for it; VerificationError if it is wrong there."""
        self._met += 1
        now = time.perf_counter()
        cost = self._cost if np.isfinite(self._cost) else (now - self._begin) / self._met
        if self.found.seconds + cost > SHARE * (now - self._begin):
            return
        try:
            found = self._compared(np.array(x))
        except _LOST as error:
            if isinstance(error, VerificationError):
                raise
            found = Verification(True, conclusive=False)
        seconds = time.perf_counter() - now
        self._cost = seconds if not np.isfinite(self._cost) else max(seconds, self._cost / 2)
        self.found = self.found.joined(replace(found, seconds=seconds, iterates=1))

    def _compared(self, x: np.ndarray) -> Verification:
        place = f"{ITERATE} {self._met}"
        objective = Counted(self._objective_at(x))
        found = compare_briefly(objective, x, place, self._floor, self._limits, objective.value_and_grad(x))
        if not found.passed and np.isfinite(found.value_error):
            raise VerificationError(f"At {place}: {found.message}", remedy=self._remedy or None)
        return found.at(place, objective.evaluations)
