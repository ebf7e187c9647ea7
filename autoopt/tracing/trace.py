"""Run the objective once on traced arrays.

    trace(loss, structure, x0, (y,))
        leaves          the parameters, as `structure` parts them, and the arrays and floats among the data
        a copy          of `loss`, which sees stand-ins and traced arrays where the original sees NumPy and its globals
        the run         copy(x, y): the tracer writes the tape, see `recording/tracer.py`
        the end         the output's step; guards on what may raise; the steps that nothing needs are left out

What holds after it: the tracer is over, so that a traced value which the objective has kept says so when it is used.
Where the run has raised, what it had changed outside is as it was; where it has returned, that is left, and the trace
says what it is. A run meets an array from outside as data, and only when it writes a traced value into one is it
known that this is a buffer: such a run is refused, and done once more with these arrays as buffers
(`outside/buffers.py`). If that is refused too, the user is told of the first, unless it says why this is no buffer.
"""

from __future__ import annotations

import operator
import sys
import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass
from types import CellType, FunctionType
from typing import Any

import numpy as np

from autoopt.errors import Location, ObjectiveError, SinglePrecisionWarning, TracingError
from autoopt.origin import DATA_MODULES, definition, is_library
from autoopt.parameters import Structure
from autoopt.stages import stage
from autoopt.tape.resting import collector_resting
from autoopt.tape.simplify import live, without_empty
from autoopt.tape.tape import Leaf, Tape, fitting
from autoopt.tracing.arrays.array import TracedArray
from autoopt.tracing.arrays.matrix import MatrixArray
from autoopt.tracing.complex import array as complex_array
from autoopt.tracing.complex import (
    eigenvalues,  # noqa: F401  (fill tables of functions.py)
    special,  # noqa: F401  (fill OF_SCIPY)
)
from autoopt.tracing.complex import functions as complex_functions  # noqa: F401  (fill tables of functions.py)
from autoopt.tracing.complex.array import ComplexArray
from autoopt.tracing.expressions import Known, part_text, spell
from autoopt.tracing.instrument.instrument import Instrument
from autoopt.tracing.naming import RESERVED, argument_names, argument_texts, array_name, identifier
from autoopt.tracing.outside import files
from autoopt.tracing.outside.buffers import Buffers, is_of_buffers
from autoopt.tracing.outside.side_effects import SideEffects
from autoopt.tracing.outside.watching import Watch
from autoopt.tracing.recording.failing import keep_unread
from autoopt.tracing.recording.finished import finish
from autoopt.tracing.recording.recorder import Recorder
from autoopt.tracing.recording.tracer import Tracer
from autoopt.tracing.standins import randomness
from autoopt.tracing.standins.modes import catching


@dataclass(frozen=True)
class Trace:
    """A tape and what it holds for.

    Attributes
    ----------
    tape : Tape
    captured : tuple of (namespace, name, value)
        The globals and outer variables that the objective read; another value there means another tape.
    side_effects : SideEffects
        What the run left outside.
    watched : Watch
        What it read outside and did not change.
    value : ndarray
        What the run returned.
    changes : tuple
        What the run changed outside, which can be done again.
    single : bool
        Whether the objective asked for single precision, which is followed in double.
    varying : tuple of (cell, name)
        The outer variables whose numbers are inputs of the tape, with the names of these.
    """

    tape: Tape
    captured: tuple[tuple[Any, str, Any], ...]
    side_effects: SideEffects
    watched: Watch
    value: np.ndarray
    changes: tuple[Any, ...] = ()
    single: bool = False
    varying: tuple[tuple[CellType, str], ...] = ()


