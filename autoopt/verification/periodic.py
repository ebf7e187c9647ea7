"""Iterates of a run compared with the original function, as many as a fiftieth of the run's time allows.

What is compared takes turns: value and slope of the objective, its latest Hessian or product, each constraint.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autoopt.errors import VerificationError
from autoopt.users_code import NO_VALUE
from autoopt.verification.brief import compare_briefly
from autoopt.verification.certificate import DISAGREES, ITERATE, Verification
from autoopt.verification.points import Counted
from autoopt.verification.products import product_finding

SHARE = 0.02
"""The part of a run's time that comparisons may take."""

Comparison = Callable[[np.ndarray, str], Verification | None]
"""(iterate, its name) -> what was found; None if there is nothing new to compare."""


class Periodic:
    """What looks at each iterate of a run, and compares what there is time for.

    Parameters
    ----------
    comparisons : sequence of Comparison
        In the order in which they take turns.
    start : Verification
        What was found at x0: its seconds say what a comparison costs.
    """

    def __init__(self, comparisons: Sequence[Comparison], start: Verification) -> None:
        self._comparisons, self._turn = comparisons, 0
        first = start.seconds if start.evaluations and start.seconds else np.nan  # nothing was called for what is known
        self._costs = [first] * len(comparisons)
        self._begin, self._met, self._spent = time.perf_counter(), 0, 0.0
        self._due = self._begin if np.isnan(first) else self._begin + first / SHARE
        self.found = Verification(True)

    def around(self, callback: Callable | None) -> Callable:
        """Return a callback that compares, and then calls the user's."""

        def watched(x: np.ndarray, *state: Any) -> None:
            self.look(x)
            if callback is not None:
                callback(x, *state)

        return watched

    def look(self, x: np.ndarray) -> None:
        """Compare the iterate `x`, as far as there is time for it; VerificationError if something is wrong there."""
        self._met += 1
        if (begin := time.perf_counter()) < self._due:
            return
        iterates = 1
        for _ in self._comparisons:
            now, turn = time.perf_counter(), self._turn
            passed, spent, cost = now - self._begin, self._spent + now - begin, self._costs[turn]
            if spent + (cost if np.isfinite(cost) else passed / self._met) > SHARE * passed:
                break
            self._turn = (turn + 1) % len(self._comparisons)
            if (found := self._compared(turn, x)) is None:
                continue
            seconds = time.perf_counter() - now
            self._costs[turn] = seconds if not np.isfinite(cost) else max(seconds, cost / 2)
            self.found = self.found.joined(replace(found, seconds=seconds, iterates=iterates))
            iterates = 0
        now, cost = time.perf_counter(), self._costs[self._turn]
        self._spent += now - begin
        self._due = self._begin + (self._spent + (cost if np.isfinite(cost) else 0.0)) / SHARE

    def _compared(self, turn: int, x: np.ndarray) -> Verification | None:
        try:
            return self._comparisons[turn](np.array(x), f"{ITERATE} {self._met}")
        except VerificationError:
            raise
        except NO_VALUE:
            return Verification(True, conclusive=False)


def of_slopes(objective_at: Callable, floor: float, limits: Any = None, remedy: str = "") -> Comparison:
    """Return the comparison of value and slope with the original.

    Parameters
    ----------
    objective_at : callable
        Returns for an iterate what is compared there, and the point at which, in its own variables.
    floor : float
        Values and slopes that do not matter beside it are not looked at.
    limits : Limits or None
    remedy : str
        What to do about code that is wrong.
    """

    def compared(x: np.ndarray, place: str) -> Verification:
        objective, at = objective_at(x)
        counted = Counted(objective)
        found = compare_briefly(counted, at, place, floor, limits, counted.value_and_grad(at))
        if not found.passed and np.isfinite(found.value_error):
            raise VerificationError(f"At {place}: {found.message}", remedy=remedy or None)
        return found.at(place, counted.evaluations)

    return compared


def of_products(objective: Any, latest: Callable[[], tuple | None], remedy: str = "") -> Comparison:
    """Return the comparison of the latest Hessian or product of a run with differences of the gradient.

    `latest` returns its point, the direction, None for a Hessian, and it; or None.
    """
    last: list[Any] = [None]

    def compared(x: np.ndarray, place: str) -> Verification | None:
        kept = latest()
        if kept is None or kept is last[0]:
            return None
        last[0] = kept
        one = product_finding(objective, *kept, place)
        if one.verdict == DISAGREES:
            raise VerificationError(f"At {place}: {one.reason}", remedy=remedy or None)
        return Verification(True, findings=(one,))

    return compared
