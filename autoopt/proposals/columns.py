"""The columns of a table: which one is explained, which explain it, and why others are left out."""

from __future__ import annotations

import csv
import keyword
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autoopt.errors import DataError, UsageError
from autoopt.tables.text import encoding_told_by
from autoopt.wording import listed, near, times

MOST_LEVELS = 10
"""A text column with more values is left out: it would give more indicators than most data can tell apart."""

_TEXTS = (".csv", ".tsv", ".tab", ".txt", ".dat", "")
_TARGETS = ("y", "target", "response", "outcome", "label")
_ROWS_FOR_EACH = 3
_MISSING = 0.5


@dataclass(frozen=True)
class Column:
    """A column of a design matrix.

    Attributes
    ----------
    column : str
        Of the file.
    name : str
        Its name in the model, an identifier.
    level : str or None
        The value of a text column that it is the indicator of.
    values : ndarray, shape (m,)
    levels : tuple
        All values of a text column; the first has no indicator.
    """

    column: str
    name: str
    level: Any
    values: np.ndarray = field(repr=False)
    levels: tuple = ()


@dataclass(frozen=True)
class Chosen:
    """What a model is proposed of: the response and its columns, in the rows that lack nothing.

    Attributes
    ----------
    target : Column
    columns : list of Column
    left_out : list of str
        Which columns are left out, and why.
    dropped : int
        Rows that lack a value in a column that is used, or have an infinite one.
    is_infinite : bool
        Whether there are such.
    """

    target: Column
    columns: list[Column]
    left_out: list[str]
    dropped: int
    is_infinite: bool = False


@dataclass(frozen=True)
class Reading:
    """How a text file is read: the arguments of `pandas.read_csv` that are not its defaults."""

    path: Path
    options: dict[str, str]

    @property
    def said(self) -> dict[str, str]:
        """How `autoopt.fit(reading=)` calls the same."""
        return {"delimiter" if name == "sep" else name: value for name, value in self.options.items()}

    def frame(self) -> Any:
        """Return the table."""
        import pandas as pd

        try:
            table = pd.read_csv(self.path, **self.options)
        except (OSError, ValueError) as error:
            raise DataError(f"{self.path} cannot be read as a table: {error}", remedy="correct the file.") from error
        named = [str(name) for name in table.columns if not str(name).startswith("Unnamed: ")]
        return table[named]


def reading(path: Path) -> Reading:
    """Return how a file is read: what separates its columns, its decimals, its encoding."""
    if not path.is_file():
        beside = [file.name for file in path.parent.glob("*.[ct]sv")] if path.parent.is_dir() else []
        raise DataError(
            f"There is no data file {path}.{near(path.name, beside)}",
            remedy=f"give a file with columns, CSV or TSV; the working folder is {Path.cwd()}.",
        )
    if path.suffix.lower() not in _TEXTS:
        raise DataError(
            f"{path} is no CSV or TSV file.", remedy="write the table as one: models are proposed for text."
        )
    options: dict[str, str] = {}
    head = path.read_bytes()[:100_000]
    encoding = encoding_told_by(head)
    if encoding.startswith(("utf-16", "utf-32")):
        options["encoding"] = encoding
    try:
        lines = head.decode("utf-8-sig" if encoding == "utf-8" else encoding).splitlines()
    except UnicodeDecodeError as error:
        if encoding == "utf-8" and error.start < len(head) - 4:  # else the head ends within a letter
            options["encoding"] = "cp1252"
        lines = head.decode(options.get("encoding", "utf-8-sig"), errors="replace").splitlines()
    if not lines:
        raise DataError(f"The data file {path} is empty.", remedy="give a file with data.")
    separator = max(",;\t|", key=lambda mark: len(next(csv.reader([lines[0]], delimiter=mark))))
    if separator != ",":
        options["sep"] = separator
        if any(re.search(r"(^|;)-?\d+,\d+(;|$)", line) for line in lines[1:20]) and separator == ";":
            options["decimal"] = ","
    return Reading(path, options)


def chosen(read: Reading, target: str | None, wanted: Sequence[str]) -> Chosen:
    """Return the response and the columns that explain it; `wanted` are taken, all that can be if it is empty."""
    frame = read.frame()
    names = [str(name) for name in frame.columns]
    frame.columns = names
    if absent := [name for name in (*([target] if target else []), *wanted) if name not in names]:
        raise DataError(
            f"{read.path} has no column {absent[0]}.{near(absent[0], names)}", remedy=f"use one of: {listed(names)}."
        )
    target = target or next((name for name in names if name.lower() in _TARGETS), names[-1])
    asked = [name for name in wanted or names if name != target]
    left_out: list[str] = []
    infinite = [name for name in names if frame[name].dtype.kind == "f" and np.isinf(frame[name]).any()]
    frame = frame.assign(**{name: frame[name].replace([np.inf, -np.inf], np.nan) for name in infinite})
    kept = [name for name in asked if _is_kept(frame, name, bool(wanted), left_out)]
    while True:  # until what makes rows incomplete is among the columns that are used
        whole = frame[[*kept, target]].dropna()
        if len(whole) < 3:
            raise DataError(f"{read.path} has {len(whole)} rows that lack nothing.", remedy="give more data.")
        taken = {"params"}
        response = _response(whole, target, taken)
        columns = _independent([_columns(whole, name, taken) for name in kept], left_out, len(whole))
        used = [name for name in kept if name in {column.column for column in columns}]
        if used == kept:
            is_infinite = not set(infinite).isdisjoint([*kept, target])
            return Chosen(response, columns, left_out, len(frame) - len(whole), is_infinite)
        kept = used


