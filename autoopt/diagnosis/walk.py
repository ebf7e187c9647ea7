"""The user's function at one point, step by step, and which step first has a value that is not finite.

a = np.exp(x[1] * t)         inf at row 2        <- where it began: all that goes in is finite
b = a / (1 + a)              nan at row 2
np.sum(b)                    nan                 <- followed back from here
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.errors import Location
from autoopt.origin import is_shown
from autoopt.tape.tape import PARAMETER, Leaf, Slot, Step, Tape, call

LARGEST = 3e7
"""Numbers that are kept of one run: 240 MB."""


class Walk:
    """The values of all steps of a tape at `x`.

    Attributes
    ----------
    values : list
        Of the steps, up to the one that raised.
    error : Exception or None
        What the step after the last value raised.
    """

    def __init__(self, tape: Tape, x: np.ndarray) -> None:
        self.tape, self.x = tape, x
        self.values: list[Any] = []
        self.error: Exception | None = None
        if sum(int(np.prod(step.shape)) for step in tape.steps) > LARGEST:
            raise MemoryError("too large to be looked at step by step")
        with np.errstate(all="ignore"):
            for index, step in enumerate(tape.steps):
                try:
                    self.values.append(self._value(index, step))
                except Exception as error:
                    self.error = error
                    return

    def _value(self, index: int, step: Step) -> Any:
        if step.operation is not None:
            return call(step, self.inputs(step))
        return self.x if index == 0 else self.tape.values[index]

    def inputs(self, step: Step) -> list[Any]:
        """Return the values that go into a step."""
        return [self.values[source] for source in step.inputs]

    def arguments(self, step: Step) -> list[Any]:
        """Return the positional arguments of a step, those that are constants of its template too."""
        inputs = self.inputs(step)
        if step.template is None:
            return inputs
        given = step.template[0]
        return [inputs[part.position] if isinstance(part, Slot) else part for part in given]


@dataclass(frozen=True)
class Origin:
    """The step where a value that is not finite arose, and in which entries: None if it raised."""

    walk: Walk
    index: int
    mask: np.ndarray | None

    @property
    def step(self) -> Step:
        return self.walk.tape.steps[self.index]

    @property
    def value(self) -> Any:
        return self.walk.values[self.index]

    @property
    def place(self) -> tuple[int, ...]:
        """The first entry that is not finite."""
        assert self.mask is not None  # asked for where there is a value
        return tuple(int(k) for k in np.argwhere(self.mask)[0])

    @property
    def where(self) -> tuple[Location, ...]:
        """The user's line."""
        return shown(self.step)

    @property
    def leaf(self) -> str | None:
        """The user's name of the data, if it is in them."""
        leaf = self.step.template
        return leaf.name if self.step.operation is None and isinstance(leaf, Leaf) else None


def shown(step: Any) -> tuple[Location, ...]:
    """Return the user's line of a step, or of a guard."""
    if step.site is None:
        return ()
    place = Location.of_instruction(*step.site)
    return (place,) if is_shown(place) else ()


def origin(walk: Walk) -> Origin | None:
    """Return where the value of the objective ceased to be finite; None if it is finite."""
    if walk.error is not None:
        return Origin(walk, len(walk.values), None)
    mask = not_finite(walk.values[walk.tape.output])
    if mask is None:
        return None
    index = walk.tape.output
    while (before := _before(walk, index, mask)) is not None:
        index, mask = before
    return Origin(walk, index, mask)


def not_finite(value: Any) -> np.ndarray | None:
    """Return which entries are not finite, None if all are or it is no array."""
    try:
        bad = ~np.isfinite(np.asarray(value))
    except (TypeError, ValueError):
        return None
    return bad if bad.any() else None


def _before(walk: Walk, index: int, mask: np.ndarray) -> tuple[int, np.ndarray] | None:
    """Return the input, and its entries, from which a step has those of its own that are not finite."""
    step = walk.tape.steps[index]
    if step.operation is None:
        return None
    for position, source in enumerate(step.inputs):
        there = not_finite(walk.values[source])
        if there is not None and (met := _met(walk, step, position, there, mask)).any():
            return source, met
    return None


def _met(walk: Walk, step: Step, position: int, there: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return which of the entries `there` of an input go into those of `mask` of the step."""
    if not _is_entrywise(step):
        return there
    if step.operation is np.where and position:
        condition = np.broadcast_to(walk.arguments(step)[0], mask.shape).astype(bool)
        mask = mask & (condition if _argument(step, position) == 1 else ~condition)
    return there & _reduced(mask, there.shape)


def _argument(step: Step, position: int) -> int:
    """Return which positional argument the input at `position` is."""
    if step.template is None:
        return position
    return next((k for k, part in enumerate(step.template[0]) if part == Slot(position)), position)


def _is_entrywise(step: Step) -> bool:
    return (isinstance(step.operation, np.ufunc) and step.operation.signature is None) or step.operation is np.where


def _reduced(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a mask, to whose shape one of `shape` was broadcast, for that shape."""
    extra = mask.ndim - len(shape)
    mask = mask.any(axis=tuple(range(extra))) if extra > 0 else mask
    axes = tuple(k for k, size in enumerate(shape) if size == 1 and mask.shape[k] != 1)
    return mask.any(axis=axes, keepdims=True) if axes else mask


def depends(tape: Tape, index: int) -> set[int]:
    """Return the steps that a step is computed from, itself among them."""
    seen, ahead = {index}, [index]
    while ahead:
        for source in tape.steps[ahead.pop()].inputs:
            if source not in seen:
                seen.add(source)
                ahead.append(source)
    return seen


def moving(steps: Sequence[Step]) -> list[int]:
    """Return the steps that depend on the parameters."""
    return [index for index, step in enumerate(steps) if step.level == PARAMETER and step.operation is not None]
