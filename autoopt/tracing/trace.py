"""Run the objective once on traced arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from autoopt.errors import Location, ObjectiveError
from autoopt.parameters import Structure
from autoopt.tape.simplify import live
from autoopt.tape.tape import Leaf, Tape
from autoopt.tracing.array import TracedArray
from autoopt.tracing.instrument import Instrument
from autoopt.tracing.tracer import Tracer


@dataclass(frozen=True)
class Trace:
    """A tape and what it holds for.

    Attributes
    ----------
    tape : Tape
    captured : tuple of (namespace, name, value)
        The globals and outer variables that the objective read; another value there means another tape.
    opaque_state : bool
        True if the objective read state, such as attributes of an object, whose change would go unnoticed.
    """

    tape: Tape
    captured: tuple[tuple[Any, str, Any], ...]
    opaque_state: bool

    def still_holds(self) -> bool:
        """Whether everything that was captured by name is still the same object."""
        return not self.opaque_state and all(_lookup(place, name) is value for place, name, value in self.captured)


def _lookup(place: Any, name: str) -> Any:
    if type(place) is dict:
        return place.get(name)
    return place.cell_contents if hasattr(place, "cell_contents") else getattr(place, name, None)


def trace(function: Callable, structure: Structure, flat: np.ndarray, args: tuple = ()) -> Trace:
    """Return the trace of `function(structure.unflatten(flat), *args)`.

    Raises
    ------
    ObjectiveError
        If the objective does not return a scalar.
    TracingError
        If it does something that cannot be followed.
    """
    tracer = Tracer(TracedArray)
    instrument = Instrument(tracer)
    names = argument_names(function, 1 + len(args))
    instrument.reserve(names)
    vector = tracer.leaf(Leaf(names[0], "parameter"), np.array(flat, dtype=float))
    parameters = structure.unflatten(vector)
    data = [_as_leaves(tracer, value, name) for value, name in zip(args, names[1:], strict=True)]
    copied = _copy_of(function, instrument)
    try:
        with np.errstate(all="ignore"):
            value = copied(parameters, *data)
    finally:
        instrument.write_back()
    tracer.tape.output = _scalar_step(tracer, value, function)
    captured = tuple((place, name, seen) for (_, name), (place, seen) in instrument.captured.items())
    return Trace(live(tracer.tape), captured, instrument.opaque_state)


def _copy_of(function: Callable, instrument: Instrument) -> Callable:
    if isinstance(function, FunctionType):
        return instrument.copy(function)
    if isinstance(function, MethodType) or not callable(getattr(function, "__call__", None)):
        return instrument.substitute(function)
    call = type(function).__dict__.get("__call__")
    if isinstance(call, FunctionType):
        instrument.opaque_state = True
        return MethodType(instrument.copy(call), function)
    return instrument.substitute(function)


def argument_names(function: Callable, count: int) -> list[str]:
    """Return identifiers for the positional arguments of `function`: its own names where it has them."""
    try:
        own = [
            p.name
            for p in inspect.signature(function).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        own = []
    reserved = {"np", "scipy", "value", "gradient", "direction"}
    names = [name if name not in reserved else name + "_" for name in own[:count]]
    names += [f"data_{k}" if k else "x" for k in range(len(names), count)]
    return names


def _as_leaves(tracer: Tracer, value: Any, name: str) -> Any:
    """Return a data argument with its arrays and floats as inputs of the tape."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub" and type(value) is np.ndarray:
        return tracer.leaf(Leaf(name, "argument"), value)
    if type(value) is float or isinstance(value, np.floating):
        return tracer.leaf(Leaf(name, "argument"), value)
    if type(value) is dict:
        return {key: _as_leaves(tracer, part, f"{name}_{key}") for key, part in value.items()}
    if type(value) is tuple:
        return tuple(_as_leaves(tracer, part, f"{name}_{k}") for k, part in enumerate(value))
    return value


def _scalar_step(tracer: Tracer, value: Any, function: Callable) -> int:
    """Return the step of the objective's value, as a 0-d float."""
    if type(value) is not TracedArray:
        if not isinstance(value, int | float | np.number | np.ndarray):
            kind = "nothing (None)" if value is None else f"a {type(value).__name__}"
            raise ObjectiveError(
                f"The objective returned {kind}, not a number.",
                definition(function),
                "return one scalar, such as a sum over the data.",
            )
        value = TracedArray(tracer, tracer.constant(value), value, 0)
    if value.size != 1:
        raise ObjectiveError(
            f"The objective returned an array of shape {value.shape}, not a scalar.",
            definition(function),
            "return one number, for example np.sum(...) or .mean() of it.",
        )
    if value.ndim:
        value = value.reshape(())
    return value.current()


def definition(function: Callable) -> Location | None:
    """Return the place where `function` is defined."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return Location(code.co_filename, code.co_firstlineno, function=code.co_name) if code else None


def frames_of_user(error: BaseException) -> list[Location]:
    """Return the user's own lines in the traceback of `error`, outermost first."""
    from autoopt.tracing.origin import is_library

    found, entry = [], error.__traceback__
    while entry is not None:
        if not is_library(entry.tb_frame.f_code):
            found.append(Location.of_instruction(entry.tb_frame.f_code, entry.tb_lasti))
        entry = entry.tb_next
    return found


