"""Where a fit starts: the values of an earlier one, or of a file, by the names of the parameters."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autoopt.errors import DataError, UsageError
from autoopt.fitting.opening import Opened
from autoopt.runs.checkpoint import Point
from autoopt.runs.run import read
from autoopt.wording import listed, near, times

_NAMES, _VALUES = ("parameter", "name", "names", "term", ""), ("estimate", "value", "params", "coef")
"""What the columns of a table of parameters may be called."""


def moved(opened: Opened, start: Any) -> Opened:
    """Return an opened model that starts where `start` says; parameters that it does not name start where x0 does.

    Parameters
    ----------
    opened : Opened
    start : path, mapping of names to numbers, Fit, array of all n parameters, or None
        As for `fit`.

    Raises
    ------
    UsageError
        If it names parameters that the model has not, or gives one of them no number.
    """
    if start is None:
        return opened
    start = _checkpoint(start)
    if isinstance(start, np.ndarray):
        size = opened.start.flat.size
        if start.shape != (size,):
            raise UsageError(
                f"The start has shape {start.shape}, and {opened.model.source} has {times(size, 'parameter')}.",
                remedy="give a number for each, or some of them by their names.",
            )
        return replace(opened, start=opened.start.at(np.asarray(start, float)))
    values = values_of(start)
    names = list(opened.names)
    if unknown := [name for name in values if name not in names]:
        raise UsageError(
            f"The start names {listed(unknown)}, which {opened.model.source} has not.{near(unknown[0], names)}",
            remedy=f"name parameters of the model: {listed(names)}.",
        )
    if bad := [name for name, value in values.items() if not np.isfinite(value)]:
        raise UsageError(f"The start has no number for {listed(bad)}.", remedy="give one, or leave the name out.")
    flat = opened.start.flat
    for name, value in values.items():
        flat[names.index(name)] = value
    return replace(opened, start=opened.start.at(flat))


def is_unfinished(point: Point) -> bool:
    """Whether a run was left on its way: neither ended, nor at its solution."""
    return point.state != "ended" and point.phase != "looking at the solution"


def _checkpoint(start: Any) -> Any:
    """Return the best point of a run directory whose run has not come to its end; other starts as they are."""
    if isinstance(start, str | Path) and (Path(start) / "checkpoint.json").is_file():
        point = read(start).point
        if point.x is not None and is_unfinished(point):
            return np.array(point.x)
    return start


def values_of(start: Any) -> dict[str, float]:
    """Return the values of parameters by their names: of a Fit, a mapping, a result.json or run directory, a table."""
    if isinstance(start, str | Path):
        path = Path(start)
        path = path / "result.json" if path.is_dir() else path
        if not path.is_file():
            raise DataError(f"There is no file {path} with a start.", remedy="name a result.json, or a CSV file.")
        start = _of_json(path) if path.suffix.lower() == ".json" else _of_table(path)
    elif hasattr(start, "names") and hasattr(start, "params"):
        start = dict(zip(start.names, start.params, strict=True))
    if not isinstance(start, Mapping):
        raise UsageError(
            f"start is of type {type(start).__name__}.", remedy="give a file, a Fit, or a dict of names to numbers."
        )
    return {str(name): _number(value) for name, value in start.items()}


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan


def _of_json(path: Path) -> Any:
    """Return the parameters of a result, or of an object of names and numbers."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON: {error}", remedy="correct the file.") from error
    if isinstance(told, dict) and isinstance(told.get("names"), list) and isinstance(told.get("params"), list):
        return dict(zip(told["names"], told["params"], strict=False))
    return told


def _of_table(path: Path) -> dict[str, Any]:
    """Return the parameters of a text file: a line for each, name and value, or a line of names above one of values."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as a table: {error}", remedy="correct the file.") from error
    lines = text.splitlines()
    delimiter = "\t" if lines and "\t" in lines[0] else ","
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter) if row]
    is_header = bool(rows) and bool(np.isnan([_number(cell) for cell in rows[0]]).all())
    if is_header and len(rows) == 2 and len(rows[0]) == len(rows[1]) and rows[0][0].lower() not in _NAMES:
        return dict(zip(*rows, strict=True))
    head = [cell.lower() for cell in rows[0]] if rows else []
    place = next((head.index(name) for name in _VALUES if name in head), 1)
    if not rows or min(map(len, rows)) <= place:
        raise DataError(f"{path} has no values of parameters.", remedy="write name,value in each line.")
    body = rows[1:] if is_header else rows
    return {row[0]: row[place] for row in body}
