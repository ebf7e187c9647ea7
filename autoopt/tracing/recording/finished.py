"""The tracer of a run that is over: whatever a value that was kept from the run is used for comes here, and says so."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from autoopt.errors import KeptValueWarning, Location, TracingError
from autoopt.tracing.recording.tracer import Tracer

_DIFFERENT: dict[Callable, bool] = {np.equal: False, np.not_equal: True, np.isclose: False}
"""What comparing with a kept value gives: it is no number, so what was stored for the latest point is made anew."""

_KEPT = "that the objective kept while autoopt traced it; later evaluations do not renew it"
_REMEDY = "call the objective itself with numbers, then it keeps numbers; or let it return the value."


class Finished(Tracer):
    """A tracer whose run is over: every use of its arrays is an error that names where they were computed."""

    is_over = True

    def elementwise(self, ufunc: Callable, inputs: Any, compute: Callable | None = None) -> Any:
        return self._compared(ufunc, inputs) if ufunc in _DIFFERENT else self.require_running(inputs)

    def call(self, function: Callable, args: tuple, kwargs: dict, compute: Callable | None = None) -> Any:
        if not _steps((args, kwargs)):
            return function(*args, **kwargs)
        return self._compared(function, args) if function in _DIFFERENT else self.require_running((args, kwargs))

    def guard(self, traced: Any, kind: str, answer: Any) -> NoReturn:
        self.require_running(traced)

    def show(self, traced: Any) -> Note:
        return Note(self, traced)

    def require_running(self, value: Any) -> NoReturn:
        self._refuse(_steps(value))

    def _append(self, operation: Any, inputs: tuple[int, ...], *rest: Any) -> NoReturn:
        self._refuse(inputs)

    def _version(self, operation: Any, sources: list[int], *rest: Any) -> NoReturn:
        self._refuse(sources)

    def _compared(self, function: Callable, inputs: Any) -> bool:
        """Return that a kept value differs from anything, with a warning."""
        happened = f"A value is compared {_KEPT}. It is taken to differ."
        warnings.warn(
            KeptValueWarning(str(TracingError(happened, self._places(_steps(inputs)), _REMEDY))), stacklevel=4
        )
        return _DIFFERENT[function]

    def _refuse(self, steps: Any) -> NoReturn:
        raise TracingError(f"A value is used {_KEPT}.", self._places(steps), _REMEDY)

    def _places(self, steps: Any) -> list[Location]:
        """Return the line that is run, and where a value of `steps` was computed."""
        return [place for place in (self.location(), self.origin(steps)) if place]


def finish(tracer: Tracer) -> None:
    """End a run.

    Arrays that the objective keeps go on asking the tracer that they have for everything, so it is this object that
    becomes another one: a flag would have to be looked at in each step that is recorded.
    """
    tracer.__class__ = Finished


class Note:
    """The text that stands for a kept value."""

    def __init__(self, tracer: Finished, traced: Any) -> None:
        self._tracer, self._traced = tracer, traced

    def __repr__(self) -> str:
        origin = self._tracer.origin(_steps(self._traced))
        return f"<a value {_KEPT}" + (f" (computed at{str(origin).splitlines()[0][1:]})>" if origin else ">")

    def __format__(self, spec: str) -> str:
        return self._tracer.require_running(self._traced) if spec else repr(self)

    def __float__(self) -> float:
        self._tracer.require_running(self._traced)


def _steps(value: Any) -> list[int]:
    """Return the steps of the traced arrays in a nest of arguments."""
    if isinstance(value, dict):
        return _steps(list(value.values()))
    if type(value) in (list, tuple):
        return [step for part in value for step in _steps(part)]
    if hasattr(type(value), "re"):  # a complex one
        return _steps((value.re, value.im))
    return [value.step] if hasattr(type(value), "step") else []
