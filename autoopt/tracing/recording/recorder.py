"""What the rooms of tracing may ask of the recorder of a run, and note on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import CodeType
from typing import Any, Protocol

import numpy as np

from autoopt.errors import Location
from autoopt.tape.tape import Leaf, Step, Tape


class Recorder(Protocol):
    """The recorder of one run: `Tracer`, or `Finished` when the run is over.

    Attributes
    ----------
    array : type
        The class of traced arrays, handed in so that this room need not know it.
    pair : type
        The class of complex values that depend on the parameters.
    tape : Tape
        The record so far.
    steps : list of Step
        The steps of the tape.
    is_over : bool
        Whether the run is over.
    point : ndarray
        The parameters.
    literals : bool
        Whether the numbers in the user's text are traced, too.
    as_data : bool
        Whether arrays, and lists of numbers, that objects and containers hold are inputs, not constants of the code.
    origins : dict of int to tuple
        How inputs are had from what the user holds, by step (`expressions.Origin`).
    decisions : object or None
        What is told of decisions by data alone, and of numbers of rows.
    varying : dict of int to (cell, name)
        By identity, the outer variables whose numbers are inputs, with the names of these once they are met.
    types : dict of type to type
        The stand-ins for builtin types that the run has seen.
    shown : bool
        Whether a value that depends on the parameters was turned into a text that is not only shown.
    wrote_outside : bool
        Whether a value of the parameters was refused as one of an array from outside, or of a plain number.
    single : Location, True or None
        Where the run has asked for single precision.
    met : set
        The functions that are followed by a formula, with the shapes that they were given.
    seeded : set of str
        The modules ("numpy", "random") whose own generator the run has seeded.
    drawn : tuple
        Where these generators were before the run.
    modes : dict
        NumPy's error modes, as the user has them.
    catching : frozenset of str
        The exceptions that NumPy raises by the user's modes and filters of warnings; an objective that names one of
        them takes branches by it.
    attempts : list
        The results of what may have raised, but for those that are guarded already.
    compared : set
        The places at which the objective has compared by size.
    gaps : dict
        By how much two numbers differed that were last asked whether they do, by place.
    analytic : list or None
        While an integrand is traced, what is smooth in it although its steps have kinks.
    estimates : set of int
        The guards (by id) that say whether an approximation still suffices.
    outside : int
        The identity of the frame that runs the objective.
    codes : dict of int to (CodeType, CodeType)
        By identity: code in which they are, and the user's own, which is that of the sites.
    free_name : callable
        Gives a name to a further input; the instrumented copy's.
    substitute : callable
        Gives what the run sees in place of a function from outside; the instrumented copy's.
    derivatives : object or None
        What is kept of the derivatives that the objective takes itself.
    side_effects : SideEffects
        What the run leaves outside.
    buffers : Buffers or None
        The arrays from outside that may be written into, in a run that follows this.
    """

    array: type[Any]
    pair: type[Any]
    tape: Tape
    steps: list[Step]
    is_over: bool
    point: Any
    literals: bool
    as_data: bool
    origins: dict[int, tuple]
    decisions: Any
    varying: dict[int, tuple[Any, str]]
    types: dict[type, type]
    shown: bool
    wrote_outside: bool
    single: Any
    met: set[Any]
    seeded: set[str]
    drawn: tuple
    modes: Any
    catching: frozenset[str]
    attempts: list[Any]
    compared: set[Any]
    gaps: dict[Any, float]
    analytic: list | None
    estimates: set[int]
    outside: int
    codes: dict[int, tuple[CodeType, CodeType]]
    free_name: Callable[[str], str]
    substitute: Callable[[Any], Any]
    derivatives: Any
    side_effects: Any
    buffers: WrittenArrays | None

    # Calls ------------------------------------------------------------------------------------------------------------

    def elementwise(self, ufunc: Callable, inputs: Sequence[Any], compute: Callable | None = None) -> Any:
        """Record a call in which every argument is an operand; `compute` gives the value if not `ufunc` itself."""

    def call(self, function: Callable, args: tuple, kwargs: dict, compute: Callable | None = None) -> Any:
        """Record a call of any other function; traced arrays and plain arrays among its arguments become inputs."""

    def nested(self, value: Any, dtype: Any = None) -> Any:
        """Return a nest of lists of traced scalars or arrays as one new traced array, as `np.array` would."""

    def whole(self, operand: Any) -> Any:
        """Return a list of traced numbers as an array, anything else as it is."""

    def lift(self, value: Any) -> Any:
        """Return a plain number or array as a traced constant, anything traced as it is."""

    # Steps ------------------------------------------------------------------------------------------------------------

    def leaf(self, leaf: Leaf, value: np.ndarray | float, origin: tuple | None = None) -> Any:
        """Return the traced array of an input of the tape, which is had as `origin` says, if not found by itself."""

    def constant(self, value: Any) -> int:
        """Return the step of a scalar or array that was met inside the objective."""

    def plain_array(self, value: Any) -> Any:
        """Return an array, unless it is of a kind that means something else by the same operators."""

    def record(self, operation: Callable, inputs: tuple[int, ...], template: Any, value: Any, level: int) -> Any:
        """Append one call whose concrete result is `value` and return that as a traced array."""

    def put(self, target: int, index: Any, value: Any, level: int) -> tuple[int, int]:
        """Record `target[index] = value` and return the new version's step and level."""

    def pack(self, shape: tuple[int, ...], dtype: np.dtype, elements: Sequence[int]) -> tuple[int, int]:
        """Record that an array of `shape` consists of the steps `elements` and return its step and level."""

    def derive(self, operation: Callable, source: int, args: tuple, kwargs: dict, value: np.ndarray, level: int) -> int:
        """Record `operation(source, *args, **kwargs)`, of the shape and dtype of `value`, and return the step."""

    def pick(self, source: int, positions: np.ndarray, value: np.ndarray, level: int) -> int:
        """Record that `value` consists of the entries of a step at `positions` and return its step."""

    # Nests of arguments -----------------------------------------------------------------------------------------------

    def concrete(self, value: Any) -> Any:
        """Return `value` with every traced array in it replaced by the numbers that it carries."""

    def holds_traced(self, value: Any) -> bool:
        """Whether a traced array is in `value`, a nest of lists, tuples and dicts."""

    def level(self, value: Any) -> int:
        """Return the highest level of the traced arrays in `value`."""

    # Decisions --------------------------------------------------------------------------------------------------------

    def guard(self, traced: Any, kind: str, answer: Any) -> Any:
        """Note that Python was given `answer` in place of `traced`, and return it."""

    def show(self, traced: Any) -> Any:
        """Return the numbers of `traced` for a text; a text of data is a decision taken from them."""

    def note_single(self) -> None:
        """Remember the first place where the objective asks for single precision, which is followed in double."""

    def require_running(self, value: Any) -> None:
        """Raise if the run is over."""

    # The user's line --------------------------------------------------------------------------------------------------

    def site(self) -> Any:
        """Return the innermost frame outside of libraries as (code, instruction), one object for each place."""

    def origin(self, steps: Sequence[int]) -> Location | None:
        """Return the user's line that made the first of `steps` that some line made."""

    def is_assigned(self) -> bool:
        """Whether the user's line is at an assignment to an entry or a part, `a[i] = value`."""

    def location(self) -> Location | None:
        """Return the user's line that is being run."""


class ComplexValues(Protocol):
    """What is done with complex values that depend on the parameters: the module `tracing/complex/array.py`."""

    ComplexArray: type[Any]

    def elementwise(self, tracer: Any, ufunc: Callable, inputs: Any) -> Any:
        """Evaluate a ufunc of which an operand is complex."""

    def call(self, tracer: Any, function: Callable, args: tuple, kwargs: dict) -> Any:
        """Evaluate a function of NumPy of which an argument is complex."""

    def nested(self, tracer: Any, value: Any) -> Any:
        """Return a nest of lists of which an element is complex as one array."""


class WrittenArrays(Protocol):
    """The arrays from outside that a run may write into: `Buffers`."""

    def enter(self, array: Any, original: np.ndarray, name: str) -> Any:
        """Return a traced array of `original` as one that may be written into."""

    def check(self, array: Any, numbers: Any = None) -> None:
        """See to it that what is read of `array` is of this call."""

    def start(self, array: Any) -> None:
        """Make what is written into a buffer, if it is one and not yet written to."""

    def quiet(self) -> AbstractContextManager[None]:
        """Return a context for what looks at whole arrays but reads no entry."""
