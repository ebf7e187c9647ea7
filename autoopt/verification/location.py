"""Where derived code parts from the user's function: the line, and the parameter whose slope is off.

    r = y - X @ b          each step of the recorded run is evaluated by its own NumPy function, which is trusted; the
    s = np.exp(-c) * r     run up to it is derived and compiled anew, as an objective of its own: value and slope
    np.sum(s * s)          are compared, halving, until all that goes into a step agrees and what comes out does not

Slopes of the steps are those of their values beside the point.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.errors import Location
from autoopt.origin import is_shown
from autoopt.tape.tape import CONSTANT, PARAMETER, Step, Tape, values_at
from autoopt.verification.secants import SLOPE_TOLERANCE, extrapolated, units

VALUE_TOLERANCE = 1e-9
"""Values of a step that are further apart than this are those of another one: it is known that one of them is."""

PATIENCE = 10.0
"""Seconds that may be spent on finding the line."""

LARGEST = 3e7
"""Numbers that are kept of one run of the steps: 240 MB."""

_SINGLY = 32
_STEP = 2.0**-9
_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Parting:
    """The first step whose derived code is another function.

    Attributes
    ----------
    where : Location or None
        The user's line.
    text : str
        What it should be, and what it is.
    """

    where: Location | None
    text: str


def parting(objective: Any, x: np.ndarray) -> Parting | None:
    """Return where value or slope of the derived code part from the user's function at `x`; None if that is not found.

    `x` is in the variables of the objective.
    """
    dispatch, variables = getattr(objective, "dispatch", None), getattr(objective, "variables", None)
    if dispatch is None or dispatch.eager is not None:
        return None
    at = x if variables is None else variables.parameters(x)
    try:
        return _Steps(dispatch, np.array(at)).parting()
    except Exception:  # the search is for a message: what it meets must not hide that
        return None


class _Steps:
    """The steps of a recorded run with their values and slopes, and what is derived of them."""

    def __init__(self, dispatch: Any, x: np.ndarray) -> None:
        path = dispatch.paths[0]
        self.compiler, self.tape, self.x = dispatch.compiler, path.trace.tape, x
        self.is_eager = bool(getattr(path.compiled.get("value_and_grad"), "is_eager", False))
        if sum(int(np.prod(step.shape)) for step in self.tape.steps) > LARGEST:
            raise MemoryError("too large to be looked at step by step")
        rng = np.random.default_rng(4)
        self.p = rng.uniform(0.5, 1.0, x.size) * rng.choice([-1.0, 1.0], x.size) * differences.step_scale(x)
        self.end = time.perf_counter() + PATIENCE
        self.values = self._values(x)
        self.beside = [[self._values(x + side * h * self.p) for side in (1.0, -1.0)] for h in (_STEP, _STEP / 4)]
        self.known: dict[int, str] = {}

    def _values(self, x: np.ndarray) -> list[Any]:
        with np.errstate(all="ignore"):
            return values_at(self.tape, x)

    def parting(self) -> Parting | None:
        """Return the first step that parts, by halving and then from one to those that it is computed from."""
        steps = sorted(self._before(self.tape.output))
        low, high = -1, len(steps) - 1
        if not steps or not self._parts(steps[high]):
            return None
        while high - low > 1 and time.perf_counter() < self.end:
            middle = (low + high) // 2
            if self._parts(steps[middle]):
                high = middle
            else:
                low = middle
        index = steps[high]
        while (before := next((k for k in self._inputs(index) if self._parts(k)), None)) is not None:
            index = before
        return Parting(self._line(index), self.known[index])

    def _before(self, index: int) -> set[int]:
        """Return the steps of real numbers that move with the parameters and that a step is computed from, and it."""
        seen, ahead = {index}, [index]
        while ahead:
            for source in self.tape.steps[ahead.pop()].inputs:
                if source not in seen:
                    seen.add(source)
                    ahead.append(source)
        return {k for k in seen if self._is_compared(k)}

    def _is_compared(self, index: int) -> bool:
        step = self.tape.steps[index]
        return step.operation is not None and step.level == PARAMETER and np.dtype(step.dtype).kind == "f"

    def _inputs(self, index: int) -> Iterator[int]:
        return (k for k in self.tape.steps[index].inputs if self._is_compared(k) and time.perf_counter() < self.end)

    def _line(self, index: int) -> Location | None:
        """Return the user's line of a step, or of the next one that has one."""
        for step in self.tape.steps[index:]:
            if step.site is not None and is_shown(place := Location.of_instruction(*step.site)):
                return place
        return None

    def _parts(self, index: int) -> bool:
        """Whether value or slope of the code derived for a step are not the step's; how, is kept in `known`."""
        if index in self.known:
            return bool(self.known[index])
        self.known[index] = self._told(index)
        return bool(self.known[index])

    def _told(self, index: int) -> str:
        weights = np.random.default_rng(index).uniform(0.5, 1.0, np.shape(self.values[index]))
        try:
            value, gradient = self.compiler.prefix(_summed(self.tape, index, weights), self.is_eager).run(self.x)
        except Exception:  # what has no derivative by itself, or overflows
            return ""

        def sums(values: list[Any]) -> float:
            return float(np.sum(weights * values[index]))

        with np.errstate(all="ignore"):
            own, size = sums(self.values), float(np.sum(weights * np.abs(self.values[index])))
            if abs(float(value) - own) > VALUE_TOLERANCE * size:
                what = "a sum of its entries" if weights.shape else "its value"
                return f"{what} is {own:.10g}, but the code derived for it gives {float(value):.10g}"
            wide, narrow = (
                (sums(ahead) - sums(behind)) / (2 * h)
                for (ahead, behind), h in zip(self.beside, (_STEP, _STEP / 4), strict=True)
            )
            slope, measured = float(gradient @ self.p), (16 * narrow - wide) / 15
            error = abs(narrow - wide) + 64 * _EPSILON * size / _STEP
            largest = max(abs(measured), float(np.abs(gradient) @ np.abs(self.p)))
        if abs(slope - measured) > error + SLOPE_TOLERANCE * largest:
            return f"its slope along a direction is {measured:.10g}, but the code derived for it gives {slope:.10g}"
        return ""


