"""A fit that is kept while it goes on: `run_dir`, `checkpoint` and `resume` of `fit`."""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

import numpy as np

from autoopt.errors import RunError, RunWarning, UsageError
from autoopt.fitting.fitted import Fit
from autoopt.fitting.history import of_run
from autoopt.fitting.opening import Opened
from autoopt.runs import identity, storing
from autoopt.runs.run import Run, forced, result

_OWN = ("run_dir", "checkpoint", "resume", "progress")
"""What is no part of what a run is."""

_FILES = ("model", "data", "derivatives", "run_dir", "start")
"""Arguments that are files where they are text: they are kept with their whole path."""


_STATES = {
    "running": "which was killed",
    "interrupted": "which was interrupted",
    "failed": "which has failed",
    "ended": "which has ended",
}
"""A run that is no one's, in words, by how its checkpoint was left."""

P = ParamSpec("P")
R = TypeVar("R")


def kept(function: Callable[P, R]) -> Callable[P, R]:
    """Return `fit` with `run_dir`, `checkpoint` and `resume` as users give them; it is handed the open Run."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def recorded(*args: P.args, **options: P.kwargs) -> R:
        asked: dict[str, Any] = {name: options.pop(name, None) for name in _OWN[:3]}
        force = asked["resume"] == "force"
        if empty := [name for name in ("run_dir", "checkpoint") if asked[name] == ""]:
            raise UsageError(f"{empty[0]} is an empty text.", remedy="name a place, or leave it out.")
        if asked["run_dir"] is not None and asked["checkpoint"] is not None:
            raise UsageError("There are run_dir and checkpoint.", remedy="a run directory has a checkpoint: give one.")
        if asked["run_dir"] is None and asked["checkpoint"] is None:
            if asked["resume"]:
                raise UsageError("resume is given, and no run_dir.", remedy="name the directory of the run.")
            return function(*args, **options)
        call = _call(signature.bind(*args, **options).arguments)
        is_folder = asked["run_dir"] is not None
        place = Path(os.path.abspath(asked["run_dir"] if is_folder else asked["checkpoint"]))
        with Run(place, call, is_folder=is_folder, again=bool(asked["resume"])) as run:
            if is_folder and run.before is not None:
                _refuse(run, asked["resume"])
            run.force = force
            options["run_dir"] = run
            with _noted(run) as reached:
                fitted: Any = function(*args, **options)
                reached.append(fitted)
                _end(run, "ended", fitted)
        return _with_note(fitted, run)

    return recorded


class Interruption:
    """Gives a KeyboardInterrupt without a Fit that of the start, as soon as the model is `opened`."""

    opened: Opened | None = None

    def __enter__(self) -> Interruption:
        return self

    def __exit__(self, kind: type | None, stop: BaseException | None, trace: TracebackType | None) -> None:
        if self.opened is not None and isinstance(stop, KeyboardInterrupt) and not hasattr(stop, "fit"):
            from autoopt.solvers import interrupted_at

            start, model = self.opened.start, self.opened.model
            result = interrupted_at(start.flat, model.method or "no method yet")
            result.update(start.fields(start.flat), verification=None, timings={}, notes=[])
            vars(stop)["fit"] = Fit(model.source, result, self.opened.names, model.kind, interrupted=True)


def begun(opened: Opened, run: Run | None) -> Opened:
    """Return the opened model with its start where the run goes on from; a run that begins is noted."""
    if run is None:
        return opened
    point = run.begin(_identity(opened), opened.start.structure.size)
    return opened if point is None else replace(opened, start=opened.start.at(np.array(point.x)))


def _call(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call as plain values; the kind alone of those that cannot be."""
    call: dict[str, Any] = {}
    for name, value in arguments.items():
        if name in _OWN or value is None:
            continue
        if name == "data" and isinstance(value, str) and value == "-":
            call[name] = {"kind": "of standard input"}
            continue
        if name in _FILES and isinstance(value, str | Path) and Path(value).exists():  # else it is a model's name
            value = os.path.abspath(value)
        try:
            call[name] = {"value": storing.stored(value)}
        except storing.NotStorable:
            call[name] = {"kind": f"of type {type(value).__name__}"}
    return call


def _identity(opened: Opened) -> dict[str, Any]:
    """Return what the fit depends on: the model file with what it imports from its folder, and the data."""
    model, source = opened.model, Path(opened.model.source)
    if source.is_file():
        files = [source, *_imported_from(source.absolute().parent)]
        one = {"name": str(source.absolute()), "digest": identity.digest([identity.digest(file) for file in files])}
    else:
        one = {"name": model.source, "digest": identity.digest(model.objective)}
    return {"model": one, "data": {"name": None, "digest": identity.digest(opened.arguments)}}


