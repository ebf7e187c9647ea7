"""One run and where it is kept: a directory, or one file; begun, gone on with, and ended.

RUN/checkpoint.json            the best point and what the run is; the one before it is checkpoint.previous.json
RUN/history.jsonl              a line for each iterate
RUN/result.json                the result, as runs/result.schema.json says
RUN/report.html                the report
RUN/lock                       the process that is at work on it
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autoopt import atomic
from autoopt.errors import RunError
from autoopt.runs import checkpoint, identity
from autoopt.runs.checkpoint import Checkpoint, Point, Writer
from autoopt.runs.lock import Lock
from autoopt.runs.recorder import Recorder
from autoopt.wording import listed

RESULT_SCHEMA = 1
_OF_FOLDER = ("history.jsonl", "result.json", "report.html")
_BYTES = 96
"""A parameter takes so many bytes: in a checkpoint, in the one before, in the result with its errors."""

_ROOM, _MANY = 1 << 16, 400
"""So many bytes a run takes whatever it is of, and so many parameters take no more."""


class Run:
    """A run that is kept, from `open` to `close`; as a context it closes itself.

    Attributes
    ----------
    folder : Path or None
        The run directory; None where there is one file alone.
    force : bool
        Whether it goes on although something has changed.
    before : Checkpoint or None
        What the run goes on from.
    recorder : Recorder
    """

    def __init__(self, place: Path, call: Mapping[str, Any], *, is_folder: bool, again: bool = False) -> None:
        """Open a run; one that has failed before it had a point gives way, unless it is to be tried `again`."""
        is_there = place.exists()
        self.folder, self.force = (place if is_folder else None), False
        self._file = place / "checkpoint.json" if is_folder else place
        self._run: dict[str, Any] = {"call": call, "host": platform.node()}
        _prepare(place, is_folder)
        self._is_ours = is_folder and not is_there
        try:
            self._lock = Lock(place / "lock" if is_folder else place.with_name(f"{place.name}.lock"), place)
        except OSError as error:
            raise _unwritable(place, error) from error
        for file in (self._file, place / "result.json") if is_folder else (self._file,):
            atomic.sweep(file)
        try:
            self.before = checkpoint.read(self._file)
            if self.before is not None and not again and self.before.point.failed_to_start:
                self._clear()
                self.before = None
            point = Point() if self.before is None else dataclasses.replace(self.before.point, state="running")
            known = {} if self.before is None else self.before.run
            self._run |= {"began": known.get("began") or _now(), "identity": known.get("identity")}
            self._probed(0)
            history = None if self.folder is None else self.folder / "history.jsonl"
            self.recorder = Recorder(Writer(self._file, self._run), history, point)
            if self.before is None:
                self.recorder.enter("reading the model and its data")
                self.recorder.write()
        except BaseException:
            self._lock.release()
            raise

    @property
    def place(self) -> Path:
        """Where it is kept."""
        return self._file if self.folder is None else self.folder

    def begin(self, what: Mapping[str, Any], size: int) -> Point | None:
        """Note what the run is, and return the point that it goes on from, None for one that begins.

        Parameters
        ----------
        what : mapping
            As `identity.changes` compares it.
        size : int
            The number of parameters.

        Raises
        ------
        RunError
            If it has, or there is no room for what is to be kept.
        """
        if size > _MANY:
            self._probed(size)
        before, point = self.before, self.recorder.point
        what = {**what, "versions": identity.versions()}
        known = None if before is None else before.run.get("identity")
        if known is not None and not self.force and (changed := identity.changes(known, what)):
            remedy = "put it back, or name another file"
            if self.folder is not None:
                remedy = f"put it back, begin a run elsewhere, or go on all the same: {forced(self.folder)}"
            raise RunError(f"The run {self.place} cannot go on, as {'; '.join(changed)}.", remedy=f"{remedy}.")
        if point.x is not None and len(point.x) != size:
            raise RunError(
                f"The run {self.place} has {len(point.x)} parameters, and the model has {size}.",
                remedy="begin a run elsewhere.",
            )
        self._run["identity"] = what
        point.parts += before is not None
        self.recorder.describe(self._run)
        self.recorder.enter("tracing")
        self.recorder.write()
        return point if point.x is not None else None

    def gone_on(self) -> str:
        """Return a sentence on what the run has gone on from."""
        assert self.before is not None
        point = self.before.point
        return f"Gone on from iterate {point.iteration} of {self.place}, after {point.seconds:.1f} s."

    def end(self, state: str, facts: Mapping[str, Any] | None = None, report: Callable[[Path], Any] | None = None):
        """Note how the run ended; in a run directory also its result, and its report.

        Parameters
        ----------
        state : str
            As of a `Point`.
        facts : mapping, optional
            The result as plain values.
        report : callable, optional
            Writes the report to a file.
        """
        recorder, folder = self.recorder, self.folder
        recorder.point.state, recorder.point.seconds = state, recorder.seconds
        if folder is not None:
            told = {"schema": RESULT_SCHEMA, "run": self._told(), **(facts or {})}
            fields = (f'  "{name}": {json.dumps(value, allow_nan=False)}' for name, value in told.items())
            text = "{\n" + ",\n".join(fields) + "\n}\n"
            if not recorder.attempt(lambda: atomic.write(folder / "result.json", text, lasting=True)):
                recorder.point.state = "failed"  # so that it may go on, and say its result
        recorder.write(lasting=True)
        if folder is not None and report is not None:
            recorder.attempt(lambda: report(folder / "report.html"))

    @property
    def is_begun(self) -> bool:
        """Whether there is something to go on with: its model and data could be opened, now or before."""
        return self.before is not None or self._run["identity"] is not None

    def discard(self) -> None:
        """Close a run that never began, and leave nothing of it."""
        self.close()
        self._clear()
        if self._is_ours:
            with contextlib.suppress(OSError):
                (self.place / "lock").unlink()
                self.place.rmdir()

    def _clear(self) -> None:
        """Remove what a run has written, but for its lock, which others may wait for."""
        own = (self._file, checkpoint.previous(self._file))
        for file in (*own, *(() if self.folder is None else (self.folder / name for name in _OF_FOLDER))):
            with contextlib.suppress(OSError):
                file.unlink()

    def close(self) -> None:
        """Leave the run to others."""
        self.recorder.close()
        self._lock.release()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _told(self) -> dict[str, Any]:
        point, known = self.recorder.point, self._run["identity"] or {}
        fields = {name: getattr(point, name) for name in ("state", "phase", "iteration", "seconds", "parts")}
        fields["versions"] = known.get("versions") or identity.versions()
        return {"began": self._run["began"], "ended": _now(), "host": self._run["host"], **fields}

    def _probed(self, size: int) -> None:
        try:
            atomic.probe(self._file, _ROOM + _BYTES * size)
        except OSError as error:
            raise _unwritable(self.place, error) from error


def _prepare(place: Path, is_folder: bool) -> None:
    """Make the folder that is needed, or raise RunError; so if files of these names in it are of no run."""
    try:
        if is_folder:
            place.mkdir(parents=True, exist_ok=True)
            theirs = [name for name in _OF_FOLDER if (place / name).exists()]
            if theirs and checkpoint.read(place / "checkpoint.json") is None:
                raise RunError(
                    f"{place} is the directory of no run, and has {listed(theirs)}, which a run would write over.",
                    remedy="name another directory, which need not be there yet.",
                )
        elif not place.parent.is_dir():
            raise RunError(f"There is no folder {place.parent} for the checkpoint.", remedy="make it, or name another.")
    except OSError as error:
        raise _unwritable(place, error) from error


def _unwritable(place: Path, error: OSError) -> RunError:
    return RunError(
        f"The run cannot be kept in {place}: {error.strerror or error}. Nothing has been computed yet.",
        remedy="make room or give rights there, or name another place.",
    )


def forced(folder: Path) -> str:
    """Return how a run goes on whatever has changed, on the command line and in Python."""
    return f"autoopt resume {folder} --force (autoopt.resume(run_dir, force=True) in Python)"


def read(place: str | os.PathLike) -> Checkpoint:
    """Return the checkpoint of a run directory, or of a file; RunError if there is none."""
    path = Path(place)
    found = checkpoint.read(path / "checkpoint.json" if path.is_dir() else path)
    if found is None:
        what = "holds no run" if path.is_dir() else "is not there"
        raise RunError(f"{path} {what}.", remedy="give the directory that was named with --run-dir (run_dir=).")
    return found


def result(run_dir: str | os.PathLike) -> dict[str, Any] | None:
    """Return the result of a run directory as plain values, None if it has none."""
    with contextlib.suppress(OSError, ValueError):
        return json.loads((Path(run_dir) / "result.json").read_text(encoding="utf-8"))
    return None


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
