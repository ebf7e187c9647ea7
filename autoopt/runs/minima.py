"""`checkpoint=` of `minimize` and `least_squares`: a file for the best point, from which the same call goes on."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np

from autoopt.runs import identity
from autoopt.runs.checkpoint import Point
from autoopt.runs.recorder import Recorder
from autoopt.runs.run import Run
from autoopt.variables.start import Start

P = ParamSpec("P")
R = TypeVar("R")


def kept(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function of (fun, x0, ..., args=, checkpoint=) that takes a path for `checkpoint`, a Recorder before."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def recorded(*args: P.args, **options: P.kwargs) -> R:
        if isinstance(options.get("checkpoint"), Recorder | None):
            return function(*args, **options)
        given = signature.bind(*args, **options)
        path = Path(os.path.abspath(str(given.arguments["checkpoint"])))
        fun, start = given.arguments["fun"], Start.of(given.arguments["x0"])
        data = given.arguments.get("args", ())
        what = {
            "model": {"name": getattr(fun, "__name__", type(fun).__name__), "digest": identity.digest(fun)},
            "data": {"name": None, "digest": identity.digest(data if isinstance(data, tuple) else (data,))},
        }
        with Run(path, {}, is_folder=False) as run:
            point = run.begin(what, start.structure.size)
            if point is not None and not _begins_there(point, given.arguments):
                given.arguments["x0"] = start.at(np.array(point.x)).given["x0"]
            given.arguments["checkpoint"] = run.recorder
            try:
                result: Any = function(*given.args, **given.kwargs)
            except BaseException as stop:
                _end(run, "interrupted" if isinstance(stop, KeyboardInterrupt) else "failed", vars(stop).get("result"))
                raise
            run.recorder.searched()
            _end(run, "ended", result)
        if run.recorder.is_resumed:
            result.notes = [*result.get("notes", ()), run.gone_on()]
        return result

    return recorded


def _begins_there(point: Point, arguments: Mapping[str, Any]) -> bool:
    """Whether a call begins where the user says, and its search goes on by itself: of several starts, the same ones."""
    return arguments.get("starts") is not None and (point.search or {}).get("name") == "starts"


def _end(run: Run, state: str, result: Any) -> None:
    if result is not None:
        run.recorder.take(result)
    run.end(state)