def _imported_from(folder: Path) -> list[Path]:
    """Return the files of modules that lie in a folder, sorted: what a model file has imported from beside it.

    The script that is run may lie there, too: it is no part of the model, and another one may go on with its run.
    """
    if (folder / "pyvenv.cfg").exists() or "site-packages" in folder.parts:
        return []
    files = (getattr(module, "__file__", None) for name, module in list(sys.modules.items()) if name != "__main__")
    found = {Path(file) for file in files if file and Path(file).parent == folder}
    return sorted(file for file in found if file.suffix == ".py" and file.is_file())


def _refuse(run: Run, again: Any) -> None:
    """Raise RunError where a run directory holds a run that is not to be gone on with."""
    before = run.before
    assert before is not None
    if before.point.state == "ended" and again != "force":
        told = result(run.place) or {}
        shown = f"\n\n{told['summary']}\n" if told.get("summary") else ""
        raise RunError(
            f"The run {run.place} has ended; its result is in {run.place / 'result.json'}.{shown}",
            remedy=f"begin another one in another directory, or go on from its solution: {forced(run.place)}.",
        )
    if not again:
        raise RunError(
            f"The directory {run.place} holds a run already, {_STATES[before.point.state]}.",
            remedy=f"go on with it: autoopt resume {run.place} (autoopt.resume in Python); or name another directory.",
        )


@contextlib.contextmanager
def _noted(run: Run) -> Iterator[list[Any]]:
    """Note how a run ends that does not come to its end; what was reached goes with the exception.

    The Fit that is put into the list is what was reached, whatever follows.
    """
    reached: list[Any] = []
    try:
        yield reached
    except RunError:
        raise
    except BaseException as stop:
        if not run.is_begun and not isinstance(stop, KeyboardInterrupt):
            run.discard()
            raise
        if reached:
            note = "Interrupted while the result was written; the fit was finished."
            vars(stop)["fit"] = replace(reached[0], interrupted=True, notes=(*reached[0].notes, note))
        state = "interrupted" if isinstance(stop, KeyboardInterrupt) else "failed"
        found = getattr(stop, "fit", None) or getattr(stop.__cause__, "fit", None)
        _end(run, state, found, "" if state == "interrupted" else str(stop), is_short=True)
        raise


def _end(run: Run, state: str, fitted: Any, error: str = "", *, is_short: bool = False) -> None:
    """Write down how a run has ended, with what it came to; a report only where there is time for it.

    What fails in that is told, and loses neither the fit nor the error that ended it.
    """
    report = None if fitted is None or is_short else functools.partial(_report, fitted)
    try:
        run.end(state, {"error": error or None, **_facts(run, state, fitted)}, report)
    except Exception as failure:
        said = f"{type(failure).__name__}: {failure}"
        warnings.warn(RunWarning(f"The result of {run.place} could not be put into words ({said})."), stacklevel=2)
        run.end("failed", {"status": "failed", "error": error or said})


def _facts(run: Run, state: str, fitted: Any) -> dict[str, Any]:
    """Return what a run has come to as plain values, and note it in the checkpoint."""
    if fitted is None:
        return {"status": state}
    run.recorder.take(fitted.result)
    if run.recorder.is_resumed and run.folder is not None:
        fitted.result.history = of_run(run.folder, fitted.result)
    status = fitted.status if state == "ended" else state
    return {**fitted.to_dict(), "summary": fitted.summary(), "status": status}


def _report(fitted: Any, path: Path) -> None:
    """Write the report, where the extra for it is installed; what fails in it is told, and loses no run."""
    if find_spec("jinja2") is None:
        return
    try:
        fitted.report(path)
    except OSError:
        raise
    except Exception as error:
        warnings.warn(RunWarning(f"There is no report, {path}: {type(error).__name__}: {error}"), stacklevel=2)


def _with_note(fitted: Any, run: Run) -> Any:
    """Return the fit with what is to be said of how it was kept."""
    notes = []
    if run.before is not None and run.recorder.is_resumed:
        notes.append(run.gone_on())
    if run.before is not None and run.before.is_previous:
        notes.append(f"{run.before.damage}; the checkpoint before it was used.")
    if run.recorder.is_lost:
        notes.append(f"{run.place} could not be written to the end: it does not hold this result.")
    elif run.folder is not None and find_spec("jinja2") is None:
        notes.append(f'{run.place} has no report, for which jinja2 is needed: pip install "autoopt[report]".')
    return replace(fitted, notes=(*fitted.notes, *notes))
