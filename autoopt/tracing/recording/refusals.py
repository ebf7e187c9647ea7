"""The errors for what a run cannot go on with, each with the user's line and what to do instead."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.errors import Location, TracingError, UnsupportedFunctionError
from autoopt.origin import is_library
from autoopt.tape.names import qualified
from autoopt.tracing.recording.recorder import Recorder


def time_of_day(tracer: Recorder) -> TracingError:
    """Return the error for a calculation with what a clock showed."""
    return TracingError(
        "The objective calculates with the time of day, so every call is another function.",
        tracer.location(),
        "take the time outside the objective, and pass it through args.",
    )


def masked(tracer: Recorder) -> TracingError:
    """Return the error for a masked array that meets traced values."""
    return TracingError(
        "The objective calculates with a masked array: this is not followed.",
        tracer.location(),
        "fill or drop what is masked before the fit: .filled(...) or .compressed().",
    )


def matrix(tracer: Recorder) -> TracingError:
    """Return the error for an np.matrix that meets traced values."""
    return TracingError(
        "The objective calculates with an np.matrix: this is not followed.",
        tracer.location(),
        "turn it into an array before the fit: np.asarray(...); @ is the matrix product.",
    )


def objects(tracer: Recorder, value: np.ndarray) -> TracingError:
    """Return the error for an array of objects, or an object alone, that meets traced values."""
    alone = value.ndim == 0
    return TracingError(
        f"The objective calculates with {f'a {type(value[()]).__name__}' if alone else 'an array of objects'}: "
        "this is not followed.",
        tracer.location(),
        f"make it {'a number: float(...)' if alone else 'an array of numbers before the fit: .astype(float)'}.",
    )


def stranger(tracer: Recorder, operand: Any) -> TracingError:
    """Return the error for a traced value of another run that is used in this one."""
    other: Recorder = operand.tracer
    if not other.is_over:
        return TracingError(
            "The objective has autoopt trace a function that uses values that depend on the parameters.",
            [place for place in (tracer.location(), other.location()) if place],
            "within the objective use autoopt.grad, value_and_grad, hessian, hvp and jacobian alone, "
            "as in steps of Newton's method of a fixed number, or pass jac='finite-difference'.",
        )
    return TracingError(
        "The objective uses a value that was kept from an earlier call.",
        [place for place in (tracer.location(), other.origin([operand.step])) if place],
        "compute it anew in each call, or pass it through args.",
    )


def length(tracer: Recorder, what: str) -> TracingError:
    """Return the error for a trace that would fill the memory, with the line of the outermost loop that is running."""
    loop, frame = None, sys._getframe(1)
    while frame is not None and id(frame) != tracer.outside:
        if not is_library(frame.f_code):
            loop = Location.of_loop(frame.f_code, frame.f_lasti) or loop
        frame = frame.f_back
    return TracingError(
        f"The objective {what}, more than can be followed one by one.",
        loop or tracer.location(),
        "write the loop as operations on whole arrays, or pass jac='finite-difference'.",
    )


def writes_into_argument(tracer: Recorder, function: Callable) -> UnsupportedFunctionError:
    """Return the error for a function that returns nothing, so writes somewhere."""
    return UnsupportedFunctionError(
        f"The objective calls {qualified(function)}, which writes into its argument; this is not followed.",
        tracer.location(),
        "assign to the array by indexing, as in x[mask] = values.",
    )


def object_result(tracer: Recorder, function: Callable, value: Any) -> UnsupportedFunctionError:
    """Return the error for a call that gives an object, whose numbers would not be followed."""
    return UnsupportedFunctionError(
        f"The objective calls {qualified(function)} with values that depend on the parameters; "
        f"the {type(value).__name__} that it returns is not followed.",
        tracer.location(),
        "write the calculation with NumPy functions, or pass jac='finite-difference'.",
    )


def call(tracer: Recorder, what: str, remedy: str) -> UnsupportedFunctionError:
    """Return what says that the objective calls a function, or one in such a way, that has no derivative here."""
    return UnsupportedFunctionError(
        f"The objective calls {what}, which autoopt cannot differentiate.", tracer.location(), f"{remedy}."
    )
