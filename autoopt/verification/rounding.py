"""What rounding does to the value of a recorded run: its steps again, each result off by a last place at random.

    z = np.exp(x)           z (1 + e1)           over a few draws of e1, e2, ... the value moves by what its terms lose
    np.sum(z) - 1e8         (s - 1e8) (1 + e2)   where they cancel, in whatever order code adds them up

It takes no call of the user's function.

References
----------
Parker, D. S. (1997). Monte Carlo arithmetic: exploiting randomness in floating-point arithmetic. UCLA, CSD-970002.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.tape.tape import Step, Tape, call, values_at

DRAWS = 4

LARGEST = 3e7
"""Numbers that are computed in one run of the steps: a quarter of a second."""

NEAR = 1e-6
"""A recorded run is that of a point if it gives the value there to about six digits."""

DOUBLE, SINGLE = float(np.finfo(np.float64).eps), float(np.finfo(np.float32).eps)


def last_place(objective: Any) -> float:
    """Return what numbers are rounded to, as a part of them, where the objective is calculated."""
    return SINGLE if is_single(objective) else DOUBLE


def is_single(objective: Any) -> bool:
    """Whether the objective itself calculates in single precision."""
    return bool(getattr(objective, "single", False))


def spread(objective: Any, x: np.ndarray, original: Any) -> np.ndarray:
    """Return how far rounding moves each value of an objective at `x`, where its function gives `original`.

    NaN where no run of it is recorded, or is another one at `x`.
    """
    values = np.atleast_1d(np.asarray(original, dtype=float))
    dispatch, variables = getattr(objective, "dispatch", None), getattr(objective, "variables", None)
    at = np.asarray(x if variables is None else variables.parameters(x))
    combined = getattr(objective, "combined", np.ravel) if np.ndim(original) == 0 else np.ravel
    for path in () if dispatch is None else dispatch.paths:
        try:
            found = _spread(path.trace.tape, at, values, combined, last_place(objective))
        except Exception:  # a run that is another one at x may not get to its end
            continue
        if found is not None:
            return found
    return np.full(values.shape, np.nan)


def _spread(tape: Tape, x: np.ndarray, values: np.ndarray, combined: Any, unit: float) -> np.ndarray | None:
    if sum(int(np.prod(step.shape)) for step in tape.steps) > LARGEST:
        return None
    with np.errstate(all="ignore"):
        plain = np.atleast_1d(combined(_result(tape, x)))
        if plain.shape != values.shape or not np.allclose(plain, values, rtol=NEAR, atol=NEAR * np.max(np.abs(values))):
            return None
        rng = np.random.default_rng(8)
        drawn = [np.atleast_1d(combined(_result(tape, x, unit, rng))) for _ in range(DRAWS)]
    return np.max([np.abs(one - plain) for one in drawn], axis=0)


def _result(tape: Tape, x: np.ndarray, unit: float = 0.0, rng: Any = None) -> Any:
    """Return the value of a run at `x`, each real number that is computed being off by `unit` of it."""

    def rounded(value: Any, kind: str) -> Any:
        if not unit or kind not in "fc":
            return value
        return value * (1.0 + unit * rng.choice([-1.0, 1.0], np.shape(value)))

    def evaluated(step: Step, inputs: list) -> Any:
        return rounded(call(step, inputs), np.dtype(step.dtype).kind)

    return values_at(tape, rounded(x, "f"), evaluated)[tape.output]
