"""The tape itself: steps, the leaves that they start from, and the guards that say when the record is valid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from autoopt.errors import Location

CONSTANT, DATA, PARAMETER = 0, 1, 2
"""What a step depends on: nothing, the data alone, or the parameters. Ordered, so that levels combine by `max`."""


class Slot(NamedTuple):
    """The place of a step's k-th input inside its template."""

    position: int


Template = tuple[Sequence[Any], dict[str, Any]]
"""The positional arguments and the options of a call, a `Slot` in the place of each input."""


class Step(NamedTuple):
    """One recorded call.

    `template` is None when the inputs are the positional arguments (every ufunc), else `(args, kwargs)` with a `Slot`
    for each input. A leaf has no operation; its template is a `Leaf` for inputs, and for constants the user's name of
    them or None.
    """

    operation: Callable | None
    inputs: tuple[int, ...]
    template: Any
    shape: tuple[int, ...]
    dtype: np.dtype
    level: int
    site: tuple[CodeType, int] | None

    @property
    def location(self) -> Location | None:
        """The user's line that made this step."""
        return Location.of_instruction(*self.site) if self.site else None


@dataclass(frozen=True)
class Leaf:
    """An input of the tape: the parameter vector, a data argument, or an array captured from outside the objective.

    `expression` is Python text that gives its array by the names that the objective has: `data["X"]`, `self.y`; empty
    where it is not known. It is no part of what the code is made from.
    """

    name: str
    kind: str  # "parameter", "argument" or "captured"
    expression: str = field(default="", compare=False, repr=False)


class Named(str):
    """The user's name of a constant array, with the expression that gives it as that of a `Leaf` does."""

    expression: str

    @classmethod
    def of(cls, name: str, expression: str) -> Named:
        """Return a name with an expression."""
        named = cls(name)
        named.expression = expression
        return named


class Guard(NamedTuple):
    """The answer that Python got from a traced value: while `step` gives `answer`, the tape is valid."""

    step: int
    kind: str  # "bool", "int", "array", "counts" for the numbers of iterations of loops that end on a condition,
    # or "finite" for a bool that says whether a calculation on arrays that may raise has returned
    answer: Any
    site: tuple[CodeType, int] | None


@dataclass
class Tape:
    """What one run of the objective did.

    Attributes
    ----------
    steps : list of Step
        In program order; inputs refer to earlier steps. Step 0 is the flat parameter vector.
    values : dict of int to ndarray or scalar
        The current value of every leaf that is not the parameter vector.
    guards : list of Guard
        Those that depend on the parameters, in program order.
    output : int
        The step of the objective's value.
    names : dict of int to str
        What the user calls steps that no line of theirs assigns: the named parameters.
    python_numbers : bool
        True if plain Python arithmetic was used, which raises where NumPy gives inf or NaN.
    caught : bool
        True if a calculation on the parameters raised and the objective went on: the record then holds at its point
        only.
    heeds : bool
        True if the objective looks at NumPy's warnings, so that they must not be turned off for it.
    unfollowed : dict of (CodeType, int) to None
        The lines of the user's that made texts, which may decide anything, or whole numbers of the parameters.
    equalities : list of (CodeType, int)
        The lines of the user's that found numbers equal which move with the parameters.
    data_decided : bool
        True if Python took a decision from the data, so that other data need a new trace.
    decided : (CodeType, int) or None
        The line of the user's that decides many times, by which values may depend on the parameters.
    counts : tuple of int
        The iterations of the loops that end on a condition; no part of what the tape says.
    """

    steps: list[Step] = field(default_factory=list)
    values: dict[int, Any] = field(default_factory=dict)
    guards: list[Guard] = field(default_factory=list)
    output: int = -1
    names: dict[int, str] = field(default_factory=dict)
    equalities: list[tuple[CodeType, int]] = field(default_factory=list)
    data_decided: bool = False
    python_numbers: bool = False
    caught: bool = False
    heeds: bool = False
    unfollowed: dict[Any, None] = field(default_factory=dict)
    decided: Any = None
    counts: tuple[int, ...] = ()

    def leaves(self) -> dict[int, Leaf]:
        """Return the input leaves by step, without constants."""
        return {i: step[2] for i, step in enumerate(self.steps) if step[0] is None and type(step[2]) is Leaf}


def fitting(values: Any) -> np.ndarray:
    """Return a number, or a nest of them, as an array: of floats where a whole number is too large for 64 bits.

    As in NumPy's arithmetic with floats, which knows no larger integers either.
    """
    array = np.asarray(values)
    whole = array.dtype == object and array.size and all(type(entry) in _NUMBERS for entry in array.flat)
    too_large = array.dtype == np.uint64 and array.size and array.max() > _LARGEST
    return array.astype(float) if whole or too_large else array


_NUMBERS = (int, float, bool, np.float64, np.int64, np.bool_)
_LARGEST = np.iinfo(np.int64).max


def fill(template: Any, inputs: Sequence[Any]) -> Any:
    """Return `template` with every `Slot` replaced by the input that it stands for."""
    kind = type(template)
    if kind is Slot:
        return inputs[template.position]
    if kind is tuple:
        return tuple(fill(part, inputs) for part in template)
    if kind is list:
        return [fill(part, inputs) for part in template]
    if kind is dict:
        return {key: fill(part, inputs) for key, part in template.items()}
    if kind is slice:
        return slice(fill(template.start, inputs), fill(template.stop, inputs), fill(template.step, inputs))
    return template


def call(step: Step, inputs: Sequence[Any], operation: Callable | None = None) -> Any:
    """Call `operation` (default: the step's own) with `inputs` in the places that the step's template gives them."""
    function: Any = step.operation if operation is None else operation
    if step.template is None:
        return function(*inputs)
    args, kwargs = step.template
    return function(*fill(args, inputs), **fill(kwargs, inputs))


def values_at(tape: Tape, x: Any, evaluated: Callable[[Step, list], Any] = call) -> list[Any]:
    """Return the values of all steps at `x`; `evaluated(step, inputs)` gives those of operations, one after another."""
    values: list[Any] = []
    for index, step in enumerate(tape.steps):
        if step.operation is not None:
            values.append(evaluated(step, [values[source] for source in step.inputs]))
        else:
            values.append(x if index == 0 else tape.values[index])
    return values
