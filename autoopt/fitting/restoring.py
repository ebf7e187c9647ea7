"""A fit that was made before, of its run directory or result.json: solved again from its solution.

What the run came to by itself (iterations, times, certificate) is told as it was, not that of solving once more.

A run that has not come to its end is looked at where it was left: `autoopt.resume` goes on with it.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autoopt.errors import DataError, RunError
from autoopt.fitting.fit import fit
from autoopt.fitting.fitted import Fit
from autoopt.fitting.history import of_run
from autoopt.fitting.starting import is_unfinished, values_of
from autoopt.runs import storing
from autoopt.runs.checkpoint import Point
from autoopt.runs.run import read
from autoopt.verification.certificate import Verification

_OWN = ("start", "x0", "run_dir", "checkpoint", "resume", "progress")

CLOSE = 0.01
"""Standard errors by which an estimate may differ when it is solved again; more is another model, or other data."""


def restored(place: str | os.PathLike, **given: Any) -> Fit:
    """Return the fit of a run directory, a result.json, or a model file with data of its own.

    It is solved again, with the arguments it was made with, from its solution, which takes an iteration at most. Of a
    run that was killed or interrupted, or is at work, it is the best point, of the status "interrupted".

    Parameters
    ----------
    place : path
        A run directory; a file that `autoopt fit -o result.json` wrote; or a model file.
    **given
        Arguments of `fit` in place of those that it was made with.

    Raises
    ------
    DataError
        If there is no such file, or it holds no result.
    RunError
        If the solution is another one now: the model or its data have changed.
    """
    path = Path(place)
    if path.suffix.lower() == ".py":
        return fit(path, **given)
    call = _of_run(path) if path.is_dir() else _of_result(path)
    call = {name: value for name, value in call.items() if name not in _OWN} | given
    if path.is_dir() and is_unfinished(point := read(path).point):
        return _left(path, point, call)
    before = values_of(path)
    file = path / "result.json" if path.is_dir() else path
    told = json.loads(file.read_text(encoding="utf-8"))
    known = {name: value for name, value in before.items() if np.isfinite(value)}
    found = fit(call.pop("model"), start=known, **call)
    _refuse_other(found, before, path)
    _refuse_changed(found, told, file)
    _tell_as_it_ran(found, told, file.parent)
    return found


_COUNTS = ("nit", "nfev", "njev", "nhev", "nhvp", "nundefined")


def _tell_as_it_ran(found: Fit, told: dict[str, Any], folder: Path) -> None:
    """Give a fit that was solved again what its run has told of itself: counts, times, certificate and history."""
    if told.get("status") != found.status:  # it has come further than the run did
        return
    result = found.result
    result.update({name: told[name] for name in (*_COUNTS, "message", "timings") if name in told})
    if told.get("verification"):
        result.verification = Verification.of_dict(told["verification"])
    result.history = of_run(folder, result)


def _of_run(path: Path) -> dict[str, Any]:
    call = read(path).run["call"]
    if lost := [name for name, one in call.items() if "value" not in one]:
        raise RunError(
            f"The run {path} was begun with a {lost[0]} that could not be written down.",
            remedy="use the Fit of Python, which has it.",
        )
    return {name: storing.restored(one["value"]) for name, one in call.items()}


def _of_result(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise DataError(f"There is no run directory and no file {path}.", remedy="write one: autoopt fit -o FILE.json.")
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON: {error}", remedy="name a result.json.") from error
    if (path.parent / "checkpoint.json").is_file():
        return _of_run(path.parent)
    if not isinstance(told, dict) or not {"model", "params", "names"} <= set(told):
        raise DataError(f"{path} is no result of a fit.", remedy="name a file that autoopt fit -o FILE.json wrote.")
    return {"model": told["model"]} | (told.get("call") or {})


def _left(path: Path, point: Point, call: dict[str, Any]) -> Fit:
    """Return the fit of a run as it was left: at its best point, where nothing but value and slope are computed."""
    told: list[Any] = []

    def look(event: Any) -> None:
        told.append(event)
        raise KeyboardInterrupt

    try:
        return fit(call.pop("model"), start=None if point.x is None else np.array(point.x), **call | {"progress": look})
    except KeyboardInterrupt as stop:
        if not told:
            raise
        found: Fit = vars(stop)["fit"]
    result = found.result
    if point.value is not None and not np.isclose(result.fun, point.value, rtol=_ROUNDING):
        raise RunError(
            f"{path} was left where the objective is {point.value:.10g}, and it is {result.fun:.10g} there now: the "
            "model or its data have changed.",
            remedy="put them back, or fit again.",
        )
    far = f"iterate {point.iteration}, after {point.seconds:.1f} s" if point.x else "its start"
    counts: dict[str, Any] = dict.fromkeys(("nfev", "njev", "nhev", "nhvp"))
    result.update(counts, nit=point.iteration, timings={"total": point.seconds})
    result.update(message=f"x is the best point of a run that was left at {far}.", method=point.method or result.method)
    result.history = of_run(path, result)
    return replace(found, notes=(*found.notes, f"This run has not come to its end; autoopt resume {path} goes on."))


_ROUNDING = 1e-6
"""Relative; as values at one point may differ between releases of NumPy, and no change of the data is as small."""


def _refuse_other(found: Fit, before: dict[str, float], path: Path) -> None:
    """Raise RunError where a fit has come to other estimates than it had."""
    if found.status != "converged" or set(before) != set(found.names):
        return
    values = np.array([before[name] for name in found.names])
    size = np.where(np.isfinite(found.bse), found.bse, np.maximum(1.0, np.abs(values)))
    off = np.abs(found.params - values) > CLOSE * size
    if off.any():
        place = int(np.argmax(off))
        raise RunError(
            f"{path} has {found.names[place]} = {values[place]:.6g}, and the same fit comes to "
            f"{found.params[place]:.6g} now: the model or its data have changed.",
            remedy="fit again.",
        )


def _refuse_changed(found: Fit, told: dict[str, Any], file: Path) -> None:
    """Raise RunError where a fit at the same estimates has another value or other standard errors, or other rows."""
    if found.status != "converged":
        return
    now = found.to_dict()
    for name, what in _SAME.items():
        one, other = told.get(name), now.get(name)
        if one is None or other is None or told.get("convention") != now.get("convention"):
            continue
        one, other = (np.array(values, float) for values in (one, other))
        if one.shape != other.shape or not np.allclose(one, other, rtol=_ALIKE, atol=0.0, equal_nan=True):
            k = 0 if one.shape != other.shape else int(np.argmax(~np.isclose(one, other, rtol=_ALIKE, atol=0.0)))
            whose = f" of {found.names[k]}" if one.ndim else ""
            raise RunError(
                f"{file} has the {what}{whose} {one.flat[k]:.6g}, and the same fit has {other.flat[k]:.6g} now: the "
                "model or its data have changed.",
                remedy="put them back, or fit again.",
            )


_SAME = {"nobs": "number of observations", "value": "value", "bse": "standard error"}
"""What is compared beside the estimates, and how it is called."""

_ALIKE = 1e-4
"""Relative; a fit that is solved again comes as close as that to its standard errors."""