def _is_kept(frame: Any, name: str, is_wanted: bool, left_out: list[str]) -> bool:
    """Whether a column may explain something; why not goes to `left_out`."""
    column = frame[name]
    present = column.dropna()
    reason = ""
    if not len(present) or present.nunique() == 1:
        reason = "all values are equal" if len(present) else "it is empty"
    elif is_wanted:
        return True
    elif column.isna().mean() > _MISSING:
        reason = f"{column.isna().mean():.0%} of its values are missing"
    elif present.dtype.kind not in "biuf":
        reason = _why_text(present)
    elif present.dtype.kind in "iu" and _is_numbering(present.to_numpy()):
        reason = "it numbers the rows"
    if reason:
        left_out.append(f"{name}: {reason}")
    return not reason


def _why_text(present: Any) -> str:
    """Return why a column that is not one of numbers explains nothing: it is one but for a few values, or has many."""
    import pandas as pd

    bad = present[pd.to_numeric(present, errors="coerce").isna()]
    if 2 * len(bad) < len(present):
        verb = "is" if len(bad) == 1 else "are"
        return f"{times(len(bad), 'value')} of {len(present)} {verb} no number, such as {bad.iloc[0]!r}"
    return f"text with {present.nunique()} values" if present.nunique() > MOST_LEVELS else ""


def _is_numbering(values: np.ndarray) -> bool:
    return len(values) > 3 and bool((np.diff(values) == 1).all()) and values[0] in (0, 1)


def _response(frame: Any, name: str, taken: set[str]) -> Column:
    """Return the response as numbers; of two texts or numbers the second is 1."""
    column = frame[name]
    if column.nunique() == 1:
        raise DataError(f"All values of {name} are equal.", remedy="name another column with --target.")
    levels = sorted(column.unique(), key=str if column.dtype.kind not in "biuf" else None)
    if column.dtype.kind in "biuf" and (len(levels) != 2 or set(levels) == {0, 1} or column.dtype.kind == "f"):
        return Column(name, identifier(name, taken), None, column.to_numpy(float))
    if len(levels) == 2:
        return Column(name, identifier(name, taken), levels[1], (column == levels[1]).to_numpy(float))
    raise UsageError(
        f"The column {name} is text with {len(levels)} values, and no likelihood is proposed for that.",
        remedy="name a column of numbers, or of two values, with --target; or see the estimators of autoopt.models.",
    )


def _columns(frame: Any, name: str, taken: set[str]) -> list[Column]:
    """Return a column of numbers as it is, one of texts as indicators of all levels but the first."""
    column = frame[name]
    if column.dtype.kind in "biuf":
        return [Column(name, identifier(name, taken), None, column.to_numpy(float))]
    levels = sorted(column.unique(), key=str)
    return [
        Column(name, identifier(f"{name}_{level}", taken), level, (column == level).to_numpy(float), tuple(levels))
        for level in levels[1:]
    ]


def _independent(groups: list[list[Column]], left_out: list[str], rows: int) -> list[Column]:
    """Return the columns that are no combination of those before and of a constant, as many as the rows can tell of.

    A group is what a column of the file has become: all of its indicators, or none, are one too many.
    """
    basis, kept = [np.ones(rows) / np.sqrt(rows)], []
    for group in groups:
        if len(kept) + len(group) > rows // _ROWS_FOR_EACH:
            left_out.append(f"{group[0].column}: {rows} rows are too few for more columns")
            continue
        for column in group:
            rest = column.values / np.abs(column.values).max()
            size = np.linalg.norm(rest)
            for _ in range(2):  # once more for the digits that were lost
                for direction in basis:
                    rest = rest - (direction @ rest) * direction
            if np.linalg.norm(rest) <= 1e-8 * size:
                label = column.column if column.level is None else f"{column.column} = {column.level}"
                left_out.append(f"{label}: it is a combination of the columns before")
                continue
            basis.append(rest / np.linalg.norm(rest))
            kept.append(column)
    return kept


def identifier(name: str, taken: set[str]) -> str:
    """Return a name as Python can have it for an argument, one that is not taken yet; it is taken then.

    >>> identifier("log GDP (2020)", set()), identifier("1st", set()), identifier("lambda", set())
    ('log_GDP_2020', '_1st', 'lambda_')
    """
    normal = unicodedata.normalize("NFKC", name)  # as Python reads identifiers
    plain = re.sub(r"\W+", "_", normal).strip("_") or "column"
    plain = f"_{plain}" if plain[0].isdigit() else plain
    plain = f"{plain}_" if keyword.iskeyword(plain) or plain in _USED else plain
    number, free = 2, plain
    while free in taken:
        free, number = f"{plain}_{number}", number + 1
    taken.add(free)
    return free


_USED = {"np", "pd", "gammaln", "Path", "FILE", "COLUMNS", "z", "shape", "log_sd", "deviation", "params", "intercept",
         "log_shape", "data", "x0", "objective", "predict", "predict_scale", "linear", "kind", "table", "X", "len",
         "encode", "indicator", "LEVELS", "column", "columns", "level", "whole"}  # fmt: skip
"""Names that the text of a model has for other things."""
