"""The time of day inside an objective: it may be shown and compared, but not be part of the value."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from autoopt.tracing.recording.recorder import Recorder

CLOCKS = (time.time, time.perf_counter, time.monotonic, time.process_time)


class Moment(float):
    """What a clock showed, or what was calculated from that."""


def _calculation(name: str) -> Callable:
    original = getattr(float, name)

    def calculate(self: Moment, other: Any) -> Any:
        result = original(self, other) if isinstance(other, int | float) else NotImplemented
        return result if result is NotImplemented else Moment(result)

    return calculate


for _name in ("add", "sub", "mul", "truediv", "radd", "rsub", "rmul", "rtruediv"):
    setattr(Moment, f"__{_name}__", _calculation(f"__{_name}__"))


def read(clock: Callable, tracer: Recorder) -> Moment:
    """Return what `clock` shows."""
    return Moment(clock())
