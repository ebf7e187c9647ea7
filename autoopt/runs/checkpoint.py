"""A checkpoint: what a run is, and the best point that it has come to, in one file that is written whole.

    {"schema": 2, "sha256": "9f2c...",
     "run": {"call": ..., "identity": ..., "began": "2026-11-30T12:00:00+00:00"},
     "point": {"state": "running", "phase": "minimising", "x": [0.1, ...], "value": 3.5, "iteration": 12, ...,
               "search": {"name": "starts", "done": 7, ...}}}

Before a file takes the place of another, that is kept as `.previous`: a damaged one, as a disk may leave it, is not
the end. What "sha256" says is the digest of the rest, as JSON without blanks.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autoopt import atomic
from autoopt.errors import RunError

SCHEMA = 2
_KNOWN = (1, 2)
"""Versions that are read; the first has no `search`."""


@dataclass
class Point:
    """How far a run has come.

    Attributes
    ----------
    state : str
        "running", "interrupted", "failed" or "ended".
    phase : str
        What goes on, or went on last.
    x : list of n float, or None
        The best point so far, all parameters in the order of the flat vector; None before the first iterate.
    value : float or None
        The objective there.
    gradient_norm : float or None
    iteration : int
        How many iterates there were, in all parts of the run.
    seconds : float
        How long all parts took.
    method : str or None
        The method that was on.
    parts : int
        How many times the run was begun or went on.
    search : dict or None
        What a search among several minima goes on with, beside the best point, under its `name`; None where there is
        no such search, or it has ended.
    """

    state: str = "running"
    phase: str = "beginning"
    x: list[float] | None = None
    value: float | None = None
    gradient_norm: float | None = None
    iteration: int = 0
    seconds: float = 0.0
    method: str | None = None
    parts: int = 1
    search: dict[str, Any] | None = None

    @property
    def failed_to_start(self) -> bool:
        """Whether it has ended in an error before there was anything to go on with."""
        return self.state == "failed" and self.x is None


@dataclass(frozen=True)
class Checkpoint:
    """What one file holds; `run` is what the run is, as plain values."""

    run: Mapping[str, Any]
    point: Point
    is_previous: bool = False
    damage: str = field(default="", compare=False)


class Writer:
    """Writes the checkpoints of one run to one file; what the run is, is put into words once."""

    def __init__(self, path: Path, run: Mapping[str, Any]) -> None:
        self.path, self.run = path, run
        self._text = _dumped(run)

    def write(self, point: Point, *, lasting: bool = False) -> None:
        """Put a checkpoint in the place of the one before, which is kept beside it."""
        text = _dumped(vars(point))
        head = f'{{"schema":{SCHEMA},\n"sha256":"{_digest(self._text, text)}",\n'
        with contextlib.suppress(FileNotFoundError):
            os.replace(self.path, previous(self.path))
        atomic.write(self.path, f'{head}"run":{self._text},\n"point":{text}}}\n', lasting=lasting)


def previous(path: Path) -> Path:
    """Return where the checkpoint before the one at `path` is."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def read(path: Path) -> Checkpoint | None:
    """Return the checkpoint at `path`, or the one before it if that is damaged; None if there is none.

    Raises
    ------
    RunError
        If what is there is damaged, or of a version that is not known.
    """
    damage = []
    for file in (path, previous(path)):
        try:
            with contextlib.suppress(FileNotFoundError):
                return _read(file, file != path, "; ".join(damage))
        except (ValueError, KeyError, TypeError) as error:
            damage.append(f"{file} is damaged ({error})")
    if damage:
        raise RunError(f"{'; '.join(damage)}.", remedy="begin the run anew, in another place.")
    return None


def _read(file: Path, is_previous: bool, damage: str) -> Checkpoint:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        schema = content["schema"]
    except (ValueError, KeyError, TypeError):
        raise ValueError("it does not end as it should, or is no checkpoint") from None
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise RunError(f"{file} cannot be read: {error.strerror}.", remedy="check its permissions.") from error
    if schema not in _KNOWN:
        known = " and ".join(map(str, _KNOWN))
        raise RunError(
            f"{file} is a checkpoint of the kind {schema!r}; this version of autoopt knows {known}.",
            remedy="go on with the version of autoopt that has written it.",
        )
    if content["sha256"] != _digest(_dumped(content["run"]), _dumped(content["point"])):
        raise ValueError("its digest is another one")
    return Checkpoint(content["run"], Point(**content["point"]), is_previous, damage)


def _dumped(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)


def _digest(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def lines(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a history; one that a kill has cut off is left out."""
    with contextlib.suppress(FileNotFoundError), file.open(encoding="utf-8") as text:
        for line in text:
            with contextlib.suppress(ValueError):
                yield json.loads(line)