def trace(
    function: Callable,
    structure: Structure,
    flat: np.ndarray,
    args: tuple = (),
    scalar: bool = True,
    literals: bool = False,
    varying: Collection[CellType] = (),
    as_data: bool = False,
    cells: bool = True,
    decisions: Any = None,
) -> Trace:
    """Return the trace of `function(structure.unflatten(flat), *args)`, which must be a number if `scalar`.

    With `literals` the numbers in the function's text are steps of the tape, and so is what is computed from them.
    Floats that the outer variables `varying` hold are inputs of the tape, as are those among the data. With `as_data`
    arrays and lists of numbers that objects and containers hold are inputs too, not constants of the code. Without
    `cells` each write into an array is a step by itself, and so is each read, empty ones among them. `decisions` are
    told what is decided by the data alone.

    Raises
    ------
    ObjectiveError
        If the objective does not return a scalar.
    TracingError
        If it does something that cannot be followed.
    """
    first = Tracer(TracedArray, complex_array, literals)
    first.varying = {id(cell): (cell, "") for cell in varying}
    first.as_data, first.keeps_cells, first.decisions = as_data, cells, decisions
    try:
        return _trace(first, function, structure, flat, args, scalar)
    except Exception as error:
        if not first.wrote_outside:
            raise
        cause = error.__cause__  # NumPy has an error of its own for what it could not turn into a number
        refused = cause if isinstance(cause, TracingError) else error
    second = Tracer(TracedArray, complex_array, literals, Buffers())
    second.keeps_cells, second.decisions = cells, decisions
    second.varying = {id(cell): (cell, "") for cell in varying}
    try:
        return _trace(second, function, structure, flat, args, scalar)
    except Exception as error:
        if is_of_buffers(error):
            raise
        raise refused from None


def _trace(
    tracer: Tracer, function: Callable, structure: Structure, flat: np.ndarray, args: tuple, scalar: bool
) -> Trace:
    tracer.catching = catching(tracer.modes)
    instrument = Instrument(tracer)
    names = argument_names(function, 1 + len(args))
    copied, arguments = _prepared(tracer, instrument, function, names, structure, flat, args)
    value = _run(tracer, instrument, copied, arguments)
    if type(getattr(value, "values", None)) is TracedArray:  # a Series or a frame
        value = value.values
    if randomness.drawn(tracer, tracer.drawn, randomness.states()):
        raise TracingError(
            "The objective draws random numbers that no seed in it fixes, so every call is another function.",
            definition(function),
            "seed the generator inside the objective, or draw once, before the fit, and pass the numbers through args.",
        )
    tracer.tape.output = output_step(tracer, value, function, scalar)
    result = np.array(value.value if isinstance(value, TracedArray) else tracer.concrete(value), dtype=float)
    if tracer.single is not None:
        _warn_of_single(tracer.single)
    keep_unread(tracer)
    known = Known(function, zip(names[1:], args, strict=True), instrument.captured)
    tracer.name_arrays(lambda array: known.named(array, array_name))
    spell(tracer.steps, tracer.tape.values, tracer.origins, known)
    captured = tuple((place, name, seen) for (_, name), (place, seen) in instrument.captured.items())
    tracer.derivatives = None
    finish(tracer)
    watched = instrument.outside.watched()
    kept = without_empty(tracer.tape) if tracer.keeps_cells else tracer.tape
    tape, single = live(kept), tracer.single is not None
    varying = tuple((cell, name) for cell, name in tracer.varying.values() if name)
    return Trace(tape, captured, tracer.side_effects, watched, result, instrument.outside.changes, single, varying)


def _prepared(
    tracer: Tracer,
    instrument: Instrument,
    function: Callable,
    names: list[str],
    structure: Structure,
    flat: np.ndarray,
    args: tuple,
) -> tuple[Callable, list[Any]]:
    """Return the instrumented copy of the objective and its arguments, the parameters first, as leaves of the tape."""
    held = zip(names, (None, *args), strict=True)  # leaves of tables are made, and named, when they are first used
    instrument.reserve([name for name, value in held if not type(value).__module__.startswith(DATA_MODULES)])
    vector = tracer.leaf(Leaf(names[0], "parameter"), np.array(flat, dtype=float))
    tracer.is_nowhere = True
    parameters = structure.unflatten(vector)
    tracer.is_nowhere = False
    reads = [index for index, step in enumerate(tracer.steps) if step.operation is operator.getitem]
    shaped = {step.inputs[0]: index for index, step in enumerate(tracer.steps) if step.operation is np.reshape}
    named = [shaped.get(index, index) for index in reads]
    tracer.tape.names.update(zip(named, map(_variable, structure.paths), strict=False))

    def leaf(name: str, text: str, value: Any) -> Any:
        return tracer.leaf(Leaf(name, "argument", text), value)

    texts = argument_texts(function, len(names))
    parts = zip(args, names[1:], texts[1:], strict=True)
    data = [_as_leaves(value, name, text, leaf) for value, name, text in parts]
    users = isinstance(function, FunctionType) and not is_library(function.__code__)
    copied = instrument.copy(function) if users else instrument.substitute(function)
    given = zip((parameters, *data), names, strict=True)
    return copied, [instrument.substitute(value, name, attribute=True) for value, name in given]


