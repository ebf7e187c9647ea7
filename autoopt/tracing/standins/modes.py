"""NumPy's error modes and Python's warnings, where the objective itself looks at them.

A trace runs with NumPy's warnings off. An objective that has them raise, records or counts them, runs as it does
without a trace from there on, and its record holds at its own point only: whatever is calculated might have warned.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.errors import TracingError
from autoopt.tracing.recording.recorder import Recorder
from autoopt.tracing.standins.table import STAND_INS, stands_in

REFUSED = frozenset((np.geterr,))
"""Stand-ins that say why they are none."""

_TELLING = frozenset(("raise", "call", "log"))
"""Modes by which an objective learns of inf and NaN."""

_CATCHES = {
    FloatingPointError: ("FloatingPointError", "ArithmeticError", "Exception"),
    RuntimeWarning: ("RuntimeWarning", "Warning"),
}
"""What an objective names that catches what NumPy raises, by what that is."""


def heed(tracer: Recorder) -> None:
    """Leave the user's own modes on: the objective looks at what they tell."""
    tracer.tape.caught = tracer.tape.heeds = True
    np.seterr(**tracer.modes)


def catching(modes: dict[str, str]) -> frozenset[str]:
    """Return the names of exceptions that NumPy raises from the start, modes and filters being as they are."""
    raised = [FloatingPointError] if _TELLING.intersection(modes.values()) else []
    kinds = (row[2] for row in warnings.filters if row[0] == "error")
    raised += [RuntimeWarning] if any(issubclass(RuntimeWarning, kind) for kind in kinds) else []
    return frozenset(name for kind in raised for name in _CATCHES[kind])


def _modes(original: Callable) -> Callable:
    """Return the stand-in for np.errstate or np.seterr."""

    def enter(tracer, *args, **kwargs):
        if _TELLING.intersection((*args, *kwargs.values())):
            tracer.tape.caught = tracer.tape.heeds = True
        return original(*args, **kwargs)

    return enter


STAND_INS.update({original: _modes(original) for original in (np.errstate, np.seterr)})


@stands_in(np.geterr)
def _geterr(tracer):
    raise TracingError(
        "The objective asks for NumPy's error modes (np.geterr), which are others while it is followed.",
        tracer.location(),
        "ask for them outside of the objective, and pass what depends on them through args.",
    )


def entered(tracer: Recorder, state: np.errstate) -> np.errstate:
    """Return an np.errstate that was made outside, noting whether the objective learns of inf and NaN by it."""
    fields = {name: getattr(state, name) for name in dir(state) if name.startswith("_") and not name.startswith("__")}
    modes = [mode for mode in (*fields.values(), *getattr(state, "kwargs", {}).values()) if isinstance(mode, str)]
    if _TELLING.intersection(modes):
        tracer.tape.caught = tracer.tape.heeds = True
    return state


class _Catching:
    """Stands in for warnings.catch_warnings: what is recorded is what the original records."""

    def __init__(self, tracer: Recorder, *args: Any, **kwargs: Any) -> None:
        self._tracer, self._manager = tracer, warnings.catch_warnings(*args, **kwargs)
        self._heeds = bool(kwargs.get("record", args and args[0])) or kwargs.get("action") == "error"
        self._modes: dict[str, str] = {}

    def __enter__(self) -> Any:
        self._modes = np.geterr()
        if self._heeds:
            heed(self._tracer)
        return self._manager.__enter__()

    def __exit__(self, *problem: Any) -> None:
        np.seterr(**self._modes)
        self._manager.__exit__(*problem)


STAND_INS[warnings.catch_warnings] = _Catching


@stands_in(warnings.simplefilter)
def _simplefilter(tracer, action, *args, **kwargs):
    if action == "error":
        heed(tracer)
    warnings.simplefilter(action, *args, **kwargs)


@stands_in(warnings.filterwarnings)
def _filterwarnings(tracer, action, *args, **kwargs):
    if action == "error":
        heed(tracer)
    warnings.filterwarnings(action, *args, **kwargs)
