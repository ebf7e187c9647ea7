"""Stand-ins for builtin types: `float`, `np.float64` and the like, as the instrumented copy sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.tracing.recording.recorder import Recorder


class TypeStandIn(type):
    """Lets a stand-in serve as the type that it stands for: in isinstance, as dtype=, with its own methods."""

    def __instancecheck__(cls, value):
        return isinstance(value, cls.original)

    def __subclasscheck__(cls, kind):
        return issubclass(real(kind), cls.original)

    def __getattr__(cls, name):
        return getattr(type.__getattribute__(cls, "original"), name)

    def __eq__(cls, other):
        return other is cls or other is cls.original

    def __hash__(cls):
        return hash(cls.original)

    def __call__(cls, *args, **kwargs):
        return cls.convert(cls.tracer, *args, **kwargs)


def type_stand_in(tracer: Recorder, original: type, convert: Callable) -> type:
    """Return a stand-in for the type `original` that converts by `convert(tracer, value)`."""
    body = {"original": original, "tracer": tracer, "convert": staticmethod(convert), "__new__": original.__new__}
    if original is type:
        body |= {"__call__": type.__call__, "__init__": type.__init__}
    if issubclass(original, np.generic) or original in (float, int, bool, complex):
        body["dtype"] = np.dtype(original)
        body["__match_args__"] = ("real",)  # `case float(value)` takes the number itself, which is its own real part
    return TypeStandIn(original.__name__, (), body)


def is_single(dtype: Any) -> bool:
    """Whether a dtype that the objective asks for is that of single precision."""
    return dtype is not None and np.dtype(real(dtype)) == np.float32


def real(value: Any) -> Any:
    """Return `value` with stand-ins for types replaced by the types."""
    if type(value) is TypeStandIn:
        return value.original
    if type(value) in (tuple, list):
        return type(value)([real(part) for part in value])
    if type(value) is dict:
        return {key: real(part) for key, part in value.items()}
    return value