def _summed(tape: Tape, index: int, weights: np.ndarray) -> Tape:
    """Return the tape up to a step, with the sum of `weights` times that as its value."""
    shape, real, count = np.shape(weights), np.dtype(float), index + 1
    steps = [
        *tape.steps[:count],
        Step(None, (), None, shape, real, CONSTANT, None),
        Step(np.multiply, (index, count), None, shape, real, PARAMETER, None),
        Step(np.sum, (count + 1,), None, (), real, PARAMETER, None),
    ]
    values = {k: value for k, value in tape.values.items() if k < count} | {count: weights}
    names = {k: name for k, name in tape.names.items() if k < count}
    guards = [guard for guard in tape.guards if guard.step < count]
    return replace(tape, steps=steps, values=values, names=names, guards=guards, output=count + 2)


def entry(objective: Any, x: np.ndarray, gradient: np.ndarray) -> str:
    """Return in words which entry of the gradient is off by most, "" if none is by itself.

    By secants along single parameters, halving groups of them where there are many.
    """
    sizes, indices = units(objective, x), np.arange(x.size)

    def off(group: np.ndarray) -> tuple[float, float, float]:
        p = np.zeros(x.size)
        p[group] = sizes[group]
        slope, error = extrapolated(objective.original, x, p)
        return float(gradient @ p) - slope, error, float(np.abs(gradient) @ p)

    while indices.size > _SINGLY:
        halves = np.array_split(indices, 2)
        indices = max(halves, key=lambda half: np.nan_to_num(abs(off(half)[0])))
    found = [(i, *off(np.array([i]))) for i in indices]
    i, distance, error, size = max(found, key=lambda one: np.nan_to_num(abs(one[1])))
    if not abs(distance) > error + SLOPE_TOLERANCE * size:
        return ""
    own, slope = gradient[i], gradient[i] - distance / sizes[i]
    name = objective.structure.names[i]
    return f"Along {name} it is {own:.10g}, but differences give {slope:.10g} +- {error / sizes[i]:.1e}."
