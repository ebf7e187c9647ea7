"""Facts of a report that are none of the fit's own: the data in a few numbers, and where and with what it ran."""

from __future__ import annotations

import datetime
import inspect
import platform
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from autoopt.reports.blocks import Block, Facts, Table, Text
from autoopt.reports.sources import users_function
from autoopt.version import __version__

_PACKAGES = ("numpy", "scipy", "pytensor", "llvmlite", "pandas", "matplotlib")

MOST = 200
"""Columns of data that are listed."""


def environment(timings: Mapping[str, float]) -> list[Block]:
    """Return versions, the machine, BLAS, the command and the date."""
    built: Any = np.show_config(mode="dicts")
    blas = built.get("Build Dependencies", {}).get("blas", {})
    rows = [
        ("autoopt", __version__),
        ("Python", f"{platform.python_version()} ({platform.python_implementation()})"),
        ("packages", ", ".join(filter(None, map(_release, _PACKAGES)))),
        ("BLAS", f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()),
        ("machine", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        ("command", shlex.join(sys.argv) if sys.argv and sys.argv[0] else "interactive"),
        ("written", datetime.datetime.now().astimezone().isoformat(" ", "seconds")),
        ("seconds", ", ".join(f"{stage} {seconds:.3g}" for stage, seconds in timings.items())),
    ]
    return [Facts([row for row in rows if row[1]])]


def _release(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return ""


def data(fitted: Any) -> list[Block]:
    """Return names, shapes and ranges of what the objective was given; none of the data."""
    if fitted.case is None or not fitted.case.call["args"]:
        return [Text("The objective takes no data.", True)] if fitted.case is not None else []
    args = fitted.case.call["args"]
    return columns(zip(_names(fitted.case, len(args)), args, strict=True))


def columns(given: Iterable[tuple[str, Any]]) -> list[Block]:
    """Return names, shapes and ranges of data by their names."""
    rows = list(_rows(given))
    head = ["data", "type", "shape", "missing", "least", "mean", "largest"]
    note = [Text(f"The first {MOST} of {len(rows)}.", True)] if len(rows) > MOST else []
    return [Table(head, rows[:MOST], words=(1, 2)), *note]


def _rows(given: Iterable[tuple[str, Any]]) -> Iterator[list[str]]:
    for name, value in given:
        if hasattr(value, "columns") and hasattr(value, "to_numpy"):
            yield from (_row(f"{name}[{column}]", value[column]) for column in value.columns)
        elif isinstance(value, Mapping):
            yield from (_row(f"{name}[{key}]", part) for key, part in value.items())
        else:
            yield _row(name, value)


def _names(case: Any, count: int) -> Sequence[str]:
    """Return what the objective calls its data."""
    try:
        names = list(inspect.signature(users_function(case)).parameters)[1:]
    except (TypeError, ValueError):
        names = []
    return names[:count] if len(names) >= count else [f"data[{number}]" for number in range(count)]


def _row(name: str, value: Any) -> list[str]:
    kind = type(value).__name__
    if hasattr(value, "tocsr"):
        return [name, f"sparse {value.dtype}", _shape(value.shape), *_numbers(np.asarray(value.data))]
    try:
        array = np.asarray(value)
    except Exception:  # whatever the user's own class raises: it is shown by its type
        return [name, kind, "", "", "", "", ""]
    if array.dtype.kind in "biuf" and array.size:
        return [name, kind if array.ndim == 0 else str(array.dtype), _shape(array.shape), *_numbers(array)]
    return [name, f"{kind} of {array.dtype}" if array.ndim else kind, _shape(array.shape), "", "", "", ""]


def _shape(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape)) or "number"


def _numbers(array: np.ndarray) -> list[str]:
    """Return how many are missing, the least, the mean and the largest."""
    array = array.astype(float)
    missing = int(np.isnan(array).sum())
    if missing == array.size:
        return [str(missing), "", "", ""]
    with np.errstate(all="ignore"):
        return [str(missing), *(f"{number:.5g}" for number in (np.nanmin(array), np.nanmean(array), np.nanmax(array)))]