def _run(tracer: Tracer, instrument: Instrument, copied: Callable, arguments: list[Any]) -> Any:
    """Return what the copy returns; where it raises, what it has changed outside is as it was before."""
    tracer.drawn = randomness.states()
    tracer.outside = id(sys._getframe())
    try:
        read = files.announced(instrument.outside.notes.file)
        modes = tracer.modes if tracer.tape.heeds else {"all": "ignore"}
        with stage("tracing", lambda: f"{len(tracer.steps)} steps"), collector_resting(), read, np.errstate(**modes):
            value = copied(*arguments)
    except BaseException:
        instrument.leave()
        tracer.side_effects.take_back()
        finish(tracer)
        raise
    instrument.leave()
    return value


def _warn_of_single(where: Any) -> None:
    """Say that single precision is followed in double precision."""
    happened = "The objective asks for single precision (float32): its derivatives are computed in double precision."
    remedy = "leave out the dtype, or know that values differ from its own by the rounding of float32."
    where = where if isinstance(where, Location) else None
    warnings.warn(SinglePrecisionWarning(str(TracingError(happened, where, remedy))), stacklevel=2)


def _as_leaves(value: Any, name: str, text: str, make: Callable[[str, str, Any], Any]) -> Any:
    """Return a data argument, dicts and tuples walked, with `make(name, text, leaf)` for its arrays and floats.

    `text` is the expression that gives the value, empty if there is none.
    """
    if (type(value) is np.ndarray and value.dtype.kind in "fiub") or isinstance(value, float | np.floating):
        return make(name, text, value)

    def below(key: Any, end: str, part: Any) -> Any:
        spelled = part_text(value, key)
        return _as_leaves(part, f"{name}_{end}", f"{text}{spelled}" if text and spelled else "", make)

    if type(value) is dict:
        return {key: below(key, identifier(str(key)), part) for key, part in value.items()}
    if type(value) is tuple:
        return tuple(below(k, str(k), part) for k, part in enumerate(value))
    return value


def data_leaves(args: tuple) -> list[Any]:
    """Return the arrays and floats of `args` that are inputs of a tape, in its order."""
    leaves: list[Any] = []
    for value in args:
        _as_leaves(value, "", "", lambda _name, _text, array: leaves.append(array))
    return leaves


def _variable(path: str) -> str:
    """Return a path as the name of a variable: keys of dicts may be numbers, keywords or signs alone."""
    name = identifier(path)
    return name if name.isidentifier() and name not in RESERVED else f"parameter_{name}".rstrip("_")


def output_step(tracer: Recorder, value: Any, function: Callable, scalar: bool) -> int:
    """Return the step of the objective's value: 0-d if it shall be a scalar."""
    if type(value) in (list, tuple) and not scalar:
        value = tracer.nested(value)
    if type(value) is MatrixArray:
        value = value.A
    if type(value) not in (TracedArray, ComplexArray):
        if not isinstance(value, int | float | complex | np.number | np.bool_ | np.ndarray):
            kind = "nothing (None)" if value is None else f"a {type(value).__name__}"
            wanted = ("a number", "one scalar, such as a sum over the data") if scalar else ("numbers", "an array")
            raise ObjectiveError(
                f"The objective returned {kind}, not {wanted[0]}.", definition(function), f"return {wanted[1]}."
            )
        if type(value) is int:
            value = fitting(value)[()]  # more than 63 bits
        value = TracedArray(tracer, tracer.constant(value), value, 0)
    if value.dtype.kind not in "fiub":
        raise ObjectiveError(
            f"The objective returned a value of type {value.dtype.name}, not a real number.",
            definition(function),
            "return its real part, or its absolute value.",
        )
    if scalar and value.size != 1:
        raise ObjectiveError(
            f"The objective returned an array of shape {value.shape}, not a scalar.",
            definition(function),
            "return one number, for example np.sum(...) or .mean() of it.",
        )
    if scalar and value.ndim:
        value = value.reshape(())
    return value.current()
