"""NumPy's objects that are neither functions nor types: random generators, `np.r_` and `np.c_`."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.errors import TracingError
from autoopt.tracing.arrays import functions
from autoopt.tracing.recording.recorder import Recorder
from autoopt.tracing.standins.constructors import as_array
from autoopt.tracing.standins.randomness import Random, draws


class _Joiner:
    """Stands in for np.r_ and np.c_."""

    def __init__(self, tracer: Recorder, original: Any) -> None:
        self.tracer, self.original = tracer, original

    def __getitem__(self, key):
        parts = key if type(key) is tuple else (key,)
        if not self.tracer.holds_traced(parts):
            return self.original[key]
        if any(isinstance(part, str) for part in parts):
            raise TracingError("np.r_ with a string is not followed.", self.tracer.location(), "use np.concatenate.")
        parts = [self.original[part] if type(part) is slice else as_array(self.tracer, part) for part in parts]
        if self.original is np.c_:
            parts = [part.reshape(-1, 1) if part.ndim < 2 else part for part in parts]
            return functions.call_function(self.tracer, np.concatenate, (parts,), {"axis": -1})
        parts = [part.reshape(1) if part.ndim == 0 else part for part in parts]
        return functions.call_function(self.tracer, np.concatenate, (parts,), {})


def object_stand_in(tracer: Recorder, value: Any) -> Any:
    """Return the stand-in for a NumPy object that is neither function nor type, or None."""
    if draws(value):
        return Random(tracer, value)
    return _Joiner(tracer, value) if value is np.r_ or value is np.c_ else None
